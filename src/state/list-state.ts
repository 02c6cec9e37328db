/**
 * List state: elements are entries keyed by (key, index), and an entry per key tells the range of indexes. Callers:
 * keyed-state.ts. Runs on: worker. Invariant: every element of the list has an index in [first, next); with a time to
 * live, elements in between may be gone, and the range lives at least as long as its newest element.
 */
import { PAGE_MASK, PAGE_SHIFT } from './contract.js';
import type { KeyedTable } from './keyed-table.js';
import type { StateColumn } from './state-column.js';
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
    const range = this.#ranges.find();
    if (range < 0) return values;
    const { c0, c1 } = this.#ranges.table.pages[range >>> PAGE_SHIFT];
    const next = c1[range & PAGE_MASK];
    for (let index = c0[range & PAGE_MASK]; index < next; index++) {
      const entry = this.#elements.find(index);
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
