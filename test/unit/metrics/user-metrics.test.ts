import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import {
  type HistogramStatistics,
  readUserMetrics,
} from '../../../src/metrics/read-user-metrics.js';
import { type MetricGroup, metricGroup } from '../../../src/metrics/user-metrics.js';
import { metricsPlace } from './metrics-place.js';

const SMALL = { metricsMax: 3, histogramsMax: 1 };

function newDirectory(size = { metricsMax: 8, histogramsMax: 2 }) {
  const place = metricsPlace(size);
  return {
    group: (owner = 0): MetricGroup => metricGroup({ place, owner }),
    read: () => readUserMetrics(place.memory, place.byteOffset),
    statistics: (): HistogramStatistics => {
      const [metric] = readUserMetrics(place.memory, place.byteOffset);
      if (metric?.type !== 'histogram') throw new Error('It is a histogram.');
      return metric.value;
    },
    place,
  };
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (MillraceError.is(error)) return error.code;
  }
  return 'none';
}

describe('user metrics', () => {
  it('are read by owner, groups, name, type and value in order of registration', () => {
    const { group, read } = newDirectory();
    const metrics = group(2).group('böse');
    const counter = metrics.counter('rejected');
    const gauge = group(-1).gauge('temperature');
    const meter = metrics.group('country', 'C.H').meter('events per call');
    counter.increment();
    counter.increment(5);
    counter.decrement(2);
    gauge.set(-3.5);
    meter.mark();
    meter.mark(9);
    const outer = { name: 'böse', value: null };
    const country = { name: 'country', value: 'C.H' };
    expect(read()).toEqual([
      { owner: 2, groups: [outer], name: 'rejected', type: 'counter', value: 4 },
      { owner: -1, groups: [], name: 'temperature', type: 'gauge', value: -3.5 },
      { owner: 2, groups: [outer, country], name: 'events per call', type: 'meter', value: 10 },
    ]);
    expect([counter.count, gauge.value, meter.count]).toEqual([4, -3.5, 10]);
  });

  it('are the same when asked for again, and refused as another type', () => {
    const { group, read } = newDirectory();
    group().counter('n').increment();
    group().counter('n').increment();
    group(1).counter('n').increment(7);
    expect(read().map(({ owner, value }) => [owner, value])).toEqual([
      [0, 2],
      [1, 7],
    ]);
    expect(codeOf(() => group().gauge('n'))).toBe('METRIC_INVALID');
    expect(codeOf(() => group(1).histogram('n'))).toBe('METRIC_INVALID');
  });

  it.each(['', 'x'.repeat(300), 'a\u0000b', 'a\u0001b', 7, undefined])(
    'refuse %j as a name, and as that of a group and its value',
    (word) => {
      const { group } = newDirectory();
      const name = word as string;
      expect(codeOf(() => group().counter(name))).toBe('METRIC_INVALID');
      expect(codeOf(() => group().group(name).counter('n'))).toBe('METRIC_INVALID');
      if (word === undefined) return;
      expect(codeOf(() => group().group('key', name).counter('n'))).toBe('METRIC_INVALID');
    },
  );

  it('fail with a code when the directory is full', () => {
    const { group, read } = newDirectory(SMALL);
    group().histogram('h');
    expect(codeOf(() => group().histogram('h2'))).toBe('METRICS_FULL');
    group().counter('a');
    group().counter('b');
    expect(codeOf(() => group().counter('c'))).toBe('METRICS_FULL');
    expect(read().map((metric) => metric.name)).toEqual(['h', 'a', 'b']);
  });

  it('leave the memory untouched while none is registered', () => {
    const { group, read, place } = newDirectory();
    group().group('key', 'value');
    expect(read()).toEqual([]);
    expect(new Uint8Array(place.memory).every((byte) => byte === 0)).toBe(true);
  });

  it('are told apart by owner, groups and name, whatever these are', () => {
    const word = fc.stringMatching(/^\P{Cc}{1,8}$/u);
    const path = fc.record({
      owner: fc.integer({ min: -3, max: 3 }),
      groups: fc.array(fc.record({ name: word, value: fc.option(word) }), { maxLength: 3 }),
      name: word,
    });
    fc.assert(
      fc.property(fc.uniqueArray(path, { selector: JSON.stringify, maxLength: 6 }), (paths) => {
        const { group, read } = newDirectory();
        for (const [index, { owner, groups, name }] of paths.entries()) {
          const inner = groups.reduce(
            (outer, { name: of, value }) => outer.group(of, value ?? undefined),
            group(owner),
          );
          inner.counter(name).increment(index + 1);
        }
        expect(read()).toEqual(
          paths.map((one, index) => ({ ...one, type: 'counter', value: index + 1 })),
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe('histogram', () => {
  it('sums up what was counted', () => {
    const { group, statistics } = newDirectory();
    const histogram = group().histogram('latency');
    expect(statistics()).toMatchObject({ count: 0, sum: 0, min: null, mean: null, p99: null });
    for (const value of [5, -1, 200, Number.NaN, 1e15]) histogram.update(value);
    expect(histogram.count).toBe(4);
    expect(statistics()).toMatchObject({ count: 4, sum: 1e15 + 204, min: -1, max: 1e15 });
    expect(statistics().mean).toBe((1e15 + 204) / 4);
  });

  it('gives quantiles and deviation to within a sixteenth', () => {
    const value = fc.double({ min: 0.01, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (values) => {
        const { group, statistics } = newDirectory();
        const histogram = group().histogram('h');
        for (const one of values) histogram.update(one);
        const sorted = values.toSorted((a, b) => a - b);
        const found = statistics();
        for (const [share, estimate] of [
          [0.5, found.p50],
          [0.75, found.p75],
          [0.95, found.p95],
          [0.98, found.p98],
          [0.99, found.p99],
          [0.999, found.p999],
        ] as const) {
          const exact = sorted[Math.max(1, Math.ceil(share * values.length)) - 1] ?? 0;
          expect(Math.abs((estimate ?? 0) - exact)).toBeLessThanOrEqual(exact / 16);
        }
        const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
        const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / values.length;
        const greatest = sorted.at(-1) ?? 0;
        const error = Math.abs((found.stddev ?? 0) - Math.sqrt(squares));
        expect(error).toBeLessThanOrEqual(greatest / 16);
      }),
      { numRuns: 200 },
    );
  });
});
