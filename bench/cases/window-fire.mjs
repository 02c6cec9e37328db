/** For how long input stands still while a window of a million keys gives its results. */

const KEYS = 1_048_576;

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'window-fire',
  title: 'the longest pause of input while windows of a million users each give their sums',
  shows: 'measures',
  rows: { full: 24 * KEYS, quick: 6 * KEYS },
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace, two slots',
      module: 'jobs/run-window-fire.mjs',
      options: {
        job: 'window-fire',
        params: { keys: KEYS },
        // So often that each window gives its results by itself.
        settings: { 'pipeline.autoWatermarkInterval': '10ms', 'aggregate.preAggregateKeys': 0 },
      },
    },
  ],
  measures: [
    { name: 'pauseMsP99', unit: 'ms', title: 'longest pause of a window, p99', better: 'less' },
    {
      name: 'pauseMsMedian',
      unit: 'ms',
      title: 'longest pause of a window, median',
      better: 'less',
    },
  ],
  must: [{ measure: 'pauseMsP99', atMost: 50, aim: 10 }, { measure: 'pauseMsMedian' }],
};
