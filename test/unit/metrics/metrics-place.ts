/** Directories of user metrics in memory of the test. */
import {
  type DirectorySize,
  userMetricsBytes,
} from '../../../src/metrics/metric-directory-layout.js';
import type { MetricsPlace } from '../../../src/metrics/user-metrics.js';

/** An empty directory, not at the beginning of its memory. */
export function metricsPlace(
  size: DirectorySize = { metricsMax: 8, histogramsMax: 2 },
): MetricsPlace {
  const memory = new SharedArrayBuffer(64 + userMetricsBytes(size));
  return { memory, byteOffset: 64, size, registry: null };
}
