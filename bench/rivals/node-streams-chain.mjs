/**
 * Node streams as a rival of the chain: records as objects through five Transforms in object mode.
 */
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { numberRecords, PASS_ROWS, passesOf } from '../lib/records.mjs';

/** Records under way between two streams. */
const WINDOW = 1024;

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, seed }) {
  const passes = passesOf(rows);
  const records = numberRecords(seed);
  let count = 0;
  let sum = 0;
  const adding = new Writable({
    objectMode: true,
    highWaterMark: WINDOW,
    write(record, _, done) {
      count++;
      sum += record.value;
      done();
    },
  });
  await pipeline(
    readingAll(records, passes),
    map((r) => ({ a: r.a * 2 + 1, b: r.b })),
    filter((r) => r.a > 200_001),
    map((r) => ({ a: r.a - r.b * 3, b: r.b })),
    filter((r) => r.b < 900),
    map((r) => ({ value: r.a * 0.5 + r.b })),
    adding,
  );
  return { records: passes * PASS_ROWS, answer: () => [[count, sum]] };
}

function readingAll({ a, b }, passes) {
  let pass = 0;
  let row = 0;
  return new Readable({
    objectMode: true,
    highWaterMark: WINDOW,
    read() {
      for (;;) {
        if (row === PASS_ROWS) {
          row = 0;
          pass++;
        }
        if (pass === passes) return void this.push(null);
        if (!this.push({ a: a[row], b: b[row++] })) return;
      }
    },
  });
}

function map(fn) {
  return new Transform({
    objectMode: true,
    highWaterMark: WINDOW,
    transform: (record, _, done) => done(null, fn(record)),
  });
}

function filter(fn) {
  return new Transform({
    objectMode: true,
    highWaterMark: WINDOW,
    transform: (record, _, done) => (fn(record) ? done(null, record) : done()),
  });
}
