/** An aggregate of one's own: the median of the last hundred values of each key. */
import { aggregator, datagen, integers, job, normal, print } from 'millrace';

const medianOfLast = aggregator({
  create: (): number[] => [],
  add: (values, record: { reading: number }) => {
    values.push(record.reading);
    if (values.length > 100) values.shift();
  },
  result: (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? null,
});

export default job('custom-aggregate', (flow, { rows = 10_000 }) => {
  flow
    .from(datagen({ rows, seed: 7, fields: { sensor: integers(1, 5), reading: normal(20, 3) } }))
    .keyBy('sensor')
    .aggregate({ median: medianOfLast })
    .to(print({ title: 'Median of the last hundred readings', orderBy: 'sensor' }));
});
