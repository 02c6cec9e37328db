import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/record/batch.js';
import type { BatchBuilder } from '../../src/record/batch-builder.js';
import { createBatchBuilder } from '../../src/record/batch-builder.js';
import { decodeFrame, encodeFrame, frameBytes } from '../../src/record/frame-codec.js';
import { inferSchema } from '../../src/record/infer.js';
import { compileRowReader, compileRowWriter, valueAt } from '../../src/record/row-codec.js';
import type { Schema } from '../../src/record/schema.js';
import { mergeSchemas } from '../../src/record/schema-merge.js';
import type { StreamSchemas } from '../../src/record/schema-registry.js';
import { expectSame, samples } from './record-arbitraries.js';

const RUNS = { numRuns: 150 };

function newBuilder(schema: Schema, capacity: number): BatchBuilder {
  return createBatchBuilder(schema, 1, {
    capacity: Math.max(1, capacity),
    times: true,
    kinds: true,
  });
}

function built(schema: Schema, records: readonly unknown[]): BatchBuilder {
  const builder = newBuilder(schema, records.length);
  const write = compileRowWriter(schema);
  for (const record of records) {
    if (builder.times !== null) builder.times[builder.rows] = builder.rows;
    expect(write(builder, record)).toBe(null);
  }
  return builder;
}

function fixedSchemas(schema: Schema): StreamSchemas {
  const version = { schema, version: 1 };
  return { current: () => version, propose: () => version, get: () => schema };
}

/** The batch after a way through bytes, at an odd place and with bytes of something else around. */
function throughFrame(batch: Batch, compact: boolean, at: number): Batch {
  const bytesMax = frameBytes(batch);
  const memory = new Uint8Array(new SharedArrayBuffer(bytesMax + at + 16)).fill(0xab);
  const bytes = encodeFrame(batch, memory, at, { compact });
  expect(bytes).toBeLessThanOrEqual(bytesMax);
  expect(bytes % 8).toBe(0);
  expect(memory.subarray(at + bytesMax).every((byte) => byte === 0xab)).toBe(true);
  return decodeFrame(memory, at, bytes, fixedSchemas(batch.schema));
}

function recordsOf(batch: Batch): unknown[] {
  const read = compileRowReader(batch.schema, null);
  return Array.from({ length: batch.rows }, (_, row) => read(batch, row));
}

describe('records', () => {
  it('come back from columns and from frames as they went in', () => {
    fc.assert(
      fc.property(samples, fc.boolean(), fc.constantFrom(0, 8, 64), (sample, compact, at) => {
        const builder = built(sample.schema, sample.records);
        const batch = builder.take();
        expectSame(recordsOf(batch), sample.records);
        expect(frameBytes(batch)).toBeLessThanOrEqual(builder.estimatedBytes());
        const decoded = throughFrame(batch, compact, at);
        expectSame(recordsOf(decoded), sample.records);
        expect(decoded.times?.slice(0, decoded.rows)).toStrictEqual(
          Float64Array.from(sample.records, (_, row) => row),
        );
        expect(decoded.kinds?.every((kind) => kind === 0)).toBe(true);
      }),
      RUNS,
    );
  });

  it('come back after rows were written in part, given up and reset', () => {
    fc.assert(
      fc.property(samples, samples, (sample, other) => {
        const builder = newBuilder(sample.schema, sample.records.length);
        const write = compileRowWriter(sample.schema);
        for (let round = 0; round < 3; round++) {
          builder.reset();
          for (const [index, record] of sample.records.entries()) {
            const stranger = other.records[index];
            const fits = stranger === undefined || write(builder, stranger) === null;
            if (fits && builder.rows > index) {
              builder.rows = index;
              for (const column of builder.columns) column.truncate(index);
            }
            expect(write(builder, record)).toBe(null);
          }
          expectSame(recordsOf(builder.take()), sample.records);
        }
      }),
      RUNS,
    );
  });

  it('come back after being copied column by column, in any order', () => {
    fc.assert(
      fc.property(
        samples,
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.boolean(),
        (sample, picks, compact) => {
          const source = throughFrame(built(sample.schema, sample.records).take(), compact, 0);
          const rows = source.rows === 0 ? [] : picks.map((pick) => pick % source.rows);
          const target = newBuilder(sample.schema, rows.length);
          for (const row of rows) {
            for (const [index, column] of target.columns.entries()) {
              column.appendFrom(target.rows, source.columns[index], row);
            }
            target.rows++;
          }
          expectSame(
            recordsOf(target.take()),
            rows.map((row) => sample.records[row]),
          );
        },
      ),
      RUNS,
    );
  });

  it('keep their values when copied into columns of a wider schema', () => {
    fc.assert(
      fc.property(samples, samples, (sample, other) => {
        const wider = mergeSchemas(sample.schema, { ...other.schema, shape: sample.schema.shape });
        const source = built(sample.schema, sample.records).take();
        const target = newBuilder(wider, source.rows);
        for (let row = 0; row < source.rows; row++) {
          for (const column of target.columns) {
            const index = sample.schema.fields.findIndex((f) => f.name === column.field.name);
            if (index < 0) column.setMissing(row);
            else column.appendFrom(row, source.columns[index], row);
          }
          target.rows++;
        }
        const batch = target.take();
        for (const [index, field] of sample.schema.fields.entries()) {
          const column = batch.columns[wider.fields.findIndex((f) => f.name === field.name)];
          for (let row = 0; row < source.rows; row++) {
            expectSame(valueAt(column, row), valueAt(source.columns[index], row));
          }
        }
      }),
      RUNS,
    );
  });

  it('fit the schema that is inferred from them', () => {
    fc.assert(
      fc.property(samples, ({ records }) => {
        // An array is a tuple to inference, and `undefined` in a tuple is a missing field.
        fc.pre(!records.some((record) => Array.isArray(record) && record.includes(undefined)));
        const schema = inferSchema(records);
        expectSame(recordsOf(built(schema, records).take()), records);
      }),
      RUNS,
    );
  });
});
