/**
 * Casts: which types can be cast to which, and the code template of each cast. Callers: expression typing and
 * the expression compiler. Runs on: any thread; pure.
 */
import type { DataType, SimpleKind } from '../record/schema.js';
import { isNumberKind, WHOLE_LIMITS } from './expression-coerce.js';
import { DAY_MS } from './expression-date.js';
import { DECIMAL_DIGITS_MAX } from './expression-decimal.js';

/** How to cast. */
export interface CastPlan {
  /** Template over `$0`, as in the function tables. */
  readonly code: string;
  /** Whether the template gives null for values that have no counterpart. */
  readonly mayBeNull: boolean;
}

const TARGETS: ReadonlySet<string> = new Set<SimpleKind>([
  ...(['number', 'int8', 'int16', 'int32', 'uint8', 'uint16', 'uint32', 'int64'] as const),
  ...(['float32', 'float64', 'bool', 'utf8', 'bytes', 'date', 'timestamp'] as const),
]);

/** Reads the name of a type that values can be cast to; null for anything else. */
export function parseCastTarget(name: string): DataType | null {
  const text = name.trim().toLowerCase();
  if (isTarget(text)) return { kind: text };
  const match = /^decimal\(\s*(\d{1,2})\s*(?:,\s*(\d{1,2})\s*)?\)$/.exec(text);
  if (match === null) return null;
  const [precision, scale] = [Number(match[1]), Number(match[2] ?? 0)];
  const isValid = precision >= 1 && precision <= DECIMAL_DIGITS_MAX && scale <= precision;
  return isValid ? { kind: 'decimal', precision, scale } : null;
}

function isTarget(text: string): text is SimpleKind {
  return TARGETS.has(text);
}

const sure = (code: string): CastPlan => ({ code, mayBeNull: false });
const unsure = (code: string): CastPlan => ({ code, mayBeNull: true });

/** How to cast between two types, null when it is not possible. */
export function castPlan(from: DataType, to: DataType): CastPlan | null {
  if (from.kind === to.kind && from.kind !== 'decimal') return sure('$0');
  if (WHOLE_LIMITS[to.kind] !== undefined) return toWhole(from, to);
  switch (to.kind) {
    case 'number':
    case 'float64':
      return toNumber(from);
    case 'float32':
      return rounded(toNumber(from));
    case 'int64':
      return toInt64(from);
    case 'decimal':
      return toDecimal(from, to.precision, to.scale);
    case 'utf8':
      return toText(from);
    case 'bool':
      return toBool(from);
    case 'bytes':
      return from.kind === 'utf8' ? sure('@encodeText($0)') : null;
    case 'date':
      return toDate(from);
    case 'timestamp':
      return toTimestamp(from);
    default:
      return null;
  }
}

function toNumber(from: DataType): CastPlan | null {
  if (isNumberKind(from)) return sure('$0');
  switch (from.kind) {
    case 'int64':
    case 'bool':
      return sure('Number($0)');
    case 'decimal':
      return sure(`@decimalNumber($0, ${from.scale})`);
    case 'utf8':
      return unsure('@textToNumber($0)');
    case 'any':
      return unsure('@anyToNumber($0)');
    default:
      return null;
  }
}

function rounded(plan: CastPlan | null): CastPlan | null {
  if (plan === null) return null;
  return plan.mayBeNull ? unsure(`@froundOrNull(${plan.code})`) : sure(`Math.fround(${plan.code})`);
}

function toWhole(from: DataType, to: DataType): CastPlan | null {
  const plan = toNumber(from);
  const limits = WHOLE_LIMITS[to.kind];
  if (plan === null || limits === undefined) return null;
  const own = WHOLE_LIMITS[from.kind];
  const isWider = own !== undefined && own[0] >= limits[0] && own[1] <= limits[1];
  if (isWider || from.kind === 'bool') return plan;
  return unsure(`@numberToWhole(${plan.code}, ${limits[0]}, ${limits[1]})`);
}

function toInt64(from: DataType): CastPlan | null {
  if (WHOLE_LIMITS[from.kind] !== undefined || from.kind === 'bool') return sure('BigInt($0)');
  if (isNumberKind(from)) return unsure('@numberToInt64($0)');
  switch (from.kind) {
    case 'decimal':
      return unsure(`@decimalToInt64($0, ${from.scale})`);
    case 'utf8':
      return unsure('@textToInt64($0)');
    case 'any':
      return unsure('@anyToInt64($0)');
    default:
      return null;
  }
}

function toDecimal(from: DataType, precision: number, scale: number): CastPlan | null {
  const limits = `${precision}, ${scale}`;
  if (from.kind === 'decimal') {
    const isWider = scale >= from.scale && precision - scale >= from.precision - from.scale;
    const code = `@decimalToDecimal($0, ${from.scale}, ${limits})`;
    if (!isWider) return unsure(code);
    return sure(scale === from.scale ? '$0' : `$0 * ${10n ** BigInt(scale - from.scale)}n`);
  }
  if (WHOLE_LIMITS[from.kind] !== undefined || from.kind === 'bool') {
    return unsure(`@decimalToDecimal(BigInt($0), 0, ${limits})`);
  }
  if (isNumberKind(from)) return unsure(`@numberToDecimal($0, ${limits})`);
  switch (from.kind) {
    case 'int64':
      return unsure(`@decimalToDecimal($0, 0, ${limits})`);
    case 'utf8':
      return unsure(`@textToDecimal($0, ${limits})`);
    case 'any':
      return unsure(`@anyToDecimal($0, ${limits})`);
    default:
      return null;
  }
}

function toText(from: DataType): CastPlan | null {
  if (isNumberKind(from)) return sure('String($0)');
  switch (from.kind) {
    case 'int64':
    case 'bool':
      return sure('String($0)');
    case 'decimal':
      return sure(`@decimalText($0, ${from.scale})`);
    case 'date':
      return sure('@dateText($0)');
    case 'timestamp':
      return sure('@timestampText($0)');
    case 'bytes':
      return unsure('@bytesToText($0)');
    case 'any':
      return unsure('@anyToText($0)');
    default:
      return null;
  }
}

function toBool(from: DataType): CastPlan | null {
  if (isNumberKind(from)) return sure('$0 !== 0');
  switch (from.kind) {
    case 'int64':
    case 'decimal':
      return sure('$0 !== 0n');
    case 'utf8':
      return unsure('@textToBool($0)');
    case 'any':
      return unsure('@anyToBool($0)');
    default:
      return null;
  }
}

function toDate(from: DataType): CastPlan | null {
  if (from.kind === 'timestamp') return unsure('@momentToDay($0)');
  if (from.kind === 'utf8') return unsure('@parseDay($0)');
  return from.kind === 'any' ? unsure('@anyToDay($0)') : null;
}

function toTimestamp(from: DataType): CastPlan | null {
  if (isNumberKind(from)) return unsure('@numberToMoment($0)');
  switch (from.kind) {
    case 'date':
      return sure(`$0 * ${DAY_MS}`);
    case 'int64':
      return unsure('@numberToMoment(Number($0))');
    case 'utf8':
      return unsure('@parseMoment($0)');
    case 'any':
      return unsure('@anyToMoment($0)');
    default:
      return null;
  }
}
