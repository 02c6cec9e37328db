/** Prices summed up by user in windows of a minute of event time, with a new one every `slideMs`. */
import { job, sliding, sum } from 'millrace';
import { sumSink } from '../lib/answer-sinks.mjs';
import { columnSource } from '../lib/column-source.mjs';
import { EVENT_ROWS, eventPassMs, eventRecords } from '../lib/records.mjs';

const columns = { numbers: ['user', 'price', 'at'] };

export const benchJob = job('sliding', (flow, { rows, seed, users, readers, slideMs }) => {
  const advance = { field: 'at', byMs: eventPassMs(readers) };
  flow
    .from(
      columnSource(columns, () => eventRecords(seed, { users, readers }), rows, {
        passRows: EVENT_ROWS,
        advance,
      }),
    )
    .assignTimestamps('at')
    .keyBy('user')
    .window(sliding('1m', slideMs))
    .aggregate({ total: sum('price') })
    .to(sumSink('total'));
});
