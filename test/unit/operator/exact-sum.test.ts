import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addExact,
  createExactSum,
  exactSumValue,
  mergeExact,
} from '../../../src/operator/exact-sum.js';

function sumOf(values: readonly number[]): number {
  const sum = createExactSum();
  for (const value of values) addExact(sum, value);
  return exactSumValue(sum);
}

/** The exact sum as a whole number of units of 2^-1074, rounded by searching for the nearest number. */
function reference(values: readonly number[]): number {
  const total = values.reduce((sum, value) => sum + units(value), 0n);
  let low = -Number.MAX_VALUE;
  let high = Number.MAX_VALUE;
  for (let step = 0; step < 2200; step++) {
    const middle = low / 2 + high / 2;
    if (middle === low || middle === high) break;
    if (units(middle) <= total) low = middle;
    else high = middle;
  }
  const below = total - units(low);
  const above = units(high) - total;
  if (below !== above) return below < above ? low : high;
  return isEven(low) ? low : high;
}

function bitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  return view.getBigUint64(0);
}

function isEven(value: number): boolean {
  return (bitsOf(value) & 1n) === 0n;
}

function units(value: number): bigint {
  const bits = bitsOf(value);
  const exponent = bits >> 52n;
  const fraction = bits & ((1n << 52n) - 1n);
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return value < 0 ? -magnitude : magnitude;
}

const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 });

describe('exact sums', () => {
  it('are correctly rounded, in any order and grouping', () => {
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 12 }), fc.nat(12), (values, cut) => {
        const expected = reference(values);
        expect(sumOf(values) === expected).toBe(true);
        expect(sumOf(values.toSorted()) === expected).toBe(true);
        const left = createExactSum();
        const right = createExactSum();
        values.forEach((value, index) => addExact(index < cut ? left : right, value));
        mergeExact(left, right);
        expect(exactSumValue(left) === expected).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('round halves to even, and look at the rest', () => {
    expect(sumOf([1, 2 ** -53])).toBe(1);
    expect(sumOf([1, 2 ** -53, 2 ** -200])).toBe(1 + 2 ** -52);
    expect(sumOf([1 + 2 ** -52, 2 ** -53])).toBe(1 + 2 ** -51);
    expect(sumOf([1 + 2 ** -52, 2 ** -53, -(2 ** -200)])).toBe(1 + 2 ** -52);
  });

  it('survive intermediate sums beyond the range', () => {
    const max = Number.MAX_VALUE;
    expect(sumOf([max, max, -max, -max, 5e-324])).toBe(5e-324);
    expect(sumOf([max, max, -max])).toBe(max);
    expect(sumOf([max, max])).toBe(Number.POSITIVE_INFINITY);
    expect(sumOf([-max, -max])).toBe(Number.NEGATIVE_INFINITY);
  });

  it('follow floats for infinities and NaN', () => {
    const inf = Number.POSITIVE_INFINITY;
    expect(sumOf([1, inf, -5])).toBe(inf);
    expect(sumOf([inf, -inf])).toBeNaN();
    expect(sumOf([1, Number.NaN])).toBeNaN();
    expect(sumOf([])).toBe(0);
  });
});
