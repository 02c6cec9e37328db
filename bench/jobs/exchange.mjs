/**
 * Orders of six fields, two of them texts, hashed between the subtasks and summed up per user. Every field is used
 * after the exchange, so that all of them travel.
 */
import { col, count, job, max, sum } from 'millrace';
import { checksumSink } from '../lib/answer-sinks.mjs';
import { columnSource } from '../lib/column-source.mjs';
import { orderRecords } from '../lib/records.mjs';

const columns = { numbers: ['id', 'user', 'price', 'quantity'], texts: ['city', 'note'] };

export const benchJob = job('exchange', (flow, { rows, seed }) => {
  flow
    .from(columnSource(columns, () => orderRecords(seed), rows))
    .keyBy('user')
    .aggregate({
      total: sum('price'),
      most: max('quantity'),
      newest: max('id'),
      oslo: count().where(col('city').eq('Oslo')),
      notes: count().where(col('note').startsWith('a')),
    })
    .to(checksumSink(['user', 'total', 'most', 'newest', 'oslo', 'notes']));
});
