/**
 * Batches as bytes and back (`frame-layout.ts`). Every frame is self-contained but for its schema,
 * which it names by version. Plain columns are copied in one piece and decoded as views, so a
 * decoded batch is valid as long as the bytes are. Callers: exchange ports, spilling. Runs on:
 * worker. Invariant: no frame, however damaged, makes a reader look outside its bytes: offsets,
 * lengths and codes are checked here, once per frame.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import type { Batch, SpentBatch } from './batch.js';
import { bitmapBytes } from './bitmap.js';
import type { Column } from './column.js';
import { BinaryColumn, FixedColumn, Int64Column, NestedColumn } from './column.js';
import { FrameReader } from './frame-reader.js';
import {
  aligned,
  buffersStart,
  FLAG_KINDS,
  FLAG_TIMES,
  FRAME_ALIGNMENT,
  HEADER_BYTES,
  SCHEMA_VERSION_WORD,
} from './frame-layout.js';
import { type EncodeOptions, FrameWriter } from './frame-writer.js';
import type { Schema } from './schema.js';
import type { SchemaVersion, StreamSchemas } from './schema-registry.js';

/** Slack per buffer for alignment. */
const PADDING = FRAME_ALIGNMENT;

const writer = new FrameWriter();
const reader = new FrameReader();

/** Bytes that are enough to encode a batch, whatever the options; a multiple of 8. */
export function frameBytes(batch: Batch): number {
  return batchBytes(batch, entryBytes);
}

/** About the bytes of a batch that is lent and not encoded: of large dictionaries the share of its rows. */
export function lentBytes(batch: Batch): number {
  return batchBytes(batch, rowTextBytes);
}

/** Bytes of the texts that come with the rows of a column. */
type TextBytes = (column: BinaryColumn, rows: number, isSelected: boolean) => number;

const entryBytes: TextBytes = (column, rows, isSelected) => {
  const isCoded = column.isDictionary || column.isSelected || isSelected;
  const entries = isCoded ? column.entries : rows;
  const codes = isCoded ? rows * 4 + PADDING : 0;
  return codes + (entries + 1) * 4 + column.offsets[entries] - column.offsets[0];
};

const rowTextBytes: TextBytes = (column, rows, isSelected) => {
  if (isSelected || column.entries <= rows) return entryBytes(column, rows, isSelected);
  const { entries, offsets } = column;
  return rows * 8 + Math.ceil(((offsets[entries] - offsets[0]) * rows) / entries);
};

function batchBytes(batch: Batch, textBytes: TextBytes): number {
  let bytes = buffersStart(2 + batch.columns.length);
  if (batch.times !== null) bytes += batch.rows * 8;
  if (batch.kinds !== null) bytes += batch.rows + PADDING;
  const isSelected = batch.selection !== undefined && batch.selection !== null;
  const { columns, rows } = batch;
  for (let index = 0; index < columns.length; index++) {
    bytes += columnBytes(columns[index], rows, isSelected, textBytes);
  }
  return aligned(bytes);
}

function columnBytes(
  column: Column,
  rows: number,
  isSelected: boolean,
  textBytes: TextBytes,
): number {
  const marks = bitmapBytes(rows) + PADDING;
  const bitmaps = (column.validity === null ? 0 : marks) + (column.presence === null ? 0 : marks);
  if (column instanceof FixedColumn) {
    // A constant takes 8 bytes even where a value takes less.
    return bitmaps + rows * column.values.BYTES_PER_ELEMENT + PADDING;
  }
  if (column instanceof Int64Column) return bitmaps + Math.max(1, rows) * 8;
  if (column instanceof BinaryColumn) {
    return bitmaps + textBytes(column, rows, isSelected) + 4 * PADDING;
  }
  const isNested = column instanceof NestedColumn;
  const childRows = isNested ? column.offsets[rows] - column.offsets[0] : rows;
  let total = bitmaps + (isNested ? (rows + 1) * 4 + PADDING : 0);
  for (const child of column.children) {
    total += buffersStart(1) - HEADER_BYTES + columnBytes(child, childRows, isSelected, textBytes);
  }
  return total;
}

/**
 * Writes a batch as a frame at `offset`, a multiple of 8 in memory with room for
 * `frameBytes(batch)`, and returns the bytes written, a multiple of 8. `compact` looks for shorter
 * encodings, for frames that are kept.
 */
export function encodeFrame(
  batch: Batch,
  target: Uint8Array,
  offset: number,
  options?: EncodeOptions,
): number {
  assert(
    (target.byteOffset + offset) % FRAME_ALIGNMENT === 0,
    'A frame is written at a multiple of 8 bytes.',
  );
  return writer.write(batch, target, offset, options?.compact ?? false);
}

/**
 * The batch that `bytes` bytes at `offset` are, as views where possible; throws `FRAME_CORRUPT`. `spent`, which
 * an earlier call returned, is used again.
 */
export function decodeFrame(
  source: Uint8Array,
  offset: number,
  bytes: number,
  schemas: StreamSchemas,
  spent: SpentBatch | null = null,
): SpentBatch {
  if (offset < 0 || bytes < HEADER_BYTES || offset + bytes > source.length) {
    throw frameCorrupt(`It claims ${bytes} bytes at ${offset} of ${source.length}.`);
  }
  const isAligned = (source.byteOffset + offset) % FRAME_ALIGNMENT === 0;
  const memory = isAligned ? source : source.slice(offset, offset + bytes);
  reader.open(memory, isAligned ? offset : 0, bytes);
  const schemaVersion = reader.schemaVersion;
  const schema = schemaOf(schemas, schemaVersion);
  const times = (reader.flags & FLAG_TIMES) === 0 ? null : reader.times();
  const kinds = (reader.flags & FLAG_KINDS) === 0 ? null : reader.kinds();
  const { rows } = reader;
  const { fields } = schema;
  const isReused = spent?.schema === schema;
  const columns = isReused ? (spent.columns as Column[]) : new Array<Column>(fields.length);
  for (let index = 0; index < fields.length; index++) {
    columns[index] = reader.column(fields[index], rows, isReused ? columns[index] : null);
  }
  reader.close();
  if (isReused) {
    spent.schemaVersion = schemaVersion;
    spent.rows = rows;
    spent.times = times;
    spent.kinds = kinds;
    return spent;
  }
  return { schema, schemaVersion, rows, columns, times, kinds, selection: null };
}

/** The version of its schema that a frame names; it starts at a multiple of 8 bytes in its memory. */
export function schemaVersionOf({ buffer, byteOffset }: Uint8Array): number {
  return new Int32Array(buffer, byteOffset, SCHEMA_VERSION_WORD + 1)[SCHEMA_VERSION_WORD];
}

/** The batch of a frame whose schema is at hand; it starts at a multiple of 8 bytes in its memory. */
export function decodeFrameAs(schema: Schema, frame: Uint8Array): Batch {
  const version = schemaVersionOf(frame);
  const known = (): SchemaVersion => ({ schema, version });
  return decodeFrame(frame, 0, frame.byteLength, {
    current: known,
    propose: known,
    get: () => schema,
  });
}

function schemaOf(schemas: StreamSchemas, version: number): Schema {
  const newest = schemas.current();
  if (newest !== null && version === newest.version) return newest.schema;
  if (newest === null || version < 0 || version > newest.version) {
    throw frameCorrupt(`It names schema version ${version}, which is not registered.`);
  }
  try {
    return schemas.get(version);
  } catch (cause) {
    throw frameCorrupt(`It names schema version ${version}, which is not registered.`, cause);
  }
}

function frameCorrupt(reason: string, cause?: unknown): MillraceError {
  return new MillraceError('FRAME_CORRUPT', `A frame is damaged. ${reason}`, { cause });
}
