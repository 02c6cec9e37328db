import { describe, expect, it } from 'vitest';
import { createBatchBuilder } from '../../../src/record/batch-builder.js';
import { decodeFrame, encodeFrame, frameBytes } from '../../../src/record/frame-codec.js';
import { inferSchema } from '../../../src/record/infer.js';
import { compileRowReader, compileRowWriter, WHOLE_RECORD } from '../../../src/record/row-codec.js';
import type { Field, Schema } from '../../../src/record/schema.js';

function roundTrip(records: readonly unknown[], schema: Schema = inferSchema(records)): unknown[] {
  const builder = createBatchBuilder(schema, 1, {
    capacity: Math.max(1, records.length),
    times: false,
    kinds: false,
  });
  const write = compileRowWriter(schema);
  for (const record of records) expect(write(builder, record)).toBe(null);
  const batch = builder.take();
  const bytes = new Uint8Array(frameBytes(batch));
  const length = encodeFrame(batch, bytes, 0);
  const version = { schema, version: 1 };
  const decoded = decodeFrame(bytes, 0, length, {
    current: () => version,
    propose: () => version,
    get: () => schema,
  });
  const read = compileRowReader(schema, null);
  return records.map((_, row) => read(decoded, row));
}

const field = (
  name: string,
  kind: 'number' | 'utf8' | 'any',
  more: Partial<Field> = {},
): Field => ({
  name,
  type: { kind },
  nullable: false,
  optional: false,
  ...more,
});

describe('row codec', () => {
  it.each<[string, unknown[]]>([
    ['numbers', [{ a: 1 }, { a: -0 }, { a: NaN }, { a: Infinity }, { a: 2 ** 60 }]],
    ['bigints', [{ a: 2n ** 63n - 1n }, { a: -(2n ** 63n) }, { a: 9007199254740993n }]],
    ['huge bigints', [{ a: 2n ** 80n }]],
    ['texts', [{ a: '' }, { a: 'abc' }, { a: 'ä€😀' }, { a: 'x'.repeat(70_000) }]],
    ['lone surrogates', [{ a: 'x\ud83d' }, { a: '\ude00y' }, { a: '😀' }]],
    ['booleans', [{ a: true }, { a: false }]],
    ['dates', [{ a: new Date(0) }, { a: new Date(1e12 + 1) }, { a: new Date(NaN) }]],
    ['bytes', [{ a: new Uint8Array([1, 2, 255]) }, { a: new Uint8Array(0) }]],
    [
      'null',
      [
        { a: null, b: 1 },
        { a: 'x', b: null },
      ],
    ],
    ['missing', [{ a: 1 }, { b: 'x' }, { a: 2, b: 'y' }, {}]],
    ['null and missing', [{ a: 1 }, { a: null }, {}]],
    ['lists', [{ a: [1, 2] }, { a: [] }, { a: [3, null] }]],
    ['lists of lists', [{ a: [['x'], []] }, { a: [] }]],
    ['structs', [{ a: { b: 1, c: { d: 'x' } } }, { a: { b: 2, c: {} } }, { a: null }]],
    ['maps', [{ a: new Map([['x', 1]]) }, { a: new Map() }]],
    ['mixed types', [{ a: 1 }, { a: 'x' }, { a: [1, 'x', undefined] }, { a: null }]],
    ['any', [{ a: /x/g }, { a: new Set([1]) }, { a: new Float32Array([1, 2]) }]],
    ['lists of undefined', [{ a: [undefined, 1] }]],
    ['sparse lists', [{ a: Object.assign([1], { 2: 3 }) }]],
    [
      'tuples',
      [
        [1, 'x'],
        [2, 'y'],
      ],
    ],
    ['tuples of several lengths', [[1, 'x', null], [2], []]],
    ['primitives', ['x', 'y']],
    ['mixed records', [1, 'x', { a: 1 }, [2]]],
    ['null records', [1, null]],
    ['names of methods', [{ toString: 'x', constructor: 1 }, { hasOwnProperty: true }]],
    ['odd names', [{ 'a"b': 1, 'c\nd': 2, '\u2028': 3, '\ud800': 4, '': 5 }]],
    ['no fields', [{}, {}]],
  ])('round-trips %s', (_, records) => {
    expect(roundTrip(records)).toStrictEqual(records);
  });

  it('round-trips a property named __proto__', () => {
    const record: unknown = JSON.parse('{"__proto__": {"x": 1}, "y": 2}');
    const other: unknown = JSON.parse('{"y": 3}');
    const [first, second] = roundTrip([record, other]);
    expect(JSON.stringify(first)).toBe('{"__proto__":{"x":1},"y":2}');
    expect(JSON.stringify(second)).toBe('{"y":3}');
    expect(Object.getPrototypeOf(first)).toBe(Object.prototype);
  });

  it('round-trips cycles as any', () => {
    const record: { name: string; self: unknown } = { name: 'x', self: null };
    record.self = record;
    const [back] = roundTrip([{ node: record }]) as { node: typeof record }[];
    expect(back.node.self).toBe(back.node);
  });

  it('reads only the wanted fields', () => {
    const schema = inferSchema([{ a: 1, b: 'x', c: true }]);
    const builder = createBatchBuilder(schema, 1, { capacity: 4, times: false, kinds: false });
    compileRowWriter(schema)(builder, { a: 1, b: 'x', c: true });
    const read = compileRowReader(schema, ['c', 'a']);
    expect(read(builder.take(), 0)).toStrictEqual({ a: 1, c: true });
  });

  it.each<[string, Field, unknown, string]>([
    ['a wrong type', field('a', 'number'), { a: 'x' }, 'a'],
    ['null', field('a', 'number'), { a: null }, 'a'],
    ['a missing property', field('a', 'number'), {}, 'a'],
    ['an unknown property', field('a', 'number'), { a: 1, b: 2 }, 'b'],
    [
      'an unknown property beside a missing one',
      field('a', 'number', { optional: true }),
      { b: 2 },
      'b',
    ],
    ['an array', field('a', 'number'), [1], WHOLE_RECORD],
    [
      'a class instance',
      field('a', 'number'),
      new (class {
        a = 1;
      })(),
      WHOLE_RECORD,
    ],
  ])('names the misfit of %s and leaves no trace', (_, a, record, name) => {
    const schema: Schema = { shape: 'object', fields: [field('first', 'utf8'), a] };
    const full =
      Array.isArray(record) || Object.getPrototypeOf(record) !== Object.prototype
        ? record
        : { first: 'bad', ...(record as object) };
    const builder = createBatchBuilder(schema, 1, { capacity: 4, times: false, kinds: false });
    const write = compileRowWriter(schema);
    expect(write(builder, { first: 'good', a: 1 })).toBe(null);
    expect(write(builder, full)).toBe(name);
    expect(write(builder, { first: 'next', a: 2 })).toBe(null);
    const batch = builder.take();
    const read = compileRowReader(schema, null);
    expect(batch.rows).toBe(2);
    expect([read(batch, 0), read(batch, 1)]).toStrictEqual([
      { first: 'good', a: 1 },
      { first: 'next', a: 2 },
    ]);
  });

  it('ignores undefined properties', () => {
    const schema = inferSchema([{ a: 1 }]);
    const builder = createBatchBuilder(schema, 1, { capacity: 4, times: false, kinds: false });
    expect(compileRowWriter(schema)(builder, { a: 1, b: undefined })).toBe(null);
  });

  it('refuses functions inside any values, names them, and leaves no trace', () => {
    const schema: Schema = { shape: 'object', fields: [field('t', 'utf8'), field('a', 'any')] };
    const builder = createBatchBuilder(schema, 1, { capacity: 4, times: false, kinds: false });
    const write = compileRowWriter(schema);
    expect(() => write(builder, { t: 'x', a: { b: [() => 1] } })).toThrow(/a\.b\[0\]/);
    expect(write(builder, { t: 'y', a: 1 })).toBe(null);
    expect(compileRowReader(schema, null)(builder.take(), 0)).toStrictEqual({ t: 'y', a: 1 });
  });
});
