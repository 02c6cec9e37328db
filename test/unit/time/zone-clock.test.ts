import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ZoneClock } from '../../../src/time/zone-clock.js';

const HOUR = 3_600_000;
const utc = (text: string): number => Date.parse(`${text}Z`);

/** What a clock of the platform shows. */
function shown(timeMs: number, timeZone: string): number {
  const text = new Date(timeMs).toLocaleString('sv-SE', { timeZone });
  return utc(text.replace(' ', 'T')) + (((timeMs % 1000) + 1000) % 1000);
}

describe('ZoneClock', () => {
  it('knows when days begin, also those of 23 and 25 hours', () => {
    const berlin = new ZoneClock('Europe/Berlin');
    const startOf = (day: string): number => berlin.instant(utc(`${day}T00:00`));
    expect(startOf('2026-03-29')).toBe(utc('2026-03-28T23:00'));
    expect(startOf('2026-03-30') - startOf('2026-03-29')).toBe(23 * HOUR);
    expect(startOf('2026-10-26') - startOf('2026-10-25')).toBe(25 * HOUR);
    expect(startOf('2026-07-01')).toBe(utc('2026-06-30T22:00'));
  });

  it('stands still while an hour is shown twice, and leaves out the one that is not shown', () => {
    const berlin = new ZoneClock('Europe/Berlin');
    const back = utc('2026-10-25T01:00');
    expect(berlin.local(back - 1)).toBe(utc('2026-10-25T02:59:59.999'));
    expect(berlin.local(back + HOUR - 1)).toBe(utc('2026-10-25T02:59:59.999'));
    expect(berlin.local(back + HOUR)).toBe(utc('2026-10-25T03:00'));
    expect(berlin.instant(utc('2026-10-25T02:30'))).toBe(back - HOUR / 2);
    const ahead = utc('2026-03-29T01:00');
    expect(berlin.local(ahead)).toBe(utc('2026-03-29T03:00'));
    expect(berlin.instant(utc('2026-03-29T02:30'))).toBe(ahead);
  });

  it('begins a day that has no midnight with the first instant that it has', () => {
    const cairo = new ZoneClock('Africa/Cairo');
    expect(cairo.instant(utc('2024-04-26T00:00'))).toBe(utc('2024-04-25T22:00'));
    expect(cairo.local(utc('2024-04-25T22:00'))).toBe(utc('2024-04-26T01:00'));
  });

  it('shows what the platform shows but where that goes back, and never goes back itself', () => {
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'UTC',
    ];
    const time = fc.integer({ min: utc('1990-01-01T00:00'), max: utc('2040-01-01T00:00') });
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.array(time, { maxLength: 8 }), (zone, times) => {
        const clock = new ZoneClock(zone);
        const sorted = times.flatMap((at) => [at, at + 1, at + HOUR]).toSorted((a, b) => a - b);
        let last = Number.NEGATIVE_INFINITY;
        for (const at of sorted) {
          const local = clock.local(at);
          expect(local).toBeGreaterThanOrEqual(last);
          expect(local).toBeGreaterThanOrEqual(shown(at, zone));
          expect(local - shown(at, zone)).toBeLessThan(HOUR);
          expect(clock.instant(local)).toBeLessThanOrEqual(at);
          expect(clock.local(clock.instant(local))).toBeGreaterThanOrEqual(local);
          last = local;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('refuses a zone that the platform does not know', () => {
    expect(() => new ZoneClock('Europe/Berlinn')).toThrow(RangeError);
  });
});
