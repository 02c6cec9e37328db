/**
 * What is found of the fields that a function uses is enough: random functions give the same for a record without all
 * that they are said not to use, and for one in which all of that is something else.
 */
import { inspect } from 'node:util';
import { compileFunction } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsedTree } from '../../src/operator/lambda-fields.js';
import type { FieldTree } from '../../src/record/field-tree.js';

type Value = null | undefined | boolean | number | string | Value[] | { [name: string]: Value };

const NAMES = ['a', 'b', 'c', 'list'];
const VARIABLES = ['r', 's', 'a', 'b'];

const { record } = fc.letrec<{ value: Value; record: Record<string, Value> }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom<Value>(null, undefined, true, false, 0, 1, 2.5, '', 'a', 'text'),
    fc.array(fc.constantFrom<Value>(1, 'b', { a: 1, b: 2 }), { maxLength: 3 }),
    tie('record'),
    tie('record'),
  ),
  record: fc.dictionary(fc.constantFrom(...NAMES), tie('value'), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
}));

const name = fc.constantFrom(...NAMES);
const variable = fc.constantFrom(...VARIABLES);

/** Patterns, expressions and statements, most of which reach into one variable or another. */
const { pattern, block } = fc.letrec<Record<'pattern' | 'value' | 'statement' | 'block', string>>(
  (tie) => ({
    pattern: fc.oneof(
      { depthSize: 'small' },
      variable,
      fc.tuple(name, tie('pattern')).map(([key, inner]) => `{ ${key}: ${inner} }`),
      fc
        .tuple(name, name, tie('pattern'), tie('value'))
        .map(([first, key, inner, value]) => `{ ${first}, ['${key}']: ${inner} = ${value} }`),
      fc.tuple(name, variable).map(([key, rest]) => `{ ${key}, ...${rest} }`),
      variable.map((first) => `[${first}]`),
    ),
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      variable,
      fc.tuple(variable, name).map((path) => path.join('.')),
      fc.tuple(variable, name, name).map((path) => path.join('.')),
      fc.tuple(variable, name, name, name).map((path) => path.join('?.')),
      fc.constantFrom('1', 'null', 'undefined', "'a'", '{}.x'),
      fc.tuple(tie('value'), name).map(([value, key]) => `(${value})?.${key}`),
      fc.tuple(tie('value'), name).map(([value, key]) => `(${value})?.['${key}']`),
      fc.tuple(tie('value'), tie('value')).map(([value, key]) => `(${value})?.[${key}]`),
      fc
        .tuple(
          tie('value'),
          fc.constantFrom('===', '!==', '==', '!=', '&&', '||', '+', '<', '=== null ===', ','),
          tie('value'),
        )
        .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      fc.tuple(tie('value'), tie('value')).map(([left, right]) => `((${left}) ?? ${right})`),
      fc
        .tuple(tie('value'), tie('value'), tie('value'))
        .map(([test, yes, no]) => `(${test} ? ${yes} : ${no})`),
      tie('value').map((value) => `!${value}`),
      tie('value').map((value) => `typeof ${value}`),
      tie('value').map((value) => `text(${value})`),
      tie('value')
        .map((value) => `{ ...(${value}), z: 1 }`)
        .map((object) => `(${object})`),
      tie('value').map((value) => `(${value}).toString()`),
      fc.tuple(variable, tie('value')).map(([own, value]) => `((${own}) => ${value})(own)`),
      fc.tuple(tie('pattern'), tie('value')).map(([own, value]) => `((${own}) => ${value})({})`),
      fc
        .tuple(tie('value'), variable, tie('value'))
        .map(([list, own, value]) => `[...(${list} ?? [])].map((${own}) => ${value})`),
    ),
    statement: fc.oneof(
      { depthSize: 'small' },
      fc
        .tuple(fc.constantFrom('const', 'let', 'var'), tie('pattern'), tie('value'))
        .map(([kind, bound, value]) => `${kind} ${bound} = ${value};`),
      fc
        .tuple(tie('value'), tie('block'), tie('block'))
        .map(([test, yes, no]) => `if (${test}) { ${yes} } else { ${no} }`),
      fc.tuple(variable, tie('value')).map(([to, value]) => `${to} = ${value};`),
      fc.tuple(variable, name, tie('value')).map(([to, key, value]) => `${to}.${key} = ${value};`),
      fc.tuple(tie('pattern'), tie('value')).map(([to, value]) => `(${to} = ${value});`),
      fc
        .tuple(variable, tie('value'), tie('block'))
        .map(([key, of, body]) => `for (const ${key} in ${of}) { ${body} }`),
      fc
        .tuple(variable, tie('value'), tie('block'))
        .map(([each, of, body]) => `for (const ${each} of ${of}) { ${body} }`),
      fc.tuple(variable, tie('block')).map(([own, body]) => `function ${own}() { ${body} }`),
      tie('block').map((body) => `try { ${body} } catch (s) { }`),
      tie('block').map((body) => `{ ${body} }`),
      tie('value').map((value) => `return ${value};`),
    ),
    block: fc
      .tuple(fc.array(tie('statement'), { maxLength: 3 }), tie('value'))
      .map(([statements, value]) => `${statements.join(' ')} return ${value};`),
  }),
);

const sources = fc
  .tuple(pattern, block, fc.boolean())
  .map(([parameter, body, isArrow]) =>
    isArrow ? `(${parameter}) => { ${body} }` : `function (${parameter}) { ${body} }`,
  );

type Compiled = (record: unknown) => unknown;

/** Makes the function of a text anew; null where it is none. Strict or not, as those of modules and scripts are. */
function maker(source: string, isStrict: boolean): (() => Compiled) | null {
  const text = `${isStrict ? '"use strict"; ' : ''}let r = 1, s = { a: 1 }, a = 2, b = 'b';
    const own = { b: 2 }, text = (value) => JSON.stringify(value); return (${source}\n);`;
  try {
    return compileFunction(text) as () => Compiled;
  } catch {
    return null;
  }
}

/** A value with what the tree says is in use; of the rest what `other` gives. */
function pruned(value: Value, tree: FieldTree, other: (value: Value) => Value): Value {
  if (tree === null || typeof value !== 'object' || value === null || Array.isArray(value)) {
    return structuredClone(value);
  }
  const entries = Object.entries(value).map(([key, inner]): [string, Value] => {
    const below = tree.get(key);
    return [key, below === undefined ? other(inner) : pruned(inner, below, other)];
  });
  return Object.fromEntries(entries.filter(([, inner]) => inner !== REMOVED));
}

const REMOVED: Value = ['removed'];

function outcomeOf(make: () => Compiled, given: Value): unknown {
  try {
    return { value: inspect(make()(given), { depth: 12 }) };
  } catch (error) {
    return { thrown: (error as Error).name };
  }
}

describe('fields that a function uses', () => {
  it('are enough: nothing else of its record matters', () => {
    let told = 0;
    fc.assert(
      fc.property(
        sources,
        fc.array(record, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (...given) => {
          const [source, records, isStrict] = given;
          const make = maker(source, isStrict);
          fc.pre(make !== null);
          const tree = parsedTree(source);
          if (tree !== null) told++;
          for (const each of records) {
            const whole = outcomeOf(make, structuredClone(each));
            const without = pruned(each, tree, () => REMOVED);
            const changed = pruned(each, tree, (value) => [value, 7]);
            expect(outcomeOf(make, without)).toEqual(whole);
            expect(outcomeOf(make, changed)).toEqual(whole);
          }
        },
      ),
      { numRuns: 1000 },
    );
    // Most functions use their record as a whole somewhere; without some that do not, nothing was tried.
    expect(told).toBeGreaterThan(100);
  });
});
