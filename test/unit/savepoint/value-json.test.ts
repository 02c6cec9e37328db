import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyFromJson, keyToJson, keyTypeOf } from '../../../src/savepoint/key-types.js';
import { valueFromJson, valueToJson } from '../../../src/savepoint/value-json.js';

const through = (value: unknown): unknown =>
  valueFromJson(JSON.parse(JSON.stringify(valueToJson(value))));

describe('values of state as JSON', () => {
  it('come back equal, whatever they are', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: false,
      withNullPrototype: false,
      key: fc.oneof(fc.string(), fc.constantFrom('$date', '$map', '$', '__proto__')),
    });
    fc.assert(
      fc.property(anything, (value) => {
        // State holds what serialization keeps of a value.
        const kept: unknown = deserialize(serialize(value));
        expect(through(kept)).toEqual(kept);
      }),
    );
  });

  it.each([
    [-0, { $number: '-0' }],
    [Number.NaN, { $number: 'NaN' }],
    [undefined, { $undefined: true }],
    [7n, { $bigint: '7' }],
    [new Date(0), { $date: '1970-01-01T00:00:00.000Z' }],
    [new Date(Number.NaN), { $date: null }],
    [new Map([['a', 1]]), { $map: [['a', 1]] }],
    [new Uint8Array([1, 2]), { $bytes: 'AQI=' }],
    [{ $date: 1 }, { $object: { $date: 1 } }],
    [
      { $a: 1, b: 2 },
      { $a: 1, b: 2 },
    ],
  ])('%o is written as %j', (value, json) => {
    expect(valueToJson(value)).toEqual(json);
    expect(through(value)).toEqual(value);
  });

  it('keep values that contain themselves', () => {
    const value: { inner: { outer?: unknown } } = { inner: {} };
    value.inner.outer = value;
    const back = through(value) as typeof value;
    expect(back.inner.outer).toBe(back);
  });

  it('refuse a tag that stands for nothing', () => {
    expect(() => valueFromJson({ $dat: 1 })).toThrow(/"\$dat" stands for no value/);
  });
});

describe('keys as JSON', () => {
  it.each([
    ['utf8', 'a name'],
    ['number', -1.5],
    ['number', Number.NaN],
    ['bool', false],
    ['int64', -(2n ** 63n)],
    ['date', new Date('2026-01-05')],
    ['timestamp', new Date(1)],
    ['bytes', new Uint8Array([0, 255])],
    ['decimal(12,2)', '-3.50'],
  ])('of type %s come back from JSON and from its text: %o', (name, key) => {
    const type = keyTypeOf(name);
    const json = keyToJson(type, key);
    expect(keyFromJson(type, JSON.parse(JSON.stringify(json)))).toEqual(key);
    expect(keyFromJson(type, String(json))).toEqual(key);
  });

  it.each([
    ['number', 'x'],
    ['int64', '1.5'],
    ['date', 'yesterday'],
    ['bool', 'maybe'],
    ['utf8', null],
  ])('of type %s are refused when they are %j', (name, json) => {
    expect(() => keyFromJson(keyTypeOf(name), json)).toThrow(
      expect.objectContaining({ code: 'KEY_UNSUPPORTED' }),
    );
  });
});
