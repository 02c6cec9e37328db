import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMapKey, encodeMapKey } from '../../../src/state/map-key.js';

const key = fc.letrec((tie) => ({
  key: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(null),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('key'), { maxLength: 3 }),
  ),
})).key;

describe('map keys', () => {
  it('come back equal, with minus zero as zero', () => {
    fc.assert(
      fc.property(key, (value) => {
        const text = encodeMapKey('m', value);
        expect(encodeMapKey('m', decodeMapKey(text))).toBe(text);
      }),
    );
    for (const value of ['', '\ud800', Number.NaN, -1e-300, [['a', [1n]], null], new Date(7)]) {
      expect(decodeMapKey(encodeMapKey('m', value))).toEqual(value);
    }
    expect(Object.is(decodeMapKey(encodeMapKey('m', -0)), 0)).toBe(true);
  });

  it('differ whenever the values differ', () => {
    const values = [
      '1',
      1,
      1n,
      true,
      't',
      null,
      'z',
      new Date(1),
      'd1',
      ['1'],
      [1],
      ['1', '1'],
      '["s1"]',
    ];
    expect(new Set(values.map((value) => encodeMapKey('m', value))).size).toBe(values.length);
  });

  it('are refused when they have no value of their own', () => {
    for (const value of [undefined, {}, () => 1, Symbol('s'), [{}]]) {
      expect(() => encodeMapKey('m', value)).toThrow(
        expect.objectContaining({ code: 'KEY_UNSUPPORTED' }),
      );
    }
  });
});
