/** A source faster than the function behind it: whatever room there is between them is full. Callers: `run-slow.mjs`. */
import { datagen, discard, integers, job, randomText } from 'millrace';

/** Keeps the thread busy for so long, as a function that computes does. */
function spend(ms) {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

export const benchJob = job('slow-function', (flow, { rows, seed, spendMs }) => {
  const fields = { key: integers(0, 9999), text: randomText(200) };
  flow
    .from(datagen({ rows, seed, fields }), { uid: 'records' })
    .keyBy('key')
    .process(
      () => ({
        processElement(record, { collect }) {
          spend(spendMs);
          collect(record);
        },
      }),
      { uid: 'slow' },
    )
    .to(discard(), { uid: 'nowhere' });
});
