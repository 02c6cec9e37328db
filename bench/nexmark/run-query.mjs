/**
 * One query as a contender: runs it as an embedding program would. Callers: `../child.mjs`, in a process of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from 'millrace';
import { nexmarkJob } from './nexmark-job.mjs';

/** Where Flink is measured with exactly once, it takes them as often. */
const CHECKPOINT_INTERVAL = '10s';

/**
 * Options: `query`, `events`, `input` and `output` as `nexmark-job.mjs` takes them, `parallelism`, `memory` of a slot,
 * `guarantee`, `stateBackend`. Measures: `checkpoints` that were completed.
 *
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ options }) {
  const { parallelism, memory, guarantee, stateBackend, ...params } = options;
  const directory = mkdtempSync(join(tmpdir(), 'millrace-nexmark-checkpoints-'));
  try {
    const execution = await start(nexmarkJob, {
      params,
      parallelism,
      slot: { memory },
      runtime: 'threads',
      settings: {
        'state.backend': stateBackend,
        ...(guarantee === 'none' ? {} : checkpointing(directory)),
      },
    });
    const { metrics } = await execution.finished;
    const sources = metrics.vertices.filter(({ isSource }) => isSource);
    return {
      records: sources.reduce((sum, { rowsIn }) => sum + rowsIn, 0),
      measures: { checkpoints: execution.checkpoints.counts.completed },
      answer: null,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function checkpointing(directory) {
  return {
    'execution.checkpointing.interval': CHECKPOINT_INTERVAL,
    'execution.checkpointing.incremental': true,
    'execution.checkpointing.dir': directory,
  };
}
