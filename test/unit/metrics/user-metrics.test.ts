import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { quantileOf, readUserMetrics } from '../../../src/metrics/read-user-metrics.js';
import { MetricRegistry, userMetricsBytes } from '../../../src/metrics/user-metrics.js';

const SMALL = { metricsMax: 3, histogramsMax: 1 };

function newRegistry(size = { metricsMax: 8, histogramsMax: 2 }) {
  const memory = new SharedArrayBuffer(64 + userMetricsBytes(size));
  const registry = new MetricRegistry(memory, 64, size);
  return { registry, read: () => readUserMetrics(memory, 64) };
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
  it('are read by name, type and value in order of registration', () => {
    const { registry, read } = newRegistry();
    const group = registry.group('sum-by-user').group('böse');
    const counter = group.counter('rejected');
    const gauge = registry.group('sum-by-user').gauge('temperature');
    const meter = group.meter('events');
    counter.increment();
    counter.increment(5);
    counter.decrement(2);
    gauge.set(-3.5);
    meter.mark();
    meter.mark(9);
    expect(read()).toEqual([
      { name: 'sum-by-user.böse.rejected', type: 'counter', value: 4 },
      { name: 'sum-by-user.temperature', type: 'gauge', value: -3.5 },
      { name: 'sum-by-user.böse.events', type: 'meter', value: 10 },
    ]);
    expect([counter.count, gauge.value, meter.count]).toEqual([4, -3.5, 10]);
  });

  it('are the same when asked for again, and refused as another type', () => {
    const { registry, read } = newRegistry();
    const group = registry.group('op');
    group.counter('n').increment();
    group.counter('n').increment();
    expect(read()).toEqual([{ name: 'op.n', type: 'counter', value: 2 }]);
    expect(codeOf(() => group.gauge('n'))).toBe('METRIC_INVALID');
    expect(codeOf(() => group.counter('x'.repeat(300)))).toBe('METRIC_INVALID');
    expect(codeOf(() => registry.group().counter(''))).toBe('METRIC_INVALID');
  });

  it('fail with a code when the directory is full', () => {
    const { registry, read } = newRegistry(SMALL);
    const group = registry.group('op');
    group.histogram('h');
    expect(codeOf(() => group.histogram('h2'))).toBe('METRICS_FULL');
    group.counter('a');
    group.counter('b');
    expect(codeOf(() => group.counter('c'))).toBe('METRICS_FULL');
    expect(read().map((metric) => metric.name)).toEqual(['op.h', 'op.a', 'op.b']);
  });
});

describe('histogram', () => {
  it('summarises what was counted', () => {
    const { registry, read } = newRegistry();
    const histogram = registry.group('op').histogram('latency');
    expect(read()[0]?.value).toMatchObject({ count: 0, min: null, max: null });
    for (const value of [5, -1, 200, Number.NaN, 1e15]) histogram.update(value);
    expect(histogram.count).toBe(4);
    expect(read()[0]?.value).toMatchObject({ count: 4, sum: 1e15 + 204, min: -1, max: 1e15 });
  });

  it('gives quantiles to within a sixteenth', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0, 0.5, 0.95, 0.99, 1),
        (values, quantile) => {
          const { registry, read } = newRegistry();
          const histogram = registry.group('op').histogram('h');
          for (const value of values) histogram.update(value);
          const metric = read()[0];
          if (metric?.type !== 'histogram') throw new Error('It is a histogram.');
          const sorted = values.toSorted((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(quantile * values.length)) - 1] ?? 0;
          const estimate = quantileOf(metric.value, quantile) ?? 0;
          expect(Math.abs(estimate - exact)).toBeLessThanOrEqual(exact / 16);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('has no quantiles before the first value, and exact ends', () => {
    const { registry, read } = newRegistry();
    const histogram = registry.group('op').histogram('h');
    const quantile = (q: number): number | null => {
      const metric = read()[0];
      return metric?.type === 'histogram' ? quantileOf(metric.value, q) : null;
    };
    expect(quantile(0.5)).toBeNull();
    histogram.update(-7);
    histogram.update(1e15);
    expect([quantile(0), quantile(1)]).toEqual([-7, 1e15]);
  });
});
