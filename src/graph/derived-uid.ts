/**
 * Uids of operators to which the user gave none: derived from the name and the structure above, so
 * that the same job rebuilt in another thread, or tomorrow, has the same uids. Lines and files play
 * no part, so moving code keeps them; inserting an operator changes those below it, which is why
 * stateful operators deserve a uid of their own. Callers: the api, pre-aggregation. Runs on: any
 * thread; pure.
 */
import { TextDigest } from '../base/text-digest.js';

/** What a derived uid depends on. */
export interface UidParts {
  readonly kind: string;
  readonly name: string;
  /** Uids of the inputs in order, each with how its records are dealt. */
  readonly inputs: readonly { readonly uid: string; readonly partitioner: string }[];
}

/**
 * A uid such as `map-parse-1f0c9a2b` that is not in `taken`; siblings that are alike get `-2`,
 * `-3`, ….
 *
 * @example
 * deriveUid({ kind: 'map', name: 'map', inputs: [] }, new Set()); // 'map-…'
 */
export function deriveUid(parts: UidParts, taken: ReadonlySet<string>): string {
  const inputs = parts.inputs.map((input) => [input.uid, input.partitioner]);
  const digest = new TextDigest()
    .update(JSON.stringify([parts.kind, parts.name, inputs]))
    .hex()
    .slice(0, 8);
  const base = `${slug(parts.name)}-${digest}`;
  if (!taken.has(base)) return base;
  let ordinal = 2;
  while (taken.has(`${base}-${ordinal}`)) ordinal++;
  return `${base}-${ordinal}`;
}

/** A name reduced to what is safe in file names and metric labels. */
function slug(name: string): string {
  const safe = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32)
    .replace(/-+$/, '');
  return safe === '' ? 'operator' : safe;
}
