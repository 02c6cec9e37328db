/**
 * Where and when checkpoints overtake records that are under way. Callers: the checkpoints of a slot, the alignment of
 * barriers, the barrier in a subtask. Runs on: the slot's thread; pure. Invariant: savepoints never do.
 */
import type { CheckpointTrigger } from '../checkpoint/contract.js';
import type { Edge } from '../graph/physical-plan.js';

/** Kinds of edges whose records belong to whoever receives them alone, and can be dealt anew. */
const OVERTAKEN: readonly Edge['partitioner']['kind'][] = [
  'hash',
  'rebalance',
  'shuffle',
  'global',
  'custom',
];

/** Whether barriers may overtake the records of an edge. */
export function isOvertaken({ partitioner }: Edge): boolean {
  return OVERTAKEN.includes(partitioner.kind);
}

/** When a checkpoint overtakes what is still before it, by the wall clock; `Infinity` for never. */
export function overtakesAtMs(
  { kind, timestampMs }: CheckpointTrigger,
  timeoutMs: number | null,
): number {
  return kind === 'savepoint' || timeoutMs === null
    ? Number.POSITIVE_INFINITY
    : timestampMs + timeoutMs;
}
