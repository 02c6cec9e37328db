/**
 * Simulates many seeds: `npm run sim -- --seeds 2000 --from 1`, or one: `SEED=17 npm run sim`; with `--threads` on real
 * threads, with `--crashes` on a disk that crashes. Prints the failing seeds with their jobs and how often each rare
 * state was reached; fails when there was a failure or a state was missed.
 */
import { parseArgs } from 'node:util';
import { withSimulation } from './simulation-bundle.mjs';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string' },
    failures: { type: 'string' },
    threads: { type: 'boolean' },
    crashes: { type: 'boolean' },
  },
});
const one = process.env.SEED === undefined ? null : Number(process.env.SEED);
const options = {
  from: one ?? Number(values.from ?? 1),
  count: one === null ? Number(values.seeds ?? 1000) : 1,
  failuresMax: Number(values.failures ?? 5),
  print: (text) => process.stdout.write(`${text}\n`),
};

await withSimulation(async ({ campaign, crashCampaign, threadCampaign }) => {
  const run = values.threads ? threadCampaign : values.crashes ? crashCampaign : campaign;
  const { failures, missed } = await run(options);
  if (failures > 0 || (one === null && missed.length > 0)) process.exitCode = 1;
});
