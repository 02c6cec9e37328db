/**
 * Loads entries by column into a hot table: those whose keys are new page by page, into ids that follow each other, and
 * others over the entries of their keys. Callers: table-snapshot.ts, by way of the table. Runs on: worker. Invariant:
 * what was loaded counts as unchanged, since it is in a snapshot, and removing it leaves a tombstone.
 */
import { assert } from '../base/assert.js';
import type { EntryColumns, EntryLoader, TablePage } from './contract.js';
import type { PlaceCode } from './entry-code.js';
import { type HotIndex, StagedEntries } from './hot-index.js';
import { clearBits, type PageMarks, setBits } from './page-marks.js';

/** New entries that are put into the index together. */
const STAGED_MAX = 1 << 16;

/** What a loader asks of its table. */
export interface LoadedTable {
  nowMs: number;
  readonly stampMs: number;
  readonly isFrozen: boolean;
  readonly pages: readonly TablePage[];
  readonly marks: readonly PageMarks[];
  /** Fails for a key group of another subtask. */
  checkKeyGroup(keyGroup: number): void;
  /** Ids that follow each other within a page, at most so many; they count as entries from now on. */
  claim(entriesMax: number): { readonly entry: number; readonly count: number };
  /** An entry has been loaded. */
  loaded(entry: number, stampMs: number): void;
  /** One that was loaded before is gone. */
  unload(entry: number): void;
}

/** Loads into one table. */
export class ColumnLoader implements EntryLoader {
  readonly #table: LoadedTable;
  readonly #code: PlaceCode;
  /** Null where each entry has to be put into the index that its key says. */
  readonly #index: HotIndex | null;
  #staged: StagedEntries | null = null;

  constructor(table: LoadedTable, code: PlaceCode, index: HotIndex | null) {
    this.#table = table;
    this.#code = code;
    this.#index = index;
  }

  load(entries: EntryColumns, keyGroup: number, isNew: boolean): void {
    this.#atAnyTime(keyGroup, (stampMs) => {
      const { stamps } = entries.columns;
      const stampsMs = stamps instanceof Float64Array ? stamps : null;
      if (isNew && this.#index !== null) {
        return this.#loadNew(entries, keyGroup, this.#index, stampsMs ?? stampMs);
      }
      this.#indexStaged();
      for (let row = 0; row < entries.rows; row++) {
        const entry = this.#code.put(entries, row, keyGroup);
        this.#table.loaded(entry, stampsMs === null ? stampMs : stampsMs[row]);
      }
    });
  }

  remove(keys: EntryColumns, keyGroup: number): void {
    this.#atAnyTime(keyGroup, () => {
      this.#indexStaged();
      for (let row = 0; row < keys.rows; row++) {
        const entry = this.#code.find(keys, row, keyGroup);
        if (entry < 0) continue;
        if (this.#code.clear(entry)) this.#table.unload(entry);
        else this.#table.loaded(entry, 0);
      }
    });
  }

  finish(): void {
    this.#indexStaged();
    this.#staged = null;
  }

  /** Entries that are past their time already are found and loaded all the same: the clock may not be set yet. */
  #atAnyTime(keyGroup: number, load: (stampMs: number) => void): void {
    const table = this.#table;
    assert(!table.isFrozen, 'Entries are loaded before the first freeze.');
    table.checkKeyGroup(keyGroup);
    const { nowMs } = table;
    table.nowMs = Number.NEGATIVE_INFINITY;
    load(table.stampMs);
    table.nowMs = nowMs;
  }

  #loadNew(
    entries: EntryColumns,
    keyGroup: number,
    index: HotIndex,
    stampsMs: Float64Array | number,
  ): void {
    const { pages, marks } = this.#table;
    for (let row = 0; row < entries.rows; ) {
      const { entry, count } = this.#table.claim(Math.min(entries.rows - row, STAGED_MAX));
      const staged = (this.#staged ??= new StagedEntries(STAGED_MAX));
      if (staged.count + count > STAGED_MAX) {
        index.insertAll(staged);
        staged.count = 0;
      }
      // Entries of a page lie side by side, at the end of all.
      const at = pages.length - 1;
      const own = marks[at];
      const o = entry & (own.hashes.length - 1);
      setBits(own.used, o, count);
      setBits(own.alive, o, count);
      setBits(own.base, o, count);
      own.keyGroups.fill(keyGroup, o, o + count);
      const place = { page: pages[at], o, hashes: own.hashes, staged };
      this.#code.fill(entries, row, row + count, entry, place);
      clearBits(own.dirty, o, count);
      if (own.stamps.length > 0) {
        if (typeof stampsMs === 'number') own.stamps.fill(stampsMs, o, o + count);
        else own.stamps.set(stampsMs.subarray(row, row + count), o);
      }
      row += count;
    }
  }

  #indexStaged(): void {
    if (this.#staged === null || this.#index === null) return;
    this.#index.insertAll(this.#staged);
    this.#staged.count = 0;
  }
}

/** Has all that is loaded found at once, and tells of it then. */
export function finishedAtOnce(
  loader: EntryLoader,
  then: (loaded: EntryColumns) => void,
): EntryLoader {
  const finish = (entries: EntryColumns): void => {
    loader.finish();
    then(entries);
  };
  return {
    load: (entries, keyGroup, isNew) => {
      loader.load(entries, keyGroup, isNew);
      finish(entries);
    },
    remove: (keys, keyGroup) => {
      loader.remove(keys, keyGroup);
      finish(keys);
    },
    finish: () => loader.finish(),
  };
}
