/** Asynchronous functions in the test kit: answers that come at once, later, and never. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { collectSink, job, type Stream } from '../../../src/index.js';
import {
  forEachSeed,
  type HarnessOptions,
  runOnArrays,
  testHarness,
} from '../../../src/testing.js';

interface Asked {
  readonly n: number;
}
interface Answered extends Asked {
  readonly answer: string;
}

/** Questions that the test answers when it likes. */
class Oracle {
  readonly questions: {
    readonly n: number;
    readonly signal: AbortSignal;
    answer(text: string): void;
    fail(error: Error): void;
  }[] = [];

  ask = ({ n }: Asked, { signal }: { readonly signal: AbortSignal }): Promise<Answered> =>
    new Promise((resolve, reject) => {
      this.questions.push({
        n,
        signal,
        answer: (answer) => resolve({ n, answer }),
        fail: reject,
      });
    });

  /** Answers the last question for a number. */
  answer(n: number, text: string): void {
    this.questions.findLast((question) => question.n === n)?.answer(text);
  }
}

const variants: readonly (readonly [string, HarnessOptions])[] = [
  ['plainly', {}],
  ['with a new instance after every step', { restoreEachStep: true }],
  ['with outputs full', { outputs: 'full' }],
];

describe.each(variants)('a harness, %s,', (_, options) => {
  it('hears answers that come at once within the step', async () => {
    const harness = await testHarness(
      (asked: Stream<Asked>) =>
        asked.orderedWait(async ({ n }) => {
          await Promise.resolve();
          return { n: 2 * n };
        }),
      options,
    );
    for (const n of [1, 2, 3]) await harness.input.push({ n });
    expect(harness.output.records).toEqual([{ n: 2 }, { n: 4 }, { n: 6 }]);
    expect(harness.callsInFlight).toBe(0);
    await harness.close();
  });

  it('waits in settle() for those that take time', async () => {
    const harness = await testHarness(
      (asked: Stream<Asked>) =>
        asked
          .orderedWait(async ({ n }) => {
            await pause(3 - n);
            return { n, answer: 'first' };
          })
          .unorderedWait(async ({ n }) => {
            await pause(n);
            return { n, answer: 'second' };
          }),
      options,
    );
    for (const n of [1, 2]) await harness.input.push({ n });
    await harness.settle();
    expect(harness.callsInFlight).toBe(0);
    expect(harness.output.records.toSorted((a, b) => a.n - b.n)).toEqual([
      { n: 1, answer: 'second' },
      { n: 2, answer: 'second' },
    ]);
    await harness.close();
  });

  it('shows what is under way, and keeps order and watermarks', async () => {
    const oracle = new Oracle();
    const harness = await testHarness(
      (asked: Stream<Asked>) => asked.orderedWait(oracle.ask),
      options,
    );
    const { input, output } = harness;
    await input.push({ n: 1 }, 10);
    await input.push({ n: 2 }, 20);
    await input.watermark(20);
    expect([harness.callsInFlight, harness.outputWatermark]).toEqual([2, null]);
    oracle.answer(2, 'two');
    await harness.input.push({ n: 3 }, 30);
    expect([harness.callsInFlight, output.records]).toEqual([3, []]);
    oracle.answer(1, 'one');
    // Whoever was asked before a restart is not heard any more.
    oracle.answer(2, 'two');
    oracle.answer(3, 'three');
    await harness.settle();
    expect(output.entries.map(({ record, timestamp }) => [record.answer, timestamp])).toEqual([
      ['one', 10],
      ['two', 20],
      ['three', 30],
    ]);
    expect([harness.callsInFlight, harness.outputWatermark]).toEqual([0, 20]);
    await harness.close();
  });

  it('repeats calls and gives them up by its clock', async () => {
    const oracle = new Oracle();
    const harness = await testHarness(
      (asked: Stream<Asked>) =>
        asked.orderedWait(oracle.ask, {
          timeout: '1m',
          onTimeout: ({ n }) => ({ n, answer: 'none' }),
          retry: { maxAttempts: 1, delay: '10s' },
        }),
      // A restart begins anew with delays and timeouts.
      { ...options, restoreEachStep: false },
    );
    await harness.input.pushAll([{ record: { n: 1 } }, { record: { n: 2 } }]);
    oracle.questions[0].fail(new Error('busy'));
    await harness.advanceProcessingTime('9s');
    expect(oracle.questions).toHaveLength(2);
    await harness.advanceProcessingTime('1s');
    expect(oracle.questions.map(({ n }) => n)).toEqual([1, 2, 1]);
    oracle.answer(1, 'at last');
    await expect(harness.settle(10)).rejects.toMatchObject({ code: 'TEST_MISUSED' });
    expect(harness.output.records).toEqual([{ n: 1, answer: 'at last' }]);
    await harness.advanceProcessingTime('50s');
    expect(harness.output.records).toEqual([
      { n: 1, answer: 'at last' },
      { n: 2, answer: 'none' },
    ]);
    expect(oracle.questions.map(({ signal }) => signal.aborted)).toEqual([false, true, false]);
    await harness.close();
  });

  it('waits at the end for calls that are under way', async () => {
    const oracle = new Oracle();
    const harness = await testHarness(
      (asked: Stream<Asked>) => asked.unorderedWait(oracle.ask).keyBy('answer').count(),
      { ...options, bounded: true },
    );
    await harness.input.push({ n: 1 });
    await harness.input.push({ n: 2 });
    await harness.input.end();
    expect(harness.output.records).toEqual([]);
    for (const n of [1, 2]) oracle.answer(n, 'same');
    await harness.settle();
    expect(harness.output.records).toEqual([{ answer: 'same', count: 2 }]);
    await harness.close();
  });
});

describe('a harness', () => {
  it('asks again after a restart, in order', async () => {
    const oracle = new Oracle();
    const part = (asked: Stream<Asked>): Stream<Answered> =>
      asked.unorderedWait(oracle.ask, { uid: 'ask' });
    const first = await testHarness(part);
    await first.input.pushAll([1, 2, 3].map((n) => ({ record: { n } })));
    oracle.answer(2, 'before');
    const held = await first.snapshot();
    await first.advanceProcessingTime(0);
    expect(first.output.records).toEqual([{ n: 2, answer: 'before' }]);
    await first.close();
    expect(oracle.questions.map(({ signal }) => signal.aborted)).toEqual([true, false, true]);
    const second = await testHarness(part, { from: held });
    expect(oracle.questions.map(({ n }) => n)).toEqual([1, 2, 3, 1, 2, 3]);
    for (const n of [3, 1, 2]) oracle.answer(n, 'after');
    await second.settle();
    expect(second.output.records.map(({ n }) => n)).toEqual([3, 1, 2]);
    await second.close();
  });

  it('opens and closes clients, and waits for both', async () => {
    const report: string[] = [];
    const harness = await testHarness((asked: Stream<Asked>) =>
      asked.orderedWait(async (_record, { client }) => client, {
        open: async () => {
          await pause(2);
          report.push('opened');
          return 'client';
        },
        close: async () => {
          await pause(2);
          report.push('closed');
        },
      }),
    );
    await harness.input.push({ n: 1 });
    expect([harness.output.records, report]).toEqual([['client'], ['opened']]);
    await harness.close();
    expect(report).toEqual(['opened', 'closed']);
  });

  it('fails with what a call failed with, at the next step at the latest', async () => {
    const oracle = new Oracle();
    const harness = await testHarness((asked: Stream<Asked>) =>
      asked.orderedWait(oracle.ask, { name: 'ask' }),
    );
    await harness.input.push({ n: 1 });
    oracle.questions[0].fail(new Error('no'));
    await expect(harness.settle()).rejects.toMatchObject({
      code: 'USER_FUNCTION_FAILED',
      where: { operator: 'ask' },
    });
    await harness.close();
  });

  it('drives look-up joins', async () => {
    const asked: number[] = [];
    const harness = await testHarness((records: Stream<Asked>) =>
      records
        .lookupJoin({
          key: 'n',
          lookup: async (n) => {
            asked.push(n);
            return n > 1 ? { double: 2 * n } : null;
          },
          type: 'left',
          cache: { maxRows: 10, expireAfterWrite: '1m' },
        })
        .select(['n'], ['double']),
    );
    for (const n of [1, 2, 2, 1]) await harness.input.push({ n });
    expect(harness.output.take().map(({ double }) => double)).toEqual([null, 4, 4, null]);
    expect(asked).toEqual([1, 2]);
    await harness.advanceProcessingTime('1m');
    await harness.input.push({ n: 2 });
    expect(asked).toEqual([1, 2, 2]);
    await harness.close();
  });
});

describe('a run on arrays', () => {
  const numbers = Array.from({ length: 40 }, (_, n) => ({ n }));

  it('waits for answers, at every seed', async () => {
    const asking = job('asking', (flow) => {
      flow
        .from(numbers)
        .assignTimestamps('n')
        .unorderedWait(
          async ({ n }, { attempt }) => {
            if (n % 7 === 0 && attempt < 3) throw new Error('busy');
            if (n % 5 === 0) await pause(1);
            return { n: 2 * n };
          },
          // Nothing is out while a call waits to be repeated, so that takes no time.
          { capacity: 5, timeout: '20h', retry: { maxAttempts: 2, delay: '3h' } },
        )
        .to(collectSink());
    });
    await forEachSeed(10, async (seed) => {
      const run = await runOnArrays(asking, { seed, parallelism: 2 });
      const found = run.records<Asked>().map(({ n }) => n);
      expect(found.toSorted((a, b) => a - b)).toEqual(numbers.map(({ n }) => 2 * n));
    });
  });

  it('gives calls up that are never answered, after the time that they have', async () => {
    const asking = job('asking', (flow) => {
      flow
        .from(numbers.slice(0, 3))
        .orderedWait(({ n }) => (n === 1 ? new Promise<never>(() => {}) : Promise.resolve({ n })), {
          timeout: 30,
          onTimeout: () => ({ n: -1 }),
        })
        .to(collectSink());
    });
    const run = await runOnArrays(asking, { seed: 4 });
    expect(run.records<Asked>().map(({ n }) => n)).toEqual([0, -1, 2]);
  });
});
