import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteBuffer } from '../../src/format/encode/byte-buffer.js';
import { appendInstant } from '../../src/format/encode/instant-text.js';
import { appendNumber } from '../../src/format/encode/number-text.js';
import { decodeDeltaPacked } from '../../src/format/parquet/delta-packed.js';
import { HybridReader } from '../../src/format/parquet/hybrid.js';
import { appendHybrid } from '../../src/format/parquet/hybrid-writer.js';
import { decodeSnappy, encodeSnappy, snappyBound } from '../../src/format/parquet/snappy.js';
import { sliceBits } from '../../src/format/parquet/slice-column.js';
import { encodeDelta } from '../unit/format/parquet/delta-encoder.js';

const text = (append: (buffer: ByteBuffer) => void): string => {
  const buffer = new ByteBuffer(1);
  append(buffer);
  return Buffer.from(buffer.view()).toString('latin1');
};

/** Values with runs, as levels and codes have them. */
const runs = (bits: number) =>
  fc
    .array(
      fc.tuple(fc.nat({ max: 2 ** Math.min(bits, 31) - 1 }), fc.integer({ min: 1, max: 40 })),
      {
        maxLength: 30,
      },
    )
    .map((pairs) => Int32Array.from(pairs.flatMap(([value, length]) => Array(length).fill(value))));

describe('hybrid runs', () => {
  it('come back whole, in pieces of any size', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 31 }).chain((bits) => fc.tuple(fc.constant(bits), runs(bits))),
      fc.integer({ min: 1, max: 50 }),
      ([bits, values], piece) => {
        const buffer = new ByteBuffer(8);
        appendHybrid(buffer, values, 0, values.length, bits);
        const reader = new HybridReader(buffer.bytes, 0, buffer.length, bits);
        const back: number[] = [];
        const target = new Int32Array(piece);
        while (back.length < values.length) {
          const count = Math.min(piece, values.length - back.length);
          reader.read(count, target);
          back.push(...target.subarray(0, count));
        }
        expect(back).toEqual([...values]);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it('never run away on damaged bytes', () => {
    const property = fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat({ max: 32 }),
      (bytes, bits) => {
        try {
          new HybridReader(bytes, 0, bytes.length, bits).read(100, new Int32Array(100));
        } catch (error: any) {
          expect(error.code).toBe('FORMAT_INVALID');
        }
      },
    );
    fc.assert(property, { numRuns: 500 });
  });
});

describe('packed differences', () => {
  it('come back whole, at every width of 64 bits', () => {
    const values = fc.integer({ min: 1, max: 63 }).chain((bits) => {
      const max = 2n ** BigInt(bits) - 1n;
      return fc.array(fc.bigInt({ min: -max - 1n, max }), { minLength: 1, maxLength: 300 });
    });
    const property = fc.property(values, (integers) => {
      const bytes = encodeDelta(integers);
      const { pairs, count, end } = decodeDeltaPacked(bytes, 0, bytes.length, integers.length);
      expect([count, end]).toEqual([integers.length, bytes.length]);
      expect([...new BigInt64Array(pairs.buffer, 0, count)]).toEqual(integers);
    });
    fc.assert(property, { numRuns: 200 });
  });
});

describe('snappy', () => {
  const compressible = fc
    .array(
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 200 })),
      {
        maxLength: 12,
      },
    )
    .map((parts) =>
      Uint8Array.from(
        parts.flatMap(([part, times]) =>
          Array(times)
            .fill([...part])
            .flat(),
        ),
      ),
    );

  it('comes back whole', () => {
    const property = fc.property(
      fc.oneof(compressible, fc.uint8Array({ maxLength: 300 })),
      (bytes) => {
        const packed = new Uint8Array(snappyBound(bytes.length));
        const length = encodeSnappy(bytes, packed);
        const back = new Uint8Array(bytes.length);
        decodeSnappy(packed.subarray(0, length), back, bytes.length);
        expect(back).toEqual(bytes);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it('refuses damaged blocks without leaving its bounds', () => {
    const property = fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.nat({ max: 60 }),
      (bytes, length) => {
        const memory = new Uint8Array(100).fill(7);
        try {
          decodeSnappy(bytes, memory.subarray(20, 20 + length), length);
        } catch (error: any) {
          expect(error.code).toBe('FORMAT_INVALID');
        }
        expect(memory.subarray(0, 20).every((byte) => byte === 7)).toBe(true);
        expect(memory.subarray(20 + length).every((byte) => byte === 7)).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });
});

describe('text of values', () => {
  it('is that of String for every number but negative zero, which keeps its sign', () => {
    const numbers = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.tuple(fc.integer(), fc.integer({ min: 0, max: 6 })).map(([n, scale]) => n / 10 ** scale),
    );
    const property = fc.property(numbers, (value) => {
      const expected = Object.is(value, -0) ? '-0' : String(value);
      expect(text((buffer) => appendNumber(buffer, value))).toBe(expected);
    });
    fc.assert(property, { numRuns: 3000 });
  });

  it('is that of toISOString for every instant', () => {
    const property = fc.property(fc.date({ noInvalidDate: true }), (date) => {
      expect(text((buffer) => appendInstant(buffer, date.getTime()))).toBe(date.toISOString());
    });
    fc.assert(property, { numRuns: 2000 });
  });
});

describe('sliceBits', () => {
  it('gives the bits of any range', () => {
    const property = fc.property(
      fc.array(fc.boolean(), { maxLength: 80 }),
      fc.nat(),
      fc.nat(),
      (bits, a, b) => {
        const bitmap = new Uint8Array((bits.length + 7) >> 3);
        bits.forEach((bit, i) => (bitmap[i >> 3] |= Number(bit) << (i & 7)));
        const start = bits.length === 0 ? 0 : a % bits.length;
        const rows = b % (bits.length - start + 1);
        const slice = sliceBits(bitmap, start, rows) ?? new Uint8Array();
        const back = Array.from({ length: rows }, (_, i) => ((slice[i >> 3] >> (i & 7)) & 1) === 1);
        expect(back).toEqual(bits.slice(start, start + rows));
      },
    );
    fc.assert(property);
  });
});
