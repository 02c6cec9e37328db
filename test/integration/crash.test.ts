import { expect, it } from 'vitest';
import { crashRun } from '../crash/crash-campaign.mjs';

/** Seeds of every `npm test`; more by `npm run crash`. */
const SEEDS = [1, 2, 3];

it('a process that is killed again and again loses and repeats nothing', async () => {
  let restores = 0;
  for (const seed of SEEDS) {
    const run = await crashRun(seed, { perKey: 600, killsMax: 3, savepointsMax: 2 });
    expect(run.faults, `seed ${seed}`).toEqual([]);
    restores += run.restores;
  }
  expect(restores).toBeGreaterThan(0);
});
