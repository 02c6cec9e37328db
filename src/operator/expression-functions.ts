/**
 * The one table of functions that expressions may call, and the vocabulary in which its parts are written. The
 * builder, the typing, the compiler, the printer and the documentation all read it, so a function exists in
 * all of them or in none. Callers: expression-*.ts, the docs. Runs on: any thread; pure data.
 *
 * What holds for all functions unless their text says otherwise: a null argument makes the result null;
 * numbers follow JavaScript, so int32 / int32 keeps its fraction and NaN equals nothing; int64 is exact and
 * fails with NUMBER_OVERFLOW rather than wrap around; decimals are exact; texts compare and count by UTF-16
 * code unit; dates are in UTC.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { DataType } from '../record/schema.js';
import { DATE_FUNCTIONS } from './expression-functions-date.js';
import { MATH_FUNCTIONS } from './expression-functions-math.js';
import { TEXT_FUNCTIONS } from './expression-functions-text.js';
import type { Infix, ExpressionFunction } from './expression-signature.js';

const BOOL: DataType = { kind: 'bool' };

const infix = (symbol: string, binds: number): Infix => ({ symbol, binds, position: 'between' });

const comparison = (name: string, symbol: string): ExpressionFunction => ({
  name,
  group: 'comparison',
  infix: infix(symbol, 4),
  typing: 'comparison',
  arity: [2, 2],
});

const COMPARISONS: readonly ExpressionFunction[] = [
  comparison('eq', '='),
  comparison('ne', '!='),
  comparison('lt', '<'),
  comparison('lte', '<='),
  comparison('gt', '>'),
  comparison('gte', '>='),
  {
    name: 'in',
    group: 'comparison',
    infix: { symbol: 'in', binds: 4, position: 'list' },
    typing: 'membership',
    arity: [1, Number.POSITIVE_INFINITY],
  },
];

const LOGIC: readonly ExpressionFunction[] = [
  {
    name: 'and',
    group: 'logic',
    infix: { symbol: 'and', binds: 2, position: 'between', associative: true },
    typing: 'logic',
    arity: [1, Number.POSITIVE_INFINITY],
  },
  {
    name: 'or',
    group: 'logic',
    infix: { symbol: 'or', binds: 1, position: 'between', associative: true },
    typing: 'logic',
    arity: [1, Number.POSITIVE_INFINITY],
  },
  {
    name: 'not',
    group: 'logic',
    infix: { symbol: 'not ', binds: 8, position: 'prefix' },
    typing: 'logic',
    arity: [1, 1],
  },
];

const NULLS: readonly ExpressionFunction[] = [
  {
    name: 'isNull',
    group: 'null',
    infix: { symbol: 'is null', binds: 4, position: 'suffix' },
    typing: 'signatures',
    signatures: [{ args: ['value'], result: BOOL, code: '' }],
  },
  {
    name: 'isNotNull',
    group: 'null',
    infix: { symbol: 'is not null', binds: 4, position: 'suffix' },
    typing: 'signatures',
    signatures: [{ args: ['value'], result: BOOL, code: '' }],
  },
  {
    name: 'coalesce',
    group: 'null',
    typing: 'unified',
    arity: [1, Number.POSITIVE_INFINITY],
  },
];

const NESTED: readonly ExpressionFunction[] = [
  {
    name: 'get',
    group: 'nested',
    typing: 'field',
    arity: [2, 2],
  },
];

const CONVERSIONS: readonly ExpressionFunction[] = [
  {
    name: 'cast',
    group: 'conversion',
    typing: 'cast',
    arity: [2, 2],
    costly: true,
  },
  {
    name: 'tryCast',
    group: 'conversion',
    typing: 'cast',
    arity: [2, 2],
    costly: true,
  },
];

/** Every function, in the order of the documentation. */
export const EXPRESSION_FUNCTIONS: readonly ExpressionFunction[] = [
  ...COMPARISONS,
  ...LOGIC,
  ...NULLS,
  ...MATH_FUNCTIONS,
  ...TEXT_FUNCTIONS,
  ...DATE_FUNCTIONS,
  ...NESTED,
  ...CONVERSIONS,
];

const BY_NAME: ReadonlyMap<string, ExpressionFunction> = new Map(
  EXPRESSION_FUNCTIONS.map((fn) => [fn.name, fn]),
);

/** The function of a name; throws `FUNCTION_UNKNOWN` when there is none. */
export function requireFunction(name: string): ExpressionFunction {
  const fn = BY_NAME.get(name);
  if (fn !== undefined) return fn;
  throw new MillraceError(
    'FUNCTION_UNKNOWN',
    `There is no function ${JSON.stringify(name)} for expressions.`,
    { advice: didYouMean(name, BY_NAME.keys()) },
  );
}

/** The function of a name, undefined when there is none. */
export function functionNamed(name: string): ExpressionFunction | undefined {
  return BY_NAME.get(name);
}
