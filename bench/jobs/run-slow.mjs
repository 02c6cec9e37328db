/**
 * Takes checkpoints of a job that a slow function holds back, one after the other, and tells how long each was under way
 * and what it held of records. Callers: `child.mjs`. Options: `spendMs` of a record, `checkpoints` to take, `settings`
 * of the run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from 'millrace';

let module = null;

export async function prepare() {
  module = await import(new URL('./slow-function.mjs', import.meta.url).href);
}

/** For how long a subtask of the source has waited for room. */
function backpressured(execution) {
  const { subtasks } = execution.metrics().vertices[0];
  return Math.max(...subtasks.map(({ backpressuredMs }) => backpressuredMs));
}

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows, threads, seed, options }) {
  const { spendMs, checkpoints, settings } = options;
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-slow-'));
  try {
    const execution = await start(module.benchJob, {
      params: { rows, seed, spendMs },
      parallelism: threads,
      runtime: 'threads',
      settings: {
        'execution.checkpointing.interval': '1h',
        'execution.checkpointing.dir': directory,
        ...settings,
      },
      seed,
    });
    // Until all rings are full.
    while (backpressured(execution) < 200) await sleep(20);
    const reports = [];
    for (let taken = 0; taken < checkpoints; taken++) {
      await sleep(100);
      reports.push(await execution.checkpoint());
    }
    execution.cancel();
    await execution.finished.catch(() => {});
    if (process.env.BENCH_VERBOSE !== undefined) console.error(reports);
    const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
    return {
      records: rows,
      answer: null,
      measures: {
        durationMs: middle(reports.map(({ durationMs }) => durationMs)),
        longestMs: Math.max(...reports.map(({ durationMs }) => durationMs)),
        inFlightBytes: middle(reports.map(({ inFlightBytes }) => inFlightBytes)),
        writtenBytes: middle(reports.map(({ bytes }) => bytes)),
      },
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
