/** Prices summed up by user in windows of ten seconds of event time. */
import { job, sum, tumbling } from 'millrace';
import { checksumSink } from '../lib/answer-sinks.mjs';
import { columnSource } from '../lib/column-source.mjs';
import { EVENT_ROWS, eventPassMs, eventRecords } from '../lib/records.mjs';

const columns = { numbers: ['user', 'price', 'at'] };

export const benchJob = job('tumbling', (flow, { rows, seed, users, readers }) => {
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
    .window(tumbling('10s'))
    .aggregate({ total: sum('price') })
    .to(checksumSink(['user', 'windowStart', 'windowEnd', 'total']));
});
