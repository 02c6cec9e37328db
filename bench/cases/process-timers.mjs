/** A keyed process function with state and timers. */

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'process-timers',
  title:
    'a process function over a million keys, with a value state and a timer per key, as a lambda',
  rows: { full: 8_000_000, quick: 2_000_000 },
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace, two slots',
      module: 'jobs/run-job.mjs',
      options: { job: 'process-timers' },
    },
    {
      name: 'limit',
      title: 'two threads by hand, columns in shared memory, typed-array table and heap',
      module: 'limits/process-timers.mjs',
    },
  ],
  // Flink 2.3 adds up a million keys at 0.9 million records a second and core; here it would have timers beside.
  must: [{ over: 'limit', atLeast: 0.3, aim: 0.6 }, { atLeast: 5_400_000 }],
};
