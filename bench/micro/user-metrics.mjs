/** What it costs a function to count: a metric that it has registered, beside a variable of its own. */
import { randomBelow } from '../lib/random.mjs';

const CALL_EVENTS = 1024;
const SIZE = { metricsMax: 64, histogramsMax: 8 };

/** @type {import('../lib/micro-runner.mjs').Micro} */
export const micro = {
  name: 'user-metrics',
  title: 'counting one event in a metric that any thread can read',
  modules: ['metrics/user-metrics.ts', 'metrics/metric-directory-layout.ts'],
  unit: 'event',
  perCall: CALL_EVENTS,
  setup(engine, seed) {
    const below = randomBelow(seed);
    const values = Float64Array.from({ length: CALL_EVENTS }, () => below(100_000) / 7);
    const memory = new SharedArrayBuffer(engine.userMetricsBytes(SIZE));
    const place = { memory, byteOffset: 0, size: SIZE, registry: null };
    const metrics = engine.metricGroup({ place, owner: 0 });
    const counter = metrics.counter('counter');
    const meter = metrics.meter('meter');
    const gauge = metrics.gauge('gauge');
    const histogram = metrics.histogram('histogram');
    const own = { count: 0 };
    return {
      'counter.increment': () => {
        for (let at = 0; at < CALL_EVENTS; at++) counter.increment();
      },
      'meter.mark': () => {
        for (let at = 0; at < CALL_EVENTS; at++) meter.mark();
      },
      'gauge.set': () => {
        for (let at = 0; at < CALL_EVENTS; at++) gauge.set(values[at]);
      },
      'histogram.update': () => {
        for (let at = 0; at < CALL_EVENTS; at++) histogram.update(values[at]);
      },
      'field of an object': () => {
        for (let at = 0; at < CALL_EVENTS; at++) own.count++;
      },
    };
  },
};
