/**
 * Prints expressions as people would write them, for explain and for error messages. Infix functions print
 * with their operator and only the parentheses they need, all others as `name(argument, …)`. Callers: explain,
 * errors of expression typing. Runs on: any thread; pure.
 */
import type { Expression, LiteralValue } from './expression.js';
import { functionNamed } from './expression-functions.js';

/** How tightly what is printed binds; an operand that binds less is put in parentheses. */
const ATOM = 9;
const PREFIX = 8;

/**
 * An expression as text.
 *
 * @example
 * expressionText(col('a').add(1).mul(2).gt(col('b')).expression); // '(a + 1) * 2 > b'
 */
export function expressionText(expression: Expression): string {
  return print(expression).text;
}

interface Printed {
  readonly text: string;
  readonly binds: number;
}

function print(expression: Expression): Printed {
  switch (expression.node) {
    case 'column':
      return { text: columnText(expression.name), binds: ATOM };
    case 'literal':
      return { text: literalText(expression.value, expression.timestamp === true), binds: ATOM };
    case 'call':
      return printCall(expression.fn, expression.args);
    case 'case':
      return { text: caseText(expression), binds: ATOM };
  }
}

function printCall(fn: string, args: readonly Expression[]): Printed {
  const infix = functionNamed(fn)?.infix;
  const [first, ...rest] = args;
  if (infix === undefined || first === undefined) {
    return { text: `${fn}(${args.map(expressionText).join(', ')})`, binds: ATOM };
  }
  const binds = infix.binds;
  if (infix.position === 'prefix') {
    return { text: `${infix.symbol}${operand(first, PREFIX)}`, binds: PREFIX };
  }
  const left = operand(first, binds);
  if (infix.position === 'suffix') return { text: `${left} ${infix.symbol}`, binds };
  if (infix.position === 'list') {
    return { text: `${left} ${infix.symbol} (${rest.map(expressionText).join(', ')})`, binds };
  }
  // The right operand needs parentheses at equal strength, for a - (b - c) is not a - b - c.
  const strength = infix.associative ? binds : binds + 1;
  return {
    text: [left, ...rest.map((arg) => operand(arg, strength))].join(` ${infix.symbol} `),
    binds,
  };
}

function operand(expression: Expression, strength: number): string {
  const printed = print(expression);
  return printed.binds < strength ? `(${printed.text})` : printed.text;
}

function caseText(expression: Expression & { readonly node: 'case' }): string {
  const branches = expression.branches.map(
    ({ when, then }) => `when ${expressionText(when)} then ${expressionText(then)}`,
  );
  const otherwise =
    expression.otherwise === null ? '' : ` else ${expressionText(expression.otherwise)}`;
  return `case ${branches.join(' ')}${otherwise} end`;
}

function columnText(name: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
}

function literalText(value: LiteralValue, isTimestamp: boolean): string {
  if (isTimestamp && typeof value === 'number') {
    return Math.abs(value) <= 8.64e15 ? new Date(value).toISOString() : `timestamp(${value})`;
  }
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  return Object.is(value, -0) ? '-0' : String(value);
}
