import { describe, expect, it } from 'vitest';
import {
  functionSource,
  learnReadings,
  readingsOf,
  usedFields,
  usedFieldsInSource,
} from '../../../src/operator/lambda-fields.js';

const KNOWN: readonly (readonly [string, readonly string[]])[] = [
  ['(r) => r.a > 15 && r.b', ['a', 'b']],
  ['r => r.a', ['a']],
  ['async r => (await f(r.a)).b', ['a']],
  ['function (r) { return r.a + r.a; }', ['a']],
  ['async function named(r) { return r.a; }', ['a']],
  ['function* (r) { yield r.a; yield r.b; }', ['a', 'b']],
  ['method(r) { return r.a; }', ['a']],
  ['async method(r) { return r.a; }', ['a']],
  ['*method(r) { yield r.a; }', ['a']],
  ['["computed name"](r) { return super.other(r.a) + this.#secret; }', ['a']],
  ['() => 1', []],
  ['(r) => { }', []],
  [`(r) => r['a b'] + r[0] + r?.c + r.d.e.f`, ['a b', '0', 'c', 'd']],
  ['(r) => ({ late: r.a, ...r.b })', ['a', 'b']],
  ['(r) => r.tags.map((tag) => tag + r.suffix)', ['tags', 'suffix']],
  ['(r) => r.name.toString()', ['name']],
  ['(r) => `${r.a} ${r.b}`', ['a', 'b']],
  ['(r) => { r.a = r.b; return r.a; }', ['a', 'b']],
  ['({ a, b: c, "d e": d, f: { g, h } }) => a + c', ['a', 'b', 'd e', 'f']],
  ['({ a = 1, b: [c] = [] } = {}) => a', ['a', 'b']],
  ['(r) => { const { a, b: { c } } = r; return a + r.d; }', ['a', 'b', 'd']],
  ['(r) => { const { a = r.b } = r; return a; }', ['a', 'b']],
  ['(r = {}, other = r.b) => r.a', ['b', 'a']],
  // Shadowing: an inner variable of the same name is not the record.
  ['(r) => r.list.map((r) => r.inner)', ['list']],
  ['(r) => r.list.map(({ r }) => r)', ['list']],
  ['(r) => { { const r = f(); g(r); } return r.a; }', ['a']],
  ['(r) => { for (const r of list) g(r); return r.a; }', ['a']],
  ['(r) => { try { f(); } catch (r) { g(r); } return r.a; }', ['a']],
  ['(r) => { function h() { var r = f(); return r; } return r.a + h(); }', ['a']],
  ['(r) => [1].map(function r() { return r; }) + r.a', ['a']],
  ['(r) => { switch (r.a) { case 1: let r = 2; g(r); } return r.b; }', ['a', 'b']],
  // A nested var stays inside its function, so the outer uses still count.
  ['(r) => { const h = () => { if (x) { var r = 1; } return r; }; return r.a; }', ['a']],
  ['(r) => { class A { static { var r = 1; g(r); } } return r.a; }', ['a']],
  [
    '(r) => { const h = function (x) { class A { static { var r; } } return r.b; }; return h; }',
    ['b'],
  ],
  // Names that are no variables.
  ['(r) => x.r + r.a', ['a']],
  ['(r) => ({ r: r.a })', ['a']],
  ['(r) => { r: for (;;) break r; return r.a; }', ['a']],
  ['(r) => import.meta.url + r.a', ['a']],
];

const UNKNOWN: readonly string[] = [
  '(r) => r',
  '(r) => ({ ...r })',
  '(r) => ({ r })',
  '(r) => f(r)',
  '(r) => [r]',
  '(r) => r[key]',
  '(r) => r[`a`]',
  '(r) => r.toString()',
  '(r) => r.a()',
  '(r) => r?.a?.()',
  '(r) => r.a`text`',
  '(r) => r.length',
  '(r) => r.constructor',
  '(r) => "a" in r',
  '(r) => typeof r',
  '(r) => { const x = r; return x.a; }',
  '(r) => { const { a, ...rest } = r; return a; }',
  '(r) => { const { [key]: a } = r; return a; }',
  '(r) => { const { [r.a]: b } = x; for (const k in r) f(k); }',
  '(r) => { r = f(); return r.a; }',
  '(r) => { var r; return r.a; }',
  '(r) => { [r] = f(); }',
  '(r) => () => r',
  '(r) => { function h() { return g(r); } return h; }',
  '({ a, ...rest }) => a',
  '({ [key]: a }) => a',
  '([a, b]) => a',
  '(...all) => all[0].a',
  'function (r) { return arguments[0].b + r.a; }',
  '(r) => eval("r.b") + r.a',
  'function (r) { with (r) { return a; } }',
  'function () { [native code] }',
  'class { constructor(r) { this.a = r.a; } }',
  'not javascript at all',
];

describe('used fields of a function', () => {
  for (const [source, names] of KNOWN) {
    it(source, () => expect(usedFieldsInSource(source)).toEqual(names));
  }
  for (const source of UNKNOWN) {
    it(`unknown: ${source}`, () => expect(usedFieldsInSource(source)).toBeNull());
  }

  it('looks at the parameter it is asked for', () => {
    expect(usedFieldsInSource('(sum, r) => sum + r.a', 1)).toEqual(['a']);
    expect(usedFieldsInSource('(sum, r) => ({ ...sum, a: r.a })', 1)).toEqual(['a']);
    expect(usedFieldsInSource('(sum, r) => f(sum, r)', 1)).toBeNull();
    expect(usedFieldsInSource('(sum, ...rest) => rest[0].a', 1)).toBeNull();
    expect(usedFieldsInSource('(...all) => all', 1)).toBeNull();
    expect(usedFieldsInSource('(sum) => sum', 1)).toEqual([]);
  });

  it('reads real functions', () => {
    expect(usedFields((flight: { delay: number; origin: string }) => flight.delay)).toEqual([
      'delay',
    ]);
    const holder = {
      late({ delay }: { delay: number }): boolean {
        return delay > 15;
      },
    };
    expect(usedFields(holder.late)).toEqual(['delay']);
    expect(usedFields(holder.late.bind(holder))).toBeNull();
    expect(usedFields(Math.max)).toBeNull();
  });

  it('takes over what another thread has read, without reading it again', () => {
    const read = (r: { a: number }): number => r.a;
    expect(readingsOf([read])).toEqual([]);
    expect(usedFields(read)).toEqual(['a']);
    const readings = readingsOf([read]);
    expect(readings).toEqual([{ source: functionSource(read), position: 0, fields: ['a'] }]);

    const make = (): ((r: { b: number }) => number) => (r) => r.b;
    const source = functionSource(make());
    learnReadings([{ source, position: 0, fields: ['told'] }]);
    expect(usedFields(make())).toEqual(['told']);
    expect(usedFields(make(), 1)).toEqual([]);
    learnReadings([{ source, position: 0, fields: null }]);
    expect(usedFields(make())).toBeNull();
  });

  it('gives the source as it was written', () => {
    expect(functionSource((r: { a: number }) => r.a)).toMatch(/r\.a/);
  });
});
