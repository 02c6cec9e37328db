/**
 * Numbers read from bytes, equal bit for bit to what `Number(text)` gives. Up to fifteen
 * significant digits with a power of ten within 10^22 are one exact multiplication or division of
 * exact doubles, which IEEE 754 rounds correctly; everything else goes through `Number`. Callers:
 * CSV and NDJSON parsers, generated code. Runs on: worker; no allocation on the fast path.
 */

/** Powers of ten that a double holds exactly. */
export const POWERS_OF_TEN: Float64Array = Float64Array.from({ length: 23 }, (_, n) =>
  Number(`1e${n}`),
);

const DIGITS_EXACT = 15;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;

/** Grammar of a number: that of JSON. */
export const GRAMMAR_JSON = 0;
/**
 * Grammar of a number in CSV: JSON's plus a leading `+`, `.5` and `5.`; leading zeros are text, not
 * numbers.
 */
export const GRAMMAR_LOOSE = 1;
export type NumberGrammar = typeof GRAMMAR_JSON | typeof GRAMMAR_LOOSE;

/** The number that `bytes[start, end)` spell, or NaN when they spell none. */
export function parseNumber(
  bytes: Buffer,
  start: number,
  end: number,
  grammar: NumberGrammar,
): number {
  let at = start;
  const lead = bytes[at];
  const negative = lead === MINUS;
  if (negative || (lead === PLUS && grammar === GRAMMAR_LOOSE)) at++;
  const integerStart = at;
  let mantissa = 0;
  let unit = 0;
  while (at < end && (unit = bytes[at] - ZERO) >= 0 && unit <= 9) {
    mantissa = mantissa * 10 + unit;
    at++;
  }
  const integerDigits = at - integerStart;
  if (integerDigits > 1 && bytes[integerStart] === ZERO) return Number.NaN;
  let scale = 0;
  if (at < end && bytes[at] === DOT) {
    const fractionStart = ++at;
    while (at < end && (unit = bytes[at] - ZERO) >= 0 && unit <= 9) {
      mantissa = mantissa * 10 + unit;
      at++;
    }
    scale = at - fractionStart;
    if (grammar === GRAMMAR_JSON && (scale === 0 || integerDigits === 0)) return Number.NaN;
  }
  if (integerDigits + scale === 0) return Number.NaN;
  if (at < end) {
    return exponentEnd(bytes, at, end) === end ? spelled(bytes, start, end) : Number.NaN;
  }
  // Leading zeros of a fraction count as digits here; that only sends a few numbers the slow way.
  if (integerDigits + scale > DIGITS_EXACT) return spelled(bytes, start, end);
  const value = scale === 0 ? mantissa : mantissa / POWERS_OF_TEN[scale];
  return negative ? -value : value;
}

/** Index after the exponent at `at`, or -1 when there is none that is well formed. */
function exponentEnd(bytes: Buffer, at: number, end: number): number {
  if ((bytes[at] | 0x20) !== 0x65) return -1;
  let next = at + 1;
  if (next < end && (bytes[next] === PLUS || bytes[next] === MINUS)) next++;
  const digits = next;
  while (next < end && bytes[next] >= ZERO && bytes[next] <= 0x39) next++;
  return next === digits ? -1 : next;
}

function spelled(bytes: Buffer, start: number, end: number): number {
  return Number(bytes.latin1Slice(start, end));
}

/** The integer that `bytes[start, end)` spell (optional sign, digits), or null. */
export function parseInteger(bytes: Buffer, start: number, end: number): bigint | null {
  let at = start;
  if (bytes[at] === MINUS || bytes[at] === PLUS) at++;
  if (at >= end) return null;
  for (let next = at; next < end; next++) {
    if (bytes[next] < ZERO || bytes[next] > 0x39) return null;
  }
  const magnitude = BigInt(bytes.latin1Slice(at, end));
  return bytes[start] === MINUS ? -magnitude : magnitude;
}
