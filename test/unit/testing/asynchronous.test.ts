import { describe, expect, it } from 'vitest';
import { collectSink, job, type Stream } from '../../../src/index.js';
import { runOnArrays, testHarness } from '../../../src/testing.js';

const ask = (numbers: Stream<{ n: number }>): Stream<{ n: number }> =>
  numbers.orderedWait(async ({ n }) => ({ n: n + 1 }), { name: 'ask' });

const refusal = {
  code: 'FEATURE_UNSUPPORTED',
  message: expect.stringContaining('such as "ask"'),
};

describe('asynchronous functions', () => {
  it('are refused by the harness', async () => {
    await expect(async () => testHarness(ask)).rejects.toMatchObject(refusal);
  });

  it('are refused by runs on arrays', async () => {
    const asking = job('asking', (flow) => {
      ask(flow.from([{ n: 1 }])).to(collectSink());
    });
    await expect(runOnArrays(asking)).rejects.toMatchObject(refusal);
  });
});
