/**
 * Writes page headers and the footer of Parquet files. Callers: `parquet-encoder.ts`. Runs on: the
 * slot's thread; pure.
 */
import type { EncodedPage } from './column-writer.js';
import * as types from './parquet-types.js';
import { ThriftWriter } from './thrift-writer.js';
import type { WriteElement, WriteLeaf, WriteLogical } from './write-tree.js';

/** A column of a row group that has been written. */
export interface WrittenChunk {
  readonly leaf: WriteLeaf;
  readonly encodings: readonly number[];
  readonly codec: number;
  readonly values: number;
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
  readonly dictionaryStart: number | null;
  readonly dataStart: number;
}

/** A row group that has been written. */
export interface WrittenGroup {
  readonly rows: number;
  readonly start: number;
  readonly chunks: readonly WrittenChunk[];
}

const FORMAT_VERSION = 2;
const CREATED_BY = 'millrace';

/** The header of a page of `compressedBytes`. */
export function pageHeaderBytes(page: EncodedPage, compressedBytes: number): Uint8Array {
  const writer = new ThriftWriter();
  writer.root(() => {
    writer.i32(1, page.type);
    writer.i32(2, page.bytes.length);
    writer.i32(3, compressedBytes);
    if (page.type === types.PAGE_DICTIONARY) {
      writer.struct(7, () => {
        writer.i32(1, page.values);
        writer.i32(2, page.encoding);
      });
    } else {
      writer.struct(5, () => {
        writer.i32(1, page.values);
        writer.i32(2, page.encoding);
        writer.i32(3, types.ENCODING_RLE);
        writer.i32(4, types.ENCODING_RLE);
      });
    }
  });
  return writer.buffer.view();
}

/** The footer: metadata without its length and magic. */
export function footerBytes(
  elements: readonly WriteElement[],
  groups: readonly WrittenGroup[],
): Uint8Array {
  const writer = new ThriftWriter();
  writer.root(() => {
    writer.i32(1, FORMAT_VERSION);
    writer.structs(2, elements, (element) => writeElement(writer, element));
    writer.i64(
      3,
      groups.reduce((sum, group) => sum + group.rows, 0),
    );
    writer.structs(4, groups, (group) => writeGroup(writer, group));
    writer.text(6, CREATED_BY);
  });
  return writer.buffer.view();
}

function writeElement(writer: ThriftWriter, element: WriteElement): void {
  const { type, typeLength, repetition, converted, logical } = element;
  if (type !== null) writer.i32(1, type);
  if (typeLength > 0) writer.i32(2, typeLength);
  if (repetition !== null) writer.i32(3, repetition);
  writer.text(4, element.name);
  if (element.children > 0) writer.i32(5, element.children);
  if (converted !== null) writer.i32(6, converted);
  if (logical !== null && converted === types.CONVERTED_DECIMAL) {
    writer.i32(7, logical.scale);
    writer.i32(8, logical.precision);
  }
  if (logical !== null) writer.struct(10, () => writeLogical(writer, logical));
}

/** A union of structs, most of which are empty. */
function writeLogical(writer: ThriftWriter, logical: WriteLogical): void {
  writer.struct(logical.id, () => {
    if (logical.id === types.LOGICAL_DECIMAL) {
      writer.i32(1, logical.scale);
      writer.i32(2, logical.precision);
    } else if (logical.id === types.LOGICAL_TIMESTAMP) {
      writer.bool(1, true);
      writer.struct(2, () => writer.struct(1, () => {}));
    } else if (logical.id === types.LOGICAL_INTEGER) {
      writer.i8(1, logical.bits);
      writer.bool(2, logical.signed);
    }
  });
}

function writeGroup(writer: ThriftWriter, group: WrittenGroup): void {
  const { chunks } = group;
  writer.structs(1, chunks, (chunk) => writeChunk(writer, chunk));
  writer.i64(
    2,
    chunks.reduce((sum, chunk) => sum + chunk.uncompressedBytes, 0),
  );
  writer.i64(3, group.rows);
  writer.i64(5, group.start);
  writer.i64(
    6,
    chunks.reduce((sum, chunk) => sum + chunk.compressedBytes, 0),
  );
}

function writeChunk(writer: ThriftWriter, chunk: WrittenChunk): void {
  writer.i64(2, 0);
  writer.struct(3, () => {
    writer.i32(1, chunk.leaf.physical);
    writer.i32s(2, chunk.encodings);
    writer.texts(3, chunk.leaf.path);
    writer.i32(4, chunk.codec);
    writer.i64(5, chunk.values);
    writer.i64(6, chunk.uncompressedBytes);
    writer.i64(7, chunk.compressedBytes);
    writer.i64(9, chunk.dataStart);
    if (chunk.dictionaryStart !== null) writer.i64(11, chunk.dictionaryStart);
  });
}
