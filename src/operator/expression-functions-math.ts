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

const simple = (
  name: string,
  doc: string,
  signatures: readonly Signature[],
  example = `col('x').${name}()`,
): ExpressionFunction => ({
  name,
  group: 'arithmetic',
  doc,
  example,
  typing: 'signatures',
  signatures,
});

const binary = (
  name: string,
  sign: Infix,
  doc: string,
  signatures: readonly Signature[],
): ExpressionFunction => ({
  ...simple(name, doc, signatures, `col('a').${name}(col('b'))`),
  infix: sign,
});

const bits = (
  name: string,
  doc: string,
  signatures: readonly Signature[],
  example = `col('flags').${name}(4)`,
): ExpressionFunction => ({ ...simple(name, doc, signatures, example), group: 'bits' });

/** Functions of numbers. */
export const MATH_FUNCTIONS: readonly ExpressionFunction[] = [
  binary('add', infix('+', 5), 'Sum.', [
    numbers('$0 + $1'),
    int64s('@int64($0 + $1)'),
    decimalSum('+'),
  ]),
  binary('sub', infix('-', 5), 'Difference.', [
    numbers('$0 - $1'),
    int64s('@int64($0 - $1)'),
    decimalSum('-'),
  ]),
  binary('mul', infix('*', 6), 'Product.', [
    numbers('$0 * $1'),
    int64s('@int64($0 * $1)'),
    decimalProduct,
  ]),
  binary(
    'div',
    infix('/', 6),
    'Quotient. Numbers keep their fraction, int64 cuts it off. Division of int64 and decimals ' +
      'by zero is null.',
    [numbers('$0 / $1'), { ...int64s('@wholeDiv($0, $1)'), mayBeNull: true }, decimalQuotient],
  ),
  binary(
    'mod',
    infix('%', 6),
    'Remainder, with the sign of the dividend; int64 and decimals modulo zero are null.',
    [numbers('$0 % $1'), { ...int64s('@wholeMod($0, $1)'), mayBeNull: true }, decimalRest],
  ),
  {
    ...simple('neg', 'The value with the opposite sign.', [
      numbers('-$0', 1),
      int64s('@int64(-$0)', 1),
      sameDecimal('-$0'),
    ]),
    infix: { symbol: '-', binds: 8, position: 'prefix' },
  },
  simple('abs', 'The value without its sign.', [
    numbers('Math.abs($0)', 1),
    int64s('@int64(@wholeAbs($0))', 1),
    sameDecimal('@wholeAbs($0)'),
  ]),
  simple('sign', '-1, 0 or 1.', [
    numbers('Math.sign($0)', 1),
    { args: ['int64'], result: NUMBER, code: '@wholeSign($0)' },
    { args: ['decimal'], result: NUMBER, code: '@wholeSign($0)' },
  ]),
  simple(
    'round',
    'The nearest whole number, or the nearest with the given digits after the point (before it ' +
      'when negative). Halves go up, as with Math.round; halves of decimals go away from zero.',
    [
      numbers('Math.round($0)', 1),
      int64s('$0', 1),
      decimalRound(false),
      { args: ['number', DIGITS], result: NUMBER, code: '@roundTo($0, #1)' },
      { args: ['int64', DIGITS], result: INT64, code: '@int64(@decimalRound($0, 0, #1, 0))' },
      decimalRound(true),
    ],
    `col('price').round(2)`,
  ),
  simple('floor', 'The greatest whole number that is not greater.', [
    numbers('Math.floor($0)', 1),
    int64s('$0', 1),
    wholeDecimal('decimalFloor'),
  ]),
  simple('ceil', 'The least whole number that is not less.', [
    numbers('Math.ceil($0)', 1),
    int64s('$0', 1),
    wholeDecimal('decimalCeil'),
  ]),
  simple('trunc', 'The whole part.', [
    numbers('Math.trunc($0)', 1),
    int64s('$0', 1),
    wholeDecimal('decimalTrunc'),
  ]),
  simple('sqrt', 'Square root; NaN of a negative number.', [numbers('Math.sqrt($0)', 1)]),
  simple('pow', 'Power.', [numbers('$0 ** $1')], `col('x').pow(2)`),
  simple('exp', 'The power of e.', [numbers('Math.exp($0)', 1)]),
  simple('ln', 'Natural logarithm.', [numbers('Math.log($0)', 1)]),
  simple('log10', 'Logarithm to base 10.', [numbers('Math.log10($0)', 1)]),
  simple('log2', 'Logarithm to base 2.', [numbers('Math.log2($0)', 1)]),
  simple('isNaN', 'Whether the number is NaN.', [
    { args: ['number'], result: BOOL, code: 'Number.isNaN($0)' },
  ]),
  {
    name: 'least',
    group: 'arithmetic',
    doc: 'The least of the values, null when one is null, NaN when one is NaN.',
    example: `col('a').least(col('b'), 10)`,
    typing: 'unified',
    arity: [1, Number.POSITIVE_INFINITY],
  },
  {
    name: 'greatest',
    group: 'arithmetic',
    doc: 'The greatest of the values, null when one is null, NaN when one is NaN.',
    example: `col('a').greatest(col('b'), 10)`,
    typing: 'unified',
    arity: [1, Number.POSITIVE_INFINITY],
  },
  bits('bitAnd', 'Bits set in both; numbers as 32 bits, int64 as 64.', [
    numbers('$0 & $1'),
    int64s('$0 & $1'),
  ]),
  bits('bitOr', 'Bits set in one of both; numbers as 32 bits, int64 as 64.', [
    numbers('$0 | $1'),
    int64s('$0 | $1'),
  ]),
  bits('bitXor', 'Bits set in exactly one; numbers as 32 bits, int64 as 64.', [
    numbers('$0 ^ $1'),
    int64s('$0 ^ $1'),
  ]),
  bits(
    'bitNot',
    'All bits turned; numbers as 32 bits, int64 as 64.',
    [numbers('~$0', 1), int64s('~$0', 1)],
    `col('flags').bitNot()`,
  ),
  bits('shiftLeft', 'Bits moved left; numbers within 32 bits, int64 within 64.', [
    numbers('$0 << $1'),
    int64s('BigInt.asIntN(64, $0 << ($1 & 63n))'),
  ]),
  bits(
    'shiftRight',
    'Bits moved right, keeping the sign; numbers within 32 bits, int64 within 64.',
    [numbers('$0 >> $1'), int64s('$0 >> ($1 & 63n)')],
  ),
];
