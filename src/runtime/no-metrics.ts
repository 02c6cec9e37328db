/**
 * The counters of a job that has not run. Callers: runs whose counters come from elsewhere; apart, so that they do not
 * load what reads counters. Runs on: any thread; plain data.
 */
import type { RunMetricsSnapshot } from './metrics-snapshot.js';

export const NO_METRICS: RunMetricsSnapshot = {
  elapsedMs: 0,
  vertices: [],
  edges: [],
  process: null,
};
