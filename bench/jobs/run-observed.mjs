/**
 * Millrace as a contender while everything looks at it: a tap with a filter on an edge, its counters read as often as a
 * server reads them, its events followed, a reporter that writes all metrics. Callers: `child.mjs`.
 */
import { start } from 'millrace';
import { takenAnswer } from '../lib/answer-sinks.mjs';

/** As often as the process of a job reports to its server. */
const METRICS_MS = 250;

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
 * Options: `job`, `settings` of the run, `tap`; without that nobody looks.
 *
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, threads, seed, options }) {
  const { tap, settings } = options;
  let reports = 0;
  const reporter = { intervalMs: 1000, report: (points) => (reports += points.length) };
  const execution = await start(module.benchJob, {
    params: { rows, seed },
    parallelism: threads,
    runtime: 'threads',
    settings,
    seed,
    ...(tap === undefined ? {} : { reporters: { bench: reporter } }),
  });
  if (tap !== undefined) look(execution, tap);
  await execution.finished;
  if (tap !== undefined && reports === 0) throw new Error('Nothing was reported.');
  return { records: rows, answer: module.answer ?? takenAnswer };
}

/** Looks at a job until it ends. */
function look(execution, options) {
  const tap = execution.tap(options);
  const seen = async (stream) => {
    for await (const _ of stream);
  };
  const timer = setInterval(() => JSON.stringify(execution.metrics()), METRICS_MS);
  void Promise.all([seen(tap), seen(execution.events())]).then(() => {
    clearInterval(timer);
    const { shown, passed } = tap.counts;
    if (shown === 0 || passed <= shown) throw new Error(`The tap saw ${shown} of ${passed}.`);
  });
}
