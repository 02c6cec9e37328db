/** One worker and two on the work of `exchange`. */

const options = { job: 'exchange', settings: { 'aggregate.preAggregateKeys': 0 } };
const module = 'jobs/run-job.mjs';

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'scaling',
  title: 'the work of exchange on one slot and on two',
  rows: { full: 30_000_000, quick: 3_000_000 },
  contenders: [
    { name: 'millrace', title: 'Millrace, two slots', module, options },
    {
      name: 'millrace-one',
      title: 'Millrace, one slot',
      module,
      options: { ...options, parallelism: 1 },
    },
  ],
  must: [{ over: 'millrace-one' }],
};
