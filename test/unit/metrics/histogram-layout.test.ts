import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bucketOf,
  bucketStart,
  HISTOGRAM_BUCKETS,
  HISTOGRAM_LENGTH,
} from '../../../src/metrics/histogram-layout.js';

describe('histogram buckets', () => {
  it('are ascending, at most a sixteenth wide, and start where bucketOf says', () => {
    for (let bucket = 1; bucket < HISTOGRAM_BUCKETS - 1; bucket++) {
      const start = bucketStart(bucket);
      const next = bucketStart(bucket + 1);
      expect(next / start).toBeLessThanOrEqual(1 + 1 / 16);
      expect(next).toBeGreaterThan(start);
      expect(bucketOf(start)).toBe(bucket);
    }
    expect(HISTOGRAM_LENGTH).toBe(HISTOGRAM_BUCKETS + 4);
  });

  it('contain their numbers', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 2 ** -10, max: 2 ** 38, maxExcluded: true, noNaN: true }),
        (value) => {
          const bucket = bucketOf(value);
          expect(bucketStart(bucket)).toBeLessThanOrEqual(value);
          expect(bucketStart(bucket + 1)).toBeGreaterThan(value);
        },
      ),
    );
  });

  it.each([
    [0, 0],
    [-0, 0],
    [-5, 0],
    [Number.NEGATIVE_INFINITY, 0],
    [2 ** -11, 0],
    [Number.MIN_VALUE, 0],
    [2 ** 38, HISTOGRAM_BUCKETS - 1],
    [Number.MAX_VALUE, HISTOGRAM_BUCKETS - 1],
    [Number.POSITIVE_INFINITY, HISTOGRAM_BUCKETS - 1],
    [Number.NaN, -1],
  ])('put %d into %d', (value, bucket) => {
    expect(bucketOf(value)).toBe(bucket);
  });
});
