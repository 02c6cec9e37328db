/**
 * The row scanner against the generated and general readers alone: the same rows, bad rows, proposals and places, for
 * plain and damaged NDJSON and CSV in chunks of any size.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ByteFeed, FEED_END } from '../../src/connector/file/byte-feed.js';
import { ByteWindow, FILL_READY } from '../../src/connector/file/byte-window.js';
import {
  PARSE_BAD,
  PARSE_FULL,
  PARSE_MISFIT,
  PARSE_MORE,
  ParseCursor,
  type RowParser,
  type RowParserOptions,
  type ValidateMode,
} from '../../src/format/bytes/row-parser.js';
import { csvDialect } from '../../src/format/csv/csv-dialect.js';
import { CsvParser } from '../../src/format/csv/csv-parser.js';
import { NdjsonParser } from '../../src/format/ndjson/ndjson-parser.js';
import { createBatchBuilder } from '../../src/record/batch-builder.js';
import { valueAt } from '../../src/record/column-value.js';
import type { DataType, Field, Schema } from '../../src/record/schema.js';

const CAPACITY = 70;
const ROW_BYTES_MAX = 1 << 20;

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
const damage = fc.array(
  fc.record({
    at: fc.nat(),
    cut: fc.nat(3),
    insert: fc.constantFrom(
      '',
      '"',
      '\\',
      ',',
      '{',
      '}',
      '\n',
      '\r',
      ' ',
      '0',
      '.',
      '\u0001',
      'ü',
      '\ud800',
    ),
  }),
  { maxLength: 4 },
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

function damaged(
  content: string,
  places: readonly { readonly at: number; readonly cut: number; readonly insert: string }[],
): Buffer {
  let result = Buffer.from(content);
  for (const { at, cut, insert } of places) {
    const from = at % (result.length + 1);
    // Half of a pair stands for bytes that are not UTF-8.
    const put = insert === '\ud800' ? Buffer.from([0xff]) : Buffer.from(insert);
    result = Buffer.concat([result.subarray(0, from), put, result.subarray(from + cut)]);
  }
  return result;
}

/** All that a parser says about bytes that come in chunks. */
function outcome(
  schema: Schema,
  create: (options: RowParserOptions) => RowParser,
  bytes: Buffer,
  chunks: readonly number[],
  scans: boolean,
): readonly unknown[] {
  const builder = createBatchBuilder(schema, 0, {
    capacity: CAPACITY,
    times: false,
    kinds: false,
    keepsEntries: scans,
  });
  const rowStarts = new Float64Array(CAPACITY);
  const parser = create({ builder, rowStarts, wanted: [] });
  const window = new ByteWindow(ROW_BYTES_MAX);
  const cursor = new ParseCursor();
  window.open(feedOf(bytes, chunks), 0, false, cursor);
  const said: unknown[] = [];
  const take = (): void => {
    const { columns, rows } = builder.take();
    for (let row = 0; row < rows; row++) {
      said.push([rowStarts[row], ...columns.map((column) => valueAt(column, row))]);
    }
    builder.reset();
  };
  for (;;) {
    const { position } = cursor;
    switch (parser.parse(window.buffer, window.view, cursor)) {
      case PARSE_FULL:
        take();
        break;
      case PARSE_MORE:
        if (window.fill(cursor) !== FILL_READY) {
          take();
          return said;
        }
        if (scans) expect(cursor.memory).not.toBeNull();
        else cursor.memory = null;
        break;
      case PARSE_BAD:
        take();
        said.push([cursor.base + cursor.position, cursor.problem, cursor.field]);
        cursor.position = cursor.rowEnd;
        break;
      case PARSE_MISFIT: {
        take();
        said.push([cursor.base + cursor.position, cursor.proposal]);
        const newline = window.buffer.indexOf(0x0a, cursor.position);
        cursor.position = Math.max(newline + 1, position);
        break;
      }
    }
  }
}

function feedOf(bytes: Buffer, chunks: readonly number[]): ByteFeed {
  let at = 0;
  let reads = 0;
  return {
    fileBytesRead: 0,
    read(target, offset, length): number {
      const wanted = Math.min(length, chunks[reads++ % chunks.length]);
      const part = bytes.subarray(at, at + wanted);
      if (part.length === 0) return FEED_END;
      target.set(part, offset);
      at += part.length;
      return part.length;
    },
    close(): void {},
  };
}
