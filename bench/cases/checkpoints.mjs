/** What checkpoints cost: a running sum of a million keys, exactly once, state in a directory. */

const keys = 1_000_000;

/** @param {string} interval @param {boolean} incremental */
function every(interval, incremental) {
  return {
    module: 'jobs/run-checkpointed.mjs',
    options: { job: 'keyed-sum', params: { keys }, interval, incremental },
  };
}

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'checkpoints',
  title: 'a running sum over a million keys: without checkpoints, and exactly once every so often',
  rows: { full: 160_000_000, quick: 40_000_000 },
  contenders: [
    { name: 'millrace', title: 'exactly once every second', ...every('1s', true) },
    { name: 'every-100ms', title: 'exactly once every 100 ms', ...every('100ms', true) },
    { name: 'full', title: 'every second, all state each time', ...every('1s', false) },
    {
      name: 'none',
      title: 'no checkpoints',
      module: 'jobs/run-job.mjs',
      options: { job: 'keyed-sum', params: { keys } },
    },
  ],
  must: [
    { over: 'none', atLeast: 0.9, aim: 0.97 },
    { contender: 'every-100ms', over: 'none', atLeast: 0.75, aim: 0.9 },
  ],
};
