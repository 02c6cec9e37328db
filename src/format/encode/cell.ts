/**
 * Cells: one object per column that appends the value of a row as text. The plain cells here write
 * values that need no quoting in any format; `csv-encoder.ts` and `json-cell.ts` add what those
 * formats demand. Callers: encoders. Runs on: worker. Invariant: `append` is called only for rows
 * that have a value, after `bind` to their column.
 */
import { assert } from '../../base/assert.js';
import { MillraceError } from '../../base/errors.js';
import type { Column } from '../../record/column.js';
import { BinaryColumn, FixedColumn, Int64Column, TEXT_WTF8 } from '../../record/column.js';
import { decimalText } from '../../record/decimal.js';
import type { ByteBuffer } from './byte-buffer.js';
import { appendDate, appendInstant } from './instant-text.js';
import { appendBigint, appendNumber } from './number-text.js';

/** Appends values of one column. */
export interface Cell {
  /** Turns to the column of a new batch. */
  bind(column: Column): void;
  /** Appends the value of a row; false when it has no text in this format and counts as null. */
  append(row: number, buffer: ByteBuffer): boolean;
}

const NO_VALUES = new Float64Array(0);
const NO_BIGINTS = new BigInt64Array(0);
const TRUE = Uint8Array.from(Buffer.from('true'));
const FALSE = Uint8Array.from(Buffer.from('false'));

/** The arrays of a fixed column, whatever their element type. */
export function fixedValues(column: Column): FixedColumn['values'] {
  assert(column instanceof FixedColumn, `Column "${column.field.name}" has fixed width.`);
  return column.values;
}

/** The column as one of entries. */
export function binaryOf(column: Column): BinaryColumn {
  assert(column instanceof BinaryColumn, `Column "${column.field.name}" has entries.`);
  return column;
}

/** The same of a text that other programs can read. Throws `VALUE_UNSUPPORTED`. */
export function unicodeOf(column: Column, format: string): BinaryColumn {
  const binary = binaryOf(column);
  const { name, type } = column.field;
  if (type.kind !== 'utf8' || binary.textKind !== TEXT_WTF8) return binary;
  throw new MillraceError(
    'VALUE_UNSUPPORTED',
    `Field "${name}" holds text that is not valid Unicode, which ${format} cannot carry.`,
    {
      where: { field: name },
      advice: 'Repair it with text.toWellFormed() in a map(), or write NDJSON.',
    },
  );
}

function int64Values(column: Column): BigInt64Array {
  assert(column instanceof Int64Column, `Column "${column.field.name}" has 64-bit integers.`);
  return column.values;
}

/** Numbers of any width; what is not finite counts as null when the format has no text for it. */
export class NumberCell implements Cell {
  #values: FixedColumn['values'] = NO_VALUES;
  readonly #finiteOnly: boolean;

  constructor(finiteOnly: boolean) {
    this.#finiteOnly = finiteOnly;
  }

  bind(column: Column): void {
    this.#values = fixedValues(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    const value = this.#values[row];
    if (value - value !== 0) {
      if (!this.#finiteOnly) buffer.appendAscii(String(value));
      return !this.#finiteOnly;
    }
    appendNumber(buffer, value);
    return true;
  }
}

/** `true` and `false`. */
export class BoolCell implements Cell {
  #values: FixedColumn['values'] = NO_VALUES;

  bind(column: Column): void {
    this.#values = fixedValues(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    buffer.append(this.#values[row] === 0 ? FALSE : TRUE);
    return true;
  }
}

/** Dates as `2024-02-29`. */
export class DateCell implements Cell {
  #values: FixedColumn['values'] = NO_VALUES;

  bind(column: Column): void {
    this.#values = fixedValues(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    appendDate(buffer, this.#values[row]);
    return true;
  }
}

/** Instants as `2024-02-29T12:30:00.250Z`; invalid ones count as null. */
export class InstantCell implements Cell {
  #values: FixedColumn['values'] = NO_VALUES;

  bind(column: Column): void {
    this.#values = fixedValues(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    return appendInstant(buffer, this.#values[row]);
  }
}

/** 64-bit integers. */
export class Int64Cell implements Cell {
  #values: BigInt64Array = NO_BIGINTS;

  bind(column: Column): void {
    this.#values = int64Values(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    appendBigint(buffer, this.#values[row]);
    return true;
  }
}

/** Decimals up to 18 digits. */
export class DecimalCell implements Cell {
  #values: BigInt64Array = NO_BIGINTS;
  #scale = 0;

  bind(column: Column): void {
    this.#values = int64Values(column);
    const { type } = column.field;
    this.#scale = type.kind === 'decimal' ? type.scale : 0;
  }

  append(row: number, buffer: ByteBuffer): boolean {
    buffer.appendAscii(decimalText(this.#values[row], this.#scale));
    return true;
  }
}

/** Decimals beyond 18 digits, which columns hold as text. */
export class DecimalTextCell implements Cell {
  #column: BinaryColumn | null = null;

  bind(column: Column): void {
    this.#column = binaryOf(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    if (this.#column === null) return false;
    const { codes, offsets, bytes } = this.#column;
    const entry = codes[row];
    buffer.append(bytes, offsets[entry], offsets[entry + 1]);
    return true;
  }
}

/** Bytes in base64. */
export class BytesCell implements Cell {
  #column: BinaryColumn | null = null;

  bind(column: Column): void {
    this.#column = binaryOf(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    if (this.#column === null) return false;
    const { codes, offsets, bytes } = this.#column;
    const start = offsets[codes[row]];
    const length = offsets[codes[row] + 1] - start;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, length);
    buffer.appendAscii(view.toString('base64'));
    return true;
  }
}
