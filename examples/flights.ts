/**
 * The job of `npm start`: three million flights from one Parquet file, counted per origin and day with their mean
 * and worst delay, written as CSV; and the ten origins with the worst delay on average, as a table.
 */
import { fileURLToPath } from 'node:url';
import { avg, col, count, csv, job, max, parquet, print } from 'millrace';

const file = new URL('../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url);
const flights = fileURLToPath(file);

export default job('flights', (flow, { out = 'out/flights-daily' }) => {
  const source = flow.from(parquet(flights));

  source
    .select({ origin: 'origin', day: col('date').cast('date'), delay: 'delay' })
    .keyBy('origin', 'day')
    .aggregate(
      { flights: count(), meanDelay: avg('delay'), worstDelay: max('delay') },
      { name: 'per origin and day', uid: 'daily' },
    )
    .to(csv(out, { ifExists: 'replace' }));

  source
    .keyBy('origin')
    .aggregate(
      { flights: count(), meanDelay: avg('delay'), worstDelay: max('delay') },
      { name: 'per origin', uid: 'origins' },
    )
    .to(print({ title: 'Ten worst origins by mean delay', orderBy: 'meanDelay', limit: 10 }));
});
