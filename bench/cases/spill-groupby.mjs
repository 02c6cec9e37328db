/** Group by a key of which there are more than fit in memory. */

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'spill-groupby',
  title: 'the rows of csv-groupby counted by session, of which there are ten million, in 512 MB',
  rows: { full: 10_000_000, quick: 4_000_000 },
  input: 'csv',
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace, two slots of 256 MB each',
      module: 'jobs/run-job.mjs',
      options: { job: 'spill-groupby', settings: { 'slot.memory': '256mb' } },
    },
    {
      name: 'duckdb',
      title: 'DuckDB, two threads and 512 MB',
      module: 'rivals/duckdb.mjs',
      options: {
        config: { memory_limit: '512MB' },
        sql:
          'select count(*), sum(n) from (select session, count(*) as n from read_csv($file) ' +
          'group by session)',
      },
    },
  ],
  must: [{ over: 'duckdb', aim: 0.7 }],
};
