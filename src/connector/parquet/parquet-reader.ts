/**
 * Reads splits of Parquet files as batches of columns. Callers: `parquet-source.ts`. Runs on: the
 * slot's thread; a poll reads and decodes at most one page of each wanted column. Invariant: a
 * position is the number of rows of the split given so far, so reading on repeats nothing and
 * leaves nothing out.
 */
import { corrupt } from '../../format/parquet/corrupt.js';
import { Decompressor, type ZstdDecoder } from '../../format/parquet/decompress.js';
import type { TypeOptions } from '../../format/parquet/leaf-type.js';
import { partOfNode } from '../../format/parquet/schema-tree.js';
import { RowGroupReader } from '../../format/parquet/row-group-reader.js';
import type { Batch } from '../../record/batch.js';
import { projectedSchema, treeOfPaths } from '../../record/field-tree.js';
import type { Schema } from '../../record/schema.js';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  type PlainData,
  type PollResult,
  type ReaderContext,
  type SourceReader,
  type Split,
  type SplitPosition,
} from '../contract.js';
import { inFile, openParquetFile, type ParquetFile } from './parquet-file.js';
import type { ParquetPlan, ParquetSplit } from './parquet-plan.js';
import { loadZstd } from './zstd-decoder.js';

/** What the reader works with. */
interface ParquetReaderOptions {
  readonly context: ReaderContext;
  readonly types: TypeOptions;
  readonly zstd: ZstdDecoder | null;
}

/** Opens a reader of a plan's files, with what their compression needs. */
export async function openParquetReader(
  context: ReaderContext,
  types: TypeOptions,
): Promise<SourceReader> {
  const { zstdFile } = context.plan.data as ParquetPlan;
  const zstd = zstdFile === null ? null : await loadZstd(zstdFile);
  return new ParquetReader({ context, types, zstd });
}

/** A source reader over row groups. */
class ParquetReader implements SourceReader {
  batch: Batch | null = null;
  readonly #options: ParquetReaderOptions;
  readonly #schema: Schema;
  readonly #version: number;
  readonly #decompressors = new Map<number, Decompressor>();
  #file: ParquetFile | null = null;
  #split: Split | null = null;
  #rows: RowGroupReader | null = null;
  /** Rows of the split given before `batch`. */
  #given = 0;
  /** Bytes of splits that are done. */
  #bytesDone = 0;

  constructor(options: ParquetReaderOptions) {
    const { context } = options;
    this.#options = options;
    this.#schema = projectedSchema(
      context.plan.schema,
      treeOfPaths(context.columns, context.paths ?? []),
    );
    this.#version = context.schemas.propose(this.#schema).version;
  }

  get bytesRead(): number {
    return this.#bytesDone + (this.#rows?.bytesPassed ?? 0);
  }

  addSplit(split: Split, position: PlainData): void {
    this.batch = null;
    const data = dataOf(split);
    const given = typeof position === 'number' ? position : 0;
    const file = this.#open(data);
    this.#rows = inFile(data.path, () => {
      const rowGroup = file.metadata.rowGroups[data.rowGroup];
      if (rowGroup === undefined || data.rowEnd > rowGroup.rows) throw replaced(data);
      return new RowGroupReader({
        file: file.handle,
        rowGroup,
        columns: this.#schema.fields.map((field) => {
          const node = file.nodes.find(({ name }) => name === field.name);
          return { field, node: node === undefined ? null : partOfNode(node, field.type) };
        }),
        decompressorOf: (column) => this.#decompressorOf(column),
        rowStart: data.rowStart + given,
        rowEnd: data.rowEnd,
      });
    });
    this.#split = split;
    this.#given = given;
  }

  poll(): PollResult {
    const rows = this.#rows;
    if (rows === null || this.#split === null) return POLL_NEED_SPLIT;
    this.#given += this.batch?.rows ?? 0;
    this.batch = null;
    const piece = inFile(dataOf(this.#split).path, () =>
      rows.next(this.#options.context.batchRows),
    );
    if (piece === null) {
      this.#bytesDone += rows.bytesPassed;
      this.#rows = null;
      this.#split = null;
      return POLL_NEED_SPLIT;
    }
    this.batch = {
      schema: this.#schema,
      schemaVersion: this.#version,
      rows: piece.rows,
      columns: piece.columns,
      times: null,
      kinds: null,
    };
    return POLL_BATCH;
  }

  positions(rows?: number): readonly SplitPosition[] {
    if (this.#split === null) return [];
    return [{ split: this.#split, position: this.#given + (rows ?? this.batch?.rows ?? 0) }];
  }

  close(): void {
    this.#file?.handle.close();
    this.#file = null;
    this.#rows = null;
    this.#split = null;
  }

  #decompressorOf(column: number): Decompressor {
    const known = this.#decompressors.get(column);
    if (known !== undefined) return known;
    const made = new Decompressor(this.#options.zstd);
    this.#decompressors.set(column, made);
    return made;
  }

  /** Splits of one file usually follow each other, so it is kept open until another one comes. */
  #open(split: ParquetSplit): ParquetFile {
    if (this.#file?.path === split.path) return this.#file;
    this.#file?.handle.close();
    this.#file = null;
    const { context, types } = this.#options;
    const file = openParquetFile(context.disk, split.path, types);
    this.#file = file;
    if (file.bytes !== split.fileBytes) throw inFile(split.path, () => replaced(split));
    return file;
  }
}

/** The split's own data, made by the source's plan. */
function dataOf(split: Split): ParquetSplit {
  return split.data as ParquetSplit;
}

function replaced(split: ParquetSplit): Error {
  return corrupt(
    `The file is not the one of ${split.fileBytes} bytes that the job was planned for.`,
  );
}
