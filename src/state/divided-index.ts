/**
 * The indices of a divided table: one for each value of the last key, such as the start of a window. An index then
 * knows nothing of that key, so that numbers are their own hashes as in tables without it, and it goes as a whole when
 * nobody asks for its keys any more. Callers: hot-table.ts; generated look-ups read `division` and `index`, and `enter`
 * another division when a key is of one. Runs on: worker. Invariant: `index` is that of `division`.
 */
import { HotIndex } from './hot-index.js';

/** One index for each division that has entries. */
export class DividedIndex {
  /** The division that was entered last; NaN before the first. */
  division = Number.NaN;
  index = new HotIndex();
  readonly #byDivision = new Map<number, HotIndex>();

  /** Bytes of all indices. */
  get bytes(): number {
    let bytes = 0;
    for (const index of this.#byDivision.values()) bytes += index.bytes;
    return bytes;
  }

  /** Makes a division the one that is looked up in. */
  enter(division: number): void {
    let index = this.#byDivision.get(division);
    if (index === undefined) {
      index = new HotIndex();
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
    this.#byDivision.delete(division);
    if (division === this.division) this.division = Number.NaN;
  }

  /** Forgets all. */
  clear(): void {
    this.#byDivision.clear();
    this.division = Number.NaN;
  }
}
