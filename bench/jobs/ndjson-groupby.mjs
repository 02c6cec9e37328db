/** Revenue and items per city from a file of JSON objects. */
import { collectSink, job, ndjson, sum } from 'millrace';
import { sortedAnswer } from '../lib/answer.mjs';

const out = collectSink();

export const benchJob = job('ndjson-groupby', (flow, { path, validate }) => {
  flow
    .from(ndjson(path, { validate }))
    .keyBy('city')
    .aggregate({ revenue: sum('price'), items: sum('quantity') })
    .to(out);
});

export function answer() {
  return sortedAnswer(out.rows.map(({ city, revenue, items }) => [city, revenue, items]));
}
