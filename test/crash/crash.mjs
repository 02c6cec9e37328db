/**
 * `npm run crash [-- --quick] [--seeds N] [--from N]`: kills jobs at random and tells what it tried and what fell. Each
 * seed is one job with options of its own; `--from S --seeds 1` repeats the one of seed S.
 */
import { parseArgs } from 'node:util';
import { crashRun } from './crash-campaign.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
  },
});
const seeds = Number(values.seeds ?? (values.quick ? 6 : 60));
const size = values.quick ? { perKey: 600, killsMax: 4 } : { perKey: 1500, killsMax: 9 };
const total = { kills: 0, restores: 0, savepoints: 0, failed: 0 };
for (let seed = Number(values.from); seed < Number(values.from) + seeds; seed++) {
  const { kills, restores, savepoints, faults } = await crashRun(seed, size);
  total.kills += kills;
  total.restores += restores;
  total.savepoints += savepoints;
  if (faults.length > 0) total.failed++;
  console.log(`seed ${seed}: ${kills} kills, ${restores} restores, ${faults.length} faults`);
  for (const fault of faults.slice(0, 5)) console.log(`  ${fault}`);
}
const { kills, restores, savepoints, failed } = total;
console.log(
  `${seeds} jobs, ${kills} kills, ${restores} restores from checkpoints, ` +
    `${savepoints} from savepoints, ${failed} failed`,
);
process.exitCode = failed === 0 ? 0 : 1;
