import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyReader, lookupId } from '../../../src/operator/async/lookup-key.js';

const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.bigInt(),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 3 }),
  // What other keys are written as must not be taken for them.
  fc.string().map((text) => `\0s${text}`),
  fc.constantFrom('\0t', '\0n1', 't', 'n1', '1'),
);
const key = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'b'), scalar),
);

describe('ids of keys', () => {
  it('are those of equal keys only', () => {
    fc.assert(
      fc.property(key, key, (left, right) => {
        const isSame = Object.is(lookupId(left), lookupId(right));
        const [a, b] = [left, right].map((value) => (value === 0 ? 0 : value));
        let isEqual = true;
        try {
          expect(a).toStrictEqual(b);
        } catch {
          isEqual = false;
        }
        if (isSame) expect(isEqual).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('are the same for equal keys, whoever made them', () => {
    fc.assert(
      fc.property(key, (value) => {
        expect(new Map([[lookupId(value), 1]]).has(lookupId(structuredClone(value)))).toBe(true);
      }),
    );
    expect(lookupId(-0) === lookupId(0)).toBe(true);
    expect(lookupId([-0])).toBe(lookupId([0]));
  });

  it('are refused for what is no value', () => {
    expect(() => lookupId(() => 1)).toThrow(expect.objectContaining({ code: 'KEY_UNSUPPORTED' }));
    expect(() => lookupId([new Set()])).toThrow('holds an object of a class');
  });
});

describe('keys of records', () => {
  it.each([
    ['user', { user: 'ann', id: 1 }, 'ann'],
    ['1', ['ann', 'bob'], 'bob'],
    ['value', 7, 7],
    [['user', 'id'], { user: 'ann', id: 1, more: 2 }, { user: 'ann', id: 1 }],
    [['user', 'id'], { user: 'ann', id: null }, null],
    [['user', 'id'], { user: 'ann' }, null],
    [({ id }: { id: number }) => id % 10, { id: 17 }, 7],
  ])('by %s of %j are %j', (of, record, expected) => {
    expect(keyReader(of)(record)).toEqual(expected);
  });
});
