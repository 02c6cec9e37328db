/** What the keyed path allocates per record. */

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'garbage',
  title:
    'bytes allocated per record in steady state: numbers hashed between two slots and summed up',
  shows: 'measures',
  rows: { full: 50_000_000, quick: 10_000_000 },
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace, two slots',
      module: 'jobs/count-garbage.mjs',
      options: { job: 'garbage', settings: { 'aggregate.preAggregateKeys': 0 } },
      nodeArguments: ['--import', new URL('../lib/garbage-probe.mjs', import.meta.url).href],
    },
  ],
  measures: [{ name: 'bytesPerRecord', unit: 'B', title: 'allocated per record', better: 'less' }],
  must: [{ measure: 'bytesPerRecord', atMost: 0.5 }],
};
