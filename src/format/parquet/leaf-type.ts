/**
 * What a column of values becomes: its type in Millrace, and how stored values are turned into it.
 * Callers: `schema-tree.ts`, `leaf-decoder.ts`. Runs on: any thread; pure.
 */
import type { DataType, SimpleKind } from '../../record/schema.js';
import { corrupt, unsupported } from './corrupt.js';
import type { SchemaElement, TimeUnit } from './parquet-types.js';
import * as types from './parquet-types.js';

/** How stored values become those of a column. */
export type Conversion =
  /** As they are: same width and layout. */
  | { readonly kind: 'same' }
  /** 64-bit integers as numbers, refused when inexact. */
  | { readonly kind: 'number'; readonly signed: boolean }
  /** Unsigned 64-bit integers as signed ones, refused when too large. */
  | { readonly kind: 'unsigned' }
  /** Narrow integers that may be stored with any upper bits. */
  | { readonly kind: 'narrow'; readonly bits: number; readonly signed: boolean }
  | { readonly kind: 'instant'; readonly unit: TimeUnit }
  /** The twelve bytes of Impala: nanoseconds of the day, and the Julian day. */
  | { readonly kind: 'julian' }
  /** 32-bit unscaled decimals. */
  | { readonly kind: 'widen' }
  /** Big-endian unscaled decimals. */
  | { readonly kind: 'decimal'; readonly digits: 'int64' | 'text'; readonly scale: number }
  | { readonly kind: 'half' }
  | { readonly kind: 'uuid' };

/** The type of a column of values. */
export interface LeafType {
  readonly type: DataType;
  readonly conversion: Conversion;
}

/** What the user may decide about types. */
export interface TypeOptions {
  /** Whether a column of 64-bit integers is read as bigints rather than numbers. */
  isBigint(name: string): boolean;
  /** Whether byte arrays without a logical type are text. */
  readonly binaryAsText: boolean;
}

const SAME: Conversion = { kind: 'same' };
const DECIMAL64_DIGITS = 18;

/** The type of a leaf of the schema; `name` is the dotted path. Throws `FEATURE_UNSUPPORTED`. */
export function leafTypeOf(element: SchemaElement, name: string, options: TypeOptions): LeafType {
  if (element.logical?.id === types.LOGICAL_UNKNOWN) return simple('null');
  switch (element.type) {
    case types.BOOLEAN:
      return simple('bool');
    case types.INT32:
      return int32Type(element, name);
    case types.INT64:
      return int64Type(element, options.isBigint(name), name);
    case types.INT96:
      return { type: { kind: 'timestamp' }, conversion: { kind: 'julian' } };
    case types.FLOAT:
      return simple('float32');
    case types.DOUBLE:
      return simple('float64');
    case types.BYTE_ARRAY:
    case types.FIXED_LEN_BYTE_ARRAY:
      return binaryType(element, name, options.binaryAsText);
    default:
      throw corrupt(`Column "${name}" has the unknown physical type ${element.type}.`);
  }
}

function simple(kind: SimpleKind, conversion: Conversion = SAME): LeafType {
  return { type: { kind }, conversion };
}

function int32Type(element: SchemaElement, name: string): LeafType {
  const { logical, converted } = element;
  if (isDecimal(element)) {
    const { precision, scale } = decimalOf(element, name);
    return { type: { kind: 'decimal', precision, scale }, conversion: { kind: 'widen' } };
  }
  if (logical?.id === types.LOGICAL_DATE || converted === types.CONVERTED_DATE) {
    return simple('date');
  }
  const width = integerWidth(element);
  if (width === null || width.bits === 32)
    return simple(width?.signed === false ? 'uint32' : 'int32');
  const { bits, signed } = width;
  const kinds: Readonly<Record<string, SimpleKind>> = {
    true8: 'int8',
    true16: 'int16',
    false8: 'uint8',
    false16: 'uint16',
  };
  const kind = kinds[`${signed}${bits}`];
  if (kind === undefined) throw corrupt(`Column "${name}" has integers of ${bits} bits.`);
  return simple(kind, { kind: 'narrow', bits, signed });
}

function integerWidth(
  element: SchemaElement,
): { readonly bits: number; readonly signed: boolean } | null {
  const { logical, converted } = element;
  if (logical?.id === types.LOGICAL_INTEGER) return { bits: logical.bits, signed: logical.signed };
  switch (converted) {
    case types.CONVERTED_UINT_8:
      return { bits: 8, signed: false };
    case types.CONVERTED_UINT_16:
      return { bits: 16, signed: false };
    case types.CONVERTED_UINT_32:
      return { bits: 32, signed: false };
    case types.CONVERTED_UINT_64:
      return { bits: 64, signed: false };
    case types.CONVERTED_INT_8:
      return { bits: 8, signed: true };
    case types.CONVERTED_INT_16:
      return { bits: 16, signed: true };
    default:
      return null;
  }
}

function int64Type(element: SchemaElement, bigint: boolean, name: string): LeafType {
  const { logical, converted } = element;
  if (isDecimal(element)) {
    const { precision, scale } = decimalOf(element, name);
    if (precision <= DECIMAL64_DIGITS) {
      return { type: { kind: 'decimal', precision, scale }, conversion: SAME };
    }
    throw corrupt(`Column "${name}" has ${precision} decimal digits in 64 bits.`);
  }
  if (logical?.id === types.LOGICAL_TIMESTAMP) {
    return simple('timestamp', { kind: 'instant', unit: logical.unit });
  }
  if (converted === types.CONVERTED_TIMESTAMP_MILLIS) {
    return simple('timestamp', { kind: 'instant', unit: 'ms' });
  }
  if (converted === types.CONVERTED_TIMESTAMP_MICROS) {
    return simple('timestamp', { kind: 'instant', unit: 'us' });
  }
  const signed = integerWidth(element)?.signed ?? true;
  if (bigint) return simple('int64', signed ? SAME : { kind: 'unsigned' });
  return simple('number', { kind: 'number', signed });
}

function binaryType(element: SchemaElement, name: string, binaryAsText: boolean): LeafType {
  const { logical, converted } = element;
  if (isDecimal(element)) {
    const { precision, scale } = decimalOf(element, name);
    const digits = precision <= DECIMAL64_DIGITS ? 'int64' : 'text';
    return {
      type: { kind: 'decimal', precision, scale },
      conversion: { kind: 'decimal', digits, scale },
    };
  }
  if (logical?.id === types.LOGICAL_UUID) return simple('utf8', { kind: 'uuid' });
  if (logical?.id === types.LOGICAL_FLOAT16) return simple('float32', { kind: 'half' });
  const textual: readonly (number | undefined)[] = [
    types.LOGICAL_STRING,
    types.LOGICAL_ENUM,
    types.LOGICAL_JSON,
  ];
  const convertedTextual: readonly (number | null)[] = [
    types.CONVERTED_UTF8,
    types.CONVERTED_ENUM,
    types.CONVERTED_JSON,
  ];
  const unmarked = logical === null && converted === null && element.type === types.BYTE_ARRAY;
  const isText =
    textual.includes(logical?.id) ||
    convertedTextual.includes(converted) ||
    (binaryAsText && unmarked);
  return simple(isText ? 'utf8' : 'bytes');
}

function isDecimal({ logical, converted }: SchemaElement): boolean {
  return logical?.id === types.LOGICAL_DECIMAL || converted === types.CONVERTED_DECIMAL;
}

function decimalOf(
  element: SchemaElement,
  name: string,
): { readonly precision: number; readonly scale: number } {
  const { logical } = element;
  const { precision, scale } = logical?.id === types.LOGICAL_DECIMAL ? logical : element;
  if (precision > 0 && scale >= 0 && scale <= precision) return { precision, scale };
  throw unsupported(
    `Column "${name}" has ${precision} decimal digits, ${scale} of them after the point.`,
    'Leave the column out, or write it with a scale between 0 and its precision.',
  );
}
