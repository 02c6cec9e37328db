/**
 * The functions that code generated from expressions may call, by the names that templates use after `@`.
 * Callers: the expression compiler binds them as constants. Runs on: worker; pure.
 */
import { MillraceError } from '../base/errors.js';
import { decimalText } from '../record/decimal.js';
import { encodeText } from '../record/text.js';
import * as bytes from './expression-bytes.js';
import * as casts from './expression-cast-runtime.js';
import * as dates from './expression-date.js';
import * as decimals from './expression-decimal.js';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** The value itself when it fits 64 bits; fails otherwise, for a column would wrap around silently. */
export function int64(value: bigint): bigint {
  if (value <= INT64_MAX && value >= INT64_MIN) return value;
  throw new MillraceError('NUMBER_OVERFLOW', `An int64 calculation gave ${value}.`, {
    advice: 'Cast the operands to decimal(38,0), which has room, or to number.',
  });
}

/** Whole quotient, null when dividing by zero. */
function wholeDiv(left: bigint, right: bigint): bigint | null {
  return right === 0n ? null : int64(left / right);
}

function wholeMod(left: bigint, right: bigint): bigint | null {
  return right === 0n ? null : left % right;
}

function wholeAbs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function wholeSign(value: bigint): number {
  if (value === 0n) return 0;
  return value < 0n ? -1 : 1;
}

/** `Math.round` at `digits` after the point. */
function roundTo(value: number, digits: number): number {
  const factor = 10 ** Math.abs(digits);
  const rounded =
    digits >= 0 ? Math.round(value * factor) / factor : Math.round(value / factor) * factor;
  // A number too large to scale has no digits there.
  return Number.isFinite(rounded) || !Number.isFinite(value) ? rounded : value;
}

function least<T extends bigint | string | boolean | number>(first: T, ...rest: readonly T[]): T {
  let result = first;
  for (const value of rest) if (value < result) result = value;
  return result;
}

function greatest<T extends bigint | string | boolean | number>(
  first: T,
  ...rest: readonly T[]
): T {
  let result = first;
  for (const value of rest) if (value > result) result = value;
  return result;
}

function concat(first: string, ...rest: readonly string[]): string {
  let result = first;
  for (const text of rest) result += text;
  return result;
}

/** Replaces without giving `$` a meaning. */
function replaceText(text: string, search: string, replacement: string): string {
  const literal = replacement.includes('$') ? replacement.replaceAll('$', '$$$$') : replacement;
  return text.replaceAll(search, literal);
}

function splitPart(text: string, separator: string, index: number): string | null {
  // Parts counted from the end need all of them, and so do letters.
  if (!(index >= 0) || separator === '') return text.split(separator).at(index) ?? null;
  let start = 0;
  for (let part = Math.trunc(index); part > 0; part--) {
    const end = text.indexOf(separator, start);
    if (end < 0) return null;
    start = end + separator.length;
  }
  const end = text.indexOf(separator, start);
  return end < 0 ? text.slice(start) : text.slice(start, end);
}

/** Parts between white space, without the empty ones at the ends. */
function words(text: string): string[] {
  const trimmed = text.trim();
  return trimmed === '' ? [] : trimmed.split(/\s+/);
}

function regexpExtract(text: string, pattern: RegExp, group: number): string | null {
  return pattern.exec(text)?.[group] ?? null;
}

function repeatText(text: string, times: number): string {
  return times >= 1 ? text.repeat(times) : '';
}

function reverseText(text: string): string {
  return [...text].reverse().join('');
}

/** Everything a template may name. */
export const RUNTIME: Readonly<Record<string, unknown>> = {
  ...bytes,
  ...casts,
  ...dates,
  ...decimals,
  decimalText,
  encodeText,
  int64,
  wholeDiv,
  wholeMod,
  wholeAbs,
  wholeSign,
  roundTo,
  least,
  greatest,
  concat,
  replaceText,
  splitPart,
  words,
  regexpExtract,
  repeatText,
  reverseText,
};
