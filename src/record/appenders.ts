/**
 * The appenders, one class per form of column. Readers, generated loops and the row codec write
 * rows through them; generated code writes `values[row]` of fixed columns directly. Rows are
 * written in order, every column exactly once per row; a row written in part is forgotten by
 * `truncate`. Runs on: worker. Invariant: the memory handed out by `column` is not written again
 * before `reset`, except behind the rows handed out.
 */
import { types } from 'node:util';
import { assert } from '../base/assert.js';
import { isPlainObject } from './any-value.js';
import { BaseAppender } from './appender-base.js';
import { BinaryAppender } from './binary-appender.js';
import type { Column, FixedArray, FixedColumn } from './column.js';
import { fixedColumn, Int64Column, NestedColumn, StructColumn } from './column.js';
import { decimalUnscaled } from './decimal.js';
import { gather } from './gather.js';
import type { DataType, Field, Slot } from './schema.js';
import { formOf } from './schema.js';
import { encodeText } from './text.js';

export { BinaryAppender };

const MS_PER_DAY = 86_400_000;

/** Ranges of the integers that are stored in wider arrays. */
const INTEGER_RANGES: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  uint8: [0, 255],
  uint16: [0, 65535],
  uint32: [0, 4294967295],
};

/** The appender of a field, with room for `capacity` rows. */
export function createAppender(field: Field, capacity: number): BaseAppender {
  switch (formOf(field.type)) {
    case 'f64':
      return new FixedAppender(field, new Float64Array(capacity));
    case 'f32':
      return new FixedAppender(field, new Float32Array(capacity));
    case 'i32':
      return new FixedAppender(field, new Int32Array(capacity));
    case 'u32':
      return new FixedAppender(field, new Uint32Array(capacity));
    case 'u8':
      return new FixedAppender(field, new Uint8Array(capacity));
    case 'i64':
      return new Int64Appender(field, capacity);
    case 'utf8':
    case 'bytes':
      return new BinaryAppender(field, capacity);
    case 'struct':
      return new StructAppender(field, capacity);
    case 'list':
    case 'map':
      return new NestedAppender(field, capacity);
  }
}

/**
 * Forms f64, f32, i32, u32, u8: write `values[row]` directly, or a checked value by `appendValue`.
 */
export class FixedAppender<A extends FixedArray = FixedArray> extends BaseAppender {
  /** Room for the rows; the array stays the same for as long as the builder lives. */
  values: A;
  /** The column of the batch before. */
  #viewed: FixedColumn<A> | null = null;

  constructor(field: Field, values: A) {
    super(field, values.length);
    this.values = values;
  }

  setEmpty(row: number): void {
    this.reserve(row);
    this.values[row] = 0;
  }

  protected write(row: number, value: unknown): boolean {
    const stored = fixedValue(this.field.type, value);
    if (stored === null) return false;
    this.reserve(row);
    this.values[row] = stored;
    return true;
  }

  protected copy(row: number, source: Column, sourceRow: number): void {
    this.reserve(row);
    this.values[row] = (source as FixedColumn).values[sourceRow];
  }

  protected override copyRows(first: number, source: Column, sourceRows: Int32Array): void {
    gather((source as FixedColumn).values, sourceRows, sourceRows.length, this.values, first);
  }

  protected forget(_rows: number): void {}

  protected clear(): void {}

  protected grow(capacity: number): void {
    const Values = this.values.constructor as new (length: number) => A;
    const grown = new Values(capacity);
    grown.set(this.values);
    this.values = grown;
  }

  protected view(
    _rows: number,
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ): FixedColumn<A> {
    const { field, values } = this;
    this.#viewed = fixedColumn(field, values, validity, presence, this.#viewed);
    return this.#viewed;
  }

  protected valueBytes(rows: number): number {
    return rows * this.values.BYTES_PER_ELEMENT;
  }
}

/** What a fixed column stores for a JavaScript value; null when the value does not fit the type. */
function fixedValue(type: DataType, value: unknown): number | null {
  switch (type.kind) {
    case 'number':
    case 'float64':
      return typeof value === 'number' ? value : null;
    case 'float32':
      // A number that is not exact in 32 bits is rounded, as by Float32Array; one out of range is
      // refused.
      if (typeof value !== 'number') return null;
      return Number.isFinite(value) && !Number.isFinite(Math.fround(value)) ? null : value;
    case 'bool':
      return typeof value === 'boolean' ? Number(value) : null;
    case 'null':
      return null;
    case 'timestamp':
      return types.isDate(value) ? value.getTime() : null;
    case 'date': {
      const days = types.isDate(value) ? value.getTime() / MS_PER_DAY : NaN;
      return Number.isInteger(days) ? days : null;
    }
    default: {
      const range = INTEGER_RANGES[type.kind];
      const fits =
        typeof value === 'number' &&
        Number.isInteger(value) &&
        value >= range[0] &&
        value <= range[1];
      return fits ? value : null;
    }
  }
}

/** Form i64: bigints, and decimals up to 18 digits as their unscaled integer. */
export class Int64Appender extends BaseAppender {
  values: BigInt64Array;
  /** The same memory as 32-bit words, for writing whole numbers that are no bigints. */
  words: Int32Array;

  constructor(field: Field, capacity: number) {
    super(field, capacity);
    this.values = new BigInt64Array(capacity);
    this.words = new Int32Array(this.values.buffer);
  }

  setEmpty(row: number): void {
    this.reserve(row);
    this.values[row] = 0n;
  }

  protected write(row: number, value: unknown): boolean {
    const stored = int64Value(this.field.type, value);
    if (stored === null) return false;
    this.reserve(row);
    this.values[row] = stored;
    return true;
  }

  protected copy(row: number, source: Column, sourceRow: number): void {
    this.reserve(row);
    this.values[row] = (source as Int64Column).values[sourceRow];
  }

  protected forget(_rows: number): void {}

  protected clear(): void {}

  protected grow(capacity: number): void {
    const grown = new BigInt64Array(capacity);
    grown.set(this.values);
    this.values = grown;
    this.words = new Int32Array(grown.buffer);
  }

  protected view(
    _rows: number,
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ): Int64Column {
    return new Int64Column(this.field, this.values, validity, presence);
  }

  protected valueBytes(rows: number): number {
    return rows * 8;
  }
}

function int64Value(type: DataType, value: unknown): bigint | null {
  if (type.kind === 'decimal') {
    return typeof value === 'string' ? decimalUnscaled(value, type.precision, type.scale) : null;
  }
  return typeof value === 'bigint' && BigInt.asIntN(64, value) === value ? value : null;
}

/**
 * Forms list (one child) and map (two children). Children rows of row i end where those of row i +
 * 1 start.
 */
export class NestedAppender extends BaseAppender {
  readonly children: readonly BaseAppender[];
  #offsets: Int32Array;

  constructor(field: Field, capacity: number) {
    super(field, capacity);
    this.children = childFields(field).map((child) => createAppender(child, capacity));
    this.#offsets = new Int32Array(capacity + 1);
  }

  setEmpty(row: number): void {
    this.reserve(row);
    this.#offsets[row + 1] = this.#offsets[row];
  }

  protected write(row: number, value: unknown): boolean {
    this.reserve(row);
    const start = this.#offsets[row];
    const end =
      this.field.type.kind === 'map' ? this.#writeMap(start, value) : this.#writeList(start, value);
    if (end >= 0) this.#offsets[row + 1] = end;
    else for (const child of this.children) child.truncate(start);
    return end >= 0;
  }

  #writeList(start: number, value: unknown): number {
    if (!Array.isArray(value)) return -1;
    const child = this.children[0];
    let row = start;
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index];
      if (item === undefined && !(index in value)) return -1;
      if (!child.appendItem(row, item)) return -1;
      row++;
    }
    return row;
  }

  #writeMap(start: number, value: unknown): number {
    if (!types.isMap(value)) return -1;
    const [keys, values] = this.children;
    let row = start;
    for (const [key, item] of value) {
      if (!keys.appendItem(row, key) || !values.appendItem(row, item)) return -1;
      row++;
    }
    return row;
  }

  protected copy(row: number, source: Column, sourceRow: number): void {
    this.reserve(row);
    const nested = source as NestedColumn;
    const end = nested.offsets[sourceRow + 1];
    let to = this.#offsets[row];
    for (let from = nested.offsets[sourceRow]; from < end; from++) {
      for (let child = 0; child < this.children.length; child++) {
        this.children[child].appendFrom(to, nested.children[child], from);
      }
      to++;
    }
    this.#offsets[row + 1] = to;
  }

  protected forget(rows: number): void {
    for (const child of this.children) child.truncate(this.#offsets[rows]);
  }

  protected clear(): void {
    for (const child of this.children) child.reset();
  }

  protected grow(capacity: number): void {
    const grown = new Int32Array(capacity + 1);
    grown.set(this.#offsets);
    this.#offsets = grown;
  }

  protected view(
    rows: number,
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ): NestedColumn {
    const childRows = this.#offsets[rows];
    const children = this.children.map((child) => child.column(childRows));
    return new NestedColumn(this.field, this.#offsets, children, validity, presence);
  }

  protected valueBytes(rows: number): number {
    const childRows = this.#offsets[rows];
    return this.children.reduce(
      (sum, child) => sum + child.estimatedBytes(childRows),
      (rows + 3) * 4,
    );
  }
}

/** The fields of the children of a list or map, as its columns name them. */
export function childFields(field: Field): readonly Field[] {
  const { type } = field;
  if (type.kind === 'struct') return type.fields;
  if (type.kind === 'list') return [slotField('item', type.item)];
  assert(type.kind === 'map', `Field "${field.name}" has children.`);
  return [slotField('key', { type: type.key, nullable: false }), slotField('value', type.value)];
}

/**
 * An `any` item may be undefined, which serialization keeps; items of other types are always there.
 */
function slotField(name: string, slot: Slot): Field {
  return { name, type: slot.type, nullable: slot.nullable, optional: false };
}

/** Form struct: one child per field, with the rows of the parent. */
export class StructAppender extends BaseAppender {
  readonly children: readonly BaseAppender[];
  /** Per child: its name as UTF-8, for readers that meet names as bytes. */
  readonly names: readonly Uint8Array[];
  /** Per child, see `begin`. */
  readonly written: Uint8Array;
  /** Whether objects may have other fields, which are left out: the column holds those that are in use. */
  isPart = false;
  /** Per child: whether every plain object inherits a property of that name. */
  readonly #inherited: readonly boolean[];

  constructor(field: Field, capacity: number) {
    super(field, capacity);
    this.children = childFields(field).map((child) => createAppender(child, capacity));
    this.names = this.children.map((child) => encodeText(child.field.name));
    this.written = new Uint8Array(this.children.length);
    this.#inherited = this.children.map((child) => child.field.name in Object.prototype);
  }

  setEmpty(row: number): void {
    this.reserve(row);
    for (const child of this.children) child.setEmpty(row);
  }

  /**
   * Makes room for a row whose children are then written one by one, all of them; `truncate` takes
   * it back. `written` is all zero then, for the writer to tell which it has.
   */
  begin(row: number): void {
    this.reserve(row);
    this.written.fill(0);
  }

  protected write(row: number, value: unknown): boolean {
    if (!isPlainObject(value)) return false;
    this.reserve(row);
    let present = 0;
    for (let index = 0; index < this.children.length; index++) {
      const child = this.children[index];
      const { name } = child.field;
      const own = !this.#inherited[index] || Object.hasOwn(value, name);
      const item = own ? value[name] : undefined;
      if (!child.appendValue(row, item)) return this.#undo(row);
      if (item !== undefined) present++;
    }
    return this.isPart || definedKeys(value) === present || this.#undo(row);
  }

  #undo(row: number): false {
    for (const child of this.children) child.truncate(row);
    return false;
  }

  protected copy(row: number, source: Column, sourceRow: number): void {
    this.reserve(row);
    const { children } = source as StructColumn;
    for (let child = 0; child < children.length; child++) {
      this.children[child].appendFrom(row, children[child], sourceRow);
    }
  }

  protected forget(rows: number): void {
    for (const child of this.children) child.truncate(rows);
  }

  protected clear(): void {
    for (const child of this.children) child.reset();
  }

  protected grow(_capacity: number): void {}

  protected view(
    rows: number,
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ): StructColumn {
    const children = this.children.map((child) => child.column(rows));
    return new StructColumn(this.field, children, validity, presence);
  }

  protected valueBytes(rows: number): number {
    return this.children.reduce((sum, child) => sum + child.estimatedBytes(rows), 0);
  }
}

/** How many properties of a record have a value. */
export function definedKeys(record: Readonly<Record<string, unknown>>): number {
  let keys = 0;
  for (const key in record) {
    if (record[key] !== undefined) keys++;
  }
  return keys;
}
