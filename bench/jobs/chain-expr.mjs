/** Five chained operators on numbers, written as expressions. */
import { col, job } from 'millrace';
import { sumSink } from '../lib/answer-sinks.mjs';
import { columnSource } from '../lib/column-source.mjs';
import { numberRecords } from '../lib/records.mjs';

export const benchJob = job('chain-expr', (flow, { rows, seed }) => {
  flow
    .from(columnSource({ numbers: ['a', 'b'] }, () => numberRecords(seed), rows))
    .select({ a: col('a').mul(2).add(1), b: 'b' })
    .filter(col('a').gt(200_001))
    .select({ a: col('a').sub(col('b').mul(3)), b: 'b' })
    .filter(col('b').lt(900))
    .select({ value: col('a').mul(0.5).add(col('b')) })
    .to(sumSink('value'));
});
