import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  parseBytes,
  parseDurationMs,
} from '../../../src/base/units.js';

describe('parseDurationMs', () => {
  it.each([
    [250, 250],
    ['250', 250],
    ['250ms', 250],
    ['10s', 10_000],
    ['1.5 m', 90_000],
    ['5min', 300_000],
    [' 2H ', 7_200_000],
    ['1d', 86_400_000],
    [0, 0],
  ])('%j is %d ms', (value, ms) => {
    expect(parseDurationMs(value)).toBe(ms);
  });

  it.each(['', 's', '-1s', '10 parsecs', '1e3', '1s2', Number.NaN, -1, Number.POSITIVE_INFINITY])(
    'refuses %j and says what would do',
    (value) => {
      expect(() => parseDurationMs(value, 'task.stallTimeout')).toThrow(
        expect.objectContaining({ code: 'UNIT_INVALID', advice: expect.stringContaining('"10s"') }),
      );
    },
  );
});

describe('parseBytes', () => {
  it.each([
    [512, 512],
    ['512', 512],
    ['64kb', 65_536],
    ['64k', 65_536],
    ['512MB', 512 * 1024 ** 2],
    ['1.5g', 1.5 * 1024 ** 3],
    ['0.3kb', 307],
  ])('%j is %d bytes', (value, bytes) => {
    expect(parseBytes(value)).toBe(bytes);
  });

  it('names the option it cannot understand', () => {
    expect(() => parseBytes('lots', 'slot.memory')).toThrow(
      'slot.memory: cannot understand "lots".',
    );
  });
});

describe('formats for people', () => {
  it.each([
    [0, '0 ms'],
    [340.4, '340 ms'],
    [1250, '1.25 s'],
    [12_500, '12.5 s'],
    [125_000, '2 m 5 s'],
    [7_500_000, '2 h 5 m'],
  ])('%d ms reads %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.50 KB'],
    [100 * 1024 ** 2, '100 MB'],
    [3 * 1024 ** 5, '3072 TB'],
  ])('%d bytes read %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [87, '87'],
    [12_400, '12.4 K'],
    [3_000_000, '3.00 M'],
  ])('%d reads %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });
});
