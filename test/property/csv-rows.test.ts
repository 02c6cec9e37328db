/**
 * CSV against csv-parse on well-formed input and against a small model on any input, cut into splits of any size.
 */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvSource, type CsvSourceOptions } from '../../src/connector/file/csv-source.js';
import { inMemory, planSource, readFrom, readSource } from '../unit/connector/file/read-source.js';

const texts: CsvSourceOptions = { nulls: [] };

/** A field as text, and whether it is written in quotes although it need not be. */
const field = fc.tuple(
  fc.oneof(
    fc.constantFrom(
      '',
      'a',
      '"',
      'x"y',
      'a,b',
      'line\nbreak',
      '\r\n',
      '12',
      '0012',
      ' pad ',
      'ü€😀',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replace(/[\r\n\ufeff]/g, '_')),
  ),
  fc.boolean(),
);

function written([text, quoted]: [string, boolean]): string {
  const needed = /[",\r\n]/.test(text) || text.startsWith('\ufeff');
  return quoted || needed ? `"${text.replaceAll('"', '""')}"` : text;
}

const table = fc.integer({ min: 2, max: 5 }).chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    rows: fc.array(fc.array(field, { minLength: columns, maxLength: columns }), { maxLength: 30 }),
    newline: fc.constantFrom('\n', '\r\n'),
    ended: fc.boolean(),
    splitBytes: fc.integer({ min: 1, max: 200 }),
    batchRows: fc.integer({ min: 1, max: 20 }),
    parallelism: fc.integer({ min: 1, max: 3 }),
  }),
);

describe('CSV rows', () => {
  it('are those that csv-parse finds, each once, however the file is split', async () => {
    await fc.assert(
      fc.asyncProperty(table, async (given) => {
        const header = Array.from({ length: given.columns }, (_, index) => `c${index}`);
        const types = Object.fromEntries(header.map((name) => [name, 'utf8' as const]));
        const lines = [header.join(','), ...given.rows.map((row) => row.map(written).join(','))];
        const text = lines.join(given.newline) + (given.ended ? given.newline : '');
        const oracle: unknown = parse(text, { columns: true, bom: true });
        const result = await readSource(
          csvSource('t.csv', { ...texts, types, splitBytes: given.splitBytes }),
          {
            ...inMemory({ 't.csv': text }),
            batchRows: given.batchRows,
            parallelism: given.parallelism,
          },
        );
        const order = (record: unknown): string => JSON.stringify(record);
        expect(result.records.map(order).toSorted()).toEqual(
          (oracle as unknown[]).map(order).toSorted(),
        );
        expect(result.bad).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('are the same for every split size and as the model says, also when damaged', async () => {
    const soup = fc
      .array(
        fc.constantFrom(
          'a',
          'b,c',
          ',',
          ',',
          '"',
          '"',
          '""',
          '\n',
          '\n',
          '\r\n',
          '\r',
          '1',
          '-2.5e3',
          '#',
          '\\',
          ' ',
        ),
        { maxLength: 120 },
      )
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(
        soup,
        fc.record({
          splitBytes: fc.integer({ min: 1, max: 40 }),
          batchRows: fc.integer({ min: 1, max: 5 }),
          escape: fc.constantFrom('"', '\\'),
          comment: fc.constantFrom(null, '#'),
          multiline: fc.boolean(),
          wanted: fc.subarray(['x', 'y', 'z'], { minLength: 1 }),
        }),
        async (text, given) => {
          const { splitBytes, escape, comment, multiline, batchRows, wanted } = given;
          const source = csvSource('t.csv', {
            ...texts,
            header: ['x', 'y', 'z'],
            types: { x: 'utf8', y: 'utf8', z: 'utf8' },
            onError: 'skip',
            splitBytes,
            escape,
            comment,
            multiline,
          });
          const disk = inMemory({ 't.csv': text });
          const result = await readSource(source, { ...disk, batchRows, columns: wanted });
          const model = modelRows(text, { escape, comment, multiline });
          const rows = model.filter((row) => row.fields?.length === 3);
          const bad = model.filter((row) => row.fields?.length !== 3);
          expect(result.records).toEqual(
            rows.map(({ fields }) =>
              Object.fromEntries(wanted.map((name) => [name, fields?.['xyz'.indexOf(name)]])),
            ),
          );
          expect(result.bad.map((record) => record.byteOffset)).toEqual(
            bad.map((row) => row.start),
          );
          const lineOf = (at: number): number => text.slice(0, at).split('\n').length;
          expect(result.bad.map((record) => record.line)).toEqual(
            bad.map((row) => lineOf(row.start)),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are read on exactly from every position', async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.infiniteStream(fc.nat()), async (given, picks) => {
        const header = Array.from({ length: given.columns }, (_, index) => `c${index}`);
        const types = Object.fromEntries(header.map((name) => [name, 'utf8' as const]));
        const lines = [header.join(','), ...given.rows.map((row) => row.map(written).join(','))];
        const text = `${lines.join('\n')}\n`;
        const options = { ...inMemory({ 't.csv': text }), batchRows: given.batchRows };
        const source = csvSource('t.csv', { ...texts, types, splitBytes: given.splitBytes });
        const run = await planSource(source, options);
        const all = await readFrom(run, run.plan.splits.map(fromStart));
        const reader = await run.open();
        for (const split of run.plan.splits) reader.addSplit(split, null);
        let seen = 0;
        while (reader.poll() === 0) {
          const rows = reader.batch?.rows ?? 0;
          const row = picks.next().value % (rows + 1);
          expect(await readFrom(run, reader.positions(row))).toEqual(all.slice(seen + row));
          seen += rows;
        }
        expect(seen).toBe(all.length);
      }),
      { numRuns: 100 },
    );
  });
});

function fromStart<T>(split: T): { split: T; position: null } {
  return { split, position: null };
}

interface ModelRow {
  readonly start: number;
  /** Null when the row is bad. */
  readonly fields: readonly string[] | null;
}

interface ModelDialect {
  readonly escape: string;
  readonly comment: string | null;
  readonly multiline: boolean;
}

/** Rows of an ASCII text, character by character. */
function modelRows(source: string, dialect: ModelDialect): readonly ModelRow[] {
  const text = source === '' || source.endsWith('\n') ? source : `${source}\n`;
  const rows: ModelRow[] = [];
  let at = 0;
  while (at < text.length) {
    const lineEnd = text.indexOf('\n', at) + 1;
    const line = text.slice(at, lineEnd);
    if (line === '\n' || line === '\r\n' || (dialect.comment !== null && line.startsWith('#'))) {
      at = lineEnd;
      continue;
    }
    const { fields, end } = modelRow(text, at, dialect);
    rows.push({ start: at, fields });
    at = end;
  }
  return rows;
}

function modelRow(
  text: string,
  start: number,
  { escape, multiline }: ModelDialect,
): { fields: string[] | null; end: number } {
  const fields: string[] = [];
  let at = start;
  for (;;) {
    let value = '';
    if (text[at] === '"') {
      at++;
      for (;;) {
        if (at >= text.length) return { fields: null, end: text.length };
        const isEscape = text[at] === escape && (escape !== '"' || text[at + 1] === '"');
        if (isEscape && (multiline || text[at + 1] !== '\n')) {
          if (at + 1 >= text.length) return { fields: null, end: text.length };
          value += text[at + 1];
          at += 2;
        } else if (text[at] === '"') break;
        else if (text[at] === '\n' && !multiline) return { fields: null, end: at + 1 };
        else value += text[at++];
      }
      at++;
      if (text.startsWith('\r\n', at)) at++;
      if (text[at] !== ',' && text[at] !== '\n') {
        return { fields: null, end: text.indexOf('\n', at) + 1 };
      }
    } else {
      while (text[at] !== ',' && text[at] !== '\n') value += text[at++];
      if (text[at] === '\n' && value.endsWith('\r')) value = value.slice(0, -1);
    }
    fields.push(value);
    if (text[at++] === '\n') return { fields, end: at };
  }
}
