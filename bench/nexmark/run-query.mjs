/**
 * One query as a contender: runs it as an embedding program would. Callers: `../child.mjs`, in a process of its own.
 */
import { run as runJob } from 'millrace';
import { nexmarkJob } from './nexmark-job.mjs';

/**
 * Options: `query`, `events`, `input` and `output` as `nexmark-job.mjs` takes them, `parallelism`, `memory` of a slot.
 *
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ options }) {
  const { parallelism, memory, ...params } = options;
  const { metrics } = await runJob(nexmarkJob, {
    params,
    parallelism,
    slot: { memory },
    runtime: 'threads',
  });
  const sources = metrics.vertices.filter(({ isSource }) => isSource);
  return { records: sources.reduce((sum, { rowsIn }) => sum + rowsIn, 0), answer: null };
}
