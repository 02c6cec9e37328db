/**
 * The rules of types that meet: which types have a common one, which literals can be written for which type,
 * and which arguments a signature takes. Callers: expression typing. Runs on: any thread; pure. Invariant: no
 * conversion made here loses anything; whatever would is left to an explicit cast.
 */
import type { DataType } from '../record/schema.js';
import { typeName } from '../record/schema.js';
import { DAY_MS, parseMoment } from './expression-date.js';
import {
  commonDecimal,
  DECIMAL_DIGITS_MAX,
  exactDecimal,
  parseDecimal,
  typeOfDecimal,
} from './expression-decimal.js';
import type { Expression, LiteralValue } from './expression.js';
import type { ArgumentKind, LiteralArgument, Signature } from './expression-signature.js';
import { converted, isNullLiteral, literalOf, type TypedExpression } from './expression-typed.js';

const NUMBER: DataType = { kind: 'number' };
const INT64: DataType = { kind: 'int64' };
const INT64_LIMIT = 2n ** 63n;

/** Limits of the kinds that are whole numbers in JavaScript. */
export const WHOLE_LIMITS: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  int16: [-32_768, 32_767],
  int32: [-2_147_483_648, 2_147_483_647],
  uint8: [0, 255],
  uint16: [0, 65_535],
  uint32: [0, 4_294_967_295],
};

/** Whether values of the type are JavaScript numbers that count something. */
export function isNumberKind(type: DataType): boolean {
  return isFraction(type) || WHOLE_LIMITS[type.kind] !== undefined;
}

function isFraction(type: DataType): boolean {
  return type.kind === 'number' || type.kind === 'float64' || type.kind === 'float32';
}

const COMPARABLE = new Set(['int64', 'bool', 'utf8', 'bytes', 'date', 'timestamp', 'decimal']);

/** Whether values of the type can be compared. */
export function isComparable(type: DataType): boolean {
  return isNumberKind(type) || COMPARABLE.has(type.kind);
}

/** Whether `least` and `greatest` are defined: everything comparable except bytes. */
export function isOrdered(type: DataType): boolean {
  return isComparable(type) && type.kind !== 'bytes';
}

/** The type of a literal as written. Bigints beyond 64 bits are decimals; null when even that is too small. */
export function literalType(source: Expression & { readonly node: 'literal' }): DataType | null {
  const { value } = source;
  switch (typeof value) {
    case 'number':
      return source.timestamp === true ? { kind: 'timestamp' } : NUMBER;
    case 'bigint':
      return value < INT64_LIMIT && value >= -INT64_LIMIT
        ? INT64
        : typeOfDecimal({ unscaled: value, scale: 0 });
    case 'string':
      return { kind: 'utf8' };
    case 'boolean':
      return { kind: 'bool' };
    default:
      return { kind: 'null' };
  }
}

/** A type that holds the values of both exactly, null when there is none. */
export function commonType(left: DataType, right: DataType): DataType | null {
  if (typeName(left) === typeName(right)) return left;
  if (isNumberKind(left) && isNumberKind(right)) return NUMBER;
  const kinds = `${left.kind} ${right.kind}`;
  if (kinds === 'date timestamp' || kinds === 'timestamp date') return { kind: 'timestamp' };
  if (exactDecimal(left) === null || exactDecimal(right) === null) return null;
  if (left.kind !== 'decimal' && right.kind !== 'decimal') return INT64;
  const common = commonDecimal(left, right);
  return common.precision <= DECIMAL_DIGITS_MAX ? common : null;
}

/** The literal as a literal of another type, null when it is none or is not exactly such a value. */
export function coerceLiteral(arg: TypedExpression, type: DataType): TypedExpression | null {
  if (arg.node !== 'literal') return null;
  if (arg.value === null || typeName(arg.slot.type) === typeName(type)) return converted(arg, type);
  const value = coerceValue(arg.value, arg.slot.type, type);
  return value === null ? null : literalOf(arg.source, value, type);
}

function coerceValue(
  value: number | bigint | string | boolean,
  from: DataType,
  to: DataType,
): LiteralValue {
  if (from.kind === 'timestamp') return coerceMoment(Number(value), to);
  if (from.kind === 'bool' || from.kind === 'decimal') return null;
  if (to.kind === 'decimal') return coerceDecimal(value, to.precision, to.scale);
  if (typeof value !== 'string') return coerceNumber(value, to);
  if (to.kind !== 'date' && to.kind !== 'timestamp') return null;
  const ms = parseMoment(value);
  return ms === null ? null : to.kind === 'timestamp' ? ms : coerceMoment(ms, to);
}

function coerceMoment(ms: number, to: DataType): number | null {
  return to.kind === 'date' && ms % DAY_MS === 0 ? ms / DAY_MS : null;
}

function coerceNumber(value: LiteralValue, to: DataType): LiteralValue {
  const number = Number(value);
  if (to.kind === 'int64') return Number.isSafeInteger(number) ? BigInt(number) : null;
  if (typeof value === 'bigint' && !Number.isSafeInteger(number)) return null;
  if (to.kind === 'number' || to.kind === 'float64') return number;
  if (to.kind === 'float32') return Object.is(Math.fround(number), number) ? number : null;
  const limits = WHOLE_LIMITS[to.kind];
  if (limits === undefined || !Number.isInteger(number)) return null;
  return number >= limits[0] && number <= limits[1] && !Object.is(number, -0) ? number : null;
}

function coerceDecimal(value: LiteralValue, precision: number, scale: number): bigint | null {
  const parsed = parseDecimal(String(value));
  if (parsed === null || parsed.scale > scale) return null;
  const unscaled = parsed.unscaled * 10n ** BigInt(scale - parsed.scale);
  const limit = 10n ** BigInt(precision);
  return unscaled < limit && unscaled > -limit ? unscaled : null;
}

/** A number or text literal as a decimal of just its digits, null when it is none. */
function decimalLiteral(arg: TypedExpression): TypedExpression | null {
  if (arg.node !== 'literal' || typeof arg.value === 'boolean' || arg.value === null) return null;
  if (arg.slot.type.kind === 'timestamp') return null;
  const parsed = parseDecimal(String(arg.value));
  const type = parsed === null ? null : typeOfDecimal(parsed);
  if (parsed === null || type === null) return null;
  return literalOf(arg.source, parsed.unscaled, type);
}

/** Both sides of a comparison, a literal taken as the type of the other side where it can be. */
export function meetLiterals(
  left: TypedExpression,
  right: TypedExpression,
): readonly [TypedExpression, TypedExpression] {
  const a = literalFor(left, right.slot.type);
  if (a !== left) return [a, right];
  return [left, literalFor(right, left.slot.type)];
}

function literalFor(arg: TypedExpression, type: DataType): TypedExpression {
  if (arg.node !== 'literal') return arg;
  const exact = coerceLiteral(arg, type);
  if (exact !== null) return exact;
  return (type.kind === 'decimal' ? decimalLiteral(arg) : null) ?? arg;
}

/** A literal in the representation of a type, for membership; null when it is none. */
export function memberOf(arg: TypedExpression, type: DataType): TypedExpression | null {
  if (arg.node !== 'literal') return null;
  const isPlainNumber = isNumberKind(type) && typeof arg.value === 'number';
  return isPlainNumber && arg.slot.type.kind === 'number' ? arg : coerceLiteral(arg, type);
}

/** The arguments as a signature takes them, null when it does not. */
export function fitSignature(
  signature: Signature,
  args: readonly TypedExpression[],
): readonly TypedExpression[] | null {
  const { rest } = signature;
  const isCountRight =
    rest === undefined
      ? args.length === signature.args.length
      : args.length >= signature.args.length;
  if (!isCountRight) return null;
  const fitted: TypedExpression[] = [];
  for (const [index, arg] of args.entries()) {
    const kind = signature.args[index] ?? rest;
    const taken = kind === undefined ? null : accept(kind, arg);
    if (taken === null) return null;
    fitted.push(taken);
  }
  // int64 and fraction literals alone do not make a decimal: that takes a decimal among the arguments.
  const isDecimal = signature.args.includes('decimal');
  return isDecimal && !args.some((arg) => arg.slot.type.kind === 'decimal') ? null : fitted;
}

const KIND_TYPES: Readonly<Record<ArgumentKind, DataType>> = {
  number: NUMBER,
  int64: INT64,
  decimal: { kind: 'decimal', precision: 1, scale: 0 },
  utf8: { kind: 'utf8' },
  bytes: { kind: 'bytes' },
  bool: { kind: 'bool' },
  date: { kind: 'date' },
  timestamp: { kind: 'timestamp' },
  value: { kind: 'any' },
};

function accept(
  kind: ArgumentKind | LiteralArgument,
  arg: TypedExpression,
): TypedExpression | null {
  if (typeof kind !== 'string') return acceptLiteral(kind, arg);
  if (kind === 'value') return arg;
  if (isNullLiteral(arg)) return converted(arg, KIND_TYPES[kind]);
  const { type } = arg.slot;
  switch (kind) {
    case 'number':
      return isNumberKind(type) ? arg : null;
    case 'int64':
      if (type.kind === 'int64') return arg;
      return WHOLE_LIMITS[type.kind] === undefined
        ? coerceLiteral(arg, INT64)
        : converted(arg, INT64);
    case 'decimal': {
      const exact = exactDecimal(type);
      if (exact !== null) return converted(arg, exact);
      return type.kind === 'number' ? decimalLiteral(arg) : null;
    }
    default:
      return type.kind === kind ? arg : null;
  }
}

function acceptLiteral(wanted: LiteralArgument, arg: TypedExpression): TypedExpression | null {
  if (arg.node !== 'literal') return null;
  const { value } = arg;
  const fits = wanted.literal === 'text' ? typeof value === 'string' : Number.isSafeInteger(value);
  return fits ? arg : null;
}
