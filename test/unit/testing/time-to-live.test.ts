/** Times to live in process functions, by both clocks, as users see them. */
import { afterEach, describe, expect, it } from 'vitest';
import type { OpenProcess, StateTtl } from '../../../src/index.js';
import { testHarness } from '../../../src/testing.js';

interface Visit {
  readonly user: string;
}

const counting =
  (ttl: StateTtl): OpenProcess<Visit, { user: string }, number> =>
  ({ state }) => {
    const visits = state.value<number>({ name: 'visits', ttl });
    return {
      processElement(_visit, context) {
        visits.update((visits.value() ?? 0) + 1);
        context.timers.registerEventTime((context.timestamp ?? 0) + 10);
        context.collect(visits.value() ?? 0);
      },
      onTimer(_timestamp, context) {
        context.collect(-(visits.value() ?? 0));
      },
    };
  };

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const harness of opened.splice(0)) harness.close();
});

async function harnessOf(ttl: StateTtl) {
  const harness = await testHarness((visits) => visits.keyBy('user').process(counting(ttl)));
  opened.push(harness);
  return harness;
}

describe('a time to live in a process function', () => {
  it('goes by event time, which late records do not turn back and the end does not pass', async () => {
    const harness = await harnessOf({ after: 100, clock: 'event' });
    const { input, output } = harness;
    await harness.advanceProcessingTime(1e9);
    await input.push({ user: 'ann' }, 1000);
    await input.push({ user: 'ann' }, 950);
    // The timers of both fire.
    await input.watermark(1099);
    await input.push({ user: 'ann' }, 1050);
    await input.watermark(1149);
    expect(output.records).toEqual([1, 2, -2, -2, 3, -3]);
    expect(harness.state('visits', { user: 'ann' })).toBe(3);
    await input.watermark(1150);
    expect(harness.state('visits', { user: 'ann' })).toBeUndefined();
    await input.push({ user: 'ann' }, 1200);
    await input.end();
    expect(output.records.slice(6)).toEqual([1, -1]);
  });

  it('by event time needs records that have one', async () => {
    const harness = await harnessOf({ after: 100, clock: 'event' });
    const failure = await harness.input.push({ user: 'ann' }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'TIMESTAMP_MISSING' });
    expect(String(failure)).toContain('lives by event time');
  });

  it('begins anew with a use, but not when a test looks', async () => {
    const harness = await harnessOf({ after: 100, update: 'onReadAndWrite' });
    const { input } = harness;
    await input.push({ user: 'ann' }, 1);
    const seen: unknown[] = [];
    for (let look = 0; look < 3; look++) {
      await harness.advanceProcessingTime(40);
      await input.push({ user: 'bob' }, 1);
      seen.push(harness.state('visits', { user: 'ann' }));
    }
    expect(seen).toEqual([1, 1, undefined]);
  });
});
