/**
 * Compiled expressions against a naive interpreter: random expressions over random rows with nulls, NaN, lone
 * surrogates and text beyond the basic plane, in every backing a row may have.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expression, LiteralValue } from '../../src/operator/expression.js';
import {
  BACKINGS,
  compileTruth,
  compileValue,
  type Row,
  schemaOf,
} from '../unit/operator/expression-harness.js';

type Value = number | bigint | string | boolean | null;
type Full = Exclude<Value, null>;

const SCHEMA = schemaOf({
  ...{ n: 'number', m: 'number?', k: 'int32?', i: 'int64', j: 'int64?' },
  ...{ t: 'utf8', u: 'utf8?', v: 'utf8??', f: 'bool', g: 'bool?' },
});

// The reference: every function on values that are not null, written once more in the plainest way.
const whole =
  (ratio: (a: bigint, b: bigint) => bigint, float: (a: number, b: number) => number) =>
  (a: Full, b: Full): Value =>
    typeof a !== 'bigint' ? float(Number(a), Number(b)) : b === 0n ? null : ratio(a, BigInt(b));
const both =
  (big: (a: bigint, b: bigint) => bigint, float: (a: number, b: number) => number) =>
  (a: Full, b: Full): Value =>
    typeof a === 'bigint' && typeof b === 'bigint' ? big(a, b) : float(Number(a), Number(b));
const text = (fn: (text: string, ...args: never[]) => Value) => fn as (...args: Full[]) => Value;
const FUNCTIONS: Readonly<Record<string, (...args: Full[]) => Value>> = {
  eq: (a, b) => (typeof a === typeof b ? a === b : Number(a) === Number(b)),
  ne: (a, b) => !(typeof a === typeof b ? a === b : Number(a) === Number(b)),
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  not: (a) => !a,
  add: both(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  sub: both(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  mul: (a, b) => Number(a) * Number(b),
  div: whole(
    (a, b) => a / b,
    (a, b) => a / b,
  ),
  mod: whole(
    (a, b) => a % b,
    (a, b) => a % b,
  ),
  neg: (a) => (typeof a === 'bigint' ? -a : -Number(a)),
  abs: (a) => (typeof a === 'bigint' ? (a < 0n ? -a : a) : Math.abs(Number(a))),
  floor: (a) => Math.floor(Number(a)),
  least: (...all) =>
    typeof all[0] === 'number'
      ? Math.min(...all.map(Number))
      : all.reduce((a, b) => (a < b ? a : b)),
  greatest: (...all) =>
    typeof all[0] === 'number'
      ? Math.max(...all.map(Number))
      : all.reduce((a, b) => (a > b ? a : b)),
  upper: text((a) => a.toUpperCase()),
  trim: text((a) => a.trim()),
  length: text((a) => a.length),
  concat: (...all) => all.join(''),
  substring: text((a, from: number, to: number) => a.substring(from, to)),
  startsWith: text((a, b: string) => a.startsWith(b)),
  endsWith: text((a, b: string) => a.endsWith(b)),
  includes: text((a, b: string) => a.includes(b)),
  indexOf: text((a, b: string) => a.indexOf(b)),
  replace: text((a, b: string, c: string) => a.replaceAll(b, () => c)),
  splitPart: text((a, b: string, c: number) => a.split(b).at(c) ?? null),
  like: text((a) => /^a.*$/su.test(a)),
  regexpExtract: text((a) => /[bé]+/.exec(a)?.[0] ?? null),
  reverse: text((a) => Array.from(a).reverse().join('')),
};

function reference(node: Expression, row: Row): Value {
  switch (node.node) {
    case 'column':
      return (row[node.name] ?? null) as Value;
    case 'literal':
      return node.value;
    case 'case': {
      const branch = node.branches.find((each) => reference(each.when, row) === true);
      const chosen = branch === undefined ? node.otherwise : branch.then;
      return chosen === null ? null : reference(chosen, row);
    }
    case 'call':
      return referenceCall(
        node.fn,
        node.args.map((arg) => reference(arg, row)),
      );
  }
}

function referenceCall(fn: string, args: readonly Value[]): Value {
  const [first, ...rest] = args;
  if (fn === 'isNull') return first === null;
  if (fn === 'isNotNull') return first !== null;
  if (fn === 'coalesce') return args.find((arg) => arg !== null) ?? null;
  if (fn === 'and') return args.includes(false) ? false : args.includes(null) ? null : true;
  if (fn === 'or') return args.includes(true) ? true : args.includes(null) ? null : false;
  if (fn === 'in') {
    return referenceCall('or', [false, ...rest.map((each) => referenceCall('eq', [first, each]))]);
  }
  const full = args.filter((arg) => arg !== null);
  return full.length < args.length ? null : FUNCTIONS[fn](...full);
}

// Random rows and expressions.
const PIECES = [
  'a',
  'b',
  'ab',
  '-',
  ' ',
  'é',
  'ß',
  '😀',
  '\ufffd',
  '\ue000',
  '\ud83d',
  '\ude00',
  'A',
];
const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 4 });
const texts = pieces.map((parts) => parts.join(''));
const numbers = fc.constantFrom(0, -0, 1, -1, 2, 0.5, -2.5, 3, 1e21, Number.NaN, -Infinity);
const wholes = fc.constantFrom(0n, 1n, -1n, 2n, 7n, -3n, 2n ** 53n + 1n);
const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null, freq: 3 });
const rows = fc.array(
  fc.record({
    ...{ n: numbers, m: maybe(numbers), k: maybe(fc.integer({ min: -3, max: 3 })) },
    ...{ i: wholes, j: maybe(wholes), t: texts, u: maybe(texts) },
    ...{ v: fc.option(texts, { nil: undefined }), f: fc.boolean(), g: maybe(fc.boolean()) },
  }),
  { minLength: 1, maxLength: 6 },
);

type Expressions = fc.Arbitrary<Expression>;
const columnOf = (...names: string[]): Expressions =>
  fc.constantFrom(...names).map((name) => ({ node: 'column', name }));
const literalOf = (values: fc.Arbitrary<LiteralValue>): Expressions =>
  values.map((value) => ({ node: 'literal', value }));
const callOf = (names: readonly string[], ...args: Expressions[]): Expressions =>
  fc.tuple(fc.constantFrom(...names), fc.tuple(...args)).map(([fn, list]) => ({
    ...{ node: 'call', fn, args: list },
  }));
const listOf = (names: readonly string[], first: Expressions, rest: Expressions): Expressions =>
  fc
    .tuple(fc.constantFrom(...names), first, fc.array(rest, { minLength: 1, maxLength: 6 }))
    .map(([fn, head, tail]) => ({ node: 'call', fn, args: [head, ...tail] }));
const caseOf = (condition: Expressions, value: Expressions): Expressions =>
  fc
    .tuple(
      fc.array(fc.record({ when: condition, then: value }), { minLength: 1, maxLength: 2 }),
      fc.option(value, { nil: null }),
    )
    .map(([branches, otherwise]) => ({ node: 'case', branches, otherwise }));

const { number, int64, utf8, bool } = fc.letrec<Record<string, Expression>>((tie) => {
  const [number, int64, utf8, bool] = ['number', 'int64', 'utf8', 'bool'].map((name) => tie(name));
  const position = literalOf(fc.integer({ min: -2, max: 3 }));
  const word = literalOf(texts);
  const common = (type: Expressions, literals: Expressions) => [
    caseOf(bool, type),
    listOf(['coalesce', 'least', 'greatest'], type, type),
    literals,
  ];
  const comparison = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte'];
  const node = (...all: Expressions[]) => fc.oneof({ maxDepth: 4, depthSize: 'small' }, ...all);
  return {
    number: node(
      columnOf('n', 'm', 'k'),
      callOf(['add', 'sub', 'mul', 'div', 'mod'], number, number),
      callOf(['neg', 'abs', 'floor'], number),
      callOf(['length'], utf8),
      callOf(['indexOf'], utf8, utf8),
      ...common(number, literalOf(numbers)),
    ),
    int64: node(
      columnOf('i', 'j'),
      callOf(['add', 'sub', 'div', 'mod'], int64, int64),
      callOf(['neg', 'abs'], int64),
      ...common(int64, literalOf(wholes)),
    ),
    utf8: node(
      columnOf('t', 'u', 'v'),
      callOf(['upper', 'trim', 'reverse'], utf8),
      callOf(['substring'], utf8, position, position),
      callOf(['replace'], utf8, word, utf8),
      callOf(['splitPart'], utf8, word, position),
      callOf(['regexpExtract'], utf8, literalOf(fc.constant('/[bé]+/'))),
      listOf(['concat'], utf8, utf8),
      ...common(utf8, word),
    ),
    bool: node(
      columnOf('f', 'g'),
      callOf(comparison, number, number),
      callOf(comparison, int64, fc.oneof(int64, literalOf(numbers))),
      callOf(comparison, utf8, fc.oneof(utf8, word)),
      callOf(['startsWith', 'endsWith', 'includes'], utf8, fc.oneof(utf8, word)),
      callOf(['like'], utf8, literalOf(fc.constant('a%'))),
      callOf(['isNull', 'isNotNull'], fc.oneof(number, utf8, bool)),
      callOf(['not'], bool),
      listOf(['and', 'or'], bool, bool),
      listOf(['in'], utf8, literalOf(maybe(texts))),
      listOf(['in'], number, fc.oneof(literalOf(maybe(numbers)), number)),
      listOf(['in'], int64, literalOf(maybe(wholes))),
      caseOf(bool, bool),
      literalOf(maybe(fc.boolean())),
    ),
  };
});

function agree(expression: Expression, records: readonly Row[]): void {
  const wanted = records.map((row) => reference(expression, row));
  for (const backing of BACKINGS) {
    const compiled = compileValue(expression, SCHEMA, records, backing);
    expect(compiled.run(), compiled.code).toEqual(wanted);
  }
}

describe('compiled expressions', () => {
  const runs = { numRuns: 400 };
  for (const [name, expressions] of Object.entries({ number, int64, utf8, bool })) {
    it(`give what the interpreter gives: ${name}`, () => {
      fc.assert(fc.property(expressions, rows, agree), runs);
    });
  }

  it('are true as conditions exactly when the interpreter says true', () => {
    const property = fc.property(bool, rows, (expression, records) => {
      const wanted = records.map((row) => reference(expression, row) === true);
      for (const backing of BACKINGS) {
        const compiled = compileTruth(expression, SCHEMA, records, backing);
        expect(compiled.run(), compiled.code).toEqual(wanted);
      }
    });
    fc.assert(property, runs);
  });
});
