/**
 * Puts one CSV field, given as a range of bytes, into a column: numbers, dates and texts straight
 * from the bytes, nested values as the JSON they are written in. Callers: the CSV parser and the
 * code it generates. Runs on: worker. A text is null when it is unquoted and one of the dialect's
 * nulls; values of other types are null whenever they spell a null, since writers that quote
 * everything quote those too.
 */
import { isUtf8 } from 'node:buffer';
import { BinaryAppender } from '../../record/appenders.js';
import type { Appender } from '../../record/batch-builder.js';
import type { DataType } from '../../record/schema.js';
import { parseDate, parseInstant } from '../bytes/instant-bytes.js';
import { GRAMMAR_LOOSE, parseInteger, parseNumber, parseRounded } from '../bytes/number-bytes.js';
import { base64, fromJson, parseJson } from '../ndjson/json-value.js';
import type { CsvDialect } from './csv-dialect.js';
import { CELL_ESCAPED, CELL_PLAIN } from './csv-split.js';

/** The field is in the column. */
export const CELL_WRITTEN = 0;
/** The field is null and the column does not allow that. */
export const CELL_NULL = 1;
/** The field does not spell a value of the column's type. */
const CELL_INVALID = 2;
export type CellResult = typeof CELL_WRITTEN | typeof CELL_NULL | typeof CELL_INVALID;

const MS_PER_DAY = 86_400_000;
const WORDS: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['+Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** Reads fields of one dialect. */
export class CsvCellReader {
  readonly #dialect: CsvDialect;
  #scratch = Buffer.allocUnsafe(256);

  constructor(dialect: CsvDialect) {
    this.#dialect = dialect;
  }

  /** Writes the field `bytes[start, end)`, of a `CellKind`, as row `row`. */
  write(
    appender: Appender,
    row: number,
    bytes: Buffer,
    start: number,
    end: number,
    kind: number,
  ): CellResult {
    const { type, nullable } = appender.field;
    if (this.isNull(bytes, start, end, kind, type)) {
      if (!nullable) return CELL_NULL;
      appender.setNull(row);
      return CELL_WRITTEN;
    }
    if (kind === CELL_ESCAPED) {
      const length = this.#unescape(bytes, start, end);
      return this.#writeValue(appender, row, this.#scratch, 0, length);
    }
    return this.#writeValue(appender, row, bytes, start, end);
  }

  /** Whether a field could be written to a column of the type; for `validate: 'full'`. */
  isValid(type: DataType, bytes: Buffer, start: number, end: number, kind: number): boolean {
    if (this.isNull(bytes, start, end, kind, type)) return true;
    if (type.kind === 'utf8') return this.#dialect.latin1 || isUtf8(bytes.subarray(start, end));
    if (kind !== CELL_ESCAPED) return this.#valueOf(type, bytes, start, end) !== undefined;
    const length = this.#unescape(bytes, start, end);
    return this.#valueOf(type, this.#scratch, 0, length) !== undefined;
  }

  /** Whether a field stands for null in a column of the type. */
  isNull(bytes: Buffer, start: number, end: number, kind: number, type: DataType): boolean {
    if (kind !== CELL_PLAIN && type.kind === 'utf8') return false;
    for (const text of this.#dialect.nulls) {
      if (spells(bytes, start, end, text)) return true;
    }
    return false;
  }

  /** The text of a field, whatever its type. */
  text(bytes: Buffer, start: number, end: number, kind: number): string {
    const escaped = kind === CELL_ESCAPED;
    const source = escaped ? this.#scratchOf(bytes, start, end) : bytes.subarray(start, end);
    return this.#dialect.latin1
      ? source.latin1Slice(0, source.length)
      : source.utf8Slice(0, source.length);
  }

  #scratchOf(bytes: Buffer, start: number, end: number): Buffer {
    return this.#scratch.subarray(0, this.#unescape(bytes, start, end));
  }

  #writeValue(
    appender: Appender,
    row: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): CellResult {
    const { type } = appender.field;
    if (type.kind === 'utf8' && appender instanceof BinaryAppender) {
      if (this.#dialect.latin1) {
        appender.appendText(row, bytes.latin1Slice(start, end));
        return CELL_WRITTEN;
      }
      if (!isUtf8(bytes.subarray(start, end))) return CELL_INVALID;
      appender.appendBytes(row, bytes, start, end);
      return CELL_WRITTEN;
    }
    const value = this.#valueOf(type, bytes, start, end);
    return value !== undefined && appender.appendValue(row, value) ? CELL_WRITTEN : CELL_INVALID;
  }

  #valueOf(type: DataType, bytes: Buffer, start: number, end: number): unknown {
    switch (type.kind) {
      case 'int64':
        return parseInteger(bytes, start, end) ?? undefined;
      case 'bool':
        return boolOf(bytes.latin1Slice(start, end));
      case 'timestamp':
        return dateOf(parseInstant(bytes, start, end));
      case 'date':
        return dateOf(parseDate(bytes, start, end) * MS_PER_DAY);
      case 'decimal':
        return bytes.latin1Slice(start, end).replace(/^\+/, '');
      case 'bytes':
        return base64(bytes.latin1Slice(start, end));
      case 'utf8':
        return this.text(bytes, start, end, CELL_PLAIN);
      case 'any':
      case 'list':
      case 'struct':
      case 'map': {
        const parsed = parseJson(bytes, start, end);
        return parsed === undefined ? undefined : fromJson(parsed, type);
      }
      default:
        return numberOf(type, bytes, start, end);
    }
  }

  /** Puts the field without its escapes into the scratch buffer and gives its length. */
  #unescape(bytes: Buffer, start: number, end: number): number {
    const { escape } = this.#dialect;
    if (this.#scratch.length < end - start) {
      this.#scratch = Buffer.allocUnsafe((end - start) * 2);
    }
    let to = 0;
    for (let at = start; at < end; at++) {
      if (bytes[at] === escape) at++;
      this.#scratch[to++] = bytes[at];
    }
    return to;
  }
}

function spells(bytes: Buffer, start: number, end: number, text: Buffer): boolean {
  if (end - start !== text.length) return false;
  for (let at = 0; at < text.length; at++) {
    if (bytes[start + at] !== text[at]) return false;
  }
  return true;
}

function numberOf(
  { kind }: DataType,
  bytes: Buffer,
  start: number,
  end: number,
): number | undefined {
  const parse = kind === 'number' ? parseNumber : parseRounded;
  const value = parse(bytes, start, end, GRAMMAR_LOOSE);
  return Number.isNaN(value) ? WORDS.get(bytes.latin1Slice(start, end)) : value;
}

function boolOf(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  if (lower === 'true' || lower === '1') return true;
  return lower === 'false' || lower === '0' ? false : undefined;
}

function dateOf(ms: number): Date | undefined {
  return Number.isNaN(ms) ? undefined : new Date(ms);
}
