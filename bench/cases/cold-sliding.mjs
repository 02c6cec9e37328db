/** Sliding windows with more state than memory, exactly once. */

const keys = 10_000_000;

/** @param {Record<string, unknown>} settings */
function summing(settings) {
  return {
    module: 'jobs/run-checkpointed.mjs',
    options: {
      job: 'cold-event-windows',
      params: { keys, windows: 'sliding' },
      interval: '10s',
      incremental: true,
      settings,
    },
  };
}

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'cold-sliding',
  title:
    'sums by ten million keys at random in sliding windows that hold two million records each, exactly once every 10 s',
  rows: { full: 8_000_000, quick: 4_000_000 },
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
