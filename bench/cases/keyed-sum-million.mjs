/** A running sum of a million keys. */

const keys = 1_000_000;

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'keyed-sum-million',
  title:
    'a running sum over a million whole numbers as keys, each record hashed to the thread of its key',
  rows: { full: 24_000_000, quick: 4_000_000 },
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace, two slots',
      module: 'jobs/run-job.mjs',
      options: { job: 'keyed-sum', params: { keys } },
    },
    {
      name: 'limit',
      title: 'two threads by hand, columns in shared memory, typed-array table',
      module: 'limits/keyed-sum.mjs',
      options: { keys },
    },
  ],
  // Flink 2.3 does 0.9 million records a second and core; ten times that, on two.
  must: [{ over: 'limit', atLeast: 0.5, aim: 0.8 }, { atLeast: 18_000_000 }],
};
