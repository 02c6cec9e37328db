/**
 * Decimals: the types that calculations give, and the calculations on unscaled bigints that generated code
 * calls. Callers: the function tables, expression typing and generated code. Runs on: any thread; pure.
 * Invariant: a calculation gives the exact result rounded half away from zero to the scale of its type, or
 * fails; it never drops digits before the point.
 */
import { MillraceError } from '../base/errors.js';
import { decimalText } from '../record/decimal.js';
import type { DataType } from '../record/schema.js';

/** A decimal type. */
export type DecimalType = DataType & { readonly kind: 'decimal' };

/** Most digits of a decimal. */
export const DECIMAL_DIGITS_MAX = 38;
/** Digits after the point that a result keeps even when its whole part needs the room, as in Flink. */
const SCALE_KEPT = 6;

const WHOLE_DIGITS: Readonly<Record<string, number>> = {
  int8: 3,
  uint8: 3,
  int16: 5,
  uint16: 5,
  int32: 10,
  uint32: 10,
  int64: 19,
};

/** The decimal type that holds every value of a whole type, null when the type is not exact. */
export function exactDecimal(type: DataType): DecimalType | null {
  if (type.kind === 'decimal') return type;
  const precision = WHOLE_DIGITS[type.kind];
  return precision === undefined ? null : { kind: 'decimal', precision, scale: 0 };
}

/** The same for a type that is known to be exact. */
export function decimalOfType(type: DataType): DecimalType {
  return exactDecimal(type) ?? { kind: 'decimal', precision: DECIMAL_DIGITS_MAX, scale: 0 };
}

/** Fits a type into 38 digits at the cost of its fraction, as Flink does. */
function fitted(precision: number, scale: number): DecimalType {
  if (precision <= DECIMAL_DIGITS_MAX) return { kind: 'decimal', precision, scale };
  const kept = Math.max(DECIMAL_DIGITS_MAX - (precision - scale), Math.min(scale, SCALE_KEPT));
  return { kind: 'decimal', precision: DECIMAL_DIGITS_MAX, scale: kept };
}

/** Type of a sum or difference. */
export function sumType(left: DataType, right: DataType): DecimalType {
  const common = commonDecimal(left, right);
  return fitted(common.precision + 1, common.scale);
}

/** Type of a product. */
export function productType(left: DataType, right: DataType): DecimalType {
  const a = decimalOfType(left);
  const b = decimalOfType(right);
  return fitted(a.precision + b.precision, a.scale + b.scale);
}

/** Type of a quotient. */
export function divisionType(left: DataType, right: DataType): DecimalType {
  const a = decimalOfType(left);
  const b = decimalOfType(right);
  const scale = Math.max(SCALE_KEPT, a.scale + b.precision + 1);
  return fitted(a.precision - a.scale + b.scale + scale, scale);
}

/** The type that holds both, of unlimited precision. */
export function commonDecimal(left: DataType, right: DataType): DecimalType {
  const a = decimalOfType(left);
  const b = decimalOfType(right);
  const scale = Math.max(a.scale, b.scale);
  const whole = Math.max(a.precision - a.scale, b.precision - b.scale);
  return { kind: 'decimal', precision: whole + scale, scale };
}

/** A decimal as unscaled digits. */
export interface DecimalValue {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** Reads `-12.50`, `.5`, `1e3`; null for anything else and for exponents beyond a thousand. */
export function parseDecimal(text: string): DecimalValue | null {
  const match = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?\s*$/.exec(text);
  if (match === null) return null;
  const [, sign, whole, fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  if (whole === '' && fraction === '') return null;
  if (Math.abs(exponent) > 1000) return null;
  const digits = BigInt(`${whole}${fraction}`);
  const unscaled = sign === '-' ? -digits : digits;
  const scale = fraction.length - exponent;
  return scale >= 0
    ? { unscaled, scale }
    : { unscaled: unscaled * 10n ** BigInt(-scale), scale: 0 };
}

/** The type of just this value, null when it has more than 38 digits. */
export function typeOfDecimal(value: DecimalValue): DecimalType | null {
  const digits = String(value.unscaled < 0n ? -value.unscaled : value.unscaled).length;
  const precision = Math.max(digits, value.scale);
  return precision > DECIMAL_DIGITS_MAX ? null : { kind: 'decimal', precision, scale: value.scale };
}

/** Unscaled digits of canonical text. */
export function decimalDigits(text: string, scale: number): bigint {
  const value = parseDecimal(text);
  if (value === null) {
    throw new MillraceError('VALUE_UNSUPPORTED', `${JSON.stringify(text)} is not a decimal.`);
  }
  return decimalRescale(value.unscaled, value.scale, scale);
}

/** The nearest number to a decimal. */
export function decimalNumber(unscaled: bigint, scale: number): number {
  const digits = Number(unscaled);
  // Both parts are exact here, so that one division gives the correctly rounded result.
  if (Number.isSafeInteger(digits) && scale <= 22) return digits / 10 ** scale;
  return Number(decimalText(unscaled, scale));
}

function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = (dividend % divisor) * 2n;
  const rest = twice < 0n ? -twice : twice;
  if (rest < (divisor < 0n ? -divisor : divisor)) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

/** Brings digits from one scale to another; halves go away from zero. */
export function decimalRescale(unscaled: bigint, from: number, to: number): bigint {
  if (to === from) return unscaled;
  if (to > from) return unscaled * 10n ** BigInt(to - from);
  return divideRounded(unscaled, 10n ** BigInt(from - to));
}

/** Rounds to `digits` after the point (before it when negative); the result has scale `to`. */
export function decimalRound(unscaled: bigint, scale: number, digits: number, to: number): bigint {
  return decimalRescale(decimalRescale(unscaled, scale, digits), digits, to);
}

/** `left * 10^shift / right`, null when dividing by zero. */
export function decimalDivide(left: bigint, right: bigint, shift: number): bigint | null {
  if (right === 0n) return null;
  const quotient =
    shift >= 0
      ? divideRounded(left * 10n ** BigInt(shift), right)
      : divideRounded(left, right * 10n ** BigInt(-shift));
  return decimalFit(quotient, DECIMAL_DIGITS_MAX);
}

/** The whole part of a decimal, as a decimal of scale 0. */
export function decimalTrunc(unscaled: bigint, scale: number): bigint {
  return unscaled / 10n ** BigInt(scale);
}

/** The greatest whole number that is not greater. */
export function decimalFloor(unscaled: bigint, scale: number): bigint {
  const unit = 10n ** BigInt(scale);
  const whole = unscaled / unit;
  return unscaled < 0n && unscaled % unit !== 0n ? whole - 1n : whole;
}

/** The least whole number that is not less. */
export function decimalCeil(unscaled: bigint, scale: number): bigint {
  return -decimalFloor(-unscaled, scale);
}

/** The digits themselves when there are at most `precision` of them; fails otherwise. */
export function decimalFit(unscaled: bigint, precision: number): bigint {
  const limit = 10n ** BigInt(precision);
  if (unscaled < limit && unscaled > -limit) return unscaled;
  throw new MillraceError(
    'NUMBER_OVERFLOW',
    `A decimal calculation gave ${String(unscaled).length} digits; its type has ${precision}.`,
    { advice: 'Cast the operands to decimals of fewer digits, or to number.' },
  );
}
