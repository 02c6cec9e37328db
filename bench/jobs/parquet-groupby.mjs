/** Flights, mean and worst delay per origin and day from a Parquet file. */
import { avg, col, collectSink, count, job, max, parquet } from 'millrace';
import { sortedAnswer } from '../lib/answer.mjs';

const out = collectSink();

export const benchJob = job('parquet-groupby', (flow, { path }) => {
  flow
    .from(parquet(path))
    .select({ origin: 'origin', day: col('date').truncate('day'), delay: 'delay' })
    .keyBy('origin', 'day')
    .aggregate({ flights: count(), mean: avg('delay'), worst: max('delay') })
    .to(out);
});

export function answer() {
  const rows = out.rows.map(({ origin, day, flights, mean, worst }) => {
    const key = `${origin} ${new Date(day).toISOString().slice(0, 10)}`;
    return [key, Number(flights), mean, Number(worst)];
  });
  return sortedAnswer(rows);
}
