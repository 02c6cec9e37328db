import { describe, expect, it } from 'vitest';
import { MillraceError, toWire } from '../../../src/base/errors.js';
import { SeededRandom } from '../../../src/base/random.js';
import { type RestartPolicy, RestartStrategy } from '../../../src/checkpoint/restart-strategy.js';

const failure = toWire(new MillraceError('USER_FUNCTION_FAILED', 'It threw.'));

/** What is answered to failures at these times. */
function delays(policy: RestartPolicy, ...timesMs: readonly number[]): readonly (number | null)[] {
  const strategy = new RestartStrategy(policy, new SeededRandom(1));
  return timesMs.map((nowMs) => strategy.failed(failure, nowMs));
}

describe('restart strategies', () => {
  it('none starts nothing again', () => {
    expect(delays({ type: 'none' }, 0)).toEqual([null]);
  });

  it('fixed delay starts so often and no more', () => {
    const policy = { type: 'fixedDelay', attempts: 2, delayMs: 50 } as const;
    expect(delays(policy, 0, 1e6, 2e6)).toEqual([50, 50, null]);
  });

  it('failure rate counts failures within the interval that ends now', () => {
    const policy = {
      type: 'failureRate',
      maxFailuresPerInterval: 2,
      failureRateIntervalMs: 1000,
      delayMs: 7,
    } as const;
    expect(delays(policy, 0, 500, 1000, 1600, 1999)).toEqual([7, 7, 7, 7, null]);
  });

  const exponential = {
    type: 'exponentialDelay',
    initialBackoffMs: 100,
    maxBackoffMs: 300,
    backoffMultiplier: 2,
    resetBackoffThresholdMs: 10_000,
    jitterFactor: 0,
  } as const;

  it('exponential delay waits longer each time, to its bound, for ever', () => {
    expect(delays(exponential, 0, 200, 500, 900, 1300)).toEqual([100, 200, 300, 300, 300]);
  });

  it('exponential delay begins anew when the job has run for long enough after its wait', () => {
    expect(delays(exponential, 0, 200, 200 + 200 + 9999, 30_000)).toEqual([100, 200, 300, 100]);
  });

  it('jitter stays within its share and within the bounds', () => {
    const policy = { ...exponential, jitterFactor: 0.5 };
    const waits = delays(policy, ...Array.from({ length: 200 }, (_, at) => at * 400));
    expect(Math.min(...waits.map(Number))).toBeGreaterThanOrEqual(100);
    expect(Math.max(...waits.map(Number))).toBeLessThanOrEqual(300);
    expect(new Set(waits).size).toBeGreaterThan(50);
  });

  it('no strategy starts again what would fail again, also when it is the cause', () => {
    const strategy = new RestartStrategy(exponential, new SeededRandom(1));
    const fenced = new MillraceError('CHECKPOINT_FENCED', 'Another attempt owns it.');
    const wrapped = new MillraceError('CHECKPOINT_FAILED', 'It failed.', { cause: fenced });
    expect(strategy.failed(toWire(fenced), 0)).toBeNull();
    expect(strategy.failed(toWire(wrapped), 0)).toBeNull();
    expect(strategy.failed(failure, 0)).toBe(100);
  });
});
