/**
 * Entries of one key group on their way into a piece or out of it: a column for each part of keys and values, in the
 * form in which tables hold it, so that generated code moves them without objects in between. Callers: generated
 * code of `entry-code.ts`, `entry-piece.ts`. Runs on: worker. Invariant: every column has `rows` values.
 */
import { DefaultDeserializer, DefaultSerializer, deserialize } from 'node:v8';
import { MillraceError } from '../base/errors.js';
import type { GrowingColumns, TableSpec, ValueForm } from './contract.js';
import { FrozenHeapValue } from './heap-value.js';
import { corruptPiece } from './piece-bytes.js';
import { type KeyForm, keyForm } from './table-shape.js';

/** What is written of an entry beside its key group; a subset of the columns of its table, in any order. */
export interface BlockColumn {
  /** Where generated code finds it in a block: `k0`, …, `c0`, …, and `stamps`. */
  readonly name: string;
  readonly form: KeyForm | ValueForm;
}

/** Room for the first entries of a key group; a block doubles up to `BLOCK_ROWS_MAX`. */
const FIRST_ROWS = 32;
const FIRST_BYTES = 256;
/** Entries of one block, and bytes of its columns of texts and of heap values together, from which on it is full. */
const BLOCK_ROWS_MAX = 4096;
const BLOCK_BYTES_MAX = 1 << 17;

const FIXED = {
  f64: Float64Array,
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
  i64: BigInt64Array,
} as const;

type FixedForm = keyof typeof FIXED;
/** A column of numbers. */
export type FixedColumn = InstanceType<(typeof FIXED)[FixedForm]>;
/** A column of a block. */
export type EntryColumn = FixedColumn | BytesColumn | ValuesColumn | RowsColumn;

/** The columns of the keys of a table's entries. */
export function keyColumns({ keys, name }: TableSpec): readonly BlockColumn[] {
  return keys.map((type, index) => ({ name: `k${index}`, form: keyForm(type, name) }));
}

/** The columns of the values of a table's entries, with their time stamps. */
export function valueColumns({ columns, ttlMs }: TableSpec): readonly BlockColumn[] {
  const stamps: readonly BlockColumn[] = ttlMs === null ? [] : [{ name: 'stamps', form: 'f64' }];
  const values = columns.map(({ form }, index) => ({ name: `c${index}`, form }));
  return [...stamps, ...values.filter(({ form }) => form !== 'none')];
}

/** Whether a form has a column of numbers. */
export function isFixed(form: BlockColumn['form']): form is FixedForm {
  return form in FIXED;
}

/** An empty column of numbers. */
export function fixedColumn(form: FixedForm, rows: number): FixedColumn {
  return new FIXED[form](rows);
}

/** A column of numbers over bytes that are aligned to eight. */
export function fixedColumnOver(form: FixedForm, bytes: Uint8Array, rows: number): FixedColumn {
  return new FIXED[form](bytes.buffer as ArrayBuffer, bytes.byteOffset, rows);
}

/** Entries that are collected for a piece. Columns are properties, as generated code wants them. */
export class EntryBlock implements GrowingColumns {
  rows = 0;
  #capacity = FIRST_ROWS;
  readonly layout: readonly BlockColumn[];
  readonly columns: Record<string, EntryColumn> = {};

  constructor(layout: readonly BlockColumn[], state: string) {
    this.layout = layout;
    for (const { name, form } of layout) this.columns[name] = emptyColumn(form, state);
  }

  /** Whether the piece should be written and the next one begun. */
  get isFull(): boolean {
    if (this.rows >= BLOCK_ROWS_MAX) return true;
    let bytes = 0;
    for (const { name } of this.layout) {
      const column = this.columns[name];
      if (column instanceof BytesColumn) bytes += column.used;
      if (column instanceof RowsColumn) bytes += column.rows.used;
      if (column instanceof ValuesColumn) bytes += column.rows * ValuesColumn.bytesTypical;
    }
    return bytes >= BLOCK_BYTES_MAX;
  }

  /** Empties it for the next piece. */
  reset(): void {
    this.rows = 0;
    for (const { name } of this.layout) {
      const column = this.columns[name];
      if (!ArrayBuffer.isView(column)) column.reset();
    }
  }

  reserve(rows: number): void {
    const wanted = this.rows + rows;
    if (wanted <= this.#capacity) return;
    while (this.#capacity < wanted) this.#capacity *= 2;
    for (const { name, form } of this.layout) {
      const column = this.columns[name];
      if (!isFixed(form)) continue;
      const grown = fixedColumn(form, this.#capacity);
      grown.set(column as never);
      this.columns[name] = grown;
    }
  }
}

function emptyColumn(form: BlockColumn['form'], state: string): EntryColumn {
  if (isFixed(form)) return fixedColumn(form, FIRST_ROWS);
  if (form === 'rows') return new RowsColumn();
  return form === 'js' ? new ValuesColumn(state) : new BytesColumn();
}

/** Texts and bytes: the length of each, and all of them in a row. */
export class BytesColumn {
  lengths: Int32Array;
  bytes: Uint8Array;
  rows = 0;
  used = 0;
  /** Where the next one begins that is read. */
  at = 0;

  constructor(
    lengths: Int32Array = new Int32Array(FIRST_ROWS),
    bytes: Uint8Array = new Uint8Array(FIRST_BYTES),
  ) {
    this.lengths = lengths;
    this.bytes = bytes;
  }

  reset(): void {
    this.rows = 0;
    this.used = 0;
  }

  /** The next one that is read. */
  next(): Uint8Array {
    const start = this.at;
    this.at += this.lengths[this.rows++];
    return this.bytes.subarray(start, this.at);
  }

  add(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.rows === this.lengths.length) this.lengths = larger(this.lengths, 2 * this.rows);
    if (this.used + length > this.bytes.length) {
      this.bytes = larger(this.bytes, Math.max(2 * this.bytes.length, this.used + length));
    }
    this.lengths[this.rows++] = length;
    if (length > LOOP_BYTES_MAX) this.bytes.set(source.subarray(start, end), this.used);
    else for (let at = 0; at < length; at++) this.bytes[this.used + at] = source[start + at];
    this.used += length;
  }
}

/** Lists of rows: how many each has, and all of them. */
export class RowsColumn {
  counts: Int32Array;
  readonly rows: BytesColumn;
  #lists = 0;

  constructor(counts: Int32Array = new Int32Array(FIRST_ROWS), rows = new BytesColumn()) {
    this.counts = counts;
    this.rows = rows;
  }

  reset(): void {
    this.#lists = 0;
    this.rows.reset();
  }

  add(rows: readonly Uint8Array[]): void {
    if (this.#lists === this.counts.length) this.counts = larger(this.counts, 2 * this.#lists);
    this.counts[this.#lists++] = rows.length;
    for (const row of rows) this.rows.add(row, 0, row.length);
  }

  /** The next list that is read. */
  next(): readonly Uint8Array[] {
    const count = this.counts[this.#lists++];
    return Array.from({ length: count }, () => this.rows.next());
  }
}

/** Up to this length a loop copies faster than a native call. */
const LOOP_BYTES_MAX = 48;

function larger<A extends Int32Array | Uint8Array>(array: A, length: number): A {
  const made = new (array.constructor as new (length: number) => A)(length);
  made.set(array);
  return made;
}

/** Values of JavaScript: all of a block in one serialisation, which costs a tenth of one for each. */
export class ValuesColumn {
  /** For telling when a block is full. */
  static readonly bytesTypical = 64;
  rows = 0;
  readonly #state: string;
  #serializer: DefaultSerializer;

  constructor(state: string) {
    this.#state = state;
    this.#serializer = serializer();
  }

  reset(): void {
    this.rows = 0;
    this.#serializer = serializer();
  }

  /** Writes a value as it is now. */
  add(value: unknown): void {
    this.rows++;
    try {
      this.#serializer.writeValue(
        value instanceof FrozenHeapValue ? deserialize(value.bytes) : value,
      );
    } catch (error) {
      throw notPlain(this.#state, error);
    }
  }

  /** What was written; the column is used up. */
  take(): Uint8Array {
    return this.#serializer.releaseBuffer();
  }
}

function serializer(): DefaultSerializer {
  const made = new DefaultSerializer();
  made.writeHeader();
  return made;
}

/** Reads values of JavaScript in the order in which they were written. */
export class ValuesReader {
  readonly #deserializer: DefaultDeserializer;

  constructor(bytes: Uint8Array) {
    this.#deserializer = new DefaultDeserializer(bytes);
    reading(() => this.#deserializer.readHeader());
  }

  next(): unknown {
    return reading(() => this.#deserializer.readValue());
  }
}

function reading<R>(read: () => R): R {
  try {
    return read();
  } catch (error) {
    throw corruptPiece(
      `It holds a value that this version of Node does not read: ${String(error)}.`,
    );
  }
}

function notPlain(state: string, cause: unknown): MillraceError {
  return new MillraceError(
    'VALUE_UNSUPPORTED',
    `A value of state ${JSON.stringify(state)} cannot be written: ${String(cause)}.`,
    { cause, advice: 'Keep plain data in state: no functions, no symbols, no proxies.' },
  );
}
