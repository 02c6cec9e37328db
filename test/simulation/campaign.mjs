/**
 * Simulates many seeds: `node test/simulation/campaign.mjs --seeds 2000 --from 1`, or one: `SEED=17 node ...`. Prints
 * the failing seeds with their jobs and how often each rare state was reached; fails when there was a failure or a
 * state was missed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, from: { type: 'string' }, failures: { type: 'string' } },
});
const one = process.env.SEED === undefined ? null : Number(process.env.SEED);
const from = one ?? Number(values.from ?? 1);
const count = one === null ? Number(values.seeds ?? 1000) : 1;

// Beside the repository's packages, so that the bundle finds them.
const root = fileURLToPath(new URL('../../', import.meta.url));
const directory = mkdtempSync(join(root, 'node_modules', '.millrace-simulation-'));
try {
  const outfile = join(directory, 'campaign.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('campaign.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
    outfile,
  });
  const { campaign } = await import(pathToFileURL(outfile).href);
  const { failures, missed } = await campaign({
    from,
    count,
    failuresMax: Number(values.failures ?? 5),
    print: (text) => process.stdout.write(`${text}\n`),
  });
  if (failures > 0 || (one === null && missed.length > 0)) process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
