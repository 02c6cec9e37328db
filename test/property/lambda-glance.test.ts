/** A glance at the text of a function tells what the parser tells of it, or nothing. */
import { compileFunction } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isParsedBrief } from '../../src/operator/lambda-brevity.js';
import { parsedTree, usedTreeInSource } from '../../src/operator/lambda-fields.js';
import { glance } from '../../src/operator/lambda-glance.js';
import { namedPaths } from '../unit/operator/named-paths.js';

/** Pieces of functions, of which some put together are JavaScript and some only look like it. */
const PIECES = [
  ...['r', 'row', 'r.a', 'r.b.c', 'r?.a', 'r . a', 'r.length', 'limit', '$x', 'null', '15', '1.5'],
  ...["'text'", '"r"', "'r.z'", "'it\\'s'", '`r`', '/r/', '//r\n', '/*r*/', '.5', '1e3', '1n'],
  ...['+', '-', '--', '*', '**', '/', '%', '<', '>=', '===', '!==', '&&', '||', '??', '?', ':'],
  ...['!', '=', '=>', '...', ',', ';', '(', ')', '{', '}', '[', ']', ' ', '\n'],
  ...['new', 'this.r', 'typeof', 'arguments', 'eval', 'super.r', 'import.meta', 'in'],
];
const HEADS = [
  '(r) => ',
  'r => ',
  '( r )=>',
  '(r, s) => ',
  'async r => ',
  '({ a }) => ',
  '(r = 1) => ',
];

const sources = fc
  .tuple(fc.constantFrom(...HEADS), fc.array(fc.constantFrom(...PIECES), { maxLength: 9 }))
  .map(([head, pieces]) => head + pieces.join(''));

const operands = fc.constantFrom(
  'r.a',
  'r.b',
  'r?.c',
  'r',
  'limit',
  '-r.d',
  '!r.e',
  '15',
  '0.5',
  "'r'",
);
const operators = fc.constantFrom(
  ' > ',
  '===',
  ' && ',
  ' ?? ',
  ' * ',
  '/',
  ' + ',
  ' ? 1 : ',
  ' - ',
);
const plainSources = fc
  .tuple(operands, fc.array(fc.tuple(operators, operands), { maxLength: 5 }))
  .map(([first, others]) => `(r) => ${[first, ...others.flat()].join('')}`);

function isFunction(source: string): boolean {
  try {
    return typeof compileFunction(`"use strict"; return (${source}\n)`) === 'function';
  } catch {
    return false;
  }
}

describe('a glance at a function', () => {
  it.each([sources, plainSources])('tells what the parser tells, or nothing', (texts) => {
    fc.assert(
      fc.property(texts, (source) => {
        // Functions have been parsed by V8 before anybody can look at their text.
        fc.pre(isFunction(source));
        if (glance(source) === null) return;
        expect(usedTreeInSource(source)).toEqual(parsedTree(source));
        expect(usedTreeInSource(source, 1)).toEqual(parsedTree(source, 1));
        expect(isParsedBrief(source)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['(r) => r', null],
    ['r => r.delay > 15 && r.origin !== "SFO"', ['delay', 'origin']],
    ['(flight) => flight.distance / 1.6 / flight.hours', ['distance', 'hours']],
    ['(r) => r.when ? r.a : r.b?.c', ['when', 'a', 'b.c']],
    ['(r) => r.a.b.length > r.a.c', ['a.b', 'a.c']],
    ['(r) => limit', []],
    ['(r) => r.length', null],
  ])('is enough for %s', (source, fields) => {
    expect(glance(source)).not.toBeNull();
    expect(namedPaths(usedTreeInSource(source))).toEqual(fields);
  });

  it.each([
    '(r) => r.a.trim()',
    '(r) => r.a && r.a.b',
    '(r) => r.a === null',
    '(r) => ({ ...r })',
    '(r) => (r.a + r.b) / 2',
    '(r) => new r.a',
    '(r) => s => r',
    '(r) => this.r',
    '(r) => arguments.r',
    '(r) => r.a = 1',
    "(r) => 'it\\'s ' + r.a",
    '(r, s) => r.a',
    'function (r) { return r.a }',
  ])('leaves %s to the parser', (source) => expect(glance(source)).toBeNull());
});
