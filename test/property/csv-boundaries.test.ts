/**
 * Split boundaries of CSV against the row starts found by splitting from the top, on any input, with windows so
 * small that both ways of finding them are taken.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvBoundaries } from '../../src/format/csv/csv-boundary.js';
import { csvDialect } from '../../src/format/csv/csv-dialect.js';
import { CsvCells, isComment, splitRow } from '../../src/format/csv/csv-split.js';

const soup = fc
  .array(
    fc.tuple(
      fc.constantFrom('abc', ',', ',', '"', '""', '","', '\n', '\n', '\r\n', '#', '\\', ' '),
      fc.constantFrom(1, 1, 1, 4, 30),
    ),
    { maxLength: 120 },
  )
  .map((parts) => parts.map(([text, times]) => text.repeat(times)).join(''));

describe('CSV boundaries', () => {
  it('are row starts at or after each place', () => {
    fc.assert(
      fc.property(
        soup,
        fc.record({
          escape: fc.constantFrom('"', '\\'),
          comment: fc.constantFrom(null, '#'),
          multiline: fc.boolean(),
          trim: fc.boolean(),
        }),
        fc.record({
          windowBytes: fc.integer({ min: 2, max: 64 }),
          chunkBytes: fc.integer({ min: 1, max: 64 }),
        }),
        fc.array(fc.nat(400), { minLength: 1, maxLength: 8 }),
        (text, options, sizes, places) => {
          const dialect = csvDialect(options, false);
          const bytes = Buffer.from(text);
          const starts = rowStarts(bytes, dialect);
          const file = {
            bytes: bytes.length,
            read: (target: Buffer, position: number) => bytes.copy(target, 0, position),
          };
          const boundaries = new CsvBoundaries(file, dialect, 0, sizes);
          let before = 0;
          for (const place of places.toSorted((a, b) => a - b)) {
            const start = boundaries.rowStartFrom(place);
            expect(start).toBeGreaterThanOrEqual(Math.max(before, Math.min(place, bytes.length)));
            if (start < bytes.length) expect(starts).toContain(start);
            before = start;
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

function rowStarts(bytes: Buffer, dialect: ReturnType<typeof csvDialect>): readonly number[] {
  const text = bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.of(0x0a)]);
  const starts: number[] = [];
  let at = 0;
  while (at >= 0 && at < text.length) {
    starts.push(at);
    at = isComment(text, at, dialect)
      ? text.indexOf(0x0a, at) + 1
      : splitRow(text, at, text.length, dialect, new CsvCells());
  }
  return starts;
}
