import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';

describe('systemClock', () => {
  it('is the wall clock, and one that never goes back', () => {
    expect(Math.abs(systemClock.epochMs() - Date.now())).toBeLessThan(60_000);
    const first = systemClock.monotonicMs();
    const second = systemClock.monotonicMs();
    expect(second).toBeGreaterThanOrEqual(first);
    expect(second - first).toBeLessThan(60_000);
  });
});
