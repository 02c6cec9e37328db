/**
 * Several runs of the cold tier as one: each key once, as the newest of them has it. Callers: `cold-store.ts`,
 * snapshots and scans of tiered tables. Runs on: worker. Invariant: runs are given newest first, and of two records of
 * one key that of the newer run is the newer.
 */
import { sameBytes } from '../byte-arena.js';
import { ColdCursor, type ColdRun, type MixedRange } from './cold-run.js';
import { RECORD_KEY_BYTES } from './cold-record.js';

/** Steps through runs. */
export class MergedRuns {
  readonly #runs: readonly ColdRun[];
  readonly #cursors: readonly ColdCursor[];
  readonly #keyStart: number;
  /** The hash whose records are being given, which of the cursors gives them, and the keys that newer ones had. */
  #mixed = -1;
  #turn = 0;
  readonly #keys: Uint8Array[] = [];
  #isShared = false;
  #isStarted = false;

  /** Of a range of mixed hashes, maybe with some records behind it. */
  constructor(runs: readonly ColdRun[], keyStart: number, range?: MixedRange) {
    this.#runs = runs;
    this.#cursors = runs.map((run) => new ColdCursor(run, range));
    this.#keyStart = keyStart;
  }

  /** The record at hand, after `next`. */
  get record(): ColdCursor {
    return this.#cursors[this.#turn];
  }

  /** The run that it is of. */
  get run(): ColdRun {
    return this.#runs[this.#turn];
  }

  /** Steps to the next key; false when there is none. */
  next(): boolean {
    if (this.#isStarted) this.#pass();
    this.#isStarted = true;
    for (;;) {
      while (this.#turn < this.#cursors.length) {
        const cursor = this.#cursors[this.#turn];
        if (cursor.mixed !== this.#mixed) {
          this.#turn++;
          continue;
        }
        if (!this.#isShared || !this.#isKnown(cursor)) return true;
        cursor.next();
      }
      if (!this.#nextHash()) return false;
    }
  }

  /** Leaves the record at hand behind; older ones of its key are passed over. */
  #pass(): void {
    const cursor = this.record;
    if (cursor === undefined) return;
    if (this.#isShared) {
      const { start, end } = this.#keyOf(cursor);
      this.#keys.push(cursor.bytes.slice(start, end));
    }
    cursor.next();
  }

  #nextHash(): boolean {
    let least = Number.POSITIVE_INFINITY;
    let count = 0;
    for (const { mixed } of this.#cursors) {
      if (mixed === least) count++;
      if (mixed >= least) continue;
      least = mixed;
      count = 1;
    }
    this.#mixed = least;
    this.#turn = 0;
    this.#isShared = count > 1;
    this.#keys.length = 0;
    return least !== Number.POSITIVE_INFINITY;
  }

  #keyOf({ view, at }: ColdCursor): { readonly start: number; readonly end: number } {
    const start = at + this.#keyStart;
    return { start, end: start + view.getUint32(at + RECORD_KEY_BYTES, true) };
  }

  #isKnown(cursor: ColdCursor): boolean {
    const { start, end } = this.#keyOf(cursor);
    return this.#keys.some(
      (key) => key.length === end - start && sameBytes(key, 0, cursor.bytes, start, end),
    );
  }
}
