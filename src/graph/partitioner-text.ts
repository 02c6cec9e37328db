/**
 * Partitioners as people write them. Callers: chaining, explain, derived uids. Runs on: any thread;
 * pure.
 */
import { KEY_FIELD } from '../operator/flow-row.js';
import type { Partitioner } from '../operator/operator-spec.js';

/** Such as `hash of origin, date` or `rebalance`; null (left open) reads `forward`. */
export function partitionerText(partitioner: Partitioner | null): string {
  if (partitioner === null) return 'forward';
  if (partitioner.kind === 'hash') return `hash of ${keysText(partitioner.keys)}`;
  if (partitioner.kind === 'custom') return 'a custom function';
  return partitioner.kind;
}

/** Key fields as people write them: by name, or as what a key function computes. */
export function keysText(keys: readonly string[]): string {
  return keys.map((key) => (key === KEY_FIELD ? 'the computed key' : key)).join(', ');
}
