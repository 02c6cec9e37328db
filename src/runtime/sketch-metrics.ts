/**
 * Metrics that nobody reads, for functions that are looked at without a job. Callers: `explain-code.ts`,
 * `declared-states.ts`. Runs on: the caller's thread.
 */
import { sharedBuffer } from '../memory/arena.js';
import { userMetricsBytes } from '../metrics/metric-directory-layout.js';
import type { MetricsPlace } from '../metrics/user-metrics.js';

/** A place for metrics of a job. */
export function sketchMetrics(job: string): MetricsPlace {
  const size = { metricsMax: 1024, histogramsMax: 256 };
  const owner = { job, operator: null, subtask: null, purpose: 'user metrics' };
  const memory = sharedBuffer(userMetricsBytes(size), owner);
  return { memory, byteOffset: 0, size, registry: null };
}
