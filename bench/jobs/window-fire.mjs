/** Prices summed up by user in windows in which every user has a record; the source writes down when it was read. */
import { job, sum, tumbling } from 'millrace';
import { sumSink } from '../lib/answer-sinks.mjs';
import { columnSource } from '../lib/column-source.mjs';
import { pausesOf } from '../lib/pause-probe.mjs';
import { everyUser } from '../lib/records.mjs';

export const WINDOW_MS = 10_000;

const columns = { numbers: ['user', 'price', 'at'] };

export const benchJob = job('window-fire', (flow, { rows, keys, seed, readers, pauses }) => {
  const records = () => everyUser(seed, { users: keys, windowMs: WINDOW_MS });
  const options = { passRows: keys, advance: { field: 'at', byMs: WINDOW_MS } };
  flow
    .from(pausesOf(columnSource(columns, records, rows, options), keys / readers, pauses))
    .assignTimestamps('at')
    .keyBy('user')
    .window(tumbling(WINDOW_MS))
    .aggregate({ total: sum('price') })
    .to(sumSink('total'));
});
