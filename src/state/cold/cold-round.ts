/**
 * Rounds through all that is cold, a little at a time: each is through what was cold when it began. Callers:
 * `tiered-table.ts`, to find what is past its time to live. Runs on: worker. Invariant: what a round reads stays until
 * it ends.
 */
import type { MergedRuns } from './cold-merge.js';
import type { ColdCursor, ColdRun } from './cold-run.js';
import type { ColdStore } from './cold-store.js';

/** Goes round and round. */
export class ColdRound {
  readonly #store: ColdStore;
  #round: { readonly runs: readonly ColdRun[]; readonly merged: MergedRuns } | null = null;

  constructor(store: ColdStore) {
    this.#store = store;
  }

  /** Visits the next records, to the end of a round at most. */
  step(recordsMax: number, visit: (record: ColdCursor) => void): void {
    if (this.#round === null && this.#store.isEmpty) return;
    if (this.#round === null) {
      const runs = this.#store.pin(true);
      this.#round = { runs, merged: this.#store.merged(runs) };
    }
    const { merged } = this.#round;
    for (let left = recordsMax; left > 0; left--) {
      if (!merged.next()) return this.end();
      visit(merged.record);
    }
  }

  /** Ends the round at hand. */
  end(): void {
    if (this.#round !== null) this.#store.release(this.#round.runs);
    this.#round = null;
  }
}
