/**
 * Walks the pages of one column in one row group: reads ahead in pieces, passes over pages that
 * nobody wants without decompressing them, checks their checksums. Callers: `flat-cursor.ts`,
 * `nested-leaf.ts`. Runs on: the slot's thread. Invariant: the bytes of a page are valid until the
 * next page of the column is read, so a column's pages have a decompressor of their own.
 */
import * as zlib from 'node:zlib';
import type { FileHandle } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import { corrupt } from './corrupt.js';
import type { Decompressor } from './decompress.js';
import { type PageHeader, readPageHeader } from './page-header.js';
import type { ColumnChunk } from './parquet-types.js';
import { PAGE_DATA, PAGE_DATA_V2, PAGE_DICTIONARY } from './parquet-types.js';

/** A page, decompressed. */
export interface Page {
  readonly header: PageHeader;
  /** Where levels begin: in version 1 before the values, in version 2 in bytes of their own. */
  readonly levels: Uint8Array;
  readonly values: Uint8Array;
}

/** Bytes read at once. */
const READ_BYTES = 1 << 20;
/** First guess of a header's length; statistics can make it longer. */
const HEADER_BYTES = 256;

/** The checksum of Node from 20.15 and 22.2 on. */
const crc32: unknown = Reflect.get(zlib, 'crc32');

/** The pages of a column chunk, in order. */
export class PageSource {
  readonly #file: FileHandle;
  readonly #chunk: ColumnChunk;
  readonly #decompressor: Decompressor;
  readonly #end: number;
  /** File offset of the next byte. */
  #at: number;
  #buffer = new Uint8Array(0);
  /** File offset of the buffer's start. */
  #bufferAt = 0;
  #header: PageHeader | null = null;

  constructor(file: FileHandle, chunk: ColumnChunk, decompressor: Decompressor) {
    this.#file = file;
    this.#chunk = chunk;
    this.#decompressor = decompressor;
    this.#at = chunk.start;
    this.#end = chunk.start + chunk.compressedBytes;
  }

  /** Bytes of the column passed so far. */
  get bytesPassed(): number {
    return this.#at - this.#chunk.start;
  }

  /** The header of the next page of data or of the dictionary; null at the end. */
  peek(): PageHeader | null {
    while (this.#header === null && this.#at < this.#end) {
      const header = this.#readHeader();
      this.#at += header.headerBytes;
      if (this.#at + header.compressedBytes > this.#end) {
        throw corrupt('A page runs over the end of its column.', this.#at);
      }
      if ([PAGE_DATA, PAGE_DATA_V2, PAGE_DICTIONARY].includes(header.type)) this.#header = header;
      else this.#at += header.compressedBytes;
    }
    return this.#header;
  }

  /** Passes over the page that `peek` showed. */
  skip(): void {
    this.#at += this.#header?.compressedBytes ?? 0;
    this.#header = null;
  }

  /** The page that `peek` showed. */
  read(): Page {
    const header = this.peek();
    if (header === null) throw corrupt('A column has fewer pages than its values need.', this.#at);
    const offset = this.#at;
    try {
      const stored = this.#bytes(header.compressedBytes);
      checkCrc(header, stored);
      this.skip();
      return this.#decompress(header, stored);
    } catch (error) {
      throw MillraceError.is(error) ? error.at({ byteOffset: offset }) : error;
    }
  }

  #decompress(header: PageHeader, stored: Uint8Array): Page {
    const { codec } = this.#chunk;
    const { uncompressedBytes } = header;
    if (header.type !== PAGE_DATA_V2) {
      const values = this.#decompressor.decompress(codec, stored, uncompressedBytes);
      return { header, levels: values, values };
    }
    const levelBytes = header.repetitionBytes + header.definitionBytes;
    const levels = stored.subarray(0, levelBytes);
    const rest = stored.subarray(levelBytes);
    if (!header.isCompressed) return { header, levels, values: rest };
    const length = uncompressedBytes - levelBytes;
    return { header, levels, values: this.#decompressor.decompress(codec, rest, length) };
  }

  #readHeader(): PageHeader {
    for (let guess = HEADER_BYTES; ; guess *= 8) {
      const length = Math.min(guess, this.#end - this.#at);
      const bytes = this.#bytes(length);
      try {
        return readPageHeader(bytes, 0, length, this.#at);
      } catch (error) {
        if (length === this.#end - this.#at) {
          throw MillraceError.is(error) ? error.at({ byteOffset: this.#at }) : error;
        }
      }
    }
  }

  /** The next `length` bytes, which lie inside of the column; they stay where they are. */
  #bytes(length: number): Uint8Array {
    const start = this.#at - this.#bufferAt;
    if (start >= 0 && start + length <= this.#buffer.length) {
      return this.#buffer.subarray(start, start + length);
    }
    const wanted = Math.min(this.#end - this.#at, Math.max(length, READ_BYTES));
    const buffer = new Uint8Array(wanted);
    let read = 0;
    while (read < wanted) {
      const count = this.#file.read(buffer, read, wanted - read, this.#at + read);
      if (count === 0) throw corrupt('The file became shorter while it was read.', this.#at);
      read += count;
    }
    this.#buffer = buffer;
    this.#bufferAt = this.#at;
    return buffer.subarray(0, length);
  }
}

function checkCrc(header: PageHeader, stored: Uint8Array): void {
  if (header.crc === null || typeof crc32 !== 'function') return;
  if (crc32(stored) !== header.crc) throw corrupt('The checksum of a page is wrong.');
}
