/**
 * The indices of a divided table: one for each value of the last key, such as the start of a window. An index then
 * knows nothing of that key, so that numbers are their own hashes as in tables without it, and it goes as a whole when
 * nobody asks for its keys any more. Callers: hot-table.ts; generated look-ups read `division` and `index`, and `enter`
 * another division when a key is of one. Runs on: worker. Invariant: `index` is that of `division`.
 */
import { HotIndex } from './hot-index.js';

/** Indices that are kept for divisions to come: a window mostly ends as another begins. Small ones are soon made. */
const SPARE_MAX = 2;
const SPARE_ENTRIES_MIN = 1024;

/** One index for each division that has entries. */
export class DividedIndex {
  /** The division that was entered last; NaN before the first. */
  division = Number.NaN;
  index = new HotIndex();
  readonly #byDivision = new Map<number, HotIndex>();
  /** Empty ones, whose memory the next divisions take over. */
  readonly #spare: HotIndex[] = [];

  /** Bytes of all indices. */
  get bytes(): number {
    let bytes = 0;
    for (const index of this.#byDivision.values()) bytes += index.bytes;
    for (const index of this.#spare) bytes += index.bytes;
    return bytes;
  }

  /** Makes a division the one that is looked up in. */
  enter(division: number): void {
    let index = this.#byDivision.get(division);
    if (index === undefined) {
      index = this.#spare.pop() ?? new HotIndex();
      this.#byDivision.set(division, index);
    }
    this.division = division;
    this.index = index;
  }

  /** Takes an entry out; a division is gone with its last one. */
  remove(division: number, hash: number, entry: number): void {
    const index = this.#byDivision.get(division);
    if (index === undefined) return;
    index.remove(hash, entry);
    if (index.entries === 0) this.leave(division);
  }

  /** Sets and clears flags of an entry, if its division has not been left. */
  flag(division: number, hash: number, entry: number, set: number, clear: number): void {
    this.#byDivision.get(division)?.flag(hash, entry, set, clear);
  }

  /** Forgets the index of a division, whether or not it has entries. */
  leave(division: number): void {
    const index = this.#byDivision.get(division);
    if (index === undefined) return;
    this.#byDivision.delete(division);
    if (division === this.division) this.division = Number.NaN;
    if (index.entries < SPARE_ENTRIES_MIN) return;
    index.empty();
    this.#spare.push(index);
    // The largest one last, which is taken first.
    this.#spare.sort((left, right) => left.bytes - right.bytes);
    if (this.#spare.length > SPARE_MAX) this.#spare.shift();
  }

  /** Forgets all divisions, and keeps memory for those to come. */
  empty(): void {
    for (const division of [...this.#byDivision.keys()]) this.leave(division);
  }

  /** Forgets all. */
  clear(): void {
    this.#byDivision.clear();
    this.#spare.length = 0;
    this.division = Number.NaN;
  }
}
