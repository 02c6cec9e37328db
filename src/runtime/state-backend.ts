/**
 * State with a part on disk: which operators can have it, and what makes their tables. Loaded where `state.backend` is
 * `lsm`. Callers: `launch-run.ts` on the caller's thread, the slot builder. Runs on: any thread.
 */
import { MillraceError } from '../base/errors.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { SpillSpace } from '../operator/chain-options.js';
import type { OperatorSpec } from '../operator/operator-spec.js';
import type { StateTable, TableSpec } from '../state/contract.js';
import { createTieredTable } from '../state/cold/tiered-table.js';

/** Refuses operators whose state has to be in memory. Throws FEATURE_UNSUPPORTED. */
export function checkTieredState(plan: PhysicalPlan): void {
  for (const { operators } of plan.vertices) {
    for (const { spec } of operators) {
      const state = inMemoryOnly(spec);
      if (state !== null) throw unsupported(spec, state);
    }
  }
}

/** What an operator keeps that cannot be on disk; null for nothing. */
function inMemoryOnly(spec: OperatorSpec): string | null {
  switch (spec.kind) {
    case 'aggregate':
      return spec.window === null ? null : 'the windows of an aggregation';
    case 'top':
      return 'the rows of topN(...)';
    case 'join':
      return 'the rows of a join';
    case 'process':
      return spec.about === undefined ? null : `the state of ${spec.about}`;
    default:
      return null;
  }
}

function unsupported({ name, uid }: OperatorSpec, state: string): MillraceError {
  return new MillraceError(
    'FEATURE_UNSUPPORTED',
    `Operator "${name}" keeps ${state}, which the state backend lsm cannot put on disk yet.`,
    {
      where: { operator: name, uid },
      advice:
        'Set state.backend to memory and raise slot.memory or the parallelism, or keep the state ' +
        'by keyBy(...) with aggregate, reduce, distinct or process.',
    },
  );
}

/** The tables of the operators of one subtask. */
export class TieredTables {
  readonly #space: SpillSpace;
  readonly #tables: StateTable[] = [];
  readonly #tablesOf = new Map<string, number>();

  constructor(space: SpillSpace) {
    this.#space = space;
  }

  /** Opens a table; those of one operator have equal parts of its memory. */
  open(uid: string, spec: TableSpec, keyGroups: { start: number; end: number }): StateTable {
    const { disk, directory, budgetBytes } = this.#space;
    const tablesOf = this.#tablesOf;
    tablesOf.set(uid, (tablesOf.get(uid) ?? 0) + 1);
    const space = {
      disk,
      directory,
      get budgetBytes() {
        return budgetBytes / (tablesOf.get(uid) ?? 1);
      },
    };
    const table = createTieredTable(spec, { keyGroups, space });
    this.#tables.push(table);
    return table;
  }

  /** Has entries leave memory, where they may. */
  makeRoom(): void {
    for (const table of this.#tables) table.makeRoom?.();
  }
}
