import { describe, expect, it } from 'vitest';
import {
  historyLength,
  isUsed,
  readLatencies,
  recordLatency,
} from '../../../src/metrics/latency-history.js';

function historyOf(size: number, latencies: readonly number[]): Float64Array {
  const history = new Float64Array(historyLength(size));
  for (const latency of latencies) recordLatency(history, latency);
  return history;
}

describe('the last latencies', () => {
  it('are nothing before the first', () => {
    const history = historyOf(4, []);
    expect(isUsed(history)).toBe(false);
    expect(readLatencies(history)).toBeNull();
  });

  it('have exact quantiles while there are fewer than are kept', () => {
    const history = historyOf(
      128,
      Array.from({ length: 100 }, (_, at) => 100 - at),
    );
    expect(isUsed(history)).toBe(true);
    expect(readLatencies(history)).toMatchObject({
      count: 100,
      sum: 5050,
      min: 1,
      max: 100,
      mean: 50.5,
      p50: 50,
      p95: 95,
      p99: 99,
      p999: 100,
    });
  });

  it('forget what was before them, but for how much that was', () => {
    const found = readLatencies(historyOf(3, [1000, 2000, 5, 5, 8]));
    expect(found).toMatchObject({ count: 5, sum: 3018, min: 5, max: 8, mean: 6, p50: 5, p99: 8 });
    expect(found?.stddev).toBeCloseTo(Math.sqrt(2));
  });
});
