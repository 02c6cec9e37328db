/** The harness over joins in windows and over loops. */
import { expect, it } from 'vitest';
import { type Stream, tumbling } from '../../../src/index.js';
import { testHarness, twoInputTestHarness } from '../../../src/testing.js';

interface Row {
  readonly id: number;
}

it.each([{ outputs: 'full' }, { restoreEachStep: true }, {}] as const)(
  'drives a join in windows, with %j',
  async (options) => {
    const harness = await twoInputTestHarness(
      (lefts: Stream<Row>, rights: Stream<Row>) =>
        lefts
          .keyBy('id')
          .join(rights.keyBy('id'), { type: 'left' })
          .window(tumbling(100))
          .apply((left, right, { window }) => ({
            left: left.id,
            right: right?.id ?? null,
            end: window.end,
          })),
      options,
    );
    const { first, second, output } = harness;
    await first.push({ id: 1 }, 10);
    await first.push({ id: 2 }, 20);
    await second.push({ id: 1 }, 30);
    await first.watermark(99);
    expect(output.records).toEqual([]);
    await second.watermark(99);
    expect(output.entries.toSorted((a, b) => a.record.left - b.record.left)).toEqual([
      { record: { left: 1, right: 1, end: 100 }, timestamp: 99, kind: 'insert' },
      { record: { left: 2, right: null, end: 100 }, timestamp: 99, kind: 'insert' },
    ]);
    harness.close();
  },
);

it('drives a loop, and refuses to take a snapshot of it', async () => {
  const harness = await testHarness(
    (numbers: Stream<{ n: number }>) =>
      numbers.iterate((loop) => {
        const next = loop.map(({ n }) => ({ n: n - 1 }));
        return { feedback: next.filter(({ n }) => n > 0), output: next };
      }),
    { bounded: true },
  );
  const { input, output } = harness;
  await input.push({ n: 3 }, 5);
  expect(output.records).toEqual([{ n: 2 }]);
  await expect(harness.snapshot()).rejects.toMatchObject({ code: 'FEATURE_UNSUPPORTED' });
  await input.end();
  expect(output.records).toEqual([{ n: 2 }, { n: 1 }, { n: 0 }]);
  harness.close();
});
