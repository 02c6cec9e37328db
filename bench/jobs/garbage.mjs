/** The keyed path with numbers only: read, hash, exchange, add up. */
import { job, max, sum } from 'millrace';
import { checksumSink } from '../lib/answer-sinks.mjs';
import { columnSource } from '../lib/column-source.mjs';
import { numberRecords } from '../lib/records.mjs';

export const benchJob = job('garbage', (flow, { rows, seed }) => {
  flow
    .from(columnSource({ numbers: ['a', 'b'] }, () => numberRecords(seed), rows))
    .keyBy('b')
    .aggregate({ total: sum('a'), most: max('a') })
    .to(checksumSink(['b', 'total', 'most']));
});
