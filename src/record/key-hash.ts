/**
 * Hashes of keys by value, never by encoding: the same number, bigint or text hashes alike whether
 * it is a JavaScript value, a column entry or bytes, and as Java would hash it, so that key groups
 * are Flink's. Callers: partitioners, state tables, generated loops. Runs on: any thread; pure
 * apart from one scratch cell per thread.
 */
import { MillraceError } from '../base/errors.js';
import type { BinaryColumn, TextKind } from './column.js';
import { TEXT_UTF8, TEXT_WTF8 } from './column.js';
import { decimalUnscaled } from './decimal.js';
import type { DataType } from './schema.js';
import { formOf, typeName } from './schema.js';
import { pointAt, pointBytes } from './text.js';

const scratch = new Float64Array(1);
const scratchWords = new Int32Array(scratch.buffer);
const LOW = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;

const TWO_32 = 4294967296;
const INT64_END = 9223372036854775808;
const NAN_HASH = 0x7ff80000;
const REPLACEMENT = 0xfffd;
const TRUE_HASH = 1231;
const FALSE_HASH = 1237;
const MS_PER_DAY = 86_400_000;

/** Where the hash of a tuple starts; continue with `combineHash`. */
export const TUPLE_HASH_START = 1;

/** The hash of a tuple continued by one element. */
export function combineHash(hash: number, element: number): number {
  return (Math.imul(31, hash) + element) | 0;
}

/**
 * Integral numbers hash as Java's Integer or Long, all others as Double; -0 as 0, every NaN alike.
 */
export function hashNumber(value: number): number {
  const small = value | 0;
  if (small === value) return small;
  return hashWide(value);
}

function hashWide(value: number): number {
  const high = Math.floor(value / TWO_32);
  if (Number.isInteger(value) && value >= -INT64_END && value < INT64_END) {
    const low = value - high * TWO_32;
    return (high ^ low) | 0;
  }
  if (value !== value) return NAN_HASH;
  scratch[0] = value;
  return scratchWords[HIGH] ^ scratchWords[LOW];
}

/** A bigint hashes as the number of the same value. */
export function hashBigint(value: bigint): number {
  if (value === BigInt.asIntN(32, value)) return Number(value);
  if (value !== BigInt.asIntN(64, value)) return hashWide(Number(value));
  return Number(BigInt.asIntN(32, value ^ (value >> 32n)));
}

/** As Java's Boolean. */
export function hashBool(value: boolean | number): number {
  return value ? TRUE_HASH : FALSE_HASH;
}

/** As Java's String: over UTF-16 code units. */
export function hashText(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) {
    hash = (Math.imul(31, hash) + text.charCodeAt(at)) | 0;
  }
  return hash;
}

/** The hash of the text that these bytes are, without making the string. */
export function hashTextBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: TextKind,
): number {
  if (kind === TEXT_UTF8) return hashUtf8(bytes, start, end);
  if (kind === TEXT_WTF8) return hashWtf8(bytes, start, end);
  let hash = 0;
  for (let at = start; at < end; at++) hash = (Math.imul(31, hash) + bytes[at]) | 0;
  return hash;
}

/** The bytes are known to be well-formed, so nothing is checked. */
function hashUtf8(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  let at = start;
  while (at < end) {
    const lead = bytes[at++];
    if (lead < 0x80) {
      hash = (Math.imul(31, hash) + lead) | 0;
    } else if (lead < 0xe0) {
      hash = (Math.imul(31, hash) + (((lead & 0x1f) << 6) | (bytes[at++] & 0x3f))) | 0;
    } else if (lead < 0xf0) {
      const middle = (bytes[at++] & 0x3f) << 6;
      hash = (Math.imul(31, hash) + (((lead & 0x0f) << 12) | middle | (bytes[at++] & 0x3f))) | 0;
    } else {
      const upper = ((lead & 7) << 18) | ((bytes[at++] & 0x3f) << 12);
      const point = upper | ((bytes[at++] & 0x3f) << 6) | (bytes[at++] & 0x3f);
      hash = (Math.imul(31, hash) + 0xd7c0 + (point >> 10)) | 0;
      hash = (Math.imul(31, hash) + (0xdc00 | (point & 0x3ff))) | 0;
    }
  }
  return hash;
}

function hashWtf8(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  let at = start;
  while (at < end) {
    const point = pointAt(bytes, at, end);
    at += point < 0 ? 1 : pointBytes(point);
    if (point < 0x10000) {
      hash = (Math.imul(31, hash) + (point < 0 ? REPLACEMENT : point)) | 0;
    } else {
      hash = (Math.imul(31, hash) + 0xd7c0 + (point >> 10)) | 0;
      hash = (Math.imul(31, hash) + (0xdc00 | (point & 0x3ff))) | 0;
    }
  }
  return hash;
}

/** As Java's `Arrays.hashCode(byte[])`. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = TUPLE_HASH_START;
  for (let at = start; at < end; at++) {
    hash = (Math.imul(31, hash) + ((bytes[at] << 24) >> 24)) | 0;
  }
  return hash;
}

/**
 * Hash of every entry of a text or bytes column, computed once per batch, or once per entry where
 * the dictionary outlives the batch.
 */
export function hashColumn(column: BinaryColumn): Int32Array {
  const known = column.hashes;
  const { bytes, offsets, entries, textKind } = column;
  if (known !== null && known.length >= entries) return known;
  const hashes = new Int32Array(entries);
  if (known !== null) hashes.set(known);
  const isText = formOf(column.field.type) === 'utf8';
  for (let entry = known?.length ?? 0; entry < entries; entry++) {
    const start = offsets[entry];
    const end = offsets[entry + 1];
    hashes[entry] = isText
      ? hashTextBytes(bytes, start, end, textKind)
      : hashBytes(bytes, start, end);
  }
  column.hashes = hashes;
  return hashes;
}

/**
 * The hash of a key given as JavaScript value: that of the column's stored value, so dates hash as
 * days, timestamps as milliseconds, decimals up to 18 digits as their unscaled integer, longer ones
 * as text.
 */
export function hashValue(value: unknown, type: DataType): number {
  switch (type.kind) {
    case 'date':
      if (value instanceof Date) return hashNumber(value.getTime() / MS_PER_DAY);
      break;
    case 'timestamp':
      if (value instanceof Date) return hashNumber(value.getTime());
      break;
    case 'decimal':
      if (typeof value === 'string') return hashDecimal(value, type.precision, type.scale);
      break;
    case 'struct':
      if (typeof value === 'object' && value !== null) {
        const record = value as Readonly<Record<string, unknown>>;
        return type.fields.reduce(
          (hash, field) => combineHash(hash, hashValue(record[field.name], field.type)),
          TUPLE_HASH_START,
        );
      }
      break;
    case 'any':
    case 'list':
    case 'map':
      break;
    default:
      return hashPlain(value, type);
  }
  throw unhashable(value, type);
}

function hashPlain(value: unknown, type: DataType): number {
  if (typeof value === 'number') return hashNumber(value);
  if (typeof value === 'string') return hashText(value);
  if (typeof value === 'bigint') return hashBigint(value);
  if (typeof value === 'boolean') return hashBool(value);
  if (value instanceof Uint8Array) return hashBytes(value, 0, value.length);
  throw unhashable(value, type);
}

function hashDecimal(text: string, precision: number, scale: number): number {
  if (precision > 18) return hashText(text);
  const unscaled = decimalUnscaled(text, precision, scale);
  return unscaled === null ? hashText(text) : hashBigint(unscaled);
}

function unhashable(value: unknown, type: DataType): MillraceError {
  const what = value === null ? 'null' : value === undefined ? 'missing' : `a ${typeof value}`;
  return new MillraceError(
    'KEY_UNSUPPORTED',
    `A key of type ${typeName(type)} is ${what}, which cannot be hashed and compared by value.`,
    { advice: 'Filter such records out, or key by a number, bigint, text, boolean or date.' },
  );
}
