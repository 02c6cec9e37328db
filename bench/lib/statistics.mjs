/**
 * Sums up the runs of a contender. Callers: `case-runner.mjs`, `results.mjs`.
 */

/**
 * @typedef {{ min: number, median: number, max: number }} Spread
 */

/**
 * Least, middle and greatest of some numbers; the middle of an even count is the mean of the two in the middle.
 *
 * @param {readonly number[]} values
 * @returns {Spread}
 */
export function spreadOf(values) {
  if (values.length === 0) throw new Error('There is nothing to sum up.');
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return { min: sorted[0], median, max: sorted[sorted.length - 1] };
}

/**
 * How much faster `ours` is than `theirs`: above 1 means that ours is better, whether much or little is wanted.
 *
 * @param {number} ours
 * @param {number} theirs
 * @param {'more' | 'less'} better
 */
export function ratioOf(ours, theirs, better) {
  return better === 'more' ? ours / theirs : theirs / ours;
}
