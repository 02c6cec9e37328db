/**
 * How chains and operators are called outside of the engine: by ids as Flink's. Callers: REST, reporters. Runs on: any
 * thread; pure.
 */
import { TextDigest } from '../base/text-digest.js';

/** The id of a chain or operator: 32 hex digits that stay the same while its uid does. */
export function vertexId(uid: string): string {
  const half = (salt: string): string => new TextDigest().update(`${salt}${uid}`).hex();
  return half('') + half('vertex ');
}
