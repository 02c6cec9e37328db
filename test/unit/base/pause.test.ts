import { describe, expect, it } from 'vitest';
import { pauseFor } from '../../../src/base/pause.js';

describe('a pause', () => {
  it('is over when its time has passed, and as soon as it is ended, which may be said twice', async () => {
    await pauseFor(1).over;
    const long = pauseFor(1e6);
    long.end();
    long.end();
    await long.over;
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const other = pauseFor(1e6);
    const during = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    other.end();
    expect(during).toBe(timers + 1);
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBe(
      timers,
    );
  });
});
