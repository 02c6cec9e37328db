/**
 * Decimals of at most 15 digits as numbers: their unscaled digits are whole numbers below 2^53, which numbers hold
 * exactly, sums and products included as long as the type of the result has no more digits. What is calculated from
 * whole numbers and literals so never is a bigint, other than where somebody asks for one. Callers: the expression
 * compiler. Runs on: any thread; pure. Invariant: digits, where a value has them, are exactly those of its bigint.
 */
import type { DataType } from '../record/schema.js';
import type { JsValue } from './code-value.js';
import { paren } from './expression-code.js';
import { decimalOfType } from './expression-decimal.js';

/** Digits that a number holds exactly, whatever they are. */
const EXACT_DIGITS_MAX = 15;

/** Kinds whose values are whole and at hand as numbers. */
const WHOLE_KINDS: ReadonlySet<string> = new Set([
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
]);

/** Whether a number holds the digits of every value of a type. */
export function hasExactDigits(type: DataType): boolean {
  return type.kind === 'decimal' && type.precision <= EXACT_DIGITS_MAX;
}

/** A decimal given by the code of its digits, which is a number. */
export function valueOfDigits(value: JsValue, digits: string): JsValue {
  return { ...value, value: `BigInt(${digits})`, digits };
}

/** The value of a literal or constant. */
export function literalDigits(type: DataType, unscaled: unknown): string | undefined {
  return hasExactDigits(type) && typeof unscaled === 'bigint' ? `${unscaled}` : undefined;
}

/** The digits of a value converted to a decimal that holds it. */
export function convertedDigits(arg: JsValue, to: DataType): string | undefined {
  if (!hasExactDigits(to)) return undefined;
  const digits = WHOLE_KINDS.has(arg.type.kind) ? arg.value : arg.digits;
  if (digits === undefined) return undefined;
  const more = decimalOfType(to).scale - (arg.type.kind === 'decimal' ? arg.type.scale : 0);
  return more === 0 ? digits : `${paren(digits)} * ${10 ** more}`;
}

/** The digits of all arguments; null when one has none. */
export function digitsOf(values: readonly JsValue[]): readonly string[] | null {
  const digits = values.flatMap((value) => value.digits ?? []);
  return digits.length === values.length && digits.length > 0 ? digits : null;
}
