import { describe, expect, it } from 'vitest';
import { withSimulation } from '../simulation/simulation-bundle.mjs';

/** Seeds of every `npm test`; more by `node test/simulation/campaign.mjs --threads --seeds N`. */
const SEEDS = { from: 1, count: 14 };

describe('random jobs on real threads', () => {
  it('give what the reference model gives', async () => {
    const printed: string[] = [];
    const options = { ...SEEDS, failuresMax: 2, print: (text: string) => printed.push(text) };
    const result = await withSimulation((campaigns) => campaigns.threadCampaign(options));
    expect(result.failures, printed.join('\n')).toBe(0);
  });
});
