/**
 * The buckets of a histogram: sixteen per power of two, so that a bucket is at most a sixteenth wide. The bucket
 * of a number is the top of its float64 bits, exponent and four bits of the fraction: no logarithm, no search.
 * Callers: user metrics. Runs on: any thread; pure. Invariant: bounds are ascending and `bucketOf` agrees.
 */

/** 2^-10: with milliseconds as unit, about a microsecond. Smaller values share the first bucket. */
const EXPONENT_MIN = -10;
/** 2^38: with bytes as unit, 256 GiB. Larger values share the last bucket. */
const EXPONENT_MAX = 38;
const BUCKETS_PER_POWER = 16;
const FRACTION_BITS = 4;
/** Bits of the high word below the exponent, less the ones that count. */
const DROPPED_BITS = 20 - FRACTION_BITS;
const EXPONENT_BIAS = 1023;
const FIRST_TOP = (EXPONENT_MIN + EXPONENT_BIAS) << FRACTION_BITS;

/** One below the range, the range, one above it. */
export const HISTOGRAM_BUCKETS = (EXPONENT_MAX - EXPONENT_MIN) * BUCKETS_PER_POWER + 2;

/** Float64 values of a histogram: four summaries, then the bucket counts. */
export const HISTOGRAM_VALUES = { count: 0, sum: 1, min: 2, max: 3, buckets: 4 } as const;
export const HISTOGRAM_LENGTH = HISTOGRAM_VALUES.buckets + HISTOGRAM_BUCKETS;

const number = new Float64Array(1);
const halves = new Int32Array(number.buffer);
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const HIGH_HALF = isLittleEndian ? 1 : 0;

/** The bucket of a number; zero and negative numbers are below the range. NaN has none: -1. */
export function bucketOf(value: number): number {
  if (value !== value) return -1;
  number[0] = value;
  const top = (halves[HIGH_HALF] ?? 0) >> DROPPED_BITS;
  const bucket = top - FIRST_TOP + 1;
  if (bucket < 1) return 0;
  return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/** The smallest number of a bucket; 0 for the one below the range. */
export function bucketStart(bucket: number): number {
  if (bucket <= 0) return 0;
  const index = bucket - 1;
  const power = EXPONENT_MIN + Math.floor(index / BUCKETS_PER_POWER);
  return 2 ** power * (1 + (index % BUCKETS_PER_POWER) / BUCKETS_PER_POWER);
}
