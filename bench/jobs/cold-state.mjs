/** A running sum by random keys, made as they are read, so that nearly nothing but state takes memory. */
import { datagen, integers, job, sum } from 'millrace';
import { sumSink } from '../lib/answer-sinks.mjs';

export const benchJob = job('cold-state', (flow, { rows, seed, keys }) => {
  flow
    .from(datagen({ rows, seed, fields: { user: integers(1, keys), amount: integers(1, 1) } }))
    .keyBy('user')
    .aggregate({ total: sum('amount') }, { emit: 'updates' })
    .to(sumSink('total'));
});
