/** A running sum by key: each record gives the sum that its user has come to. */
import { job, sum } from 'millrace';
import { sumSink } from '../lib/answer-sinks.mjs';
import { columnSource } from '../lib/column-source.mjs';
import { amountRecords, amountRows } from '../lib/records.mjs';

const columns = { numbers: ['user', 'amount'] };

export const benchJob = job('keyed-sum', (flow, { rows, seed, keys }) => {
  flow
    .from(
      columnSource(columns, () => amountRecords(seed, keys), rows, { passRows: amountRows(keys) }),
    )
    .keyBy('user')
    .aggregate({ total: sum('amount') }, { emit: 'updates' })
    .to(sumSink('total'));
});
