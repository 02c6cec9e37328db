/**
 * Rows that the scanner passes over because a filter behind the source does not want them: never one that is wanted or
 * that cannot be told, whatever the types, the order of the keys, damage, and the chunks they come in.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ParseCursor, type RowParserOptions } from '../../src/format/bytes/row-parser.js';
import { NdjsonParser } from '../../src/format/ndjson/ndjson-parser.js';
import type { DataType, Schema } from '../../src/record/schema.js';
import type { ValueFilter } from '../../src/record/value-filter.js';
import { damage, damaged, outcome } from './scan-outcome.js';

const COLUMNS = ['kind', 'n', 'ok', 'text'];
const SCHEMA: Schema = {
  shape: 'object',
  fields: ['utf8', 'number', 'bool', 'utf8'].map((kind, index) => ({
    name: COLUMNS[index],
    type: { kind } as DataType,
    nullable: true,
    optional: true,
  })),
};
const KINDS = ['bid', 'bids', '', 'a"b', 'x'.repeat(40), 'größe', 'kind'];
const FILTERS: readonly ValueFilter[] = [
  { column: 'kind', values: ['bid'] },
  { column: 'kind', values: ['bids', 'a"b', 'größe', 'x'.repeat(40)] },
  { column: 'n', values: [1, -2.5] },
  { column: 'ok', values: [true] },
  { column: 'text', values: ['never'] },
  { column: 'kind', values: [1] },
];

const record = fc.record(
  {
    kind: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...KINDS) }, fc.constant(null)),
    n: fc.oneof(fc.constantFrom(1, 2, -2.5, 1e21, null), fc.integer()),
    ok: fc.constantFrom(true, false, null),
    text: fc.constantFrom('"kind":"bid"', 'plain', '\n', '"', 'never', '\\u'),
    other: fc.constantFrom({ kind: 'bid' }, [1, '}'], 'kind', 7),
  },
  { requiredKeys: [] },
);
/** What is added to a row: a key that comes again, in one spelling or another. */
const more = fc.constantFrom(
  '',
  '',
  '',
  '',
  '"kind":"bid"',
  '"\\u006bind":"bid"',
  '"n":1',
  '"a":1',
);
const lines = fc.array(
  fc.tuple(record, more, fc.boolean()).map(([row, added, isReversed]) => {
    const entries = Object.entries(row).map(
      ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
    );
    if (isReversed && entries.length % 3 === 0) entries.reverse();
    return `{${[...entries, ...(added === '' ? [] : [added])].join(',')}}`;
  }),
  { minLength: 1, maxLength: 40 },
);
const settings = fc.record({
  filter: fc.constantFrom(...FILTERS),
  chunks: fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 8 }),
  /** Lines in a row are alike, as they mostly are in files. */
  repeats: fc.integer({ min: 1, max: 60 }),
});

/** What is read with a filter and the row scanner, and how many rows were passed over. */
function read(
  bytes: Buffer,
  chunks: readonly number[],
  filter: ValueFilter | null,
  scans: boolean,
): { readonly said: readonly (readonly unknown[])[]; readonly passed: number } {
  let seen: ParseCursor | null = null;
  const create = (options: RowParserOptions): NdjsonParser => {
    const parser = new NdjsonParser(
      { ...options, filter },
      { validate: 'projected', declared: true },
    );
    const parse = parser.parse.bind(parser);
    parser.parse = (buffer, view, cursor) => {
      seen = cursor;
      return parse(buffer, view, cursor);
    };
    return parser;
  };
  const said = outcome(SCHEMA, create, bytes, chunks, scans) as readonly (readonly unknown[])[];
  return { said, passed: (seen as ParseCursor | null)?.passed ?? 0 };
}

/** Rows, but no reports, that have a value of the filter. */
function wanted(said: readonly (readonly unknown[])[], filter: ValueFilter): readonly unknown[] {
  const column = COLUMNS.indexOf(filter.column) + 1;
  return said.filter(
    (row) => row.length > COLUMNS.length && filter.values.some((value) => value === row[column]),
  );
}

describe('a filter that the scanner takes', () => {
  it('leaves out no row that is wanted, and counts those that it does', () => {
    fc.assert(
      fc.property(lines, settings, (rows, { filter, chunks, repeats }) => {
        const all = rows.flatMap((row) => Array.from({ length: repeats }, () => row));
        const bytes = Buffer.from(`${all.join('\n')}\n`);
        const filtered = read(bytes, chunks, filter, true);
        const whole = read(bytes, chunks, null, false);
        expect(whole.passed).toBe(0);
        expect(wanted(filtered.said, filter)).toEqual(wanted(whole.said, filter));
        expect(filtered.said.length + filtered.passed).toBe(whole.said.length);
      }),
      { numRuns: 80 },
    );
  });

  it('leaves out no wanted row among damaged ones', () => {
    fc.assert(
      fc.property(lines, damage, settings, (rows, places, { filter, chunks, repeats }) => {
        const all = rows.flatMap((row) => Array.from({ length: repeats }, () => row));
        const bytes = damaged(`${all.join('\n')}\n`, places);
        const filtered = read(bytes, chunks, filter, true);
        const whole = read(bytes, chunks, null, false);
        expect(wanted(filtered.said, filter)).toEqual(wanted(whole.said, filter));
      }),
      { numRuns: 80 },
    );
  });

  it('passes over nearly all rows of other values, wherever the column stands', () => {
    for (const row of [
      { kind: 'bid', n: 1, ok: true, text: 'a' },
      { other: { deep: [1, '}'] }, n: 1, ok: true, text: 'a', kind: 'bid' },
    ]) {
      const kinds = Array.from({ length: 5000 }, (_, at) => (at % 10 === 0 ? 'bid' : 'auction'));
      const all = kinds.map((kind) => `${JSON.stringify({ ...row, kind })}\n`);
      const bytes = Buffer.from(all.join(''));
      const filter = { column: 'kind', values: ['bid'] };
      const { said, passed } = read(bytes, [50_000], filter, true);
      expect(wanted(said, filter)).toHaveLength(500);
      expect(passed).toBeGreaterThan(4000);
    }
  });
});
