/**
 * Arithmetic and bit functions of expressions. Callers: `expression-functions.ts`. Runs on: any thread; pure
 * data. Rules of decimal results are those of Flink SQL: sums and products grow so that they always fit, and
 * beyond 38 digits the fraction gives way.
 */
import type { DataType } from '../record/schema.js';
import { decimalOfType, divisionType, productType, sumType } from './expression-decimal.js';
import type { ExpressionFunction, Infix, Signature, SignatureUse } from './expression-signature.js';

const NUMBER: DataType = { kind: 'number' };
const INT64: DataType = { kind: 'int64' };
const BOOL: DataType = { kind: 'bool' };

const infix = (symbol: string, binds: number): Infix => ({ symbol, binds, position: 'between' });

/** `$index` brought from its scale to a finer one. */
function scaled(use: SignatureUse, index: number, scale: number, suffix: 'n' | ''): string {
  const more = scale - decimalOfType(use.types[index]).scale;
  return more === 0 ? `$${index}` : `($${index} * ${10n ** BigInt(more)}${suffix})`;
}

/** The finest scale of the arguments. */
function finestScale(use: SignatureUse): number {
  return Math.max(...use.types.map((each) => decimalOfType(each).scale));
}

function checked(code: string, type: DataType): string {
  const { precision } = decimalOfType(type);
  return precision === 38 ? `@decimalFit(${code}, 38)` : code;
}

function decimalSum(symbol: '+' | '-'): Signature {
  return {
    args: ['decimal', 'decimal'],
    result: ({ types }) => sumType(types[0], types[1]),
    code: (use) => {
      const type = sumType(use.types[0], use.types[1]);
      const { scale } = decimalOfType(type);
      const finest = finestScale(use);
      const sum = `${scaled(use, 0, finest, 'n')} ${symbol} ${scaled(use, 1, finest, 'n')}`;
      return checked(scale < finest ? `@decimalRescale(${sum}, ${finest}, ${scale})` : sum, type);
    },
    digits: (use) => {
      const finest = finestScale(use);
      return `${scaled(use, 0, finest, '')} ${symbol} ${scaled(use, 1, finest, '')}`;
    },
  };
}

const decimalProduct: Signature = {
  args: ['decimal', 'decimal'],
  result: ({ types }) => productType(types[0], types[1]),
  code: ({ types }) => {
    const type = productType(types[0], types[1]);
    const { scale } = decimalOfType(type);
    const full = decimalOfType(types[0]).scale + decimalOfType(types[1]).scale;
    return checked(scale < full ? `@decimalRescale($0 * $1, ${full}, ${scale})` : '$0 * $1', type);
  },
  digits: () => '$0 * $1',
};

const decimalQuotient: Signature = {
  args: ['decimal', 'decimal'],
  result: ({ types }) => divisionType(types[0], types[1]),
  code: ({ types }) => {
    const { scale } = decimalOfType(divisionType(types[0], types[1]));
    const shift = scale - decimalOfType(types[0]).scale + decimalOfType(types[1]).scale;
    return `@decimalDivide($0, $1, ${shift})`;
  },
  mayBeNull: true,
};

const decimalRest: Signature = {
  args: ['decimal', 'decimal'],
  result: ({ types }) => sumType(types[0], types[1]),
  code: (use) => {
    const { scale } = decimalOfType(sumType(use.types[0], use.types[1]));
    const finest = Math.max(...use.types.map((each) => decimalOfType(each).scale));
    const rest = `@wholeMod(${scaled(use, 0, finest, 'n')}, ${scaled(use, 1, finest, 'n')})`;
    return scale < finest ? `@decimalRescale(${rest}, ${finest}, ${scale})` : rest;
  },
  mayBeNull: true,
};

const sameDecimal = (code: string): Signature => ({
  args: ['decimal'],
  result: ({ types }) => decimalOfType(types[0]),
  code,
});

const numbers = (code: string, count = 2): Signature => ({
  args: Array.from({ length: count }, () => 'number' as const),
  result: NUMBER,
  code,
});

const int64s = (code: string, count = 2): Signature => ({
  args: Array.from({ length: count }, () => 'int64' as const),
  result: INT64,
  code,
});

/** Rounds a decimal to a whole number by a runtime function of (unscaled, scale). */
const wholeDecimal = (helper: string): Signature => ({
  args: ['decimal'],
  result: ({ types }) => {
    const { precision, scale } = decimalOfType(types[0]);
    return { kind: 'decimal', precision: Math.min(38, precision - scale + 1), scale: 0 };
  },
  code: ({ types }) => `@${helper}($0, ${decimalOfType(types[0]).scale})`,
});

const DIGITS = {
  literal: 'whole',
  meaning: 'a number of digits',
  prepare: (value: string | number) => {
    const digits = Number(value);
    if (digits < -30 || digits > 30) throw new Error('digits must be between -30 and 30');
    return digits;
  },
} as const;

function roundedType({ types, literals }: SignatureUse): DataType & { kind: 'decimal' } {
  const { precision, scale } = decimalOfType(types[0]);
  const kept = Math.min(scale, Math.max(0, Number(literals[1] ?? 0)));
  const whole = precision - scale;
  return { kind: 'decimal', precision: Math.min(38, whole + kept + 1), scale: kept };
}

const decimalRound = (withDigits: boolean): Signature => ({
  args: withDigits ? ['decimal', DIGITS] : ['decimal'],
  result: roundedType,
  code: (use) => {
    const { scale } = decimalOfType(use.types[0]);
    const digits = Number(use.literals[1] ?? 0);
    if (digits >= scale) return '$0';
    const type = roundedType(use);
    return checked(`@decimalRound($0, ${scale}, ${digits}, ${type.scale})`, type);
  },
});

const simple = (name: string, signatures: readonly Signature[]): ExpressionFunction => ({
  name,
  group: 'arithmetic',
  typing: 'signatures',
  signatures,
});

const binary = (
  name: string,
  sign: Infix,
  signatures: readonly Signature[],
): ExpressionFunction => ({
  ...simple(name, signatures),
  infix: sign,
});

const bits = (name: string, signatures: readonly Signature[]): ExpressionFunction => ({
  ...simple(name, signatures),
  group: 'bits',
});

/** Functions of numbers. */
export const MATH_FUNCTIONS: readonly ExpressionFunction[] = [
  binary('add', infix('+', 5), [numbers('$0 + $1'), int64s('@int64($0 + $1)'), decimalSum('+')]),
  binary('sub', infix('-', 5), [numbers('$0 - $1'), int64s('@int64($0 - $1)'), decimalSum('-')]),
  binary('mul', infix('*', 6), [numbers('$0 * $1'), int64s('@int64($0 * $1)'), decimalProduct]),
  binary('div', infix('/', 6), [
    numbers('$0 / $1'),
    { ...int64s('@wholeDiv($0, $1)'), mayBeNull: true },
    decimalQuotient,
  ]),
  binary('mod', infix('%', 6), [
    numbers('$0 % $1'),
    { ...int64s('@wholeMod($0, $1)'), mayBeNull: true },
    decimalRest,
  ]),
  {
    ...simple('neg', [numbers('-$0', 1), int64s('@int64(-$0)', 1), sameDecimal('-$0')]),
    infix: { symbol: '-', binds: 8, position: 'prefix' },
  },
  simple('abs', [
    numbers('Math.abs($0)', 1),
    int64s('@int64(@wholeAbs($0))', 1),
    sameDecimal('@wholeAbs($0)'),
  ]),
  simple('sign', [
    numbers('Math.sign($0)', 1),
    { args: ['int64'], result: NUMBER, code: '@wholeSign($0)' },
    { args: ['decimal'], result: NUMBER, code: '@wholeSign($0)' },
  ]),
  simple('round', [
    numbers('Math.round($0)', 1),
    int64s('$0', 1),
    decimalRound(false),
    { args: ['number', DIGITS], result: NUMBER, code: '@roundTo($0, #1)' },
    { args: ['int64', DIGITS], result: INT64, code: '@int64(@decimalRound($0, 0, #1, 0))' },
    decimalRound(true),
  ]),
  simple('floor', [numbers('Math.floor($0)', 1), int64s('$0', 1), wholeDecimal('decimalFloor')]),
  simple('ceil', [numbers('Math.ceil($0)', 1), int64s('$0', 1), wholeDecimal('decimalCeil')]),
  simple('trunc', [numbers('Math.trunc($0)', 1), int64s('$0', 1), wholeDecimal('decimalTrunc')]),
  simple('sqrt', [numbers('Math.sqrt($0)', 1)]),
  simple('pow', [numbers('$0 ** $1')]),
  simple('exp', [numbers('Math.exp($0)', 1)]),
  simple('ln', [numbers('Math.log($0)', 1)]),
  simple('log10', [numbers('Math.log10($0)', 1)]),
  simple('log2', [numbers('Math.log2($0)', 1)]),
  simple('isNaN', [{ args: ['number'], result: BOOL, code: 'Number.isNaN($0)' }]),
  {
    name: 'least',
    group: 'arithmetic',
    typing: 'unified',
    arity: [1, Number.POSITIVE_INFINITY],
  },
  {
    name: 'greatest',
    group: 'arithmetic',
    typing: 'unified',
    arity: [1, Number.POSITIVE_INFINITY],
  },
  bits('bitAnd', [numbers('$0 & $1'), int64s('$0 & $1')]),
  bits('bitOr', [numbers('$0 | $1'), int64s('$0 | $1')]),
  bits('bitXor', [numbers('$0 ^ $1'), int64s('$0 ^ $1')]),
  bits('bitNot', [numbers('~$0', 1), int64s('~$0', 1)]),
  bits('shiftLeft', [numbers('$0 << $1'), int64s('BigInt.asIntN(64, $0 << ($1 & 63n))')]),
  bits('shiftRight', [numbers('$0 >> $1'), int64s('$0 >> ($1 & 63n)')]),
];
