/**
 * A job that takes checkpoints into a fresh directory. Callers: `child.mjs`. Options: `job`, `params`, `interval`,
 * `incremental`, `settings` of the run. The answer tells how many were completed too, on standard error.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from 'millrace';
import { takenAnswer } from '../lib/answer-sinks.mjs';

let module = null;

/** @param {import('../child.mjs').Request} request */
export async function prepare({ options }) {
  module = await import(new URL(`./${options.job}.mjs`, import.meta.url).href);
}

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, threads, seed, options }) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-checkpoints-'));
  try {
    const execution = await start(module.benchJob, {
      params: { rows, seed, path: null, ...options.params },
      parallelism: threads,
      runtime: 'threads',
      settings: {
        'execution.checkpointing.interval': options.interval,
        'execution.checkpointing.dir': directory,
        'execution.checkpointing.incremental': options.incremental,
        ...options.settings,
      },
      seed,
    });
    await execution.finished;
    const { counts, history } = execution.checkpoints;
    if (counts.completed === 0) throw new Error('No checkpoint was completed.');
    if (process.env.BENCH_VERBOSE !== undefined) {
      console.error(
        counts,
        history.map(({ bytes, durationMs }) => [bytes, durationMs]),
      );
    }
    return { records: rows, answer: module.answer ?? takenAnswer };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
