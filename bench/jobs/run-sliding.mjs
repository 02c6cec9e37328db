/**
 * The job of `sliding` as a contender: what counts is what goes in and what comes out, for small slides give more results
 * of the same events. Callers: `child.mjs`.
 */
import { takenAnswer } from '../lib/answer-sinks.mjs';
import { EVENT_ROWS, eventRecords } from '../lib/records.mjs';
import { prepare as prepareJob, run as runJob } from './run-job.mjs';

const WINDOW_MS = 60_000;

export { prepareJob as prepare };

/**
 * Options: those of `run-job.mjs`.
 *
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run(request) {
  const startMs = performance.now();
  const { records } = await runJob(request);
  const elapsedMs = performance.now() - startMs;
  const [[results, total]] = takenAnswer();
  const { users, readers, slideMs } = request.options.params;
  // Every event is in as many windows as slides fit into one.
  const { price } = eventRecords(request.seed, { users, readers });
  const pass = price.reduce((sum, each) => sum + each, 0);
  const expected = (records / EVENT_ROWS) * pass * (WINDOW_MS / slideMs);
  if (total !== expected) throw new Error(`The windows add up to ${total}, not ${expected}.`);
  return {
    records,
    elapsedMs,
    measures: {
      itemsPerSecond: ((records + results) / elapsedMs) * 1000,
      results,
    },
    answer: null,
  };
}
