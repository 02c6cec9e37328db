import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../src/record/batch.js';
import { KIND_DELETE } from '../../../src/record/batch.js';
import { createBatchBuilder } from '../../../src/record/batch-builder.js';
import { FixedColumn, NestedColumn, StructColumn } from '../../../src/record/column.js';
import { decodeFrame, encodeFrame, frameBytes } from '../../../src/record/frame-codec.js';
import {
  BYTES_WORD,
  COLUMNS_WORD,
  FLAGS_WORD,
  LAYOUT_WORD,
  MAGIC_WORD,
  ROWS_WORD,
  SCHEMA_VERSION_WORD,
} from '../../../src/record/frame-layout.js';
import { inferSchema } from '../../../src/record/infer.js';
import { compileRowReader, compileRowWriter } from '../../../src/record/row-codec.js';
import type { Schema } from '../../../src/record/schema.js';
import type { StreamSchemas } from '../../../src/record/schema-registry.js';
import { SchemaRegistry, schemaRegistryBytes } from '../../../src/record/schema-registry.js';

const RECORDS = Array.from({ length: 100 }, (_, row) => ({
  amount: row * 1.5,
  count: row,
  city: ['Rome', 'Oslo', 'Bonn'][row % 3],
  id: `id-${row * 7919}`,
}));

function batchOf(records: readonly unknown[], system = false): Batch {
  const schema = inferSchema(records);
  const capacity = Math.max(1, records.length);
  const builder = createBatchBuilder(schema, 1, { capacity, times: system, kinds: system });
  const write = compileRowWriter(schema);
  for (const record of records) write(builder, record);
  return builder.take();
}

function schemasOf(schema: Schema): StreamSchemas {
  const schemas = new SchemaRegistry(new SharedArrayBuffer(schemaRegistryBytes(1))).stream(0);
  schemas.propose(schema);
  return schemas;
}

function encoded(batch: Batch, compact = false): Uint8Array {
  const memory = new Uint8Array(frameBytes(batch));
  return memory.subarray(0, encodeFrame(batch, memory, 0, { compact }));
}

function recordsOf(batch: Batch): unknown[] {
  const read = compileRowReader(batch.schema, null);
  return Array.from({ length: batch.rows }, (_, row) => read(batch, row));
}

describe('frames', () => {
  it('are decoded as views of their bytes, at any multiple of 8', () => {
    const batch = batchOf(RECORDS);
    const ring = new Uint8Array(new SharedArrayBuffer(65_536));
    const bytes = encodeFrame(batch, ring, 1032);
    const decoded = decodeFrame(ring, 1032, bytes, schemasOf(batch.schema));
    expect(decoded.columns[0]).toBeInstanceOf(FixedColumn);
    for (const column of decoded.columns.slice(0, 2)) {
      if (column instanceof FixedColumn) expect(column.values.buffer).toBe(ring.buffer);
    }
    expect(recordsOf(decoded)).toStrictEqual(RECORDS);
  });

  it('are decoded from a copy where memory is not aligned', () => {
    const batch = batchOf(RECORDS);
    const frame = encoded(batch);
    const odd = new Uint8Array(frame.length + 3);
    odd.set(frame, 3);
    const decoded = decodeFrame(odd, 3, frame.length, schemasOf(batch.schema));
    expect(recordsOf(decoded)).toStrictEqual(RECORDS);
  });

  it('take few bytes when compact, and decode to the same', () => {
    const batch = batchOf(RECORDS);
    const compact = encoded(batch, true);
    expect(compact.length).toBeLessThan(encoded(batch).length * 0.75);
    const decoded = decodeFrame(compact, 0, compact.length, schemasOf(batch.schema));
    expect(recordsOf(decoded)).toStrictEqual(RECORDS);
  });

  it.each<[string, number[]]>([
    ['one value', [7, 7, 7, 7]],
    ['bytes', [1_000_000, 1_000_100, 1_000_001]],
    ['shorts', [-5, 20_000, 3]],
    ['ints', [1e12, 1e12 + 2e9, 1e12 + 5]],
    ['too far apart', [0, 2 ** 40, 5]],
    ['negative zero', [0, -0, 1]],
    ['not numbers', [Number.NaN, Number.NaN]],
    ['unsafe', [2 ** 53, 2 ** 53 + 2]],
    ['fractions', [0.5, 1, 2]],
  ])('keep numbers exact when compact: %s', (_, numbers) => {
    const batch = batchOf(numbers);
    const frame = encoded(batch, true);
    const decoded = decodeFrame(frame, 0, frame.length, schemasOf(batch.schema));
    expect(recordsOf(decoded)).toStrictEqual(numbers);
  });

  it('hold uniform system columns once', () => {
    const builder = createBatchBuilder(inferSchema([1]), 1, {
      capacity: 1000,
      times: true,
      kinds: true,
    });
    const write = compileRowWriter(builder.schema);
    for (let row = 0; row < 1000; row++) write(builder, row);
    builder.times?.fill(1234);
    builder.kinds?.fill(KIND_DELETE);
    const frame = encoded(builder.take());
    expect(frame.length).toBeLessThan(8000 + 300);
    const decoded = decodeFrame(frame, 0, frame.length, schemasOf(builder.schema));
    expect(decoded.times?.every((time) => time === 1234)).toBe(true);
    expect(decoded.kinds?.every((kind) => kind === KIND_DELETE)).toBe(true);
    expect(decoded.times?.length).toBe(1000);
  });

  it('are read with the version of the schema they were written with', () => {
    const schemas = schemasOf(inferSchema([{ a: 1 }]));
    const frame = encoded(batchOf([{ a: 1 }]));
    schemas.propose(inferSchema([{ a: 'x', b: 2 }]));
    const decoded = decodeFrame(frame, 0, frame.length, schemas);
    expect([decoded.schemaVersion, recordsOf(decoded)]).toStrictEqual([1, [{ a: 1 }]]);
  });

  it.each<[string, number, number]>([
    ['magic', MAGIC_WORD, 1],
    ['layout', LAYOUT_WORD, 99],
    ['bytes', BYTES_WORD, 1 << 30],
    ['rows', ROWS_WORD, -1],
    ['many rows', ROWS_WORD, 1 << 30],
    ['schema version', SCHEMA_VERSION_WORD, 77],
    ['flags', FLAGS_WORD, 8],
    ['columns', COLUMNS_WORD, 1000],
  ])('are refused with a wrong header: %s', (_, word, value) => {
    const batch = batchOf(RECORDS);
    const frame = encoded(batch);
    new Int32Array(frame.buffer)[word] = value;
    expect(() => decodeFrame(frame, 0, frame.length, schemasOf(batch.schema))).toThrow(/damaged/);
  });

  it('may be empty', () => {
    const batch = { ...batchOf(RECORDS), rows: 0 };
    const frame = encoded(batch, true);
    expect(recordsOf(decodeFrame(frame, 0, frame.length, schemasOf(batch.schema)))).toEqual([]);
  });

  it('are refused when a list claims more items than bytes can hold', () => {
    const batch = batchOf([{ list: [{}] }]);
    const [list] = batch.columns;
    if (!(list instanceof NestedColumn)) throw new TypeError('A list is nested.');
    const offsets = Int32Array.of(0, 1 << 28);
    const child = new StructColumn(list.children[0].field, [], null, null);
    const huge = new NestedColumn(list.field, offsets, [child], null, null);
    expect(() => encoded({ ...batch, columns: [huge] })).toThrow(/without properties/);
  });
});
