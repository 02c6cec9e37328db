/**
 * Numbers written as the bytes that `String(number)` would give, without the string for the usual
 * ones. Callers: encoders. Runs on: worker; no allocation on the fast paths. Invariant: parsing the
 * text gives the same number, the sign of zero included.
 */
import type { ByteBuffer } from './byte-buffer.js';

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
/** Most bytes that a number takes as text. */
const NUMBER_BYTES_MAX = 32;
/**
 * Integers below this are exact, and their digits are split off by 32-bit arithmetic in two halves.
 */
const FAST_INTEGER_MAX = 1e15;
const HALF = 1e8;
/** Values with at most this many decimals are tried as a scaled integer. */
const DECIMALS_MAX = 4;
const DECIMALS_SCALE = 10 ** DECIMALS_MAX;
const FAST_DECIMAL_MAX = FAST_INTEGER_MAX / DECIMALS_SCALE;

/** Appends a finite number. */
export function appendNumber(buffer: ByteBuffer, value: number): void {
  const magnitude = value < 0 ? -value : value;
  if (magnitude < FAST_INTEGER_MAX && Math.floor(magnitude) === magnitude) {
    buffer.reserve(NUMBER_BYTES_MAX);
    if (value < 0 || (value === 0 && 1 / value < 0)) buffer.bytes[buffer.length++] = MINUS;
    appendDigits(buffer, magnitude);
    return;
  }
  if (magnitude < FAST_DECIMAL_MAX) {
    // When the rounded multiple divides back to the value, its digits are the shortest that name
    // the value: no other text of fifteen digits or fewer does.
    const scaled = Math.round(magnitude * DECIMALS_SCALE);
    if (scaled / DECIMALS_SCALE === magnitude) {
      buffer.reserve(NUMBER_BYTES_MAX);
      if (value < 0) buffer.bytes[buffer.length++] = MINUS;
      appendDecimals(buffer, scaled);
      return;
    }
  }
  buffer.appendAscii(String(value));
}

/** Appends a 64-bit integer. */
export function appendBigint(buffer: ByteBuffer, value: bigint): void {
  const number = Number(value);
  if (number < FAST_INTEGER_MAX && number > -FAST_INTEGER_MAX) appendNumber(buffer, number);
  else buffer.appendAscii(value.toString());
}

/** Appends an integer with at least `digits` digits, zeros in front; there must be room. */
export function appendPadded(buffer: ByteBuffer, value: number, digits: number): void {
  const { bytes } = buffer;
  let rest = value;
  for (let at = buffer.length + digits - 1; at >= buffer.length; at--) {
    const next = (rest / 10) | 0;
    bytes[at] = ZERO + rest - next * 10;
    rest = next;
  }
  buffer.length += digits;
}

function appendDigits(buffer: ByteBuffer, value: number): void {
  if (value < HALF) {
    appendPadded(buffer, value, digitsOf(value));
    return;
  }
  const upper = Math.floor(value / HALF);
  appendPadded(buffer, upper, digitsOf(upper));
  appendPadded(buffer, value - upper * HALF, 8);
}

/** Appends a scaled integer with its point, without zeros at the end. */
function appendDecimals(buffer: ByteBuffer, scaled: number): void {
  const whole = Math.floor(scaled / DECIMALS_SCALE);
  let fraction = scaled - whole * DECIMALS_SCALE;
  let digits = DECIMALS_MAX;
  while (fraction % 10 === 0) {
    fraction /= 10;
    digits--;
  }
  appendDigits(buffer, whole);
  buffer.bytes[buffer.length++] = POINT;
  appendPadded(buffer, fraction, digits);
}

function digitsOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  return value < 10_000_000 ? 7 : 8;
}
