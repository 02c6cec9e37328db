/**
 * Millrace as a contender: runs the job of `<job>.mjs` as an embedding program would. Callers: `child.mjs`.
 *
 * A job module exports `benchJob`, and `answer()` when the answer does not come from a sink of `answer-sinks.mjs`.
 */
import { run as runJob } from 'millrace';
import { takenAnswer } from '../lib/answer-sinks.mjs';

let module = null;

/**
 * Imports the job, which an embedding program has done before it runs it.
 *
 * @param {import('../child.mjs').Request} request
 */
export async function prepare({ options }) {
  module = await import(new URL(`./${options.job}.mjs`, import.meta.url).href);
}

/**
 * Options: `job`, `params` for the job beside `rows`, `path` and `seed`, `settings` of the run, `parallelism`.
 *
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, input, threads, seed, options }) {
  const params = { rows, seed, path: input?.path ?? null, ...options.params };
  await runJob(module.benchJob, {
    params,
    parallelism: options.parallelism ?? threads,
    runtime: options.runtime ?? 'threads',
    settings: options.settings ?? {},
    seed,
  });
  return {
    records: input?.rows ?? rows,
    bytes: input?.bytes,
    answer: module.answer ?? takenAnswer,
  };
}
