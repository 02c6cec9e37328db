/**
 * The limit of `chain-expr` and `chain-lambda`: the five operators in one loop over the arrays, on two threads, each
 * with half of the passes. Nothing is stored; what is left of a record goes into the sum at once.
 */
import { onThreads, serveThread } from '../lib/threads.mjs';
import { numberRecords, PASS_ROWS, passesOf } from '../lib/records.mjs';

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, threads, seed }) {
  const passes = passesOf(rows);
  const parts = await onThreads(import.meta.url, threads, (index) => ({
    seed,
    passes: Math.floor(((index + 1) * passes) / threads) - Math.floor((index * passes) / threads),
  }));
  const sum = (pick) => parts.reduce((total, part) => total + part[pick], 0);
  return { records: passes * PASS_ROWS, answer: () => [[sum('count'), sum('sum')]] };
}

serveThread(({ seed, passes }) => {
  const { a, b } = numberRecords(seed);
  let count = 0;
  let sum = 0;
  for (let pass = 0; pass < passes; pass++) {
    const part = onePass(a, b);
    count += part.count;
    sum += part.sum;
  }
  return { count, sum };
});

function onePass(a, b) {
  let count = 0;
  let sum = 0;
  for (let row = 0; row < a.length; row++) {
    const first = a[row] * 2 + 1;
    if (first <= 200_001) continue;
    const second = b[row];
    if (second >= 900) continue;
    sum += (first - second * 3) * 0.5 + second;
    count++;
  }
  return { count, sum };
}
