/** Calendar arithmetic against `Date`, which is right and slow. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addMonthsToDays,
  clockPart,
  DAY_MS,
  dateText,
  dayOf,
  dayOfMs,
  dayOfWeek,
  dayOfYear,
  daysOf,
  monthOf,
  parseMoment,
  parseTruncation,
  timestampText,
  truncateMs,
  yearOf,
} from '../../src/operator/expression-date.js';

const MOMENT_MAX_MS = 8.64e15;
/** Years 1 to 9999. */
const usual = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
const moments = fc.oneof(usual, fc.integer({ min: -MOMENT_MAX_MS, max: MOMENT_MAX_MS }));

describe('calendar arithmetic', () => {
  it('splits moments as Date does', () => {
    const property = fc.property(moments, (ms) => {
      const date = new Date(ms);
      const days = dayOfMs(ms);
      expect(yearOf(days)).toBe(date.getUTCFullYear());
      expect(monthOf(days)).toBe(date.getUTCMonth() + 1);
      expect(dayOf(days)).toBe(date.getUTCDate());
      expect(dayOfWeek(days)).toBe(date.getUTCDay());
      expect(clockPart(ms, 3_600_000, 24)).toBe(date.getUTCHours());
      expect(clockPart(ms, 60_000, 60)).toBe(date.getUTCMinutes());
      expect(clockPart(ms, 1000, 60)).toBe(date.getUTCSeconds());
      expect(clockPart(ms, 1, 1000)).toBe(date.getUTCMilliseconds());
      expect(daysOf(yearOf(days), monthOf(days), dayOf(days))).toBe(days);
      expect(daysOf(yearOf(days), 1, dayOfYear(days))).toBe(days);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('prints and reads moments as Date does', () => {
    const property = fc.property(moments, (ms) => {
      expect(timestampText(ms)).toBe(new Date(ms).toISOString());
      expect(dateText(dayOfMs(ms))).toBe(new Date(ms).toISOString().split('T')[0]);
      expect(parseMoment(timestampText(ms))).toBe(ms);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('truncates to the latest start that is not later', () => {
    const units = ['second', '15m', '1h', '6h', '1d', 'week', 'month', 'quarter', 'year'];
    const property = fc.property(usual, fc.constantFrom(...units), (ms, unit) => {
      const truncation = parseTruncation(unit);
      const start = truncateMs(ms, truncation);
      expect(start).toBeLessThanOrEqual(ms);
      expect(truncateMs(start, truncation)).toBe(start);
      const longest = { week: 7, month: 31, quarter: 92, year: 366 }[unit] ?? 1;
      expect(ms - start).toBeLessThan(longest * DAY_MS);
      const date = new Date(start);
      if (unit === 'week') expect(date.getUTCDay()).toBe(1);
      if (unit === 'month') expect(date.getUTCDate()).toBe(1);
      if (unit === 'quarter') expect(date.getUTCMonth() % 3).toBe(0);
      if (unit === 'year') expect(date.getUTCMonth()).toBe(0);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('adds months, staying inside the month', () => {
    const months = fc.integer({ min: -50, max: 50 });
    const days = fc.integer({ min: -800_000, max: 800_000 });
    const property = fc.property(days, months, (day, more) => {
      const later = addMonthsToDays(day, more);
      const from = yearOf(day) * 12 + monthOf(day);
      expect(yearOf(later) * 12 + monthOf(later)).toBe(from + more);
      const isCut = dayOf(later) < dayOf(day);
      if (isCut) expect(dayOf(later + 1)).toBe(1);
      else expect(dayOf(later)).toBe(dayOf(day));
    });
    fc.assert(property, { numRuns: 1000 });
  });
});
