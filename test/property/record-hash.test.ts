import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBatchBuilder } from '../../src/record/batch-builder.js';
import { BinaryColumn } from '../../src/record/column.js';
import {
  hashBigint,
  hashColumn,
  hashNumber,
  hashText,
  hashTextBytes,
  hashValue,
} from '../../src/record/key-hash.js';
import type { Schema } from '../../src/record/schema.js';
import { decodeText, encodeText, textKindOf } from '../../src/record/text.js';
import { texts } from './record-arbitraries.js';

/** Java's definition, over bigints. */
function longHash(value: bigint): number {
  const bits = BigInt.asUintN(64, value);
  return Number(BigInt.asIntN(32, bits ^ (bits >> 32n)));
}

function doubleHash(value: number): number {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0];
  return longHash(bits);
}

describe('key hashes', () => {
  it('of text, of its bytes and of its column entry agree', () => {
    const schema: Schema = {
      shape: 'value',
      fields: [{ name: 'value', type: { kind: 'utf8' }, nullable: false, optional: false }],
    };
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 20 }), (some) => {
        const capacity = some.length;
        const builder = createBatchBuilder(schema, 1, { capacity, times: false, kinds: false });
        for (const [row, text] of some.entries()) builder.columns[0].appendValue(row, text);
        builder.rows = capacity;
        const [column] = builder.take().columns;
        if (!(column instanceof BinaryColumn)) throw new TypeError('A text column is binary.');
        const hashes = hashColumn(column);
        for (const [row, text] of some.entries()) {
          const bytes = encodeText(text);
          const kind = textKindOf(bytes, 0, bytes.length);
          expect(hashes[column.codes[row]]).toBe(hashText(text));
          expect(hashTextBytes(bytes, 0, bytes.length, kind)).toBe(hashText(text));
          expect(decodeText(bytes, 0, bytes.length, kind)).toBe(text);
        }
      }),
    );
  });

  it('of numbers follow Java, and bigints of the same value agree', () => {
    const integral = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(integral, fc.double({ noInteger: true }), (whole, broken) => {
        const isInt = BigInt.asIntN(32, whole) === whole;
        expect(hashBigint(whole)).toBe(isInt ? Number(whole) : longHash(whole));
        expect(hashNumber(broken)).toBe(doubleHash(broken));
        const nearest = Number(whole);
        expect(hashNumber(nearest)).toBe(hashBigint(BigInt(nearest)));
        expect(hashValue(nearest, { kind: 'number' })).toBe(hashNumber(nearest));
        expect(hashValue(whole, { kind: 'int64' })).toBe(hashBigint(whole));
      }),
    );
  });

  it('of small integers are those integers', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(hashNumber(value)).toBe(value);
        expect(hashBigint(BigInt(value))).toBe(value);
      }),
    );
  });
});
