/**
 * Puts one JSON value, given as a range of bytes, into a column: by hand for numbers, plain text
 * and booleans, through `JSON.parse` for escapes and nested values. Callers: the NDJSON row reader,
 * its generated code, and CSV for nested values. Runs on: worker.
 *
 * How JSON stands for types that only a declared schema has: `timestamp` as ISO 8601 text or
 * milliseconds, `date` as `YYYY-MM-DD`, `int64` and `decimal` as number or text, `bytes` as base64,
 * `map` as an object.
 */
import { isUtf8 } from 'node:buffer';
import type { Appender } from '../../record/batch-builder.js';
import { BinaryAppender, StructAppender } from '../../record/appenders.js';
import type { DataType, Field } from '../../record/schema.js';
import { parseDate, parseInstant } from '../bytes/instant-bytes.js';
import { GRAMMAR_JSON, parseInteger, parseNumber, parseRounded } from '../bytes/number-bytes.js';
import { checkString } from './json-check.js';
import { skipBlanks, skipString, skipValue } from './json-skip.js';

/** The value is in the column. */
const VALUE_WRITTEN = 0;
/** The value is valid JSON but does not fit the type of the column. */
export const VALUE_MISFIT = 1;
/** The value is not valid JSON. */
export const VALUE_INVALID = 2;
/** The value has a whole number that no double holds, in a place for numbers. */
export const VALUE_INEXACT = 3;
export type ValueResult =
  | typeof VALUE_WRITTEN
  | typeof VALUE_MISFIT
  | typeof VALUE_INVALID
  | typeof VALUE_INEXACT;

/** Values within values: what walks over them calls itself for each. */
export const NESTING_MAX = 1000;
const MS_PER_DAY = 86_400_000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Writes the value `bytes[start, end)`, which is not `null`, as row `row`. */
export function appendJson(
  appender: Appender,
  row: number,
  bytes: Buffer,
  start: number,
  end: number,
): ValueResult {
  const { kind } = appender.field.type;
  if (kind === 'utf8' && appender instanceof BinaryAppender) {
    return appendText(appender, row, bytes, start, end);
  }
  if (kind === 'number' || kind === 'float64') {
    const parse = kind === 'number' ? parseNumber : parseRounded;
    const value = parse(bytes, start, end, GRAMMAR_JSON);
    if (!Number.isNaN(value)) {
      return appender.appendValue(row, value) ? VALUE_WRITTEN : VALUE_MISFIT;
    }
  }
  if (appender instanceof StructAppender && appendStruct(appender, row, bytes, start, end)) {
    return VALUE_WRITTEN;
  }
  const value = exactValue(appender.field.type, bytes, start, end);
  if (value !== undefined) return appender.appendValue(row, value) ? VALUE_WRITTEN : VALUE_MISFIT;
  const parsed = parseJson(bytes, start, end);
  if (parsed === undefined) return VALUE_INVALID;
  if (holdsNumbers(appender.field.type) && spellsInexact(bytes, start, end)) return VALUE_INEXACT;
  const converted = fromJson(parsed, appender.field.type);
  return converted !== undefined && appender.appendValue(row, converted)
    ? VALUE_WRITTEN
    : VALUE_MISFIT;
}

function appendText(
  appender: BinaryAppender,
  row: number,
  bytes: Buffer,
  start: number,
  end: number,
): ValueResult {
  if (bytes[start] !== QUOTE) {
    return parseJson(bytes, start, end) === undefined ? VALUE_INVALID : VALUE_MISFIT;
  }
  if (checkString(bytes, start) !== end) return VALUE_INVALID;
  if (!isUtf8(bytes.subarray(start, end))) return VALUE_INVALID;
  if (bytes.subarray(start, end).includes(0x5c)) {
    const text: unknown = JSON.parse(bytes.utf8Slice(start, end));
    return appender.appendValue(row, text) ? VALUE_WRITTEN : VALUE_MISFIT;
  }
  appender.appendBytes(row, bytes, start + 1, end - 1);
  return VALUE_WRITTEN;
}

/**
 * Writes an object without building it. False when it is any other value, or no field takes what a
 * key has; then nothing is written, and the general way decides what the value means.
 */
function appendStruct(
  appender: StructAppender,
  row: number,
  bytes: Buffer,
  start: number,
  end: number,
): boolean {
  appender.begin(row);
  if (bytes[start] === OPEN && appendFields(appender, row, bytes, start, end)) return true;
  appender.truncate(row);
  return false;
}

function appendFields(
  appender: StructAppender,
  row: number,
  bytes: Buffer,
  start: number,
  end: number,
): boolean {
  const { names } = appender;
  let at = skipBlanks(bytes, start + 1);
  let next = 0;
  while (bytes[at] === QUOTE) {
    let field = indexOfKey(names, next, bytes, at + 1);
    const keyEnd = field < 0 ? skipString(bytes, at) : at + names[field].length + 2;
    if (keyEnd < 0) return false;
    if (field < 0) field = indexOfOddKey(appender, bytes, at, keyEnd);
    const colon = skipBlanks(bytes, keyEnd);
    if (bytes[colon] !== COLON) return false;
    at = skipBlanks(bytes, colon + 1);
    if (field >= 0) at = appendField(appender, field, row, bytes, at);
    else at = appender.isPart ? skipValue(bytes, at) : -1;
    if (at < 0) return false;
    next = field + 1;
    at = skipBlanks(bytes, at);
    if (bytes[at] !== COMMA) break;
    at = skipBlanks(bytes, at + 1);
    if (bytes[at] !== QUOTE) return false;
  }
  return bytes[at] === CLOSE && at + 1 === end && missOthers(appender, row);
}

/** Index of the name that the key at `at` spells without escapes, or -1; keys tend to come in order. */
function indexOfKey(names: readonly Uint8Array[], from: number, bytes: Buffer, at: number): number {
  for (let tries = 0, index = from; tries < names.length; tries++, index++) {
    if (index >= names.length) index = 0;
    const name = names[index];
    let length = 0;
    while (length < name.length && bytes[at + length] === name[length] && isPlain(name[length])) {
      length++;
    }
    if (length === name.length && bytes[at + length] === QUOTE) return index;
  }
  return -1;
}

/** The same for a key with escapes. */
function indexOfOddKey(
  { children }: StructAppender,
  bytes: Buffer,
  start: number,
  end: number,
): number {
  if (!bytes.subarray(start, end).includes(BACKSLASH)) return -1;
  const name = parseJson(bytes, start, end);
  return children.findIndex((child) => child.field.name === name);
}

/** Whether a byte stands for itself in a JSON string. */
function isPlain(unit: number): boolean {
  return unit >= 0x20 && unit !== QUOTE && unit !== BACKSLASH;
}

/** Marks fields that a row lacks as missing; false when one may not be. */
function missOthers({ children, written }: StructAppender, row: number): boolean {
  for (let index = 0; index < children.length; index++) {
    if (written[index] === 0 && !children[index].appendValue(row, undefined)) return false;
  }
  return true;
}

/** Writes the value at `at` and returns the index behind it, or -1 when it is none that fits. */
function appendField(
  { children, written }: StructAppender,
  field: number,
  row: number,
  bytes: Buffer,
  at: number,
): number {
  const child = children[field];
  // Of a key that occurs twice the last value counts.
  if (written[field] === 1) child.truncate(row);
  written[field] = 1;
  if (bytes[at] === QUOTE && child.field.type.kind === 'utf8' && child instanceof BinaryAppender) {
    const close = plainTextEnd(bytes, at + 1);
    if (close >= 0) {
      child.appendBytes(row, bytes, at + 1, close);
      return close + 1;
    }
  }
  const end = skipValue(bytes, at);
  if (end < 0) return -1;
  const isNull = bytes[at] === 0x6e && end - at === 4 && bytes.latin1Slice(at, end) === 'null';
  const isWritten = isNull
    ? child.appendValue(row, null)
    : appendJson(child, row, bytes, at, end) === VALUE_WRITTEN;
  return isWritten ? end : -1;
}

/** Index of the quote that ends a text of ASCII without escapes, or -1 when it is another text. */
function plainTextEnd(bytes: Buffer, start: number): number {
  let at = start;
  let unit = bytes[at];
  while (unit !== QUOTE) {
    if (unit < 0x20 || unit >= 0x7f || unit === BACKSLASH || unit === undefined) return -1;
    unit = bytes[++at];
  }
  return at;
}

/**
 * Values of types that are read from their digits, since a double would not hold them; else
 * undefined.
 */
function exactValue(
  type: DataType,
  bytes: Buffer,
  start: number,
  end: number,
): bigint | string | Date | undefined {
  const quoted = bytes[start] === QUOTE;
  const from = quoted ? start + 1 : start;
  const to = quoted ? end - 1 : end;
  switch (type.kind) {
    case 'int64':
      return (
        (quoted || isNumber(bytes, start, end) ? parseInteger(bytes, from, to) : null) ?? undefined
      );
    case 'decimal':
      return quoted || !isNumber(bytes, start, end) ? undefined : bytes.latin1Slice(from, to);
    case 'timestamp':
      return quoted ? dateOf(parseInstant(bytes, from, to)) : undefined;
    case 'date':
      return quoted ? dateOf(parseDate(bytes, from, to) * MS_PER_DAY) : undefined;
    default:
      return undefined;
  }
}

function isNumber(bytes: Buffer, start: number, end: number): boolean {
  return !Number.isNaN(parseRounded(bytes, start, end, GRAMMAR_JSON));
}

/** Whether numbers of JSON become doubles somewhere in values of a type that did not ask for floats. */
function holdsNumbers(type: DataType): boolean {
  switch (type.kind) {
    case 'number':
    case 'any':
      return true;
    case 'list':
      return holdsNumbers(type.item.type);
    case 'map':
      return holdsNumbers(type.value.type);
    case 'struct':
      return type.fields.some((field) => holdsNumbers(field.type));
    default:
      return false;
  }
}

/** Whether valid JSON has a whole number that no double holds. */
function spellsInexact(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const unit = bytes[at];
    if (unit === QUOTE) {
      const next = skipString(bytes, at);
      if (next < 0) return false;
      at = next;
    } else if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) {
      const next = skipValue(bytes, at);
      if (next < 0) return false;
      if (next - at > 15 && Number.isNaN(parseNumber(bytes, at, next, GRAMMAR_JSON))) return true;
      at = next;
    } else at++;
  }
  return false;
}

function dateOf(ms: number): Date | undefined {
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

/** The value as `JSON.parse` gives it; undefined when it is not valid JSON, not UTF-8, or nested too deep. */
export function parseJson(bytes: Buffer, start: number, end: number): unknown {
  if (!isUtf8(bytes.subarray(start, end)) || isTooDeep(bytes, start, end)) return undefined;
  try {
    return JSON.parse(bytes.utf8Slice(start, end));
  } catch {
    return undefined;
  }
}

/** What is valid has fewer brackets open than it has bytes. */
function isTooDeep(bytes: Buffer, start: number, end: number): boolean {
  if (end - start <= NESTING_MAX) return false;
  let depth = 0;
  for (let at = start; at < end; at++) {
    const unit = bytes[at];
    if (unit === QUOTE) {
      const next = skipString(bytes, at);
      if (next < 0) return false;
      at = next - 1;
    } else if (unit === OPEN || unit === 0x5b) {
      if (++depth > NESTING_MAX) return true;
    } else if (unit === CLOSE || unit === 0x5d) depth--;
  }
  return false;
}

/** A value from `JSON.parse` without what columns of parts of objects leave out. */
export function withoutOthers(value: unknown, appender: Appender): unknown {
  if (!(appender instanceof StructAppender) || !isObject(value)) return value;
  const children = new Map(appender.children.map((child) => [child.field.name, child]));
  const entries = Object.entries(value)
    .filter(([name]) => !appender.isPart || children.has(name))
    .map(([name, item]): [string, unknown] => {
      const child = children.get(name);
      return [name, child === undefined ? item : withoutOthers(item, child)];
    });
  return Object.fromEntries(entries);
}

/** What `JSON.parse` gave as a value of a type; undefined when it cannot stand for one. */
export function fromJson(value: unknown, type: DataType): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case 'timestamp':
    case 'date':
      return instantFromJson(value, type.kind);
    case 'int64':
      return Number.isSafeInteger(value) ? BigInt(Number(value)) : integerFromText(value);
    case 'decimal':
      return typeof value === 'number' ? String(value) : value;
    case 'bytes':
      return typeof value === 'string' ? base64(value) : undefined;
    case 'list':
      return Array.isArray(value)
        ? allConverted(value.map((item: unknown) => fromJson(item, type.item.type)))
        : undefined;
    case 'struct':
      return isObject(value) ? structFromJson(value, type.fields) : undefined;
    case 'map':
      return isObject(value) ? mapFromJson(value, type.key, type.value.type) : undefined;
    default:
      return value;
  }
}

function instantFromJson(value: unknown, kind: 'timestamp' | 'date'): unknown {
  if (typeof value === 'number') {
    return kind === 'timestamp' && Number.isFinite(value) ? new Date(value) : undefined;
  }
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value);
  return kind === 'timestamp'
    ? dateOf(parseInstant(bytes, 0, bytes.length))
    : dateOf(parseDate(bytes, 0, bytes.length) * MS_PER_DAY);
}

function integerFromText(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^[+-]?\d+$/.test(value) ? BigInt(value) : undefined;
}

/** The bytes that a base64 text stands for, or undefined when it is none. */
export function base64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  const canonical = bytes.toString('base64').replace(/=+$/, '');
  // Node ignores what is not base64; only text that comes back the same was all base64.
  return canonical === text.replace(/=+$/, '') ? new Uint8Array(bytes) : undefined;
}

function allConverted(items: readonly unknown[]): readonly unknown[] | undefined {
  return items.includes(undefined) ? undefined : items;
}

/** Whether a value from `JSON.parse` is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function structFromJson(
  value: Readonly<Record<string, unknown>>,
  fields: readonly Field[],
): Readonly<Record<string, unknown>> | undefined {
  const types = new Map(fields.map((field) => [field.name, field.type]));
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => {
    const type = types.get(name);
    return [name, type === undefined ? item : fromJson(item, type)];
  });
  if (entries.some(([, item]) => item === undefined)) return undefined;
  return Object.fromEntries(entries);
}

function mapFromJson(
  value: Readonly<Record<string, unknown>>,
  keyType: DataType,
  valueType: DataType,
): ReadonlyMap<unknown, unknown> | undefined {
  const map = new Map<unknown, unknown>();
  for (const [name, item] of Object.entries(value)) {
    const key = keyType.kind === 'utf8' ? name : fromJson(keyFromName(name), keyType);
    const converted = fromJson(item, valueType);
    if (key === undefined || converted === undefined) return undefined;
    map.set(key, converted);
  }
  return map;
}

/** Keys of objects are text; those of maps with other keys are the JSON of the key. */
function keyFromName(name: string): unknown {
  try {
    return JSON.parse(name);
  } catch {
    return name;
  }
}
