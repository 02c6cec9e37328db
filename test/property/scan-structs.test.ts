/**
 * Objects within rows, read whole or in part: by the row scanner and by the other readers alike, as `JSON.parse` has
 * them, whatever their schema, the order of their keys, damage, and the chunks and splits they come in.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ndjsonSource } from '../../src/connector/file/ndjson-source.js';
import type {
  RowParser,
  RowParserOptions,
  ValidateMode,
} from '../../src/format/bytes/row-parser.js';
import { NdjsonParser } from '../../src/format/ndjson/ndjson-parser.js';
import { StructAppender } from '../../src/record/appenders.js';
import type { Appender, BatchBuilder } from '../../src/record/batch-builder.js';
import {
  type FieldTree,
  namesOf,
  partOf,
  pathsOf,
  projectedSchema,
} from '../../src/record/field-tree.js';
import type { DataType, Field, Schema } from '../../src/record/schema.js';
import { inMemory, readSource } from '../unit/connector/file/read-source.js';
import { damage, damaged, outcome } from './scan-outcome.js';

type Draw = () => number;
type Json = Readonly<Record<string, unknown>>;

const NAMES = ['id', 'kind', 'at', 'x y', 'größe', 'text', 'n'];
const SCALARS = ['number', 'utf8', 'bool', 'timestamp', 'number', 'utf8'];
const TEXTS = [
  '',
  'a',
  'plain text',
  'with "quotes"',
  'back\\slash',
  'ü€😀',
  '{"id":1}',
  'x'.repeat(40),
];

/** A number below 100 at each call, of one seed. */
function drawOf(seed: number): Draw {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % 100;
  };
}

function schemaOf(draw: Draw): Schema {
  return { shape: 'object', fields: fieldsOf(draw, 0) };
}

function fieldsOf(draw: Draw, depth: number): readonly Field[] {
  const count = 1 + (draw() % 4);
  const from = draw();
  return Array.from({ length: count }, (_, index): Field => {
    const isStruct = depth < 3 && draw() < 45;
    const type: DataType = isStruct
      ? { kind: 'struct', fields: fieldsOf(draw, depth + 1) }
      : ({ kind: SCALARS[draw() % SCALARS.length] } as DataType);
    const name = NAMES[(from + index) % NAMES.length];
    return { name, type, nullable: draw() < 30, optional: draw() < 40 };
  });
}

/** Some fields of records, and of the objects within. */
function treeOf(fields: readonly Field[], draw: Draw): FieldTree {
  const kept = fields.filter(() => draw() < 70);
  return new Map(
    (kept.length === 0 ? fields.slice(0, 1) : kept).map(({ name, type }) => [
      name,
      type.kind === 'struct' && draw() < 70 ? treeOf(type.fields, draw) : null,
    ]),
  );
}

function recordOf(fields: readonly Field[], draw: Draw): Json {
  const record: Record<string, unknown> = {};
  const misses = draw() < 30;
  for (const field of fields) {
    if (field.optional && misses && draw() < 50) continue;
    record[field.name] = field.nullable && draw() < 20 ? null : valueOf(field.type, draw);
  }
  return record;
}

function valueOf(type: DataType, draw: Draw): unknown {
  switch (type.kind) {
    case 'struct':
      return recordOf(type.fields, draw);
    case 'number':
      return draw() < 50 ? draw() : (draw() * 1e7 + draw()) / 8 - draw() * 1e12;
    case 'bool':
      return draw() < 50;
    case 'timestamp':
      return new Date(draw() * 1e10).toISOString();
    default:
      return TEXTS[draw() % TEXTS.length];
  }
}

/** JSON of a record: mostly as it is, sometimes with other keys, in another order, twice, or with a misfit. */
function lineOf(record: unknown, draw: Draw, odd: number): string {
  if (typeof record !== 'object' || record === null) {
    return draw() < odd / 4 ? '[1]' : JSON.stringify(record);
  }
  const entries = Object.entries(record).map(
    ([name, value]) => `${JSON.stringify(name)}:${lineOf(value, draw, odd)}`,
  );
  if (draw() < odd) entries.reverse();
  if (draw() < odd) entries.push('"other":{"a":[1,"}"]}');
  if (draw() < odd) entries.unshift(...entries.slice(-1));
  if (draw() < odd) entries.push('"\\u0069d":7');
  return `{${entries.join(draw() < odd ? ' , ' : ',')}}`;
}

function projected(record: Json, tree: FieldTree): Json {
  const entries = Object.entries(record).flatMap(([name, value]) => {
    const below = tree?.get(name);
    if (tree !== null && below === undefined) return [];
    const isPart = below !== undefined && below !== null && value !== null;
    return [[name, isPart ? projected(value as Json, below) : value]];
  });
  return Object.fromEntries(entries) as Json;
}

/** Values as the source gives them: what a timestamp is in JSON, a date. */
function typed(record: Json, fields: readonly Field[]): Json {
  const types = new Map(fields.map(({ name, type }) => [name, type]));
  const entries = Object.entries(record).map(([name, value]) => {
    const type = types.get(name);
    if (value === null || type === undefined) return [name, value];
    if (type.kind === 'struct') return [name, typed(value as Json, type.fields)];
    return [name, type.kind === 'timestamp' ? new Date(String(value)) : value];
  });
  return Object.fromEntries(entries) as Json;
}

function markParts(columns: readonly Appender[], fields: readonly Field[], tree: FieldTree): void {
  for (const column of columns) {
    const field = fields.find(({ name }) => name === column.field.name);
    if (!(column instanceof StructAppender) || field?.type.kind !== 'struct') continue;
    const part = partOf(field, tree?.get(field.name) ?? null);
    column.isPart = part !== null;
    markParts(column.children, field.type.fields, part);
  }
}

const settings = fc.record({
  seed: fc.nat(),
  rows: fc.integer({ min: 1, max: 200 }),
  odd: fc.constantFrom(0, 0, 2, 10),
  validate: fc.constantFrom<ValidateMode>('projected', 'full'),
  chunks: fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 6 }),
});

function outcomes(
  schema: Schema,
  tree: FieldTree,
  bytes: Buffer,
  validate: ValidateMode,
  chunks: readonly number[],
): readonly (readonly unknown[])[] {
  const create = (options: RowParserOptions): RowParser =>
    new NdjsonParser(options, { validate, declared: true });
  const prepare = (builder: BatchBuilder): void => markParts(builder.columns, schema.fields, tree);
  return [true, false].map((scans) =>
    outcome(projectedSchema(schema, tree), create, bytes, chunks, scans, prepare),
  );
}

describe('objects within rows', () => {
  it('are to the scanner what they are to the other readers', () => {
    fc.assert(
      fc.property(settings, damage, ({ seed, rows, odd, validate, chunks }, places) => {
        const draw = drawOf(seed);
        const schema = schemaOf(draw);
        const tree = treeOf(schema.fields, draw);
        const lines = Array.from({ length: rows }, () =>
          lineOf(recordOf(schema.fields, draw), draw, odd),
        );
        const bytes = damaged(`${lines.join('\n')}\n`, places);
        const [scanned, others] = outcomes(schema, tree, bytes, validate, chunks);
        expect(scanned).toEqual(others);
      }),
      { numRuns: 400 },
    );
  });

  it('are the same wherever a chunk ends', () => {
    const draw = drawOf(7);
    const schema = schemaOf(draw);
    const tree = treeOf(schema.fields, draw);
    const lines = Array.from({ length: 6 }, () => lineOf(recordOf(schema.fields, draw), draw, 5));
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const [whole] = outcomes(schema, tree, bytes, 'projected', [bytes.length]);
    expect(whole).toHaveLength(6);
    for (let at = 1; at <= bytes.length; at++) {
      const [scanned, others] = outcomes(schema, tree, bytes, 'projected', [at, bytes.length]);
      expect(scanned).toEqual(whole);
      expect(others).toEqual(whole);
    }
  });

  it('are those of JSON.parse, as far as they are in use, in splits of any size', async () => {
    const splits = fc.record({
      splitBytes: fc.integer({ min: 1, max: 5000 }),
      batchRows: fc.integer({ min: 1, max: 100 }),
      declared: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(settings, splits, async ({ seed, rows, validate }, given) => {
        const draw = drawOf(seed);
        const schema = schemaOf(draw);
        const tree = treeOf(schema.fields, draw);
        const lines = Array.from({ length: rows }, () => recordOf(schema.fields, draw));
        const { splitBytes, batchRows, declared } = given;
        const inferred = { splitBytes, validate, sampleRows: 1000 };
        const source = ndjsonSource('t', declared ? { ...inferred, schema } : inferred);
        const file = lines.map((line) => JSON.stringify(line)).join('\n');
        const result = await readSource(source, {
          ...inMemory({ t: file }),
          batchRows,
          columns: namesOf(tree),
          paths: pathsOf(tree),
        });
        const records = declared ? lines.map((line) => typed(line, schema.fields)) : lines;
        const wanted = records.map((record) => projected(record, tree));
        // Of fields that no record has inference knows nothing, so that such objects are read whole.
        if (declared) expect(result.records).toEqual(wanted);
        else
          expect(result.records.map((record) => projected(record as Json, tree))).toEqual(wanted);
        expect(result.bad).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
