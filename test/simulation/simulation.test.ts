import { describe, expect, it } from 'vitest';
import { campaign } from './campaign.js';
import { randomJob } from './random-job.js';
import { canonical } from './sim-records.js';
import { simulate } from './simulate.js';

/** The seeds of every `npm test`; a longer campaign takes others: `node test/simulation/campaign.mjs`. */
const SEEDS = { from: 1, count: 240 };

describe('whole jobs under a seeded scheduler', () => {
  it('give what the reference model gives, and reach every rare state', async () => {
    const replay = process.env['SEED'];
    const range = replay === undefined ? SEEDS : { from: Number(replay), count: 1 };
    const printed: string[] = [];
    const { failures, missed } = await campaign({
      ...range,
      failuresMax: 3,
      print: (text) => printed.push(text),
    });
    expect(failures, printed.join('\n')).toBe(0);
    if (replay === undefined) expect(missed).toEqual([]);
  });

  it('repeat exactly from their seed', async () => {
    for (let seed = 1000; seed < 1015; seed++) {
      const [first, second] = [await simulate(randomJob(seed)), await simulate(randomJob(seed))];
      expect(second.world.looks).toBe(first.world.looks);
      const rowsOf = (run: typeof first): unknown =>
        [...run.sinks].map(([id, { written }]) => [id, written.map(canonical)]);
      expect(rowsOf(second)).toEqual(rowsOf(first));
    }
  });
});
