/**
 * `npm run crash [-- --quick] [--seeds N] [--from N] [--every-op] [--stride N] [--from-op N] [--way NAME]`: kills jobs
 * and tells what it tried and what fell. First at every operation of the disk, then at random: each seed is one job with
 * options of its own, and `--from S --seeds 1` repeats the one of seed S. Then jobs with windows, sessions and timers
 * that are nearly all on disk, a quarter as many. With `--every-op` only the first of these; with `--seeds` only the others. `--stride N --from-op M` takes every N-th operation from the M-th on, so that N pieces are
 * all of them; `--way` takes one way of taking checkpoints: full, incremental, unaligned, aligned-timeout.
 */
import { parseArgs } from 'node:util';
import { coldCrashRun } from './cold-campaign.mjs';
import { crashRun } from './crash-campaign.mjs';
import { everyOperation } from './every-operation.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    'every-op': { type: 'boolean', default: false },
    stride: { type: 'string' },
    'from-op': { type: 'string', default: '1' },
    way: { type: 'string', multiple: true },
  },
});
const closing = [];
let failed = 0;

if (values.seeds === undefined || values['every-op']) {
  const stride = Number(values.stride ?? (values.quick ? 40 : 1));
  const offset = Number(values['from-op']);
  const ways = values.way ?? null;
  const tried = await everyOperation({ stride, offset, ways, print: console.log });
  const { points, kills, restores, savepoints, faults } = tried;
  for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
  failed += faults.length;
  closing.push(
    `${points} operations of the disk, ${kills} kills at them, ${restores} restores, ` +
      `${savepoints} from savepoints, ${faults.length} faults`,
  );
}

if (!values['every-op']) {
  const seeds = Number(values.seeds ?? (values.quick ? 6 : 60));
  const size = values.quick
    ? { perKey: 600, killsMax: 4, savepointsMax: 4 }
    : { perKey: 1500, killsMax: 9, savepointsMax: 8 };
  const total = { kills: 0, restores: 0, overtaken: 0, savepoints: 0, failed: 0 };
  for (let seed = Number(values.from); seed < Number(values.from) + seeds; seed++) {
    const { kills, restores, overtaken, savepoints, faults } = await crashRun(seed, size);
    total.kills += kills;
    total.overtaken += overtaken;
    total.restores += restores;
    total.savepoints += savepoints;
    if (faults.length > 0) total.failed++;
    console.log(
      `seed ${seed}: ${kills} kills, ${restores} restores, ${overtaken} of them with overtaken ` +
        `records, ${faults.length} faults`,
    );
    for (const fault of faults.slice(0, 5)) console.log(`  ${fault}`);
  }
  failed += total.failed;
  closing.push(
    `${seeds} jobs, ${total.kills} kills at random, ${total.restores} restores, ` +
      `${total.overtaken} of them with records that were overtaken, ` +
      `${total.savepoints} from savepoints, ${total.failed} failed`,
  );

  const coldSize = values.quick ? { rows: 4000, killsMax: 2 } : { rows: 20_000, killsMax: 6 };
  const cold = { jobs: 0, kills: 0, restores: 0, savepoints: 0, results: 0, failed: 0 };
  for (let seed = Number(values.from); seed < Number(values.from) + seeds / 4; seed++) {
    const { faults, ...counts } = await coldCrashRun(seed, coldSize);
    cold.jobs++;
    for (const [name, count] of Object.entries(counts)) cold[name] += count;
    if (faults.length > 0) cold.failed++;
    console.log(
      `state on disk, seed ${seed}: ${counts.kills} kills, ${counts.restores} restores, ` +
        `${counts.results} results, ${faults.length} faults`,
    );
    for (const fault of faults.slice(0, 5)) console.log(`  ${fault}`);
  }
  failed += cold.failed;
  closing.push(
    `${cold.jobs} jobs with state on disk, ${cold.kills} kills, ${cold.restores} restores, ` +
      `${cold.savepoints} from savepoints, ${cold.results} results, ${cold.failed} failed`,
  );
}

console.log(closing.join('; '));
process.exitCode = failed === 0 ? 0 : 1;
