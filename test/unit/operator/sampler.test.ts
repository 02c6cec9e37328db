/** `stream.sample`: what passes, how much of it, and going on from a snapshot. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Stream } from '../../../src/index.js';
import { testHarness } from '../../../src/testing.js';

interface Numbered {
  readonly n: number;
}

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const harness of opened.splice(0)) harness.close();
});

async function harnessOf(rows: number, options = {}) {
  const part = (records: Stream<Numbered>): Stream<Numbered> => records.sample(rows);
  const harness = await testHarness(part, options);
  opened.push(harness);
  return harness;
}

async function pushAll(
  { input }: Awaited<ReturnType<typeof harnessOf>>,
  from: number,
  to: number,
): Promise<void> {
  for (let n = from; n < to; n++) await input.push({ n });
}

describe('a sample', () => {
  it('is the first records, then a fair choice of the others, ever fewer', async () => {
    const harness = await harnessOf(50);
    await pushAll(harness, 0, 4000);
    const passed = harness.output.records.map(({ n }) => n);
    expect(passed.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    // 50 (1 + ln 80) are to be expected, and as many between 50 and 447 as between 447 and 4000.
    expect(passed.length).toBeGreaterThan(200);
    expect(passed.length).toBeLessThan(340);
    const early = passed.filter((n) => n >= 50 && n < 447).length;
    const later = passed.filter((n) => n >= 447).length;
    expect(Math.abs(early - later)).toBeLessThan(60);
    expect(passed).toEqual(passed.toSorted((a, b) => a - b));
  });

  it('goes on where a snapshot was', async () => {
    const first = await harnessOf(20);
    await pushAll(first, 0, 2000);
    const second = await harnessOf(20, { from: await first.snapshot() });
    await pushAll(second, 2000, 2100);
    // Of one that began anew the first 20 would pass.
    expect(second.output.records.length).toBeLessThan(6);
  });

  it('has at least one record', async () => {
    for (const rows of [0, 1.5, Number.NaN]) {
      await expect(harnessOf(rows)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
  });
});
