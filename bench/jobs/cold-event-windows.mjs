/** Sums by random keys in windows of event time, sliding ones or sessions, made as they are read: a record each ms. */
import { datagen, integers, job, sequence, session, sliding, sum } from 'millrace';
import { sumSink } from '../lib/answer-sinks.mjs';

const WINDOWS = { sliding: () => sliding('2000s', '500s'), session: () => session('2000s') };

export const benchJob = job('cold-event-windows', (flow, { rows, seed, keys, windows }) => {
  flow
    .from(
      datagen({
        rows,
        seed,
        fields: { at: sequence(0), user: integers(1, keys), amount: integers(1, 9) },
      }),
    )
    .assignTimestamps('at')
    .keyBy('user')
    .window(WINDOWS[windows]())
    .aggregate({ total: sum('amount') })
    .to(sumSink('total'));
});
