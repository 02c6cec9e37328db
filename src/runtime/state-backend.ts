/**
 * State with a part on disk: what makes the tables of operators that can have one. Loaded where `state.backend` is
 * `lsm`. Callers: the slot builder. Runs on: the slot's thread.
 */
import type { TaskMetricsWriter } from '../metrics/task-metrics.js';
import type { SpillSpace } from '../operator/chain-options.js';
import type { StateTable, TableSpec } from '../state/contract.js';
import { createTieredTable } from '../state/cold/tiered-table.js';

/** The tables of the operators of one subtask. */
export class TieredTables {
  readonly #space: SpillSpace;
  readonly #tables: StateTable[] = [];
  readonly #tablesOf = new Map<string, number>();
  readonly #counts = { lookups: 0, hits: 0 };
  readonly #metrics: TaskMetricsWriter;

  constructor(space: SpillSpace, metrics: TaskMetricsWriter) {
    this.#space = space;
    this.#metrics = metrics;
  }

  /** Opens a table; those of one operator have equal parts of its memory. */
  open(uid: string, spec: TableSpec, keyGroups: { start: number; end: number }): StateTable {
    const { disk, directory, budgetBytes } = this.#space;
    const tablesOf = this.#tablesOf;
    tablesOf.set(uid, (tablesOf.get(uid) ?? 0) + 1);
    const space = {
      disk,
      directory,
      counts: this.#counts,
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
    this.#metrics.setColdLookups(this.#counts.lookups, this.#counts.hits);
  }
}
