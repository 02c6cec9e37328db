/**
 * Conversions between types as generated code calls them. Each gives null where a value has no counterpart in
 * the target type; `castOrFail` turns that into an error. Callers: code generated from casts. Runs on: worker;
 * pure.
 */
import { isUtf8 } from 'node:buffer';
import { MillraceError } from '../base/errors.js';
import { decimalText } from '../record/decimal.js';
import { parseDay, parseMoment, timestampText } from './expression-date.js';
import {
  DECIMAL_DIGITS_MAX,
  decimalRescale,
  decimalTrunc,
  parseDecimal,
} from './expression-decimal.js';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
/** Furthest moment from the epoch that a `Date` can hold. */
const MOMENT_MAX_MS = 8.64e15;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** A number from decimal notation, `NaN`, `Infinity`; white space around it is fine. */
export function textToNumber(text: string): number | null {
  const trimmed = text.trim();
  if (NUMBER.test(trimmed)) return Number(trimmed);
  return SPECIAL.get(trimmed) ?? null;
}

/** The nearest float32. */
export function froundOrNull(value: number | null): number | null {
  return value === null ? null : Math.fround(value);
}

/** The whole part of a number within limits. */
export function numberToWhole(
  value: number | null,
  least: number,
  greatest: number,
): number | null {
  const whole = value === null ? Number.NaN : Math.trunc(value);
  return whole >= least && whole <= greatest ? whole + 0 : null;
}

/** The whole part of a number as int64. */
export function numberToInt64(value: number): bigint | null {
  return Number.isFinite(value) ? bigintToInt64(BigInt(Math.trunc(value))) : null;
}

/** A bigint within 64 bits. */
export function bigintToInt64(value: bigint): bigint | null {
  return value <= INT64_MAX && value >= INT64_MIN ? value : null;
}

/** An int64 from decimal notation; a fraction is cut off. */
export function textToInt64(text: string): bigint | null {
  const value = parseDecimal(text);
  return value === null ? null : bigintToInt64(decimalTrunc(value.unscaled, value.scale));
}

/** The whole part of a decimal as int64. */
export function decimalToInt64(unscaled: bigint, scale: number): bigint | null {
  return bigintToInt64(decimalTrunc(unscaled, scale));
}

/** By exponent; a power of bigints costs more than all else in a cast. */
const POWERS_OF_TEN = Array.from(
  { length: DECIMAL_DIGITS_MAX + 1 },
  (_, digits) => 10n ** BigInt(digits),
);

/** A decimal of another precision and scale. */
export function decimalToDecimal(
  unscaled: bigint,
  from: number,
  precision: number,
  scale: number,
): bigint | null {
  const digits = decimalRescale(unscaled, from, scale);
  const limit = POWERS_OF_TEN[precision];
  return digits < limit && digits > -limit ? digits : null;
}

/** A decimal from decimal notation. */
export function textToDecimal(text: string, precision: number, scale: number): bigint | null {
  const value = parseDecimal(text);
  return value === null ? null : decimalToDecimal(value.unscaled, value.scale, precision, scale);
}

/** A decimal from the shortest notation of a number, so that 0.1 becomes 0.1. */
export function numberToDecimal(value: number, precision: number, scale: number): bigint | null {
  return textToDecimal(String(value), precision, scale);
}

/** `true` or `false`, in any case. */
export function textToBool(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  if (word === 'true') return true;
  return word === 'false' ? false : null;
}

/** Milliseconds since the epoch within the range of `Date`. */
export function numberToMoment(value: number): number | null {
  return numberToWhole(value, -MOMENT_MAX_MS, MOMENT_MAX_MS);
}

/** Text from UTF-8. */
export function bytesToText(bytes: Uint8Array): string | null {
  if (!isUtf8(bytes)) return null;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Any value as a number. */
export function anyToNumber(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return textToNumber(value);
  return typeof value === 'bigint' || typeof value === 'boolean' ? Number(value) : null;
}

/** Any value as int64. */
export function anyToInt64(value: unknown): bigint | null {
  if (typeof value === 'bigint') return bigintToInt64(value);
  if (typeof value === 'string') return textToInt64(value);
  const number = anyToNumber(value);
  return number === null ? null : numberToInt64(number);
}

/** Any value as decimal. */
export function anyToDecimal(value: unknown, precision: number, scale: number): bigint | null {
  const text = typeof value === 'boolean' ? String(Number(value)) : anyToText(value);
  return text === null ? null : textToDecimal(text, precision, scale);
}

/** Any simple value as text. */
export function anyToText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return timestampText(value.getTime());
  const isSimple =
    typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  return isSimple ? String(value) : null;
}

/** Any value as bool. */
export function anyToBool(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return textToBool(value);
  return typeof value === 'number' || typeof value === 'bigint'
    ? value !== 0 && value !== 0n
    : null;
}

/** Any value as milliseconds since the epoch. */
export function anyToMoment(value: unknown): number | null {
  if (value instanceof Date) return numberToMoment(value.getTime());
  if (typeof value === 'string') return parseMoment(value);
  return typeof value === 'number' ? numberToMoment(value) : null;
}

/** Any value as days since the epoch. */
export function anyToDay(value: unknown): number | null {
  if (typeof value === 'string') return parseDay(value);
  return value instanceof Date ? momentToDay(value.getTime()) : null;
}

/** Days of a moment, null for an invalid one. */
export function momentToDay(ms: number): number | null {
  return Number.isNaN(ms) ? null : Math.floor(ms / 86_400_000);
}

/** Fails a cast: says which value, to what, and in which expression. */
export function castFailed(value: unknown, scale: number, target: string, text: string): never {
  const shown =
    scale >= 0 && typeof value === 'bigint' ? decimalText(value, scale) : showValue(value);
  throw new MillraceError('CAST_FAILED', `${shown} is no ${target}, in ${text}.`, {
    advice: 'Use tryCast, which gives null for such values, or filter them out before.',
  });
}

function showValue(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  }
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
