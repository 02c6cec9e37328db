import { describe, expect, it } from 'vitest';
import { crashCampaign } from './crash-campaign.js';

/** The seeds of every `npm test`; a longer campaign takes others: `npm run sim -- --crashes`. */
const SEEDS = { from: 1, count: 300 };

describe('jobs that crash at any operation of their disk', () => {
  it('lose and repeat nothing, and reach every rare state', async () => {
    const replay = process.env['SEED'];
    const range = replay === undefined ? SEEDS : { from: Number(replay), count: 1 };
    const printed: string[] = [];
    const { failures, missed } = await crashCampaign({
      ...range,
      failuresMax: 3,
      print: (text) => printed.push(text),
    });
    expect(failures, printed.join('\n')).toBe(0);
    if (replay === undefined) expect(missed).toEqual([]);
  });
});
