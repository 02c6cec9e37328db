/**
 * Sums of floating point numbers that do not depend on the order of the summands: the running sum is kept
 * without any rounding error as an expansion (Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997)
 * and rounded once when it is read. Callers: generated code of `sum` and `avg` with `exact`. Runs on: worker;
 * pure. Invariant: an accumulator is plain data, so it can be cloned, kept in state and merged with another.
 */

/** A sum without rounding error. */
export interface ExactSum {
  /** Summands below 2^900, as numbers that do not overlap, in order of rising magnitude. */
  readonly small: number[];
  /** Summands from 2^900 on, scaled by 2^-200, so that no intermediate sum overflows. */
  readonly big: number[];
  /** Plain sum of infinities and NaN; 0 while there were none. */
  special: number;
}

const BIG = 2 ** 900;
const SCALE_DOWN = 2 ** -200;
/** Number.MIN_VALUE is 2 to this power, so every finite number is a multiple of it. */
const UNIT_EXPONENT = -1074;

/** A sum of nothing. */
export function createExactSum(): ExactSum {
  return { small: [], big: [], special: 0 };
}

/** Adds a number. */
export function addExact(sum: ExactSum, value: number): void {
  if (value - value !== 0) sum.special += value;
  else if (value < BIG && value > -BIG) grow(sum.small, value);
  else grow(sum.big, value * SCALE_DOWN);
}

/** Adds another sum. */
export function mergeExact(sum: ExactSum, other: ExactSum): void {
  sum.special += other.special;
  for (const part of other.small) grow(sum.small, part);
  for (const part of other.big) grow(sum.big, part);
}

/** The sum, correctly rounded. */
export function exactSumValue(sum: ExactSum): number {
  if (sum.special !== 0) return sum.special;
  return sum.big.length === 0 ? rounded(sum.small) : roundedWide(sum);
}

/** Adds a number to an expansion, dropping parts that become zero. */
function grow(parts: number[], value: number): void {
  let carry = value;
  let kept = 0;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index];
    const high = carry + part;
    const shadow = high - carry;
    const low = carry - (high - shadow) + (part - shadow);
    if (low !== 0) parts[kept++] = low;
    carry = high;
  }
  parts.length = kept;
  if (carry !== 0) parts.push(carry);
}

/** The expansion as one number, rounded half to even. */
function rounded(parts: readonly number[]): number {
  let index = parts.length - 1;
  if (index < 0) return 0;
  let high = parts[index];
  let low = 0;
  while (index > 0 && low === 0) {
    index--;
    const part = parts[index];
    const sum = high + part;
    low = part - (sum - high);
    high = sum;
  }
  // `low` may be exactly half a unit of `high`; then the sign of the rest decides, not the even neighbour.
  if (index > 0 && low !== 0 && low > 0 === parts[index - 1] > 0) {
    const doubled = low * 2;
    const sum = high + doubled;
    if (sum - high === doubled) return sum;
  }
  return high;
}

/** The rare case of numbers near the end of the range: by whole numbers of arbitrary size. */
function roundedWide(sum: ExactSum): number {
  let total = 0n;
  for (const part of sum.small) total += units(part);
  for (const part of sum.big) total += units(part) << 200n;
  const magnitude = total < 0n ? -total : total;
  const bits = magnitude.toString(2).length;
  const sign = total < 0n ? -1 : 1;
  // More than 64 bits are cut to 64 and a sticky last bit, which rounds like the whole.
  const cut = Math.max(0, bits - 64);
  const kept = magnitude >> BigInt(cut);
  const sticky = cut > 0 && kept << BigInt(cut) !== magnitude ? 1n : 0n;
  return sign * scaled(Number(kept | sticky), cut + UNIT_EXPONENT);
}

/** A finite number as a multiple of 2^-1074. */
function units(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return value < 0 ? -magnitude : magnitude;
}

/** `value * 2^exponent` in steps that neither overflow nor underflow before the end. */
function scaled(value: number, exponent: number): number {
  let result = value;
  let rest = exponent;
  while (rest > 500) {
    result *= 2 ** 500;
    rest -= 500;
  }
  while (rest < -500) {
    result *= 2 ** -500;
    rest += 500;
  }
  return result * 2 ** rest;
}
