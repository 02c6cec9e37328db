/** Flights by origin and day, from Parquet. */

const sql = `
  select origin || ' ' || strftime(day, '%Y-%m-%d'), flights, mean, worst
  from (
    select origin, date::date as day, count(*) as flights, avg(delay) as mean, max(delay) as worst
    from $file group by all
  )`;

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'parquet-groupby',
  title: 'three million flights: number, mean and worst delay per origin and day',
  rows: { full: 3_000_000, quick: 3_000_000 },
  input: { file: 'node_modules/vega-datasets/data/flights-3m.parquet', rows: 3_000_000 },
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace',
      module: 'jobs/run-job.mjs',
      options: { job: 'parquet-groupby' },
    },
    {
      name: 'limit',
      title: 'dictionary codes into a dense table by hand, two threads',
      module: 'limits/parquet-groupby.mjs',
    },
    {
      name: 'duckdb',
      title: 'DuckDB, two threads',
      module: 'rivals/duckdb.mjs',
      options: { sql },
    },
  ],
  must: [{ over: 'duckdb', aim: 0.5 }],
};
