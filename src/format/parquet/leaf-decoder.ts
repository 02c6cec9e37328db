/**
 * Turns stored values into those of a column: typed arrays of the column's form, or entries of
 * bytes. Callers: `page-decoder.ts`. Runs on: the slot's thread. Invariant: nothing is rounded or
 * cut without an error, but instants finer than a millisecond, which columns do not hold.
 */
import { MillraceError } from '../../base/errors.js';
import type { FixedArray } from '../../record/column.js';
import { decimalText } from '../../record/decimal.js';
import { formOf } from '../../record/schema.js';
import { corrupt } from './corrupt.js';
import type { Conversion, LeafType } from './leaf-type.js';
import type { TimeUnit } from './parquet-types.js';
import { type BinaryValues, decodeBinary, decodeFixed, strideOf } from './raw-values.js';

/** Values of fixed width in the form of their column. */
export type FixedValues = FixedArray | BigInt64Array;
/** Decoded values: as many as asked for. */
export type Values = FixedValues | BinaryValues;

/** Whether values are entries of bytes. */
export function isBinary(values: Values): values is BinaryValues {
  return 'offsets' in values;
}

/** A column of values, as its file stores it. */
export interface Leaf extends LeafType {
  /** Dotted path. */
  readonly name: string;
  readonly physical: number;
  /** Length of fixed-length byte arrays. */
  readonly typeLength: number;
}

/** Decodes `count` values at `at`. */
export function decodeValues(
  leaf: Leaf,
  encoding: number,
  bytes: Uint8Array,
  at: number,
  count: number,
): Values {
  if (strideOf(leaf.physical) === 0) {
    const entries = decodeBinary(leaf.typeLength, encoding, bytes, at, count);
    return convertBinary(leaf, entries, count);
  }
  return convertFixed(leaf, decodeFixed(leaf.physical, encoding, bytes, at, count), count);
}

/** An array of the leaf's form; null for leaves whose values are entries of bytes. */
export function allocateValues(leaf: Leaf, count: number): FixedValues | null {
  switch (formOf(leaf.type)) {
    case 'f64':
      return new Float64Array(count);
    case 'f32':
      return new Float32Array(count);
    case 'i32':
      return new Int32Array(count);
    case 'u32':
      return new Uint32Array(count);
    case 'u8':
      return new Uint8Array(count);
    case 'i64':
      return new BigInt64Array(count);
    default:
      return null;
  }
}

function convertFixed(leaf: Leaf, raw: Uint8Array, count: number): FixedValues {
  const { conversion } = leaf;
  switch (conversion.kind) {
    case 'number':
      return numbers(leaf, pairsOf(raw), count, conversion.signed);
    case 'instant':
      return instants(pairsOf(raw), count, conversion.unit);
    case 'julian':
      return julianInstants(raw, count);
    case 'unsigned':
      return unsigned(leaf, raw, count);
    case 'widen':
      return BigInt64Array.from(new Int32Array(raw.buffer, raw.byteOffset, count), BigInt);
    case 'narrow':
      return narrow(new Int32Array(raw.buffer, raw.byteOffset, count), conversion);
    default:
      return sameLayout(leaf, raw, count);
  }
}

/** The same bytes as an array of the leaf's form. */
function sameLayout(leaf: Leaf, raw: Uint8Array, count: number): FixedValues {
  const { buffer, byteOffset } = raw;
  switch (formOf(leaf.type)) {
    case 'f64':
      return new Float64Array(buffer, byteOffset, count);
    case 'f32':
      return new Float32Array(buffer, byteOffset, count);
    case 'i32':
      return new Int32Array(buffer, byteOffset, count);
    case 'u32':
      return new Uint32Array(buffer, byteOffset, count);
    case 'i64':
      return new BigInt64Array(buffer, byteOffset, count);
    default:
      return raw;
  }
}

/** Lower and upper halves of 64-bit integers, in turn. */
function pairsOf(raw: Uint8Array): Int32Array {
  return new Int32Array(raw.buffer, raw.byteOffset, raw.length >> 2);
}

function numbers(leaf: Leaf, pairs: Int32Array, count: number, signed: boolean): Float64Array {
  const values = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const low = pairs[index * 2] >>> 0;
    const high = signed ? pairs[index * 2 + 1] : pairs[index * 2 + 1] >>> 0;
    const value = high * 4294967296 + low;
    if (value > 9007199254740991 || value < -9007199254740991) throw inexact(leaf);
    values[index] = value;
  }
  return values;
}

/**
 * Milliseconds of finer units, exactly: 2^32 is split into a multiple of the divisor and a rest.
 */
function instants(pairs: Int32Array, count: number, unit: TimeUnit): Float64Array {
  const divisor = unit === 'ms' ? 1 : unit === 'us' ? 1000 : 1_000_000;
  const whole = Math.floor(4294967296 / divisor);
  const rest = 4294967296 - whole * divisor;
  const values = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const low = pairs[index * 2] >>> 0;
    const high = pairs[index * 2 + 1];
    values[index] = high * whole + Math.floor((high * rest + low) / divisor);
  }
  return values;
}

const JULIAN_EPOCH_DAY = 2_440_588;
const MS_PER_DAY = 86_400_000;

function julianInstants(raw: Uint8Array, count: number): Float64Array {
  const words = new Int32Array(raw.buffer, raw.byteOffset, count * 3);
  const values = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const nanos = words[index * 3 + 1] * 4294967296 + (words[index * 3] >>> 0);
    const day = words[index * 3 + 2] - JULIAN_EPOCH_DAY;
    values[index] = day * MS_PER_DAY + Math.floor(nanos / 1_000_000);
  }
  return values;
}

function unsigned(leaf: Leaf, raw: Uint8Array, count: number): BigInt64Array {
  const pairs = pairsOf(raw);
  for (let index = 0; index < count; index++) {
    if (pairs[index * 2 + 1] >= 0) continue;
    throw new MillraceError(
      'NUMBER_OVERFLOW',
      `Column "${leaf.name}" holds an unsigned integer beyond 2^63, which int64 does not hold.`,
      { where: { field: leaf.name }, advice: 'Write the column as decimal(20,0).' },
    );
  }
  return new BigInt64Array(raw.buffer, raw.byteOffset, count);
}

function narrow(
  values: Int32Array,
  { bits, signed }: Conversion & { readonly kind: 'narrow' },
): Int32Array {
  const shift = 32 - bits;
  for (let index = 0; index < values.length; index++) {
    const high = values[index] << shift;
    values[index] = signed ? high >> shift : high >>> shift;
  }
  return values;
}

function convertBinary(leaf: Leaf, entries: BinaryValues, count: number): Values {
  const { conversion } = leaf;
  switch (conversion.kind) {
    case 'decimal':
      return conversion.digits === 'int64'
        ? decimals(leaf, entries, count)
        : decimalTexts(entries, count, conversion.scale);
    case 'half':
      return halves(entries, count);
    case 'uuid':
      return uuids(entries, count);
    default:
      return entries;
  }
}

function decimals(leaf: Leaf, entries: BinaryValues, count: number): BigInt64Array {
  const values = new BigInt64Array(count);
  for (let index = 0; index < count; index++) {
    const value = bigEndian(entries, index);
    if (BigInt.asIntN(64, value) !== value) {
      throw corrupt(`A value of column "${leaf.name}" has more digits than its type.`);
    }
    values[index] = value;
  }
  return values;
}

function decimalTexts(entries: BinaryValues, count: number, scale: number): BinaryValues {
  return textEntries(count, (index) => decimalText(bigEndian(entries, index), scale));
}

/** Two's complement, the first byte first. */
function bigEndian({ offsets, bytes }: BinaryValues, index: number): bigint {
  const start = offsets[index];
  const end = offsets[index + 1];
  let value = 0n;
  for (let at = start; at < end; at++) value = (value << 8n) | BigInt(bytes[at]);
  return BigInt.asIntN((end - start) * 8, value);
}

/** IEEE 754 half precision. */
function halves({ offsets, bytes }: BinaryValues, count: number): Float32Array {
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++) {
    const bits = bytes[offsets[index]] | (bytes[offsets[index] + 1] << 8);
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) values[index] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : NaN;
    else if (exponent === 0) values[index] = sign * fraction * 2 ** -24;
    else values[index] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return values;
}

function uuids({ offsets, bytes }: BinaryValues, count: number): BinaryValues {
  return textEntries(count, (index) => {
    const hex = Buffer.from(bytes.subarray(offsets[index], offsets[index] + 16)).toString('hex');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  });
}

function textEntries(count: number, textOf: (index: number) => string): BinaryValues {
  const texts = Array.from({ length: count }, (_, index) => textOf(index));
  const offsets = new Int32Array(count + 1);
  for (const [index, text] of texts.entries()) offsets[index + 1] = offsets[index] + text.length;
  return { offsets, bytes: Uint8Array.from(Buffer.from(texts.join(''), 'latin1')) };
}

function inexact(leaf: Leaf): MillraceError {
  return new MillraceError(
    'NUMBER_INEXACT',
    `Column "${leaf.name}" holds an integer beyond 2^53, which a number does not hold exactly.`,
    {
      where: { field: leaf.name },
      advice: `Read it as bigint: parquet(…, { bigint: [${JSON.stringify(leaf.name)}] }).`,
    },
  );
}
