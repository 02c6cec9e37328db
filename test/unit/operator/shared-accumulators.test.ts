/** An aggregator whose `merge` gives back what it was given: windows that overlap must not come to share it. */
import { expect, it } from 'vitest';
import { aggregator, collectSink, job, sliding } from '../../../src/index.js';
import { runOnArrays } from '../../../src/testing.js';

interface Sum {
  sum: number;
  seen: number;
}

function add(to: Sum, { sum, seen }: Sum): Sum {
  to.sum += sum;
  to.seen += seen;
  return to;
}

const SIZE = 60;
const merges: readonly (readonly [string, (left: Sum, right: Sum) => Sum])[] = [
  ['the right one for nothing', (left, right) => (left.seen === 0 ? right : add(left, right))],
  ['the left one for nothing', (left, right) => (right.seen === 0 ? left : add(left, right))],
  ['the right one, changed', (left, right) => add(right, left)],
];

it.each(merges)('sliding windows are right with %s', async (_, merge) => {
  const rows = Array.from({ length: 400 }, (__, id) => {
    return { k: id % 3, at: id - ((id * 37) % 70), x: id % 5 };
  });
  let calls = 0;
  const total = aggregator<(typeof rows)[number], Sum, number>({
    create: () => ({ sum: 0, seen: 0 }),
    add: (sum, { x }) => void add(sum, { sum: x, seen: 1 }),
    merge: (left, right) => {
      calls++;
      return merge(left, right);
    },
    result: ({ sum }) => sum,
  });
  const sums = job('sums', (flow) => {
    flow
      .from(rows)
      .assignTimestamps('at', { outOfOrderness: 70 })
      .keyBy('k')
      .window(sliding(SIZE, 10))
      .aggregate({ total })
      .to(collectSink());
  });
  for (const seed of [1, 2, 3, 4]) {
    const found = await runOnArrays(sums, { seed, parallelism: 2 });
    const results = found.records<{ k: number; windowStart: number; total: number }>();
    expect(results.length).toBeGreaterThan(100);
    for (const { k, windowStart: start, total: sum } of results) {
      const inside = rows.filter((row) => row.k === k && row.at >= start && row.at < start + SIZE);
      expect([k, start, sum]).toEqual([k, start, inside.reduce((all, { x }) => all + x, 0)]);
    }
  }
  expect(calls).toBeGreaterThan(400);
});
