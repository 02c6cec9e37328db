/** Revenue and items per city from a CSV file. */
import { collectSink, csv, job, sum } from 'millrace';
import { sortedAnswer } from '../lib/answer.mjs';

const out = collectSink();

export const benchJob = job('csv-groupby', (flow, { path }) => {
  flow
    .from(csv(path))
    .keyBy('city')
    .aggregate({ revenue: sum('price'), items: sum('quantity') })
    .to(out);
});

export function answer() {
  return sortedAnswer(out.rows.map(({ city, revenue, items }) => [city, revenue, items]));
}
