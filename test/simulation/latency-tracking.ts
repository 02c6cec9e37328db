/**
 * Latency markers in simulated runs: in half of them, often, so that they meet every other control frame. Runs on: the
 * test's thread.
 */
import { SeededRandom } from '../../src/base/random.js';

/** The settings for a seed. Of a generator of its own, so that everything else of a seed stays what it was. */
export function latencyTracking(seed: number): Readonly<Record<string, string | number>> {
  const random = new SeededRandom(seed ^ 0x1a7e);
  const interval = [0, 0, 2, 20][random.below(4)];
  const granularity = ['single', 'operator', 'subtask'][random.below(3)];
  return {
    'metrics.latency.interval': interval,
    'metrics.latency.granularity': granularity,
    'metrics.latency.historySize': 1 + random.below(3),
  };
}
