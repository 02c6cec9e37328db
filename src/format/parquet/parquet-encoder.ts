/**
 * Writes records as Parquet files: columns are collected until a row group is full, then encoded,
 * compressed and pushed out. Callers: file sinks. Runs on: the slot's thread. Invariant: memory is
 * bounded by one row group, which ends after so many rows or bytes, whichever comes first.
 */
import type { Batch } from '../../record/batch.js';
import type { Schema } from '../../record/schema.js';
import type { ByteOutput, FileEncoder, FileFormat } from '../encode/file-encoder.js';
import { ColumnWriter } from './column-writer.js';
import { type PageCodec, pageCodec } from './compress.js';
import {
  footerBytes,
  pageHeaderBytes,
  type WrittenChunk,
  type WrittenGroup,
} from './file-metadata-writer.js';
import { type ParquetEncoderOptions, parquetOutput } from './parquet-output.js';
import * as types from './parquet-types.js';
import { shredRows } from './shredder.js';
import { type WriteLeaf, type WriteTree, writeTree } from './write-tree.js';

/** A row group of wide records ends before it takes more memory than this. */
const ROW_GROUP_BYTES = 128 * 1024 * 1024;
const MAGIC = Uint8Array.from(Buffer.from('PAR1'));

/** The Parquet format. Throws `OPTION_INVALID` and `CODEC_UNAVAILABLE`. */
export function parquetFormat(options: ParquetEncoderOptions): FileFormat {
  const { compression, rowGroupRows } = parquetOutput(options);
  return {
    extension: 'parquet',
    begin: (schema, output) =>
      new ParquetEncoder(schema, pageCodec(compression), rowGroupRows, output),
  };
}

class ParquetEncoder implements FileEncoder {
  readonly #tree: WriteTree;
  readonly #codec: PageCodec;
  readonly #rowGroupRows: number;
  readonly #output: ByteOutput;
  readonly #writers: ReadonlyMap<WriteLeaf, ColumnWriter>;
  readonly #groups: WrittenGroup[] = [];
  #rows = 0;
  /** Bytes of the file so far. */
  #at = 0;

  constructor(schema: Schema, codec: PageCodec, rowGroupRows: number, output: ByteOutput) {
    this.#tree = writeTree(schema);
    this.#codec = codec;
    this.#rowGroupRows = rowGroupRows;
    this.#output = output;
    this.#writers = new Map(this.#tree.leaves.map((leaf) => [leaf, new ColumnWriter(leaf)]));
  }

  /** What is collected is larger than what it will be once it is compressed. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const writer of this.#writers.values()) bytes += writer.bytes;
    return bytes;
  }

  write(batch: Batch, fromRow: number): void {
    const { nodes } = this.#tree;
    let from = fromRow;
    while (from < batch.rows) {
      const to = Math.min(batch.rows, from + this.#rowGroupRows - this.#rows);
      for (let index = 0; index < nodes.length; index++) {
        shredRows(nodes[index], batch.columns[index], from, to, this.#writers);
      }
      this.#rows += to - from;
      from = to;
      const full = this.#rows === this.#rowGroupRows || this.pendingBytes >= ROW_GROUP_BYTES;
      if (full) this.#writeGroup();
    }
  }

  end(): void {
    if (this.#rows > 0) this.#writeGroup();
    if (this.#at === 0) this.#push(MAGIC);
    const footer = footerBytes(this.#tree.elements, this.#groups);
    this.#push(footer);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, footer.length, true);
    this.#push(length);
    this.#push(MAGIC);
  }

  #writeGroup(): void {
    if (this.#at === 0) this.#push(MAGIC);
    const start = this.#at;
    const chunks = this.#tree.leaves.flatMap((leaf) => {
      const writer = this.#writers.get(leaf);
      return writer === undefined ? [] : [this.#writeChunk(leaf, writer)];
    });
    this.#groups.push({ rows: this.#rows, start, chunks });
    this.#rows = 0;
  }

  #writeChunk(leaf: WriteLeaf, writer: ColumnWriter): WrittenChunk {
    const values = writer.count;
    const start = this.#at;
    const encodings = new Set([types.ENCODING_RLE]);
    let dictionaryStart: number | null = null;
    let dataStart: number | null = null;
    let uncompressedBytes = 0;
    for (const page of writer.pages()) {
      if (page.type === types.PAGE_DICTIONARY) dictionaryStart = this.#at;
      else dataStart ??= this.#at;
      encodings.add(page.encoding);
      const compressed = this.#codec.compress(page.bytes);
      const header = pageHeaderBytes(page, compressed.length);
      this.#push(header);
      this.#push(compressed);
      uncompressedBytes += header.length + page.bytes.length;
    }
    return {
      leaf,
      encodings: [...encodings],
      codec: this.#codec.id,
      values,
      uncompressedBytes,
      compressedBytes: this.#at - start,
      dictionaryStart,
      dataStart: dataStart ?? start,
    };
  }

  #push(bytes: Uint8Array): void {
    this.#output(bytes);
    this.#at += bytes.length;
  }
}
