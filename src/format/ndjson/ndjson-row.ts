/**
 * Reads one NDJSON row the general way: any order of keys, blanks anywhere, escapes, nesting. It
 * defines what a row means; the generated reader only does the same faster for rows that look as
 * expected. Callers: the NDJSON parser, for every row the generated reader does not take. Runs on:
 * worker.
 *
 * Of a key that occurs twice the last value counts, as in `JSON.parse`. A row that does not fit is
 * either bad (the schema was declared) or proposes what it needs.
 */
import { isUtf8 } from 'node:buffer';
import type { Appender, BatchBuilder } from '../../record/batch-builder.js';
import type { Field } from '../../record/schema.js';
import { NOTHING } from '../../record/schema-merge.js';
import type { ParseCursor, RowParserOptions, ValidateMode } from '../bytes/row-parser.js';
import { checkString, checkValue } from './json-check.js';
import { skipBlanks, skipString, skipValue } from './json-skip.js';
import { misfitOf } from './json-misfit.js';
import { slotForJson } from './json-type.js';
import {
  appendJson,
  parseJson,
  VALUE_INEXACT,
  NESTING_MAX,
  VALUE_INVALID,
  VALUE_MISFIT,
  withoutOthers,
} from './json-value.js';

/** The row is in the builder. */
export const ROW_WRITTEN = 0;
/** The row is bad; the cursor says why. */
export const ROW_BAD = 1;
/** The row does not fit; the cursor holds the proposal. */
const ROW_MISFIT = 2;
export type RowResult = typeof ROW_WRITTEN | typeof ROW_BAD | typeof ROW_MISFIT;

/** Up to so many names are compared one by one; their lengths and first bytes mostly differ. */
const NAMES_COMPARED_MAX = 8;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ADVICE = 'Use onError: "skip" to set such rows aside.';
const INEXACT_ADVICE =
  'Declare it in a schema: as int64, which is read exactly, or as float64, which rounds.';

/** What the NDJSON reader is told besides builder and wanted names. */
export interface NdjsonOptions {
  readonly validate: ValidateMode;
  /** Whether the schema was declared, so that rows must fit it. */
  readonly declared: boolean;
}

/** A field that a row has and the schema has not. */
interface ExtraField {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Reads rows into one builder. */
export class NdjsonRow {
  /** UTF-8 of the names of the builder's fields. */
  readonly names: readonly Buffer[];
  readonly #builder: BatchBuilder;
  readonly #fields: readonly Field[];
  readonly #byName: ReadonlyMap<string, number>;
  /** The same by the bytes of the name, as latin1. */
  readonly #bySpelling: ReadonlyMap<string, number>;
  readonly #wanted: ReadonlySet<string> | null;
  readonly #full: boolean;
  readonly #declared: boolean;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** The field expected next, since rows tend to repeat the order of keys. */
  #expected = 0;
  #extras: ExtraField[] = [];

  constructor(options: RowParserOptions, ndjson: NdjsonOptions) {
    const { fields } = options.builder.schema;
    this.#builder = options.builder;
    this.#fields = fields;
    this.names = fields.map((field) => Buffer.from(field.name));
    this.#byName = new Map(fields.map((field, index) => [field.name, index]));
    this.#bySpelling = new Map(
      this.names.map((name, index) => [name.latin1Slice(0, name.length), index]),
    );
    // A declared schema has all that is wanted.
    const wanted = ndjson.declared ? [] : options.wanted;
    this.#wanted = wanted === null ? null : new Set(wanted);
    this.#full = ndjson.validate === 'full';
    this.#declared = ndjson.declared;
    this.#starts = new Int32Array(fields.length);
    this.#ends = new Int32Array(fields.length);
  }

  /** Whether a key that no field has would have to become one. */
  isWanted(name: string): boolean {
    return this.#wanted === null || this.#wanted.has(name);
  }

  /** Reads the row `bytes[start, newline)` as the builder's next row. */
  read(bytes: Buffer, start: number, newline: number, cursor: ParseCursor): RowResult {
    const problem = this.#scan(bytes, start, newline, cursor);
    if (problem !== null) return bad(cursor, problem, null);
    if (this.#extras.length > 0) return this.#propose(bytes, cursor);
    const row = this.#builder.rows;
    let misfit = false;
    for (let index = 0; index < this.#fields.length; index++) {
      const result = this.#write(index, row, bytes);
      if (result === VALUE_INVALID) {
        this.#giveUp(row);
        return invalidValue(cursor, this.#fields[index].name);
      }
      if (result === VALUE_INEXACT) {
        this.#giveUp(row);
        return inexact(cursor, this.#fields[index].name);
      }
      misfit ||= result === VALUE_MISFIT;
    }
    if (!misfit) {
      this.#builder.rows = row + 1;
      return ROW_WRITTEN;
    }
    this.#giveUp(row);
    return this.#propose(bytes, cursor);
  }

  #giveUp(row: number): void {
    for (const column of this.#builder.columns) column.truncate(row);
  }

  #write(index: number, row: number, bytes: Buffer): ReturnType<typeof appendJson> {
    const column = this.#builder.columns[index];
    const start = this.#starts[index];
    if (start < 0) {
      if (!column.field.optional) return VALUE_MISFIT;
      column.setMissing(row);
      return 0;
    }
    const end = this.#ends[index];
    if (!isNull(bytes, start, end)) return appendJson(column, row, bytes, start, end);
    if (!column.field.nullable) return VALUE_MISFIT;
    column.setNull(row);
    return 0;
  }

  /** Finds the values of the fields; returns what is wrong, or null. */
  #scan(bytes: Buffer, start: number, newline: number, cursor: ParseCursor): string | null {
    this.#starts.fill(-1);
    this.#extras = [];
    this.#expected = 0;
    if (this.#full && !cursor.validUtf8 && !isUtf8(bytes.subarray(start, newline))) {
      return 'The row is not valid UTF-8.';
    }
    let at = skipBlanks(bytes, start);
    if (bytes[at] !== 0x7b) return 'The row is not a JSON object.';
    at = skipBlanks(bytes, at + 1);
    const isEmpty = bytes[at] === 0x7d;
    while (!isEmpty) {
      if (bytes[at] !== QUOTE) return `A key is missing at byte ${at - start} of the row.`;
      const keyEnd = this.#full ? checkString(bytes, at) : skipString(bytes, at);
      if (keyEnd < 0) return `The key at byte ${at - start} of the row does not end.`;
      const colon = skipBlanks(bytes, keyEnd);
      if (bytes[colon] !== 0x3a) return `A colon is missing at byte ${colon - start} of the row.`;
      const value = skipBlanks(bytes, colon + 1);
      const valueEnd = this.#full ? checkValue(bytes, value) : skipValue(bytes, value);
      if (valueEnd < 0) return `The value at byte ${value - start} of the row is not valid JSON.`;
      const problem = this.#found(bytes, at + 1, keyEnd - 1, value, valueEnd);
      if (problem !== null) return problem;
      at = skipBlanks(bytes, valueEnd);
      if (bytes[at] === 0x7d) break;
      if (bytes[at] !== 0x2c) return `A comma is missing at byte ${at - start} of the row.`;
      at = skipBlanks(bytes, at + 1);
    }
    const rest = skipBlanks(bytes, at + 1);
    return rest === newline ? null : `Text follows the object at byte ${rest - start} of the row.`;
  }

  /** Remembers where the value of a key is. */
  #found(
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    start: number,
    end: number,
  ): string | null {
    let index = this.#indexOf(bytes, keyStart, keyEnd);
    if (index < 0 && (this.#wanted?.size !== 0 || hasEscape(bytes, keyStart, keyEnd))) {
      const name = keyText(bytes, keyStart, keyEnd);
      if (name === null) return this.#wanted === null ? 'A key is not valid JSON.' : null;
      index = this.#byName.get(name) ?? -1;
      if (index < 0) this.#foundExtra({ name, start, end });
    }
    if (index < 0) return null;
    this.#starts[index] = start;
    this.#ends[index] = end;
    this.#expected = index + 1;
    return null;
  }

  #foundExtra(extra: ExtraField): void {
    if (!this.isWanted(extra.name)) return;
    this.#extras = this.#extras.filter((other) => other.name !== extra.name);
    this.#extras.push(extra);
  }

  /** Index of the field whose name is spelled by these bytes, without escapes, or -1. */
  #indexOf(bytes: Buffer, start: number, end: number): number {
    const { names } = this;
    const expected = this.#expected;
    if (expected < names.length && spells(bytes, start, end, names[expected])) return expected;
    if (names.length > NAMES_COMPARED_MAX) {
      return this.#bySpelling.get(bytes.latin1Slice(start, end)) ?? -1;
    }
    for (let index = 0; index < names.length; index++) {
      if (spells(bytes, start, end, names[index])) return index;
    }
    return -1;
  }

  /** The schema with everything this row needs, or why it may not have it. */
  #propose(bytes: Buffer, cursor: ParseCursor): RowResult {
    const fields: Field[] = [];
    for (let index = 0; index < this.#fields.length; index++) {
      const field = this.#fields[index];
      const column = this.#builder.columns[index];
      const start = this.#starts[index];
      const end = this.#ends[index];
      const holds = this.#holds(index, bytes);
      if (!holds && this.#declared) {
        const misfit = misfitOf(column, this.#builder.rows, bytes, start, end);
        return bad(cursor, misfit.problem, misfit.field);
      }
      const needed = holds ? field : fieldFor(field, column, bytes, start, end);
      if (needed === null) return invalidValue(cursor, field.name);
      fields.push(needed);
    }
    for (const { name, start, end } of this.#extras) {
      const blank: Field = { name, type: NOTHING, nullable: false, optional: true };
      const needed = fieldFor(blank, null, bytes, start, end);
      if (needed === null) return invalidValue(cursor, name);
      fields.push(needed);
    }
    cursor.proposal = { shape: 'object', fields };
    return ROW_MISFIT;
  }

  /** Whether a field takes its value of this row; tried on a row that is given up again. */
  #holds(index: number, bytes: Buffer): boolean {
    const row = this.#builder.rows;
    const result = this.#write(index, row, bytes);
    this.#builder.columns[index].truncate(row);
    return result === 0;
  }
}

function bad(
  cursor: ParseCursor,
  problem: string,
  field: string | null,
  advice = ADVICE,
): RowResult {
  cursor.problem = problem;
  cursor.advice = advice;
  cursor.field = field;
  return ROW_BAD;
}

function invalidValue(cursor: ParseCursor, name: string): RowResult {
  const what = `is not valid JSON, or nested deeper than ${NESTING_MAX} levels`;
  return bad(cursor, `The value of "${name}" ${what}.`, name);
}

function inexact(cursor: ParseCursor, name: string): RowResult {
  const what = 'has a whole number beyond 2^53 that a number does not hold exactly';
  const problem = `The field "${name}" ${what}.`;
  return bad(cursor, problem, name, INEXACT_ADVICE);
}

function isNull(bytes: Buffer, start: number, end: number): boolean {
  return (
    end - start === 4 &&
    bytes[start] === 0x6e &&
    bytes[start + 1] === 0x75 &&
    bytes[start + 2] === 0x6c &&
    bytes[start + 3] === 0x6c
  );
}

function spells(bytes: Buffer, start: number, end: number, name: Buffer): boolean {
  if (end - start !== name.length) return false;
  for (let at = 0; at < name.length; at++) {
    if (bytes[start + at] !== name[at]) return false;
  }
  return true;
}

/** The text of a key, escapes decoded; null when it is no valid string. */
function keyText(bytes: Buffer, start: number, end: number): string | null {
  const text = parseJson(bytes, start - 1, end + 1);
  return typeof text === 'string' ? text : null;
}

/**
 * The field as this value (missing when `start` is negative) needs it, or null when it is not JSON.
 */
function fieldFor(
  field: Field,
  column: Appender | null,
  bytes: Buffer,
  start: number,
  end: number,
): Field | null {
  if (start < 0) return { ...field, optional: true };
  const value = parseJson(bytes, start, end);
  if (value === undefined) return null;
  if (column === null) return { ...field, ...slotForJson(value, null) };
  return { ...field, ...slotForJson(withoutOthers(value, column), column.field) };
}

function hasEscape(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] === BACKSLASH) return true;
  }
  return false;
}
