import { describe, expect, it } from 'vitest';
import { inferSchema } from '../../../src/record/infer.js';
import { schemaName } from '../../../src/record/schema.js';

describe('inference', () => {
  it.each<[unknown[], string]>([
    [[{ a: 1, b: 'x', c: true, d: 1n }], '{ a: number, b: utf8, c: bool, d: int64 }'],
    [[{ a: new Date(0), b: new Uint8Array(1) }], '{ a: timestamp, b: bytes }'],
    [[{ a: 1 }, { a: null }], '{ a: number? }'],
    [[{ a: null }, { a: 1 }], '{ a: number? }'],
    [[{ a: 1 }, {}], '{ a?: number }'],
    [[{ a: undefined, b: 1 }], '{ b: number }'],
    [[{ a: 1 }, { a: 'x' }], '{ a: any }'],
    [[{ a: null }], '{ a: null? }'],
    [[{ a: [null] }, { a: [1n] }], '{ a: list<int64?> }'],
    [[{ a: [] }, { a: [1] }], '{ a: list<number> }'],
    [[{ a: [1, null] }], '{ a: list<number?> }'],
    [[{ a: [] }], '{ a: list<null> }'],
    [[{ a: { b: 1 } }, { a: { c: 'x' } }], '{ a: struct<b?: number, c?: utf8> }'],
    [[{ a: new Map([['k', 1]]) }], '{ a: map<utf8, number> }'],
    [[{ a: new Map([[null, 1]]) }], '{ a: any }'],
    [[{ a: 2n ** 70n }], '{ a: any }'],
    [[{ a: /x/ }], '{ a: any }'],
    [[[1, 'x']], '[0: number, 1: utf8]'],
    [[[1], [1, 'x']], '[0: number, 1?: utf8]'],
    [[1, 2], 'number'],
    [['x', null], 'utf8?'],
    [[1, { a: 1 }], 'any'],
    [[], '{  }'],
  ])('of %o is %s', (records, name) => {
    expect(schemaName(inferSchema(records))).toBe(name);
  });

  it.each<[string, unknown, string]>([
    ['a function', { a: { f: () => 1 } }, 'a.f'],
    ['a symbol', { a: [Symbol('x')] }, 'a[0]'],
    ['a class instance', { a: { b: new (class Money {})() } }, 'a.b'],
    ['a promise', { a: Promise.resolve(1) }, 'a'],
    ['a function in a Map', { a: new Map([['k', () => 1]]) }, 'a.<value>'],
  ])('refuses %s and names its place', (_, record, path) => {
    expect(() => inferSchema([record])).toThrow(
      expect.objectContaining({ code: 'VALUE_UNSUPPORTED', where: { field: path } }),
    );
  });

  it('gives frozen schemas', () => {
    const schema = inferSchema([{ a: { b: [1] } }]);
    expect(Object.isFrozen(schema) && Object.isFrozen(schema.fields[0])).toBe(true);
  });
});
