/**
 * NDJSON against `JSON.parse`: any JSON, any order of keys, blanks and escapes, damaged rows, splits of any size.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ndjsonSource } from '../../src/connector/file/ndjson-source.js';
import type { Schema } from '../../src/record/schema.js';
import { inMemory, planSource, readFrom, readSource } from '../unit/connector/file/read-source.js';
import { isMarked, markInexact } from './inexact-numbers.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }) as fc.Arbitrary<Json>;
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '',
    'plain',
    'with "quotes"',
    'back\\slash',
    'tab\t',
    'line\nbreak',
    '{"a":1}',
    'ü€😀',
    '\ud800',
  ),
);
const record = fc.record(
  {
    id: fc.integer(),
    name: fc.oneof(text, fc.constant(null)),
    price: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()),
    flag: fc.boolean(),
    tags: fc.array(text, { maxLength: 3 }),
    nested: json,
    'odd "key"\u00e9': json,
  },
  { requiredKeys: ['id', 'price'] },
);

/** Writes JSON with blanks and escapes as the seed says. */
function written(value: Json, seed: () => number): string {
  const blank = (): string => ['', '', '', ' ', '  ', '\t'][seed() % 6];
  if (typeof value === 'string') {
    const plain = JSON.stringify(value);
    return seed() % 4 === 0 ? plain.replace(/[a-f]/g, escaped(plain)) : plain;
  }
  if (Array.isArray(value)) {
    return `[${blank()}${value.map((item) => written(item, seed) + blank()).join(`,${blank()}`)}]`;
  }
  if (typeof value !== 'object' || value === null) {
    return Object.is(value, -0) ? '-0' : JSON.stringify(value);
  }
  const entries = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}${blank()}:${blank()}${written(item, seed)}${blank()}`,
  );
  return `{${blank()}${entries.join(`,${blank()}`)}}`;
}

/** Escapes letters that are not part of an escape already. */
function escaped(plain: string): (letter: string) => string {
  const safe = !plain.includes('\\');
  return (letter) => (safe ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter);
}

function counter(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state >> 8;
  };
}

const rows = fc.record({
  records: fc.array(record, { maxLength: 25 }),
  shuffled: fc.boolean(),
  compact: fc.boolean(),
  seed: fc.nat(),
  newline: fc.constantFrom('\n', '\r\n', '\n\n'),
  splitBytes: fc.integer({ min: 1, max: 400 }),
  batchRows: fc.integer({ min: 1, max: 12 }),
  sampleRows: fc.integer({ min: 1, max: 30 }),
  validate: fc.constantFrom('projected' as const, 'full' as const),
});

type Rows = typeof rows extends fc.Arbitrary<infer T> ? T : never;

function fileOf(given: Rows): string {
  const seed = counter(given.seed);
  const lines = given.records.map((row) => {
    const entries = Object.entries(row) as [string, Json][];
    if (given.shuffled) entries.sort(() => (seed() % 2) - 0.5);
    const value: Json = Object.fromEntries(entries);
    return given.compact ? JSON.stringify(value) : written(value, seed);
  });
  return lines.join(given.newline);
}

function parsed(file: string): readonly unknown[] {
  return file.split(/[\r\n]+/).flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

describe('NDJSON rows', () => {
  it('are what JSON.parse makes of the lines, each once', async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        const file = fileOf(given);
        const { splitBytes, sampleRows, validate, batchRows } = given;
        const source = ndjsonSource('t', { splitBytes, sampleRows, validate });
        const result = await readSource(source, { ...inMemory({ t: file }), batchRows });
        expect(result.records).toEqual(parsed(file));
        expect(result.bad).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('give the wanted fields only', async () => {
    const wanted = fc.subarray(['id', 'name', 'price', 'flag', 'tags', 'nested', 'never']);
    await fc.assert(
      fc.asyncProperty(rows, wanted, async (given, columns) => {
        const file = fileOf(given);
        const { splitBytes, sampleRows, validate, batchRows } = given;
        const source = ndjsonSource('t', { splitBytes, sampleRows, validate });
        const result = await readSource(source, { ...inMemory({ t: file }), batchRows, columns });
        const expected = parsed(file).map((row) =>
          Object.fromEntries(Object.entries(Object(row)).filter(([key]) => columns.includes(key))),
        );
        expect(result.records).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it('are bad in full mode exactly when JSON.parse refuses or rounds the line', async () => {
    const schema: Schema = {
      shape: 'object',
      fields: ['id', 'name', 'nested'].map((name) => ({
        name,
        type: { kind: 'any' },
        nullable: true,
        optional: true,
      })),
    };
    const damage = fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(),
        fc.constantFrom('', '"', '\\', '{', ']', ',', '0', 'x', '\t', ' '),
      ),
      {
        maxLength: 3,
      },
    );
    await fc.assert(
      fc.asyncProperty(rows, fc.array(damage), async (given, damages) => {
        const lines = fileOf(given).split(/[\r\n]+/);
        const damaged = lines.map((line, index) => {
          const text = (damages[index] ?? []).reduce((current, [at, length, insert]) => {
            const place = at % (current.length + 1);
            return current.slice(0, place) + insert + current.slice(place + (length % 3));
          }, line);
          // Half of a surrogate pair cannot be in a file.
          return Buffer.from(text).toString();
        });
        const outcome = damaged.flatMap((line) => (/^[ \t]*$/.test(line) ? [] : [exact(line)]));
        const source = ndjsonSource('t', { schema, validate: 'full', onError: 'skip' });
        const result = await readSource(source, inMemory({ t: damaged.join('\n') }));
        const good = outcome
          .filter(isRecord)
          .map(({ id, name, nested }) => strip({ id, name, nested }));
        expect(result.records).toEqual(good);
        expect(result.bad.length).toBe(outcome.length - good.length);
      }),
      { numRuns: 150 },
    );
  });

  it('mean the same whatever rows surround them', async () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.nat(),
      fc.constantFrom('', '"', '\\', '}', ',', '0', 'x', ' '),
    );
    const schema: Schema = {
      shape: 'object',
      fields: [
        { name: 'id', type: { kind: 'number' }, nullable: false, optional: false },
        { name: 'name', type: { kind: 'utf8' }, nullable: true, optional: true },
        { name: 'flag', type: { kind: 'bool' }, nullable: false, optional: true },
        { name: 'tags', type: { kind: 'any' }, nullable: false, optional: true },
      ],
    };
    await fc.assert(
      fc.asyncProperty(rows, damage, fc.nat(), async (given, [at, length, insert], which) => {
        const lines = fileOf({ ...given, newline: '\n' }).split('\n');
        const victim = which % lines.length;
        const line = lines[victim];
        const place = at % (line.length + 1);
        const changed = line.slice(0, place) + insert + line.slice(place + (length % 4));
        const source = ndjsonSource('t', { schema, validate: given.validate, onError: 'skip' });
        const alone = await readSource(source, inMemory({ t: changed }));
        const together = await readSource(
          source,
          inMemory({ t: lines.map((old, index) => (index === victim ? changed : old)).join('\n') }),
        );
        const others = await readSource(
          source,
          inMemory({ t: lines.filter((_, index) => index !== victim).join('\n') }),
        );
        expect(together.records.length).toBe(others.records.length + alone.records.length);
        expect(together.bad.length).toBe(others.bad.length + alone.bad.length);
        for (const row of alone.records) expect(together.records).toContainEqual(row);
      }),
      { numRuns: 150 },
    );
  });

  it('are read on exactly from every position', async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.infiniteStream(fc.nat()), async (given, picks) => {
        const { splitBytes, batchRows } = given;
        const options = { ...inMemory({ t: fileOf(given) }), batchRows };
        const run = await planSource(ndjsonSource('t', { splitBytes }), options);
        const all = parsed(fileOf(given));
        const reader = await run.open();
        for (const split of run.plan.splits) reader.addSplit(split, null);
        let seen = 0;
        while (reader.poll() === 0) {
          const count = reader.batch?.rows ?? 0;
          const row = picks.next().value % (count + 1);
          expect(await readFrom(run, reader.positions(row))).toEqual(all.slice(seen + row));
          seen += count;
        }
        expect(seen).toBe(all.length);
      }),
      { numRuns: 60 },
    );
  });
});

/** The record of a line, unless a field that the test reads has a whole number that no double holds. */
function exact(line: string): unknown {
  const record = attempt(line);
  if (!isRecord(record)) return record;
  const { id, name, nested } = JSON.parse(markInexact(line)) as Record<string, unknown>;
  return isMarked([id, name, nested]) ? undefined : record;
}

function attempt(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function strip(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}
