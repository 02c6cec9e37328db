/**
 * The last latencies of markers from somewhere to an operator, in shared memory, as Flink keeps them: how many there
 * have been, and the last ones, of which quantiles are exact. Callers: the markers of a subtask write, the snapshot of
 * a run's metrics reads. Runs on: the slot's thread writes, any thread reads.
 */
import type { HistogramStatistics } from './read-user-metrics.js';

/** Float64 values of a history: two of all latencies so far, then the last ones. */
const VALUES = { count: 0, sum: 1, latest: 2 } as const;

/** Float64 values of a history of so many latencies. */
export function historyLength(size: number): number {
  return VALUES.latest + size;
}

/** Adds a latency. */
export function recordLatency(history: Float64Array, latencyMs: number): void {
  const size = history.length - VALUES.latest;
  const count = history[VALUES.count] ?? 0;
  history[VALUES.latest + (count % size)] = latencyMs;
  history[VALUES.sum] = (history[VALUES.sum] ?? 0) + latencyMs;
  history[VALUES.count] = count + 1;
}

/** Whether there has been a latency. */
export function isUsed(history: Float64Array): boolean {
  return history[VALUES.count] !== 0;
}

/** Count and sum are of all latencies so far, the rest of the last ones; null before the first. */
export function readLatencies(history: Float64Array): HistogramStatistics | null {
  const count = history[VALUES.count] ?? 0;
  if (count === 0) return null;
  const sum = history[VALUES.sum] ?? 0;
  const latest = history.slice(VALUES.latest, historyLength(count)).sort();
  const mean = latest.reduce((all, one) => all + one, 0) / latest.length;
  const variance = latest.reduce((all, one) => all + (one - mean) ** 2, 0) / latest.length;
  const quantile = (share: number): number => latest[Math.ceil(share * latest.length) - 1] ?? 0;
  return {
    count,
    sum,
    min: latest[0] ?? 0,
    max: quantile(1),
    mean,
    stddev: Math.sqrt(variance),
    p50: quantile(0.5),
    p75: quantile(0.75),
    p95: quantile(0.95),
    p98: quantile(0.98),
    p99: quantile(0.99),
    p999: quantile(0.999),
  };
}
