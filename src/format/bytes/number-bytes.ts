/**
 * Numbers read from bytes, equal bit for bit to what `Number(text)` gives. Up to fifteen
 * significant digits with a power of ten within 10^22 are one exact multiplication or division of
 * exact doubles, which IEEE 754 rounds correctly; everything else goes through `Number`. Callers:
 * CSV and NDJSON parsers, generated code. Runs on: worker; no allocation on the fast path.
 * Invariant: no whole number is rounded but by `parseRounded`, since those that are too large for a
 * double are mostly names of things.
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

/**
 * The number that `bytes[start, end)` spell; NaN when they spell none, or a whole one that no double
 * holds, such as 9007199254740993.
 */
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
  if (integerDigits + scale > DIGITS_EXACT) {
    const value = spelled(bytes, start, end);
    const isExact = Number.isSafeInteger(value) || !spellsInteger(bytes, start, end);
    return isExact || holds(value, bytes.latin1Slice(start, end)) ? value : Number.NaN;
  }
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

/** The same, rounded as `Number` does; for columns of floats. */
export function parseRounded(
  bytes: Buffer,
  start: number,
  end: number,
  grammar: NumberGrammar,
): number {
  const value = parseNumber(bytes, start, end, grammar);
  if (!Number.isNaN(value) || !spellsInteger(bytes, start, end)) return value;
  const isPadded =
    bytes[start + (bytes[start] === MINUS || bytes[start] === PLUS ? 1 : 0)] === ZERO;
  const isOdd = isPadded || (bytes[start] === PLUS && grammar === GRAMMAR_JSON);
  return isOdd ? Number.NaN : spelled(bytes, start, end);
}

/** Whether they spell a whole number with nothing but digits and a sign. */
export function spellsInteger(bytes: Buffer, start: number, end: number): boolean {
  const from = bytes[start] === MINUS || bytes[start] === PLUS ? start + 1 : start;
  if (from >= end) return false;
  for (let at = from; at < end; at++) {
    if (bytes[at] < ZERO || bytes[at] > 0x39) return false;
  }
  return true;
}

/** Whether a double is the whole number of a text, or the one that is written so. */
function holds(value: number, text: string): boolean {
  if (!Number.isFinite(value)) return false;
  const digits = text[0] === '+' ? text.slice(1) : text;
  return String(value) === digits || BigInt(value) === BigInt(digits);
}

function spelled(bytes: Buffer, start: number, end: number): number {
  return Number(bytes.latin1Slice(start, end));
}

/** The integer that `bytes[start, end)` spell (optional sign, digits), or null. */
export function parseInteger(bytes: Buffer, start: number, end: number): bigint | null {
  if (!spellsInteger(bytes, start, end)) return null;
  const at = bytes[start] === MINUS || bytes[start] === PLUS ? start + 1 : start;
  const magnitude = BigInt(bytes.latin1Slice(at, end));
  return bytes[start] === MINUS ? -magnitude : magnitude;
}
