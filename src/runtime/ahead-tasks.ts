/**
 * What each slot of a plan can load of a checkpoint before the plan runs: the tables of its operators. Callers:
 * `job-attempts.ts`, which loads it. Runs on: the caller's thread; pure.
 */
import type { PhysicalPlan, Vertex } from '../graph/physical-plan.js';
import { slotBudgetOf } from '../memory/slot-budget.js';
import type { KeptTable } from '../state/state-writer.js';
import type { Settings } from './settings.js';
import type { AheadTable, AheadTask } from './tables-ahead.js';

/** A checkpoint that is followed. */
export interface AheadCheckpoint {
  readonly path: string;
  /** What its state is in. */
  readonly tables: readonly KeptTable[];
}

/** A task for each slot, in their order. */
export function aheadTasks(
  { vertices, slots }: PhysicalPlan,
  settings: Settings,
  { path, tables }: AheadCheckpoint,
): readonly AheadTask[] {
  const bytesMax = slotBudgetOf(settings).managedBytes;
  return Array.from({ length: slots }, (_, slot) => ({
    path,
    tables: vertices.flatMap((vertex) => tablesIn(vertex, slot, tables)),
    bytesMax,
  }));
}

function tablesIn(
  { operators, slots, parallelism, maxParallelism }: Vertex,
  slot: number,
  tables: readonly KeptTable[],
): readonly AheadTable[] {
  // The first of two phases has no state in checkpoints, but the uid of the second.
  const own = operators.filter(({ spec }) => spec.kind !== 'aggregate' || spec.phase !== 'partial');
  const uids = new Set(own.map(({ spec }) => spec.uid));
  const kept = tables.filter(({ uid }) => uids.has(uid));
  return slots.flatMap((of, subtask) =>
    of === slot ? kept.map((table) => ({ ...table, subtask, parallelism, maxParallelism })) : [],
  );
}
