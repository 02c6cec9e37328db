/**
 * Changes the parallelism of a job with much state by key, and tells how long no record came out of its keyed operator.
 * Callers: `child.mjs`. Options: `from`, `to`, `incremental`, `isFunction`, `settings` of the run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from 'millrace';

/** How often the counters are looked at: what the pause is told to. */
const LOOK_MS = 2;

let module = null;

/** @param {import('../child.mjs').Request} request */
export async function prepare() {
  module = await import(new URL('./rescale.mjs', import.meta.url).href);
}

/** Records that the keyed operator has taken, over its subtasks. */
function takenBy(execution) {
  const keyed = execution.plan.vertices.find(({ operators }) =>
    operators.some(({ spec }) => spec.uid === 'totals' && !spec.isPartial),
  );
  const vertex = execution.metrics().vertices[keyed?.id ?? 0];
  return vertex?.subtasks.reduce((sum, { rowsIn }) => sum + rowsIn, 0) ?? 0;
}

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ rows: keys, seed, options }) {
  const { from, to, incremental, isFunction = false, settings } = options;
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-rescale-'));
  try {
    const execution = await start(module.benchJob, {
      params: { keys, isFunction },
      parallelism: from,
      runtime: 'threads',
      settings: {
        'execution.checkpointing.interval': '1h',
        'execution.checkpointing.dir': directory,
        'execution.checkpointing.incremental': incremental,
        'slot.memory': '3gb',
        ...settings,
      },
      seed,
    });
    while (takenBy(execution) < keys * 1.001) await sleep(10);
    await execution.checkpoint();
    await sleep(500);
    let isDone = false;
    const reporting = execution.rescale(to).finally(() => {
      isDone = true;
    });
    let taken = takenBy(execution);
    let movedMs = performance.now();
    let pauseMs = 0;
    let hasPaused = false;
    while (!hasPaused || !isDone) {
      await sleep(LOOK_MS);
      const now = takenBy(execution);
      const nowMs = performance.now();
      // Counters begin anew with the attempt that goes on.
      if (now < taken) taken = 0;
      if (now === taken) continue;
      pauseMs = Math.max(pauseMs, nowMs - movedMs);
      hasPaused = execution.plan.vertices.some(({ parallelism }) => parallelism === to);
      taken = now;
      movedMs = nowMs;
    }
    const report = await reporting;
    const { history } = execution.checkpoints;
    const newest = history.findLast(({ id }) => id === report.checkpoint);
    if (process.env.BENCH_VERBOSE !== undefined) console.error(report, history);
    const stateBytes = newest?.fullBytes ?? 0;
    execution.cancel();
    await execution.finished.catch(() => {});
    return {
      records: keys,
      answer: null,
      measures: {
        pauseMs,
        checkpointMs: report.checkpointMs,
        restartMs: report.restartMs,
        stateBytes,
        writtenBytes: newest?.bytes ?? 0,
      },
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
