/**
 * The job of `window-fire` as a contender: what counts is for how long its source was not read. Callers: `child.mjs`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takenAnswer } from '../lib/answer-sinks.mjs';
import { everyUser } from '../lib/records.mjs';
import { prepare as prepareJob, run as runJob } from './run-job.mjs';
import { WINDOW_MS } from './window-fire.mjs';

export { prepareJob as prepare };

/**
 * Options: those of `run-job.mjs`.
 *
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run(request) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-pauses-'));
  const pauses = join(directory, 'pauses');
  try {
    const { options, threads, seed } = request;
    const { keys } = options.params;
    const params = { ...options.params, readers: threads, pauses };
    const { records } = await runJob({ ...request, options: { ...options, params } });
    const [[results, total]] = takenAnswer();
    const { price } = everyUser(seed, { users: keys, windowMs: WINDOW_MS });
    const expected = price.reduce((sum, each) => sum + each, 0) * (records / keys);
    if (total !== expected)
      throw new Error(`${results} windows add up to ${total}, not ${expected}.`);
    const sorted = readFileSync(pauses, 'utf8').trim().split('\n').map(Number);
    sorted.sort((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return {
      records,
      measures: { pauseMsP99: at(0.99), pauseMsMedian: at(0.5) },
      answer: null,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
