/**
 * A batch: up to a few thousand records as columns, the unit in which records move. Readers, generated loops
 * and the frame decoder make them; a frame is the same as bytes (`frame-codec.ts`). Runs on: worker.
 */
import type { Column } from './column.js';
import type { Schema } from './schema.js';

/** Kinds of change a row may be, as Flink's RowKind; a batch without `kinds` holds inserts only. */
export const KIND_INSERT = 0;
export const KIND_UPDATE_BEFORE = 1;
export const KIND_UPDATE_AFTER = 2;
export const KIND_DELETE = 3;

/**
 * Records as columns, made with all of these properties in this order, so that V8 compiles what reads batches for one
 * kind of object. Whoever receives a batch may read it until the call that handed it over returns.
 */
export interface Batch {
  readonly schema: Schema;
  /** Version of the schema in the registry of its stream. */
  readonly schemaVersion: number;
  readonly rows: number;
  /** One column per field of the schema, in order. */
  readonly columns: readonly Column[];
  /** Event times in ms since the epoch, whole numbers; null when the stream has none. */
  readonly times: Float64Array | null;
  /** Row kinds; null when all rows are inserts. */
  readonly kinds: Uint8Array | null;
  /**
   * Numbers of the rows in the columns and marks, in order, when the batch is some rows of another one; null or
   * omitted: row i is element i. It may name more rows than the batch has; those do not count. Only chains and frames
   * take batches with a selection.
   */
  readonly selection?: Int32Array | null;
}

/**
 * A batch that nobody looks at any more, to be filled with the next rows by whoever made it: batches that are mere
 * views would otherwise be garbage of their own.
 */
export type SpentBatch = {
  -readonly [K in keyof Batch]: Batch[K];
};
