import { describe, expect, it } from 'vitest';
import {
  agoText,
  countOf,
  parseWatermark,
  rateText,
  shortened,
  timeText,
  watermarkText,
  wholeDuration,
} from '../../../src/console/format.js';

describe('numbers and times of the console', () => {
  it('have their unit', () => {
    expect([0, 0.24, 9.96, 14.6, 12_345, 3e6].map(rateText)).toEqual([
      '0/s',
      '0.2/s',
      '10/s',
      '15/s',
      '12.3 K/s',
      '3.00 M/s',
    ]);
    expect([countOf(1, 'slot'), countOf(3, 'slot'), countOf(0, 'slot')]).toEqual([
      '1 slot',
      '3 slots',
      '0 slots',
    ]);
  });

  it('say how long ago something was, without flicker', () => {
    expect(agoText(null, 5000)).toBe('–');
    expect(agoText(4500, 5000)).toBe('now');
    expect(agoText(9000, 5000)).toBe('now');
    expect(agoText(1000, 5900)).toBe('4 s ago');
    expect(wholeDuration(125_900)).toBe('2 m 5 s');
    expect(wholeDuration(3 * 86_400_000 + 7_200_000)).toBe('3 d 2 h');
  });

  it('write moments to the second', () => {
    expect(timeText(new Date(2026, 0, 2, 3, 4, 5).getTime())).toBe('2026-01-02 03:04:05');
  });

  it('know the ends of event time', () => {
    expect(watermarkText(null)).toBe('none yet');
    expect(watermarkText(Number.MAX_SAFE_INTEGER)).toBe('the end');
    expect(watermarkText(1_760_000_000_000)).toBe('2025-10-09 08:53:20.000 UTC');
    expect(watermarkText(8.64e15 + 1)).toBe('8640000000000001 ms');
    expect(parseWatermark('-9223372036854775808')).toBeNull();
    expect(parseWatermark('9223372036854775807')).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseWatermark('-5')).toBe(-5);
  });

  it('shorten names in their middle', () => {
    expect(shortened('short', 5)).toBe('short');
    expect(shortened('abcdefghij', 5)).toBe('ab…ij');
  });
});
