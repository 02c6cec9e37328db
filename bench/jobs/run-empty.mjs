/**
 * How long it takes until a job that does nothing has ended. Callers: `child.mjs`, for the case `startup`.
 */
import { fileURLToPath } from 'node:url';
import { runProcess } from '../lib/spawn-run.mjs';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/**
 * Options: `form`, 'embedded' (import and run in this process) or 'process' (a program from its start to its end, with
 * `args` for Node.js; `$cli` stands for the command line of Millrace, paths are below `bench/`).
 *
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ threads, options }) {
  const startMs = performance.now();
  if (options.form === 'embedded') {
    const { run: runJob } = await import('millrace');
    const { default: emptyJob } = await import('./empty.mjs');
    await runJob(emptyJob, { parallelism: threads });
  } else {
    const args = options.args.map((argument) => (argument === '$cli' ? cli : argument));
    await runProcess(process.execPath, args, 'the program');
  }
  const elapsedMs = performance.now() - startMs;
  return { records: 1, elapsedMs, measures: { startMs: elapsedMs }, answer: null };
}
