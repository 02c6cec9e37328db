/**
 * The row scanner against the generated and general readers alone: the same rows, bad rows, proposals and places, for
 * plain and damaged NDJSON and CSV in chunks of any size.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  RowParser,
  RowParserOptions,
  ValidateMode,
} from '../../src/format/bytes/row-parser.js';
import { csvDialect } from '../../src/format/csv/csv-dialect.js';
import { CsvParser } from '../../src/format/csv/csv-parser.js';
import { NdjsonParser } from '../../src/format/ndjson/ndjson-parser.js';
import type { DataType, Field, Schema } from '../../src/record/schema.js';
import { damage, damaged, outcome } from './scan-outcome.js';

function field(name: string, kind: string, nullable = false, optional = false): Field {
  return { name, type: { kind } as DataType, nullable, optional };
}

const WANTED: Schema = {
  shape: 'object',
  fields: [
    field('city', 'utf8', false, true),
    field('price', 'number', true),
    field('ok', 'bool'),
    field('at', 'timestamp', true),
    field('count', 'int32', false, true),
  ],
};
const CSV_WANTED: Schema = {
  shape: 'object',
  fields: [
    field('city', 'utf8', true),
    field('price', 'number', true),
    field('at', 'timestamp', true),
    field('ok', 'bool'),
  ],
};
const HEADER = ['id', 'city', 'price', 'note', 'at', 'when', 'flag', 'ok'];
const CSV_ALL: Schema = {
  shape: 'object',
  fields: [
    field('id', 'number'),
    field('note', 'utf8'),
    field('when', 'timestamp'),
    field('flag', 'bool'),
    ...CSV_WANTED.fields,
  ],
};

const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 40 }) },
  fc.constantFrom(
    '',
    'a"b',
    'a\\b',
    'a,b',
    '{"x":[1]}',
    'line\nbreak',
    '\t',
    'ü€😀',
    'x'.repeat(70),
  ),
);
const number = fc.oneof(
  fc.integer(),
  fc.integer({ min: -100_000, max: 100_000 }).map((cents) => cents / 100),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const instant = fc
  .date({ min: new Date(0), max: new Date(2e12), noInvalidDate: true })
  .map((date) => date.toISOString());
const record = fc.record(
  {
    id: number,
    city: fc.oneof({ weight: 9, arbitrary: text }, fc.constant(null)),
    note: fc.oneof(text, number, fc.constant(null), fc.constant([1, { a: '}' }]), fc.boolean()),
    price: fc.oneof({ weight: 9, arbitrary: number }, fc.constant(null)),
    ok: fc.boolean(),
    at: fc.oneof(instant, fc.constant(null), fc.constantFrom('soon', '')),
    count: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 9 }) }, fc.constant(1.5)),
    tail: text,
  },
  { requiredKeys: ['id', 'price', 'ok', 'at', 'tail'] },
);
const settings = fc.record({
  validate: fc.constantFrom<ValidateMode>('projected', 'full'),
  declared: fc.boolean(),
  chunks: fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 8 }),
});

describe('rows that the scanner reads', () => {
  it('are those of NDJSON that the other readers read', () => {
    const lines = fc.array(record, { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(lines, damage, settings, (rows, places, given) => {
        const bytes = damaged(rows.map((row) => `${JSON.stringify(row)}\n`).join(''), places);
        const { validate, declared } = given;
        const create = (options: RowParserOptions): RowParser =>
          new NdjsonParser(options, { validate, declared });
        const scanned = outcome(WANTED, create, bytes, given.chunks, true);
        expect(scanned).toEqual(outcome(WANTED, create, bytes, given.chunks, false));
      }),
      { numRuns: 300 },
    );
  });

  it('are those of CSV that the other readers read', () => {
    const rows = fc.array(csvRow(), { minLength: 1, maxLength: 300 });
    const dialects = fc.record({
      quote: fc.constantFrom('"', null),
      multiline: fc.boolean(),
      comment: fc.constantFrom('#', null),
      nulls: fc.constantFrom<string[]>([''], [], ['', 'NULL']),
    });
    fc.assert(
      fc.property(
        rows,
        damage,
        settings,
        dialects,
        fc.boolean(),
        (lines, places, given, dialect, latin1) => {
          const bytes = damaged(lines.join(''), places);
          const { validate, declared } = given;
          const create = (options: RowParserOptions): RowParser =>
            new CsvParser(options, {
              dialect: csvDialect(dialect, latin1),
              header: HEADER,
              validate,
              declared,
              schema: CSV_ALL,
            });
          const scanned = outcome(CSV_WANTED, create, bytes, given.chunks, true);
          expect(scanned).toEqual(outcome(CSV_WANTED, create, bytes, given.chunks, false));
        },
      ),
      { numRuns: 300 },
    );
  });
});

function csvRow(): fc.Arbitrary<string> {
  const cell = text.map((value) => (/[",\n\r]/.test(value) ? quoted(value) : value));
  const numeric = fc.oneof(
    { weight: 9, arbitrary: number.map(String) },
    fc.constantFrom('', '+1', '.5', '5.', '007', 'NULL', '"1"', '1e5', '123456789012345678'),
  );
  const time = fc.oneof(
    { weight: 9, arbitrary: instant },
    fc.constantFrom('', 'soon', '"2024-01-01"'),
  );
  const flag = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('true', 'false') },
    fc.constantFrom('TRUE', '1', '', 'yes'),
  );
  return fc
    .tuple(
      numeric,
      cell,
      numeric,
      cell,
      time,
      time,
      flag,
      flag,
      fc.constantFrom('\n', '\n', '\r\n'),
    )
    .map((cells) => cells.slice(0, 8).join() + cells[8]);
}

function quoted(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}
