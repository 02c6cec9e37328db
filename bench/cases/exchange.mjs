/** Records of six fields hashed between two workers, and a keyed sum. */

/** Pre-aggregation would leave little to exchange. */
const settings = { 'aggregate.preAggregateKeys': 0 };

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'exchange',
  title:
    'orders of six fields, two of them texts, hashed between two workers and summed up per user',
  rows: { full: 60_000_000, quick: 6_000_000 },
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace, two slots, no pre-aggregation',
      module: 'jobs/run-job.mjs',
      options: { job: 'exchange', settings },
    },
    {
      name: 'limit',
      title: 'two threads by hand, columns in shared memory, typed-array table',
      module: 'limits/exchange.mjs',
    },
    {
      name: 'post-message',
      title: 'two threads, objects by postMessage, Map',
      module: 'rivals/post-message-exchange.mjs',
      share: 0.05,
    },
  ],
  must: [{ over: 'limit', atLeast: 0.5, aim: 0.8 }, { atLeast: 12_000_000 }],
};
