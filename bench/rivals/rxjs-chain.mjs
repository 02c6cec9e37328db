/**
 * RxJS as a rival of the chain: records as objects through five operators.
 */
import { filter, map, Observable } from 'rxjs';
import { numberRecords, PASS_ROWS, passesOf } from '../lib/records.mjs';

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, seed }) {
  const passes = passesOf(rows);
  const { a, b } = numberRecords(seed);
  const records = new Observable((subscriber) => {
    for (let pass = 0; pass < passes; pass++) {
      for (let row = 0; row < PASS_ROWS; row++) subscriber.next({ a: a[row], b: b[row] });
    }
    subscriber.complete();
  });
  let count = 0;
  let sum = 0;
  records
    .pipe(
      map((r) => ({ a: r.a * 2 + 1, b: r.b })),
      filter((r) => r.a > 200_001),
      map((r) => ({ a: r.a - r.b * 3, b: r.b })),
      filter((r) => r.b < 900),
      map((r) => ({ value: r.a * 0.5 + r.b })),
    )
    .subscribe((record) => {
      count++;
      sum += record.value;
    });
  return { records: passes * PASS_ROWS, answer: () => [[count, sum]] };
}
