/**
 * Writes the part files of one subtask. Callers: `file-sink.ts`. Runs on: the slot's thread.
 * Invariant: a part is handed over for commit only after its last byte was written (and made
 * durable, when asked for), and no part is handed over twice.
 */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FileHandle } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import type { FileEncoder, FileFormat } from '../../format/encode/file-encoder.js';
import type { Batch } from '../../record/batch.js';
import { KIND_DELETE, KIND_UPDATE_BEFORE } from '../../record/batch.js';
import type { Schema } from '../../record/schema.js';
import { sameSchema } from '../../record/schema-merge.js';
import type { Committable, SinkWriter, WriterContext } from '../contract.js';
import { BucketDivider } from './bucket-divider.js';
import type { Buckets } from './buckets.js';
import type { FileSinkPlan, PartCommit } from './commit-parts.js';
import { partName, pendingName } from './part-name.js';

/** What the writer works with. */
export interface FileSinkWriterOptions {
  readonly plan: FileSinkPlan;
  readonly context: WriterContext;
  readonly format: FileFormat;
  readonly gzip: boolean;
  /** A part of this size is closed. */
  readonly rollBytes: number;
  readonly sync: boolean;
  /** Null: all rows are written to the directory of the sink. */
  readonly buckets: Buckets | null;
}

/** A part being written. */
interface OpenPart {
  readonly bucket: string;
  readonly commit: PartCommit;
  readonly file: PartFile;
  readonly encoder: FileEncoder;
  readonly schema: Schema;
}

/**
 * What an encoder pushes out at once becomes one gzip member; members follow each other in the
 * file.
 */
const GZIP_LEVEL = 6;

/** A sink writer over part files. */
export class FileSinkWriter implements SinkWriter {
  bytesWritten = 0;
  readonly #options: FileSinkWriterOptions;
  /** By bucket; the one that was written to last comes last. */
  readonly #parts = new Map<string, OpenPart>();
  #done: PartCommit[] = [];
  #number: number;
  readonly #divider: BucketDivider | null;
  readonly #openMax: number;

  constructor(options: FileSinkWriterOptions) {
    const { buckets, context } = options;
    this.#options = options;
    this.#divider = buckets === null ? null : new BucketDivider(buckets, context.clock);
    this.#openMax = buckets?.openMax ?? 1;
    this.#number = options.plan.firstNumber;
  }

  write(batch: Batch, fromRow: number): number {
    if (fromRow === batch.rows) return 0;
    if (batch.kinds !== null) refuseRetractions(batch.kinds, fromRow, batch.rows);
    if (this.#divider === null) this.#writeRows('', batch, fromRow);
    else this.#divider.divide(batch, fromRow, (...rows) => this.#writeRows(...rows));
    return batch.rows - fromRow;
  }

  #writeRows(bucket: string, batch: Batch, fromRow: number): void {
    const part = this.#partFor(bucket, batch.schema);
    part.encoder.write(batch, fromRow);
    if (part.file.bytes + part.encoder.pendingBytes >= this.#options.rollBytes)
      this.#finishPart(part);
  }

  /** Parts are hidden until they are committed, so there is nothing to show earlier. */
  flush(): boolean {
    return true;
  }

  prepareCommit(): readonly Committable[] {
    for (const part of [...this.#parts.values()]) this.#finishPart(part);
    const done = this.#done;
    this.#done = [];
    const { sync, context, plan } = this.#options;
    // A checkpoint is going to rely on the parts, so their names must be as durable as their bytes.
    if (sync && done.length > 0) context.disk.syncDirectory(plan.directory);
    return done;
  }

  close(): void {
    for (const { file } of this.#parts.values()) file.close();
    this.#parts.clear();
  }

  /**
   * Columns of a file are settled by its first row; records of another type begin the next part.
   */
  #partFor(bucket: string, schema: Schema): OpenPart {
    const part = this.#parts.get(bucket);
    if (part !== undefined) {
      if (part.schema === schema || sameSchema(part.schema, schema)) {
        this.#parts.delete(bucket);
        this.#parts.set(bucket, part);
        return part;
      }
      this.#finishPart(part);
    }
    const [longestUnused] = this.#parts.values();
    if (this.#parts.size >= this.#openMax) this.#finishPart(longestUnused);
    const begun = this.#begin(bucket, schema);
    this.#parts.set(bucket, begun);
    return begun;
  }

  /** What is being written is hidden in the directory of the sink, whatever its bucket. */
  #begin(bucket: string, schema: Schema): OpenPart {
    const { plan, context, format, gzip } = this.#options;
    const extension = gzip ? `${format.extension}.gz` : format.extension;
    const name = partName(context.subtask, this.#number++, extension);
    const final = bucket === '' ? name : `${bucket}/${name}`;
    const pending = pendingName(name, plan.run, context.attempt);
    const file = new PartFile(context.disk.createNew(join(plan.directory, pending)), gzip);
    try {
      const encoder = format.begin(schema, (bytes) => {
        this.bytesWritten += file.write(bytes);
      });
      return { bucket, commit: { pending, final }, file, schema, encoder };
    } catch (error) {
      file.close();
      throw error;
    }
  }

  #finishPart(part: OpenPart): void {
    part.encoder.end();
    part.file.finish(this.#options.sync);
    this.#done.push(part.commit);
    this.#parts.delete(part.bucket);
  }
}

/** A file that may be packed, and how much was written to it. */
class PartFile {
  bytes = 0;
  readonly #file: FileHandle;
  readonly #gzip: boolean;

  constructor(file: FileHandle, gzip: boolean) {
    this.#file = file;
    this.#gzip = gzip;
  }

  /** Appends and returns the bytes that were really written. */
  write(bytes: Uint8Array): number {
    const packed = this.#gzip ? gzipSync(bytes, { level: GZIP_LEVEL }) : bytes;
    this.#file.write(packed);
    this.bytes += packed.length;
    return packed.length;
  }

  finish(sync: boolean): void {
    if (sync) this.#file.sync();
    this.#file.close();
  }

  close(): void {
    this.#file.close();
  }
}

function refuseRetractions(kinds: Uint8Array, fromRow: number, rows: number): void {
  for (let row = fromRow; row < rows; row++) {
    if (kinds[row] !== KIND_UPDATE_BEFORE && kinds[row] !== KIND_DELETE) continue;
    throw new MillraceError(
      'FEATURE_UNSUPPORTED',
      'Files can only be appended to, but this stream takes back rows it gave before.',
      { advice: "Aggregate with { emit: 'final' }, or filter the changes you want to keep." },
    );
  }
}
