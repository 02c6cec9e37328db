import { expect, it } from 'vitest';
import { RateWindow } from '../../../src/runtime/rate-window.js';

it('rates are reckoned from five to ten seconds before, and never over the begin of an attempt', () => {
  const window = new RateWindow({ elapsedMs: 0, rows: 0 });
  for (let second = 1; second <= 20; second++) {
    window.add({ elapsedMs: second * 1000, rows: second * 10 });
    const spanMs = window.newest.elapsedMs - window.earlier.elapsedMs;
    if (second > 10) expect(spanMs).toBeGreaterThanOrEqual(5000);
    if (second > 10) expect(spanMs).toBeLessThanOrEqual(10_000);
  }
  window.begin();
  for (let second = 21; second <= 40; second++) {
    window.add({ elapsedMs: second * 1000, rows: (second - 21) * 10 });
    expect(window.newest.rows).toBeGreaterThanOrEqual(window.earlier.rows);
    expect(window.earlier.elapsedMs).toBeGreaterThanOrEqual(21_000);
  }
});
