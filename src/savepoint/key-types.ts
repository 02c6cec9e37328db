/**
 * The types of keys as pieces of state name them, and keys as JSON: plain where JSON has the type, text for the others,
 * which type it is being known. Callers: this folder. Runs on: any thread; pure. Invariant: what is written for a key
 * is read as that key again.
 */
import { MillraceError } from '../base/errors.js';
import { type DataType, formOf, type SimpleKind, typeName } from '../record/schema.js';
import type { KeyTuple } from '../state/contract.js';

/** The type of this name; of those that keys can have. */
export function keyTypeOf(name: string): DataType {
  const [, precision, scale] = /^decimal\((\d+),(\d+)\)$/.exec(name) ?? [];
  if (precision === undefined || scale === undefined) return { kind: name as SimpleKind };
  return { kind: 'decimal', precision: Number(precision), scale: Number(scale) };
}

/** A key value as JSON. */
export function keyToJson(type: DataType, value: unknown): unknown {
  switch (type.kind) {
    case 'date':
      return value instanceof Date ? value.toISOString().slice(0, 10) : value;
    case 'timestamp':
      return value instanceof Date ? value.toISOString() : value;
    case 'int64':
      return String(value);
    case 'bytes':
      return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
    default:
      return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  }
}

/** The key value of a type that JSON or a text stands for. Throws KEY_UNSUPPORTED for what does not fit the type. */
export function keyFromJson(type: DataType, given: unknown): unknown {
  const value = keyValue(type, given);
  if (value !== undefined) return value;
  throw new MillraceError(
    'KEY_UNSUPPORTED',
    `${JSON.stringify(given)} is no key of type ${typeName(type)}.`,
    {
      advice: 'Write keys as `millrace state scan` prints them; those of several parts as [a, b].',
    },
  );
}

/** Undefined for what does not fit. */
function keyValue(type: DataType, given: unknown): unknown {
  const text = typeof given === 'string' ? given : null;
  switch (type.kind) {
    case 'date':
    case 'timestamp':
      return dateOf(given instanceof Date ? given : new Date(text ?? Number.NaN));
    case 'int64':
      return bigintOf(given);
    case 'bytes':
      if (given instanceof Uint8Array) return given;
      return text === null ? undefined : new Uint8Array(Buffer.from(text, 'base64'));
    case 'bool':
      if (typeof given === 'boolean') return given;
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'decimal':
    case 'utf8':
      return text ?? (typeof given === 'number' ? String(given) : undefined);
    default:
      return numberOf(given, type);
  }
}

function dateOf(date: Date): Date | undefined {
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function bigintOf(given: unknown): bigint | undefined {
  if (typeof given === 'bigint') return given;
  const isWhole =
    typeof given === 'number' ? Number.isSafeInteger(given) : typeof given === 'string';
  return isWhole && /^-?\d+$/.test(String(given)) ? BigInt(String(given)) : undefined;
}

function numberOf(given: unknown, type: DataType): number | undefined {
  if (typeof given === 'number') return given;
  if (typeof given !== 'string' || given.trim() === '') return undefined;
  const value = Number(given);
  const isNumber = !Number.isNaN(value) || given === 'NaN';
  return isNumber && formOf(type) !== 'bytes' ? value : undefined;
}

/** One text for each key: equal keys have equal ones. */
export function keyText(key: KeyTuple): string {
  return key.map(partText).join('\u0000');
}

function partText(part: unknown): string {
  if (part instanceof Date) return `d${part.getTime()}`;
  if (part instanceof Uint8Array) return `b${Buffer.from(part).toString('latin1')}`;
  return typeof part === 'string' ? `s${part.length}:${part}` : `${typeof part}${String(part)}`;
}
