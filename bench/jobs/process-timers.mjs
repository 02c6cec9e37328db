/**
 * A process function by key with a value state and a timer per key, registered with every record as windows do; the
 * timers fire at the end. The function is a lambda like any user's.
 */
import { job } from 'millrace';
import { checksumSink } from '../lib/answer-sinks.mjs';
import { columnSource } from '../lib/column-source.mjs';
import { TIMED_ROWS, timedRecords } from '../lib/records.mjs';

const columns = { numbers: ['user', 'price', 'due'] };

export const benchJob = job('process-timers', (flow, { rows, seed }) => {
  flow
    .from(columnSource(columns, () => timedRecords(seed), rows, { passRows: TIMED_ROWS }))
    .keyBy('user')
    .process((context) => {
      const total = context.state.value({ name: 'total', type: { kind: 'number' } });
      return {
        processElement(record, { timers }) {
          total.update((total.value() ?? 0) + record.price);
          timers.registerEventTime(record.due);
        },
        onTimer(time, { key, collect }) {
          collect({ user: key.user, due: time, total: total.value() });
        },
      };
    })
    .to(checksumSink(['user', 'due', 'total']));
});
