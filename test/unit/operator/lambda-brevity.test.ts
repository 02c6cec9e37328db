/** Which user functions are over in a moment, so that the watchdog need not be told that they run. */
import { expect, test } from 'vitest';
import { isBrief } from '../../../src/operator/lambda-brevity.js';
import type { UserFunction } from '../../../src/operator/operator-spec.js';

const call = (value: unknown): unknown => value;

const brief: readonly UserFunction[] = [
  (r) => ({ a: r.a * 2 + 1, b: r.b }),
  (r) => r.a > 200 && r.b !== null,
  ({ a, b }) => (a > b ? [a, `${b}`] : null),
];
const long: readonly UserFunction[] = [
  (r) => call(r),
  (r) => {
    for (;;) if (r.a) return r;
  },
  (r) => ({ ...r }),
  (r) => new Date(r.a),
  Math.max,
];

test.each(brief)('%s is brief', (fn) => {
  expect(isBrief(fn)).toBe(true);
});

test.each(long)('%s may take long', (fn) => {
  expect(isBrief(fn)).toBe(false);
});
