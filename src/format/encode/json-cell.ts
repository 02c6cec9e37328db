/**
 * Cells that append values as JSON. Texts are escaped from their bytes; decimals, dates, instants
 * and bytes become JSON strings; 64-bit integers are written digit by digit, which JSON allows at
 * any size. Maps with text keys become objects, others lists of pairs. Callers: NDJSON and CSV
 * encoders. Runs on: worker. Invariant: what is appended is valid JSON in valid UTF-8, lone
 * surrogates as escapes.
 */
import { MillraceError } from '../../base/errors.js';
import { bitAt } from '../../record/bitmap.js';
import type { BinaryColumn, Column } from '../../record/column.js';
import { NestedColumn, StructColumn, TEXT_WTF8 } from '../../record/column.js';
import { binaryAt } from '../../record/column-value.js';
import type { Field } from '../../record/schema.js';
import { formOf } from '../../record/schema.js';
import { pointAt, pointBytes } from '../../record/text.js';
import type { ByteBuffer } from './byte-buffer.js';
import {
  BoolCell,
  BytesCell,
  binaryOf,
  type Cell,
  DateCell,
  DecimalCell,
  DecimalTextCell,
  InstantCell,
  Int64Cell,
  NumberCell,
} from './cell.js';

/** What becomes of NaN and the infinities, which JSON does not have. */
export type NonFinite = 'null' | 'fail';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const NULL = Uint8Array.from(Buffer.from('null'));
const HEX = Uint8Array.from(Buffer.from('0123456789abcdef'));
/** Bytes below 0x80 that can stand in a JSON string as they are: 1, else 0. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);
/** Letters of the short escapes, by byte. */
const SHORT: Readonly<Record<number, number>> = {
  8: 0x62,
  9: 0x74,
  10: 0x6e,
  12: 0x66,
  13: 0x72,
  34: QUOTE,
  92: BACKSLASH,
};
/** An escaped byte takes six: `\u001f`. */
const ESCAPED_BYTES_MAX = 6;

/** The cell of a field's values as JSON. */
export function jsonCell(field: Field, nonFinite: NonFinite): Cell {
  switch (field.type.kind) {
    case 'bool':
      return new BoolCell();
    case 'date':
      return new QuotedCell(new DateCell());
    case 'timestamp':
      return new QuotedCell(new InstantCell());
    case 'int64':
      return new Int64Cell();
    case 'decimal':
      return new QuotedCell(
        formOf(field.type) === 'i64' ? new DecimalCell() : new DecimalTextCell(),
      );
    case 'utf8':
      return new JsonTextCell();
    case 'bytes':
      return new QuotedCell(new BytesCell());
    case 'any':
      return new JsonAnyCell();
    case 'list':
      return new JsonListCell(nonFinite);
    case 'map':
      return new JsonMapCell(nonFinite);
    case 'struct':
      return new JsonStructCell(field.type.fields, nonFinite);
    default:
      return nonFinite === 'fail' ? new StrictNumberCell(field) : new NumberCell(true);
  }
}

/** Appends a value, or `null` when there is none or none that JSON has. */
export function appendJsonValue(cell: Cell, column: Column, row: number, buffer: ByteBuffer): void {
  if (!bitAt(column.validity, row) || !cell.append(row, buffer)) buffer.append(NULL);
}

/** Appends `bytes[start, end)` as a JSON string. */
export function appendJsonText(
  buffer: ByteBuffer,
  source: Uint8Array,
  start: number,
  end: number,
  wtf8: boolean,
): void {
  buffer.reserve((end - start) * ESCAPED_BYTES_MAX + 2);
  const { bytes } = buffer;
  let to = buffer.length;
  bytes[to++] = QUOTE;
  for (let from = start; from < end; from++) {
    const byte = source[from];
    if (PLAIN[byte] === 1 && !(wtf8 && byte === 0xed)) bytes[to++] = byte;
    else if (byte < 0x80) to = escapeByte(byte, bytes, to);
    else {
      const point = pointAt(source, from, end);
      const lone = point >= 0xd800 && point <= 0xdfff;
      if (lone) {
        to = escapeUnit(point, bytes, to);
        from += pointBytes(point) - 1;
      } else bytes[to++] = byte;
    }
  }
  bytes[to++] = QUOTE;
  buffer.length = to;
}

function escapeByte(byte: number, bytes: Uint8Array, offset: number): number {
  const letter = SHORT[byte];
  if (letter === undefined) return escapeUnit(byte, bytes, offset);
  bytes[offset] = BACKSLASH;
  bytes[offset + 1] = letter;
  return offset + 2;
}

function escapeUnit(unit: number, bytes: Uint8Array, offset: number): number {
  bytes[offset] = BACKSLASH;
  bytes[offset + 1] = 0x75;
  for (let digit = 0; digit < 4; digit++) {
    bytes[offset + 2 + digit] = HEX[(unit >> (12 - digit * 4)) & 15];
  }
  return offset + 6;
}

/** The bytes of a name and what stands around it, written once per schema: `,"name":`. */
export function jsonName(name: string, first: boolean): Uint8Array {
  return Uint8Array.from(Buffer.from(`${first ? '' : ','}${JSON.stringify(name)}:`));
}

class QuotedCell implements Cell {
  readonly #cell: Cell;

  constructor(cell: Cell) {
    this.#cell = cell;
  }

  bind(column: Column): void {
    this.#cell.bind(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    const start = buffer.length;
    buffer.push(QUOTE);
    if (!this.#cell.append(row, buffer)) {
      buffer.length = start;
      return false;
    }
    buffer.push(QUOTE);
    return true;
  }
}

class StrictNumberCell implements Cell {
  readonly #cell = new NumberCell(true);
  readonly #field: Field;

  constructor(field: Field) {
    this.#field = field;
  }

  bind(column: Column): void {
    this.#cell.bind(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    if (this.#cell.append(row, buffer)) return true;
    throw new MillraceError(
      'VALUE_UNSUPPORTED',
      `Field "${this.#field.name}" holds NaN or an infinity, which JSON does not have.`,
      {
        where: { field: this.#field.name },
        advice: "Replace it in a map(), or set nonFinite: 'null' to write null.",
      },
    );
  }
}

class JsonTextCell implements Cell {
  #column: BinaryColumn | null = null;

  bind(column: Column): void {
    this.#column = binaryOf(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    if (this.#column === null) return false;
    const { codes, offsets, bytes, textKind } = this.#column;
    const entry = codes[row];
    appendJsonText(buffer, bytes, offsets[entry], offsets[entry + 1], textKind === TEXT_WTF8);
    return true;
  }
}

class JsonAnyCell implements Cell {
  #column: BinaryColumn | null = null;

  bind(column: Column): void {
    this.#column = binaryOf(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    if (this.#column === null) return false;
    const text = anyJson(binaryAt(this.#column, row), this.#column.field.name);
    if (text !== null) buffer.append(Buffer.from(text));
    return text !== null;
  }
}

class JsonListCell implements Cell {
  readonly #nonFinite: NonFinite;
  #column: NestedColumn | null = null;
  #item: Cell | null = null;

  constructor(nonFinite: NonFinite) {
    this.#nonFinite = nonFinite;
  }

  bind(column: Column): void {
    if (!(column instanceof NestedColumn)) return;
    this.#column = column;
    this.#item ??= jsonCell(column.children[0].field, this.#nonFinite);
    this.#item.bind(column.children[0]);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    if (this.#column === null || this.#item === null) return false;
    const { offsets, children } = this.#column;
    buffer.push(0x5b);
    for (let item = offsets[row]; item < offsets[row + 1]; item++) {
      if (item > offsets[row]) buffer.push(COMMA);
      appendJsonValue(this.#item, children[0], item, buffer);
    }
    buffer.push(0x5d);
    return true;
  }
}

class JsonMapCell implements Cell {
  readonly #nonFinite: NonFinite;
  #column: NestedColumn | null = null;
  #key: Cell | null = null;
  #value: Cell | null = null;

  constructor(nonFinite: NonFinite) {
    this.#nonFinite = nonFinite;
  }

  bind(column: Column): void {
    if (!(column instanceof NestedColumn)) return;
    const [keys, values] = column.children;
    this.#column = column;
    this.#key ??= jsonCell(keys.field, this.#nonFinite);
    this.#value ??= jsonCell(values.field, this.#nonFinite);
    this.#key.bind(keys);
    this.#value.bind(values);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    if (this.#column === null || this.#key === null || this.#value === null) return false;
    const { offsets } = this.#column;
    const [keys, values] = this.#column.children;
    const isObject = keys.field.type.kind === 'utf8';
    buffer.push(isObject ? 0x7b : 0x5b);
    for (let item = offsets[row]; item < offsets[row + 1]; item++) {
      if (item > offsets[row]) buffer.push(COMMA);
      if (!isObject) buffer.push(0x5b);
      appendJsonValue(this.#key, keys, item, buffer);
      buffer.push(isObject ? COLON : COMMA);
      appendJsonValue(this.#value, values, item, buffer);
      if (!isObject) buffer.push(0x5d);
    }
    buffer.push(isObject ? 0x7d : 0x5d);
    return true;
  }
}

/** An object with the fields of a struct or of a whole record; missing fields are left out. */
export class JsonStructCell implements Cell {
  readonly #cells: readonly Cell[];
  readonly #names: readonly Uint8Array[];
  #columns: readonly Column[] = [];

  constructor(fields: readonly Field[], nonFinite: NonFinite) {
    this.#cells = fields.map((field) => jsonCell(field, nonFinite));
    this.#names = fields.map((field) => jsonName(field.name, true));
  }

  bind(column: Column): void {
    if (column instanceof StructColumn) this.bindAll(column.children);
  }

  bindAll(columns: readonly Column[]): void {
    this.#columns = columns;
    for (let index = 0; index < columns.length; index++) this.#cells[index].bind(columns[index]);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    const cells = this.#cells;
    let first = true;
    buffer.push(0x7b);
    for (let index = 0; index < cells.length; index++) {
      const column = this.#columns[index];
      if (column.presence !== null && !bitAt(column.presence, row)) continue;
      if (!first) buffer.push(COMMA);
      first = false;
      buffer.append(this.#names[index]);
      appendJsonValue(cells[index], column, row, buffer);
    }
    buffer.push(0x7d);
    return true;
  }
}

/** JSON of a value that no typed column carries; null when JSON has nothing for it. */
function anyJson(value: unknown, field: string): string | null {
  try {
    return JSON.stringify(value, (_, part: unknown) => plainPart(part)) ?? null;
  } catch (cause) {
    throw new MillraceError('VALUE_UNSUPPORTED', `Field "${field}" has no form as JSON.`, {
      cause,
      where: { field },
      advice: 'Turn it into plain data in a map() first.',
    });
  }
}

/** Whole bigints become numbers where those are exact, else digits in a string. */
function plainPart(part: unknown): unknown {
  if (typeof part === 'bigint') {
    return Number.isSafeInteger(Number(part)) ? Number(part) : part.toString();
  }
  if (part instanceof Map) {
    const textual = [...part.keys()].every((key) => typeof key === 'string');
    return textual ? Object.fromEntries(part) : [...part];
  }
  return part instanceof Set ? [...part] : part;
}
