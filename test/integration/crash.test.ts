import { describe, expect, it } from 'vitest';
import { crashRun } from '../crash/crash-campaign.mjs';

/** Seeds of every `npm test`; more by `npm run crash`. */
const SEEDS = [1, 2];

describe('a process that is killed again and again', () => {
  it.each(SEEDS)('loses and repeats nothing (seed %i)', { timeout: 240_000 }, async (seed) => {
    const { faults, restores } = await crashRun(seed, { perKey: 600, killsMax: 3 });
    expect(faults).toEqual([]);
    expect(restores).toBeGreaterThan(0);
  });
});
