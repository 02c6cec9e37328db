/** Tumbling windows of event time. */

const options = { users: 100_000, readers: 2 };

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'tumbling',
  title: 'the sum of a field by a hundred thousand users in windows of ten seconds',
  rows: { full: 16_777_216, quick: 2_097_152 },
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace, two slots',
      module: 'jobs/run-job.mjs',
      options: { job: 'tumbling', params: options },
    },
    {
      name: 'limit',
      title:
        'two threads by hand: sums of the own window in typed arrays, exchanged when it is over',
      module: 'limits/tumbling.mjs',
      options,
    },
  ],
  // Flink 2.3 does 1.15 million records a second and core.
  must: [
    { over: 'limit', atLeast: 0.5, aim: 0.8 },
    { atLeast: 18_400_000, aim: 46_000_000 },
  ],
};
