/** A running sum of a thousand keys. */

const keys = 1_000;

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'keyed-sum-thousand',
  title:
    'a running sum over a thousand whole numbers as keys, each record hashed to the thread of its key',
  rows: { full: 100_000_000, quick: 10_000_000 },
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
  // Flink 2.3 does 4.8 million records a second and core; six times that, on two.
  must: [{ over: 'limit', atLeast: 0.5, aim: 0.8 }, { atLeast: 57_600_000 }],
};
