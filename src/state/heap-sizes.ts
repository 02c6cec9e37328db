/**
 * What the `js` columns of a table take of the heap: the size last measured of each value, by page. Callers:
 * `hot-table.ts`. Runs on: worker. Invariant: the bytes are the sum of the sizes; a value that has none is not counted.
 */
import type { TableSpec } from './contract.js';
import { heapValueBytes } from './heap-value.js';

/** The size of a heap value is measured anew once per so many replacements, since measuring costs as much. */
const MEASURE_EVERY = 32;
/** So many new values of a column are taken to be as large as the one that was measured. */
const ALIKE = 8;

/** The sizes of one column. */
interface HeapColumn {
  readonly sizes: Int32Array[];
  untilMeasured: number;
  /** New values until the next one is measured, and the size of the one that was. */
  untilNew: number;
  newBytes: number;
}

/** The sizes of all heap values of a table. */
export class HeapSizes {
  /** Bytes of all values. */
  bytes = 0;
  /** How many columns have such values. */
  readonly count: number;
  readonly #columns: readonly (HeapColumn | null)[];
  readonly #pageShift: number;
  readonly #mask: number;

  constructor({ columns }: TableSpec, pageShift: number) {
    this.#columns = columns.map(({ form }) =>
      form === 'js' ? { sizes: [], untilMeasured: 0, untilNew: 0, newBytes: 0 } : null,
    );
    this.count = this.#columns.filter((column) => column !== null).length;
    this.#pageShift = pageShift;
    this.#mask = (1 << pageShift) - 1;
  }

  addPage(): void {
    for (const column of this.#columns) column?.sizes.push(new Int32Array(this.#mask + 1));
  }

  /** A value was put; now and then it is measured. */
  put(entry: number, index: number, value: unknown): void {
    const column = this.#columns[index];
    if (column === null) return;
    const sizes = column.sizes[entry >>> this.#pageShift];
    const offset = entry & this.#mask;
    if (sizes[offset] === 0) {
      if (column.untilNew-- <= 0) {
        column.untilNew = ALIKE - 1;
        column.newBytes = heapValueBytes(value);
      }
      this.bytes += column.newBytes;
      sizes[offset] = column.newBytes;
    } else if (--column.untilMeasured <= 0) {
      column.untilMeasured = MEASURE_EVERY;
      this.measure(entry, index, value);
    }
  }

  measure(entry: number, index: number, value: unknown): void {
    const column = this.#columns[index];
    if (column === null) return;
    const sizes = column.sizes[entry >>> this.#pageShift];
    const bytes = heapValueBytes(value);
    this.bytes += bytes - sizes[entry & this.#mask];
    sizes[entry & this.#mask] = bytes;
  }

  /** The values of an entry are gone. */
  drop(entry: number): void {
    for (const column of this.#columns) {
      if (column === null) continue;
      const sizes = column.sizes[entry >>> this.#pageShift];
      this.bytes -= sizes[entry & this.#mask];
      sizes[entry & this.#mask] = 0;
    }
  }

  /** All values are gone; pages stay, or go too. */
  empty(): void {
    for (const column of this.#columns) column?.sizes.forEach((sizes) => sizes.fill(0));
    this.bytes = 0;
  }
  clear(): void {
    for (const column of this.#columns) if (column !== null) column.sizes.length = 0;
    this.bytes = 0;
  }
}
