/** Group by one key with two sums, from JSON. */

const file = "read_json($file, format = 'newline_delimited')";
const job = 'ndjson-groupby';
const millrace = { module: 'jobs/run-job.mjs' };

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'ndjson-groupby',
  title: 'JSON rows of 143 bytes, grouped by one of 500 cities, two sums',
  rows: { full: 8_000_000, quick: 500_000 },
  input: 'ndjson',
  contenders: [
    {
      ...millrace,
      name: 'millrace',
      title: 'Millrace, all of every row validated',
      options: { job, params: { validate: 'full' } },
    },
    {
      ...millrace,
      name: 'millrace-projected',
      title: 'Millrace, only fields in use validated',
      options: { job, params: { validate: 'projected' } },
    },
    {
      name: 'limit',
      title: 'a parser by hand for this very layout, two threads',
      module: 'limits/ndjson-groupby.mjs',
    },
    {
      name: 'duckdb',
      title: 'DuckDB, two threads',
      module: 'rivals/duckdb.mjs',
      options: { sql: `select city, sum(price), sum(quantity) from ${file} group by city` },
    },
    {
      name: 'node-streams',
      title: 'Node streams, JSON.parse per line, Map',
      module: 'rivals/node-streams-groupby.mjs',
      options: { format: 'ndjson' },
      share: 0.25,
    },
  ],
  must: [
    { over: 'duckdb', atLeast: 1.2, aim: 2 },
    { contender: 'millrace-projected', over: 'duckdb', atLeast: 1.5, aim: 2 },
  ],
};
