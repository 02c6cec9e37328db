/**
 * The contract between file sinks and the formats they write: one encoder per file, fed with
 * batches, pushing bytes out as it goes. Callers: `connector/file-sink`. Runs on: the slot's
 * thread.
 */
import type { Batch } from '../../record/batch.js';
import type { Schema } from '../../record/schema.js';

/** Takes encoded bytes; they may be overwritten after it returns. */
export type ByteOutput = (bytes: Uint8Array) => void;

/** Writes one file. */
export interface FileEncoder {
  /** Takes the rows from `fromRow` on. */
  write(batch: Batch, fromRow: number): void;
  /** Pushes out everything that is left, and what ends the file. */
  end(): void;
  /** Bytes held back until there are more, as they would come out. */
  readonly pendingBytes: number;
}

/** A format that files are written in. */
export interface FileFormat {
  /** File name extension, without the dot. */
  readonly extension: string;
  /** Begins a file of records of the schema. */
  begin(schema: Schema, output: ByteOutput): FileEncoder;
}

/** Encoded rows are pushed out when there are this many bytes of them. */
export const OUTPUT_BYTES = 256 * 1024;
