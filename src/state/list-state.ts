/**
 * List states. One whose elements expire has an entry for each, keyed by (key, index), and an entry per key that tells
 * the range of indexes. The others know how many elements a key has, which is a part of the entry that all states of
 * a key share, and keep elements that are values of JavaScript in chunks. Callers: keyed-state.ts. Runs on: worker.
 * Invariant: every element of the list has an index in [first, next); with a time to live, elements in between may be
 * gone, and the range lives at least as long as its newest element.
 */
import { PAGE_MASK, PAGE_SHIFT } from './contract.js';
import type { KeyedTable } from './keyed-table.js';
import type { StateColumn } from './state-column.js';
import type { SharedPart } from './shared-entries.js';
import type { ListState } from './state-handles.js';

/** The columns of the table of ranges. */
export const LIST_RANGE_COLUMNS = [
  { name: 'first', form: 'f64' },
  { name: 'next', form: 'f64' },
] as const;

/** A list per key in two tables. */
export class TableListState<T> implements ListState<T> {
  readonly #elements: KeyedTable;
  readonly #ranges: KeyedTable;
  readonly #column: StateColumn;

  constructor(elements: KeyedTable, ranges: KeyedTable, column: StateColumn) {
    this.#elements = elements;
    this.#ranges = ranges;
    this.#column = column;
  }

  /** The elements as they are now; collected first, since the current key may be another one at the next step. */
  get(): readonly T[] {
    const values: T[] = [];
    const range = this.#ranges.read();
    if (range < 0) return values;
    const { c0, c1 } = this.#ranges.table.pages[range >>> PAGE_SHIFT];
    const next = c1[range & PAGE_MASK];
    for (let index = c0[range & PAGE_MASK]; index < next; index++) {
      const entry = this.#elements.read(index);
      if (entry >= 0) values.push(this.#column.read(this.#elements.table, entry) as T);
    }
    return values;
  }

  add(value: T): void {
    const range = this.#ranges.upsert();
    const page = this.#ranges.table.pages[range >>> PAGE_SHIFT];
    const firsts: Float64Array = page.c0;
    const nexts: Float64Array = page.c1;
    const offset = range & PAGE_MASK;
    if (this.#ranges.table.spec.ttlMs !== null) {
      // Elements at the front expire first, so the range follows them and stays short.
      while (firsts[offset] < nexts[offset] && this.#elements.find(firsts[offset]) < 0) {
        firsts[offset]++;
      }
    }
    const entry = this.#elements.upsert(nexts[offset]++);
    this.#column.write(this.#elements.table, entry, value);
  }

  addAll(values: Iterable<T>): void {
    for (const value of values) this.add(value);
  }

  update(values: Iterable<T>): void {
    const kept = [...values];
    this.clear();
    this.addAll(kept);
  }

  clear(): void {
    const range = this.#ranges.find();
    if (range < 0) return;
    const { c0, c1 } = this.#ranges.table.pages[range >>> PAGE_SHIFT];
    const next = c1[range & PAGE_MASK];
    for (let index = c0[range & PAGE_MASK]; index < next; index++) {
      const entry = this.#elements.find(index);
      if (entry >= 0) this.#elements.table.remove(entry);
    }
    this.#ranges.table.remove(range);
  }
}

/** Values of JavaScript in an entry, at most: a change of one makes a snapshot copy as many. */
export const CHUNK = 32;

/** What the lists of a state are in. */
export interface ListParts {
  /** How many elements a key has. */
  readonly size: KeyedTable | SharedPart;
  readonly sizeColumn: StateColumn;
  /** Elements, or chunks of them, by (key, index). */
  readonly elements: KeyedTable;
  readonly column: StateColumn;
}

/** A list per key whose elements stay until they are cleared. */
export class LastingListState<T> implements ListState<T> {
  readonly #parts: ListParts;
  readonly #elements: KeyedTable;
  readonly #column: StateColumn;
  /** Elements of an entry. */
  readonly #width: number;

  constructor(parts: ListParts) {
    this.#parts = parts;
    this.#elements = parts.elements;
    this.#column = parts.column;
    this.#width = parts.column.form === 'js' ? CHUNK : 1;
  }

  /** The elements as they are now; collected first, since the current key may be another one at the next step. */
  get(): readonly T[] {
    const values: T[] = [];
    const entries = this.#entries();
    for (let index = 0; index < entries; index++) {
      const entry = this.#elements.find(index);
      const value = this.#column.read(this.#elements.table, entry);
      if (this.#width === 1) values.push(value as T);
      else for (const element of value as readonly T[]) values.push(element);
    }
    return values;
  }

  /** Entries that the elements of the key are in. */
  #entries(): number {
    const { size, sizeColumn } = this.#parts;
    const entry = size.find();
    if (entry < 0) return 0;
    return Math.ceil((sizeColumn.read(size.table, entry) as number) / this.#width);
  }

  add(value: T): void {
    const { size, sizeColumn } = this.#parts;
    this.#column.check(value);
    const entry = size.upsert();
    const next = size.created ? 0 : (sizeColumn.read(size.table, entry) as number);
    if (this.#width === 1)
      this.#column.write(this.#elements.table, this.#elements.upsert(next), value);
    else this.#push(Math.floor(next / CHUNK), value);
    sizeColumn.write(size.table, entry, next + 1);
  }

  /** The chunk is upserted before it changes in place, so that a frozen one is kept as it was. */
  #push(index: number, value: T): void {
    const entry = this.#elements.upsert(index);
    const { table } = this.#elements;
    if (table.created) return table.setValue(entry, 0, [value]);
    const chunk = table.getValue(entry, 0) as T[];
    chunk.push(value);
    // Measured each time it has doubled.
    if ((chunk.length & (chunk.length - 1)) === 0) table.measure(entry, 0);
  }

  addAll(values: Iterable<T>): void {
    for (const value of values) this.add(value);
  }

  update(values: Iterable<T>): void {
    const kept = [...values];
    this.clear();
    this.addAll(kept);
  }

  clear(): void {
    const entries = this.#entries();
    if (entries === 0) return;
    for (let index = 0; index < entries; index++) {
      this.#elements.table.remove(this.#elements.find(index));
    }
    this.#parts.size.remove(this.#parts.size.find());
  }
}
