/**
 * Appendable columns: where readers, generated loops and the row codec put rows before they become
 * a batch. Generated code writes `values[row]` of fixed columns directly and then counts
 * `builder.rows` up; rows are written in order, every column exactly once per row. Buffers are
 * reused after `reset`, so a batch made by `take` is valid until then. Runs on: worker.
 */
import { createAppender, StructAppender } from './appenders.js';
import type { BaseAppender } from './appender-base.js';
import type { Batch } from './batch.js';
import { BinaryAppender } from './binary-appender.js';
import { KIND_INSERT } from './batch.js';
import type { Column } from './column.js';
import type { Field, Schema } from './schema.js';

/** What every appender offers; generated code uses the concrete classes' arrays where it can. */
export interface Appender {
  readonly field: Field;
  /**
   * Marks row `row` null. Allowed only when the field is nullable (asserted when the batch is
   * taken).
   */
  setNull(row: number): void;
  /** Marks row `row` missing. Allowed only when the field is optional. */
  setMissing(row: number): void;
  /** Writes the stored zero of the type: what lies under a mark, or below an object that is none. */
  setEmpty(row: number): void;
  /**
   * Writes a JavaScript value, checked; false when it does not fit the field (nothing is written
   * then).
   */
  appendValue(row: number, value: unknown): boolean;
  /** Copies one value, null or missing mark included, from a column of the same type. */
  appendFrom(row: number, source: Column, sourceRow: number): void;
  /** Copies the rows numbered in `sourceRows` as rows from `first` on: like `appendFrom` for each. */
  appendRows(first: number, source: Column, sourceRows: Int32Array): void;
  /**
   * Takes the rows numbered in `sourceRows` as the only ones, without copying their texts: the column views the source
   * until `reset`. False where there is nothing to be saved: then they are to be appended.
   */
  showRows(source: Column, sourceRows: Int32Array): boolean;
  /**
   * Forgets what was written for the rows from `rows` on, before a row is given up or written anew.
   */
  truncate(rows: number): void;
}

/** Collects rows as columns. */
export interface BatchBuilder {
  readonly schema: Schema;
  readonly schemaVersion: number;
  readonly capacity: number;
  /** Rows complete so far; the writer counts it up after it wrote every column of a row. */
  rows: number;
  readonly columns: readonly Appender[];
  /** Event times of the rows, when the stream has them. */
  readonly times: Float64Array | null;
  /** Row kinds, when the stream is one of changes. */
  readonly kinds: Uint8Array | null;
  /** Bytes the rows so far would take as a frame, an upper bound, cheap to ask for. */
  estimatedBytes(): number;
  /** The rows so far, as views on this builder's buffers; of the call before, columns of numbers are used again. */
  take(): Batch;
  /** Forgets all rows. */
  reset(): void;
}

/** What `createBatchBuilder` needs besides the schema. */
export interface BatchBuilderOptions {
  /** Rows there is room for. */
  readonly capacity: number;
  readonly times: boolean;
  readonly kinds: boolean;
  /** Whether dictionaries of texts outlive batches; for batches that are not sent. Default: no. */
  readonly keepsEntries?: boolean;
}

/** An empty builder for rows of a schema. */
export function createBatchBuilder(
  schema: Schema,
  schemaVersion: number,
  options: BatchBuilderOptions,
): BatchBuilder {
  return new ColumnBatchBuilder(schema, schemaVersion, options);
}

/** Bytes of a frame's header and of the directory entries of its system columns, rounded up. */
const HEADER_BYTES = 128;

class ColumnBatchBuilder implements BatchBuilder {
  readonly schema: Schema;
  readonly schemaVersion: number;
  readonly capacity: number;
  rows = 0;
  readonly columns: readonly BaseAppender[];
  readonly times: Float64Array | null;
  readonly kinds: Uint8Array | null;

  constructor(schema: Schema, schemaVersion: number, options: BatchBuilderOptions) {
    this.schema = schema;
    this.schemaVersion = schemaVersion;
    this.capacity = options.capacity;
    this.columns = schema.fields.map((field) => createAppender(field, options.capacity));
    this.times = options.times ? new Float64Array(options.capacity) : null;
    this.kinds = options.kinds ? new Uint8Array(options.capacity) : null;
    if (options.keepsEntries !== true) return;
    this.columns.forEach(keepEntries);
  }

  estimatedBytes(): number {
    let bytes = HEADER_BYTES + (this.times === null ? 0 : this.rows * 8);
    if (this.kinds !== null) bytes += this.rows;
    for (const column of this.columns) bytes += column.estimatedBytes(this.rows);
    return bytes;
  }

  take(): Batch {
    const { schema, schemaVersion, rows, times, kinds } = this;
    // A new object for every batch: readers of rows tell batches apart by it.
    const columns: Column[] = [];
    for (let index = 0; index < this.columns.length; index++) {
      columns.push(this.columns[index].column(rows));
    }
    return { schema, schemaVersion, rows, columns, times, kinds, selection: null };
  }

  reset(): void {
    this.rows = 0;
    this.kinds?.fill(KIND_INSERT);
    for (const column of this.columns) column.reset();
  }
}

function keepEntries(column: BaseAppender): void {
  if (column instanceof BinaryAppender) column.keepEntries();
  else if (column instanceof StructAppender) column.children.forEach(keepEntries);
}
