/** What exactly once and a backend that may go to disk cost a running sum of a million keys, which memory can hold. */

const keys = 1_000_000;

/** @param {Record<string, unknown>} settings */
function everyTenSeconds(settings) {
  return {
    module: 'jobs/run-checkpointed.mjs',
    options: { job: 'keyed-sum', params: { keys }, interval: '10s', incremental: true, settings },
  };
}

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'keyed-sum-disk',
  title: 'a running sum over a million keys, exactly once every 10 s, with state on disk',
  // Long enough that checkpoints are not only that of the end.
  rows: { full: 300_000_000, quick: 40_000_000 },
  contenders: [
    {
      name: 'millrace',
      title: 'exactly once every 10 s, state.backend lsm',
      ...everyTenSeconds({ 'state.backend': 'lsm' }),
    },
    { name: 'memory', title: 'exactly once, state.backend memory', ...everyTenSeconds({}) },
    {
      name: 'none',
      title: 'no checkpoints, state.backend memory',
      module: 'jobs/run-job.mjs',
      options: { job: 'keyed-sum', params: { keys } },
    },
  ],
  // Flink 2.3 with RocksDB does 198 thousand records a second and core; thirty times that, on two.
  must: [{ atLeast: 11_880_000, aim: 23_760_000 }, { over: 'memory' }, { over: 'none' }],
};
