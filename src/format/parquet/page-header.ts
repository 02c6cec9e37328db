/**
 * Reads the header of a page: a run of values of one column. Callers: `page-source.ts`. Runs on:
 * the slot's thread. Invariant: sizes and counts that are returned are plausible, so that damage is
 * noticed before memory is asked for.
 */
import { corrupt } from './corrupt.js';
import { ENCODING_PLAIN, ENCODING_RLE } from './parquet-types.js';
import { ThriftReader } from './thrift-reader.js';

/** What a page's header says. */
export interface PageHeader {
  /** One of the PAGE numbers, or another that is skipped. */
  readonly type: number;
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
  readonly crc: number | null;
  /** Values, nulls included; entries of a dictionary. */
  readonly values: number;
  readonly encoding: number;
  readonly definitionEncoding: number;
  readonly repetitionEncoding: number;
  /** Version 2 only: the levels lie before the values, uncompressed. */
  readonly definitionBytes: number;
  readonly repetitionBytes: number;
  readonly isCompressed: boolean;
  /** Bytes of the header itself. */
  readonly headerBytes: number;
}

/** A page larger than this is damage: writers aim at a megabyte. */
const PAGE_BYTES_MAX = 2 ** 31 - 1;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The header at `at`. Throws `FORMAT_INVALID`; `offset` is where `at` lies in the file. */
export function readPageHeader(
  bytes: Uint8Array,
  at: number,
  end: number,
  offset: number,
): PageHeader {
  const reader = new ThriftReader(bytes, at, end);
  const header: Mutable<PageHeader> = {
    type: -1,
    uncompressedBytes: -1,
    compressedBytes: -1,
    crc: null,
    values: 0,
    encoding: ENCODING_PLAIN,
    definitionEncoding: ENCODING_RLE,
    repetitionEncoding: ENCODING_RLE,
    definitionBytes: 0,
    repetitionBytes: 0,
    isCompressed: true,
    headerBytes: 0,
  };
  reader.struct((id, type) => {
    if (id === 1) header.type = reader.i32();
    else if (id === 2) header.uncompressedBytes = reader.i32();
    else if (id === 3) header.compressedBytes = reader.i32();
    else if (id === 4) header.crc = reader.i32() >>> 0;
    else if (id === 5 || id === 7) readVersion1(reader, header);
    else if (id === 8) readVersion2(reader, header);
    else reader.skip(type);
  });
  header.headerBytes = reader.at - at;
  checkHeader(header, offset);
  return header;
}

/** Data pages of version 1 and dictionary pages begin alike. */
function readVersion1(reader: ThriftReader, header: Mutable<PageHeader>): void {
  reader.struct((id, type) => {
    if (id === 1) header.values = reader.i32();
    else if (id === 2) header.encoding = reader.i32();
    else if (id === 3 && type === 5) header.definitionEncoding = reader.i32();
    else if (id === 4 && type === 5) header.repetitionEncoding = reader.i32();
    else reader.skip(type);
  });
}

function readVersion2(reader: ThriftReader, header: Mutable<PageHeader>): void {
  reader.struct((id, type) => {
    if (id === 1) header.values = reader.i32();
    else if (id === 4) header.encoding = reader.i32();
    else if (id === 5) header.definitionBytes = reader.i32();
    else if (id === 6) header.repetitionBytes = reader.i32();
    else if (id === 7) header.isCompressed = reader.bool(type);
    else reader.skip(type);
  });
}

function checkHeader(header: PageHeader, offset: number): void {
  const { uncompressedBytes, compressedBytes, values, definitionBytes, repetitionBytes } = header;
  const sizes = [uncompressedBytes, compressedBytes, values, definitionBytes, repetitionBytes];
  const plausible = sizes.every((size) => size >= 0 && size <= PAGE_BYTES_MAX);
  const levels = definitionBytes + repetitionBytes;
  if (header.type >= 0 && plausible && levels <= Math.min(compressedBytes, uncompressedBytes))
    return;
  throw corrupt('The header of a page is garbled.', offset);
}
