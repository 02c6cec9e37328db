/** Group by one key with two sums, from CSV. */

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'csv-groupby',
  title: 'the rows of ndjson-groupby as CSV of 72 bytes each, and the same question',
  rows: { full: 8_000_000, quick: 500_000 },
  input: 'csv',
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace',
      module: 'jobs/run-job.mjs',
      options: { job: 'csv-groupby' },
    },
    {
      name: 'limit',
      title: 'a parser by hand for this very layout, two threads',
      module: 'limits/csv-groupby.mjs',
    },
    {
      name: 'duckdb',
      title: 'DuckDB, two threads',
      module: 'rivals/duckdb.mjs',
      options: { sql: 'select city, sum(price), sum(quantity) from read_csv($file) group by city' },
    },
    {
      name: 'node-streams',
      title: 'Node streams with csv-parse, Map',
      module: 'rivals/node-streams-groupby.mjs',
      options: { format: 'csv' },
      share: 0.0625,
    },
  ],
  must: [{ over: 'duckdb', atLeast: 0.7, aim: 1.2 }],
};
