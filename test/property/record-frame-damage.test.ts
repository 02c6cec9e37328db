import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/base/errors.js';
import type { Batch } from '../../src/record/batch.js';
import { createBatchBuilder } from '../../src/record/batch-builder.js';
import type { Column } from '../../src/record/column.js';
import { BinaryColumn, FixedColumn, Int64Column, NestedColumn } from '../../src/record/column.js';
import { decodeFrame, encodeFrame, frameBytes } from '../../src/record/frame-codec.js';
import { hashColumn } from '../../src/record/key-hash.js';
import { compileRowReader, compileRowWriter } from '../../src/record/row-codec.js';
import type { Sample } from './record-arbitraries.js';
import { samples } from './record-arbitraries.js';

function encoded({ schema, records }: Sample, compact: boolean): Uint8Array {
  const capacity = Math.max(1, records.length);
  const builder = createBatchBuilder(schema, 1, { capacity, times: true, kinds: true });
  const write = compileRowWriter(schema);
  for (const record of records) write(builder, record);
  const batch = builder.take();
  const memory = new Uint8Array(frameBytes(batch));
  return memory.slice(0, encodeFrame(batch, memory, 0, { compact }));
}

function decoded(memory: Uint8Array, bytes: number, { schema }: Sample): Batch {
  const version = { schema, version: 1 };
  return decodeFrame(memory, 0, bytes, {
    current: () => version,
    propose: () => version,
    get: () => schema,
  });
}

/** Fails when anything a reader of the column may look at lies outside the column's arrays. */
function checkInside(column: Column, rows: number): void {
  for (const bitmap of [column.validity, column.presence]) {
    if (bitmap !== null) expect(bitmap.length).toBeGreaterThanOrEqual(Math.ceil(rows / 8));
  }
  if (column instanceof FixedColumn || column instanceof Int64Column) {
    expect(column.values.length).toBeGreaterThanOrEqual(rows);
  } else if (column instanceof BinaryColumn) {
    expect(column.offsets.length).toBeGreaterThan(column.entries);
    expect(column.codes.length).toBeGreaterThanOrEqual(rows);
    const codes = Array.from(column.codes.subarray(0, rows));
    expect(codes.every((code) => code >= 0 && code < column.entries)).toBe(true);
    checkOffsets(column.offsets, column.entries);
    expect(column.offsets[column.entries]).toBeLessThanOrEqual(column.bytes.length);
  } else if (column instanceof NestedColumn) {
    checkOffsets(column.offsets, rows);
    for (const child of column.children) checkInside(child, column.offsets[rows]);
  } else {
    for (const child of column.children) checkInside(child, rows);
  }
}

function checkOffsets(offsets: Int32Array, count: number): void {
  const used = Array.from(offsets.subarray(0, count + 1));
  expect(used.length).toBe(count + 1);
  expect(used[0]).toBe(0);
  expect(used.every((offset, index) => index === 0 || offset >= used[index - 1])).toBe(true);
}

/** Reads all that there is; damage may show, but only as FRAME_CORRUPT. */
function readAll(memory: Uint8Array, bytes: number, sample: Sample): void {
  try {
    const batch = decoded(memory, bytes, sample);
    for (const column of batch.columns) {
      checkInside(column, batch.rows);
      if (column instanceof BinaryColumn) hashColumn(column);
    }
    const read = compileRowReader(sample.schema, null);
    for (let row = 0; row < batch.rows; row++) read(batch, row);
  } catch (error) {
    if (!MillraceError.is(error) || error.code !== 'FRAME_CORRUPT') throw error;
  }
}

const damages = fc.array(
  fc.record({
    /** Half of the damage hits the header and directory, where it matters most. */
    near: fc.boolean(),
    at: fc.nat(),
    byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
  }),
  { minLength: 1, maxLength: 6 },
);

describe('damaged frames', () => {
  it('never make a reader look outside or fail otherwise than FRAME_CORRUPT', () => {
    fc.assert(
      fc.property(samples, fc.boolean(), damages, (sample, compact, damage) => {
        const memory = encoded(sample, compact);
        for (const { near, at, byte } of damage) {
          const span = near ? Math.min(memory.length, 32 + 32 * 8) : memory.length;
          memory[at % span] = byte;
        }
        readAll(memory, memory.length, sample);
      }),
      { numRuns: 600 },
    );
  });

  it('are refused when they are cut short', () => {
    fc.assert(
      fc.property(samples, fc.boolean(), fc.nat(), (sample, compact, cut) => {
        const memory = encoded(sample, compact);
        const bytes = cut % memory.length;
        expect(() => decoded(memory, bytes, sample)).toThrow(/damaged/);
      }),
      { numRuns: 100 },
    );
  });

  it('are refused when they are read with another schema, or make a batch of it', () => {
    fc.assert(
      fc.property(samples, samples, (sample, other) => {
        const memory = encoded(sample, false);
        readAll(memory, memory.length, { ...other, records: [] });
      }),
      { numRuns: 100 },
    );
  });
});
