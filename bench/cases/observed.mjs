/** What it costs a job that somebody looks at it, in every way at once. */

/** Pre-aggregation would leave little to look at. */
const settings = { 'aggregate.preAggregateKeys': 0 };
const tap = { operator: 'aggregate', side: 'input', filter: 'price > 50 and city = "Oslo"' };

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'observed',
  title: 'orders hashed between two workers, with a tap, metrics, events and a reporter on',
  rows: { full: 300_000_000, quick: 6_000_000 },
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace, looked at: a filtered tap on the edge, all counters four times a second',
      module: 'jobs/run-observed.mjs',
      options: { job: 'exchange', settings, tap },
    },
    {
      name: 'alone',
      title: 'the same job, at which nobody looks',
      module: 'jobs/run-observed.mjs',
      options: { job: 'exchange', settings },
    },
  ],
  must: [{ over: 'alone', atLeast: 0.98 }],
};
