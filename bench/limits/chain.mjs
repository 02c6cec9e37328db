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

/** Four rows in a turn with four sums, because each addition waits for the one before it; a pass is a multiple of four. */
function onePass(a, b) {
  let count = 0;
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (let row = 0; row < a.length; row += 4) {
    const a0 = a[row] * 2 + 1;
    if (a0 > 200_001) {
      const b0 = b[row];
      if (b0 < 900) {
        first += (a0 - b0 * 3) * 0.5 + b0;
        count++;
      }
    }
    const a1 = a[row + 1] * 2 + 1;
    if (a1 > 200_001) {
      const b1 = b[row + 1];
      if (b1 < 900) {
        second += (a1 - b1 * 3) * 0.5 + b1;
        count++;
      }
    }
    const a2 = a[row + 2] * 2 + 1;
    if (a2 > 200_001) {
      const b2 = b[row + 2];
      if (b2 < 900) {
        third += (a2 - b2 * 3) * 0.5 + b2;
        count++;
      }
    }
    const a3 = a[row + 3] * 2 + 1;
    if (a3 > 200_001) {
      const b3 = b[row + 3];
      if (b3 < 900) {
        fourth += (a3 - b3 * 3) * 0.5 + b3;
        count++;
      }
    }
  }
  return { count, sum: first + second + third + fourth };
}
