import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDate, parseInstant } from '../../../../src/format/bytes/instant-bytes.js';

const instant = (text: string): number => parseInstant(Buffer.from(text), 0, text.length);
const date = (text: string): number => parseDate(Buffer.from(text), 0, text.length);

describe('parseInstant', () => {
  it('reads what Date writes', () => {
    const from = Date.UTC(0, 0, 1) - 62_000_000_000_000;
    fc.assert(
      fc.property(
        fc.date({ min: new Date(from), max: new Date('9999-12-31'), noInvalidDate: true }),
        (moment) => {
          fc.pre(moment.getUTCFullYear() >= 0);
          const text = moment.toISOString();
          expect(instant(text)).toBe(moment.getTime());
          expect(date(text.slice(0, 10))).toBe(Math.floor(moment.getTime() / 86_400_000));
        },
      ),
    );
  });

  it('applies offsets, and takes none for UTC', () => {
    const noon = Date.UTC(2024, 1, 29, 12);
    for (const text of [
      '2024-02-29T12:00',
      '2024-02-29 12:00:00',
      '2024-02-29T12:00:00.000Z',
      '2024-02-29t14:00+02:00',
      '2024-02-29T14:00:00+0200',
      '2024-02-29T07:00:00-05',
      '2024-02-29T12:00:00.000999Z',
    ]) {
      expect(instant(text), text).toBe(noon);
    }
    expect(instant('2024-02-29')).toBe(Date.UTC(2024, 1, 29));
    expect(instant('2024-02-29T12:00:00,5Z')).toBe(noon + 500);
  });

  it('refuses days and times that do not exist', () => {
    for (const text of [
      '2023-02-29',
      '1900-02-29',
      '2024-00-01',
      '2024-13-01',
      '2024-04-31',
      '2024-1-01',
      '2024-01-01T24:00',
      '2024-01-01T10:60',
      '2024-01-01T10:00:60',
      '2024-01-01T10:00:00.',
      '2024-01-01T10',
      '2024-01-01T10:00+25:00',
      '2024-01-01T10:00Zx',
      '2024-01-01x10:00',
      '20240101',
    ]) {
      expect(instant(text), text).toBeNaN();
    }
  });
});
