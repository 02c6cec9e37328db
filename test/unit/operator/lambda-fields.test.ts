import { describe, expect, it } from 'vitest';
import {
  functionSource,
  learnReadings,
  readingsOf,
  usedFields,
  usedTree,
  usedTreeInSource,
} from '../../../src/operator/lambda-fields.js';
import { treeOf } from '../../../src/record/field-tree.js';
import { namedPaths } from './named-paths.js';

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
  [`(r) => r['a b'] + r[0] + r?.c + r.d.e.f`, ['a b', '0', 'c', 'd.e.f']],
  ['(r) => ({ late: r.a, ...r.b })', ['a', 'b']],
  ['(r) => r.tags.map((tag) => tag + r.suffix)', ['tags', 'suffix']],
  ['(r) => r.name.toString()', ['name']],
  ['(r) => `${r.a} ${r.b}`', ['a', 'b']],
  ['(r) => { r.a = r.b; return r.a; }', ['a', 'b']],
  ['({ a, b: c, "d e": d, f: { g, h } }) => a + c + d + h', ['a', 'b', 'd e', 'f.h']],
  ['({ a = 1, b: [c] = [] } = {}) => a', ['a', 'b']],
  ['(r) => { const { a, b: { c } } = r; return a + r.d; }', ['a', 'b?', 'd']],
  ['(r) => { const { a = r.b } = r; return a; }', ['b', 'a']],
  ['(r = {}, other = r.b) => r.a', ['b', 'a']],
  // A parameter of the same name is not the record.
  ['(r) => r.list.map((r) => r.inner)', ['list']],
  // Into objects, as far as the text says.
  ['({ bid }) => bid.price', ['bid.price']],
  ['({ bid: { price }, kind }) => price', ['bid.price']],
  ['({ bid, kind = bid.kind }) => bid.price', ['bid.kind', 'bid.price', 'kind?']],
  ['({ bid: b = {} }) => b.price', ['bid.price']],
  ['(r) => { const { bid } = r; return bid.price * 2; }', ['bid.price']],
  ['(r) => { const bid = r.bid; const { price: p } = bid; return p.x; }', ['bid.price.x']],
  ['(r) => { const x = r; return x.a; }', ['a']],
  ['(r) => { const x = r; const { a, ...rest } = x.b; return a; }', ['b']],
  ['(r) => r.bid && r.bid.price', ['bid.price']],
  ['(r) => (r.bid ? r.bid.price : r.flag ? 1 : 2)', ['bid.price', 'flag']],
  ['(r) => r.bid !== null && r.bid.price', ['bid.price']],
  ['(r) => undefined == r.bid', ['bid?']],
  ['(r) => { if (!r.bid) return 0; return r.bid.price; }', ['bid.price']],
  ['({ bid: {} }) => 1', ['bid?']],
  ['(r) => r.bid || r.bid.price', ['bid']],
  ['(r) => r.bid.url.split("/")[r.n]', ['bid.url', 'n']],
  ['(r) => r.bid.total()', ['bid']],
  ['(r) => { switch (x) { case r.bid: return r.bid.price; } }', ['bid']],
  ['(r) => (r.bid?.total)(r.n)', ['bid', 'n']],
  ['(r) => f(r.bid).price', ['bid']],
  ['(r) => r.bid[key].price', ['bid']],
  ['(r) => r.list[r.index].price', ['list', 'index']],
  ['(r) => ({ ...r.bid, x: r.a.b })', ['bid', 'a.b']],
  ['(r) => r.bid.constructor + r.text.length', ['bid', 'text']],
  ['(r) => { for (const k in r.bid) f(k, r.bid.price); }', ['bid']],
  ['(r) => { let bid = r.bid; bid = f(); return bid.price; }', ['bid']],
  ['(r) => { let b = r.a; { let a = b; let c = a.x; { let a = c; } } }', ['a']],
  ['({ bid }) => { var bid; return bid.price; }', ['bid']],
  ['({ bid }) => list.map((bid) => bid.x) + bid.price', ['bid.price']],
  // Names that are no variables.
  ['(r) => x.r + r.a', ['a']],
  ['(r) => ({ r: r.a })', ['a']],
  ['(r) => { r: for (;;) break r; return r.a; }', ['a']],
  ['(r) => import.meta.url + r.a', ['a']],
];

const UNKNOWN: readonly string[] = [
  // Other variables of the same name count too.
  '(r) => r.list.map(({ r }) => r)',
  '(r) => { { const r = f(); g(r); } return r.a; }',
  '(r) => { for (const r of list) g(r); return r.a; }',
  '(r) => { try { f(); } catch (r) { g(r); } return r.a; }',
  '(r) => { function h() { var r = f(); return r; } return r.a + h(); }',
  '(r) => [1].map(function r() { return r; }) + r.a',
  '(r) => { switch (r.a) { case 1: let r = 2; g(r); } return r.b; }',
  '(r) => { const h = () => { if (x) { var r = 1; } return r; }; return r.a; }',
  '(r) => { class A { static { var r = 1; g(r); } } return r.a; }',
  '(r) => { const h = function (x) { class A { static { var r; } } return r.b; }; return h; }',
  // The record as a whole.
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
  '(r) => { let x = r; x = f(); return x.a; }',
  '(r) => { const x = r; return (x) => x.a; }',
  '(r) => { { const x = r; } const x = f(); return x.a; }',
  '(r) => (r?.a)()',
  '(r) => !r',
  '(r) => r || r.a',
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
    it(source, () => expect(namedPaths(usedTreeInSource(source))).toEqual(names));
  }
  for (const source of UNKNOWN) {
    it(`unknown: ${source}`, () => expect(usedTreeInSource(source)).toBeNull());
  }

  it('looks at the parameter it is asked for', () => {
    expect(namedPaths(usedTreeInSource('(sum, r) => sum + r.a', 1))).toEqual(['a']);
    expect(namedPaths(usedTreeInSource('(sum, r) => ({ ...sum, a: r.a })', 1))).toEqual(['a']);
    expect(usedTreeInSource('(sum, r) => f(sum, r)', 1)).toBeNull();
    expect(usedTreeInSource('(sum, ...rest) => rest[0].a', 1)).toBeNull();
    expect(usedTreeInSource('(...all) => all', 1)).toBeNull();
    expect(namedPaths(usedTreeInSource('(sum) => sum', 1))).toEqual([]);
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
    expect(usedTree(read)).toEqual(treeOf(['a']));
    const readings = readingsOf([read]);
    expect(readings).toEqual([
      { source: functionSource(read), position: 0, fields: treeOf(['a']) },
    ]);

    const make = (): ((r: { b: number }) => number) => (r) => r.b;
    const source = functionSource(make());
    learnReadings([{ source, position: 0, fields: treeOf(['told']) }]);
    expect(usedFields(make())).toEqual(['told']);
    expect(usedFields(make(), 1)).toEqual([]);
    learnReadings([{ source, position: 0, fields: null }]);
    expect(usedFields(make())).toBeNull();
  });

  it('gives the source as it was written', () => {
    expect(functionSource((r: { a: number }) => r.a)).toMatch(/r\.a/);
  });
});
