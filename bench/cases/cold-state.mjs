/** State ten times as large as the memory for it: a running sum by random keys, exactly once. */

const keys = 10_000_000;

/** @param {Record<string, unknown>} settings */
function summing(settings) {
  return {
    module: 'jobs/run-checkpointed.mjs',
    options: { job: 'cold-state', params: { keys }, interval: '10s', incremental: true, settings },
  };
}

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'cold-state',
  title:
    'a running sum over ten million keys at random, exactly once every 10 s, with a tenth of the memory that they take',
  rows: { full: 40_000_000, quick: 12_000_000 },
  contenders: [
    {
      name: 'millrace',
      title: 'state.backend lsm, two slots of 64 MB',
      ...summing({ 'state.backend': 'lsm', 'slot.memory': '64mb' }),
    },
    {
      name: 'memory',
      title: 'state.backend memory, two slots of 2 GB',
      ...summing({ 'slot.memory': '2gb' }),
    },
  ],
  must: [{ over: 'memory' }],
};
