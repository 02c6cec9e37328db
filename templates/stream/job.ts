import { avg, count, datagen, floats, integers, job, ndjson, timestamps, tumbling } from 'millrace';

/** Readings of sensors, made up here; another source takes the place of this one. */
const readings = (rate: number) =>
  datagen({
    rows: 'unbounded',
    rowsPerSecond: rate,
    fields: { sensor: integers(1, 5), celsius: floats(15, 30), at: timestamps({ every: '100ms' }) },
  });

/** What each sensor has measured, on average over ten seconds. */
export default job('sensors', (flow, { rate = 100, out = 'out/sensors' }) => {
  flow
    .from(readings(rate), { name: 'readings', uid: 'readings' })
    .assignTimestamps('at', { outOfOrderness: '1s' })
    .keyBy('sensor')
    .window(tumbling('10s'))
    .aggregate({ readings: count(), celsius: avg('celsius') }, { uid: 'mean-by-sensor' })
    .to(ndjson(out), { name: 'means', uid: 'to-means' });
});
