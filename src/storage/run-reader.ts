/**
 * Reads a run file: by key, or in order from any key on. Callers: merge, sort, restore, tools. Runs on: any thread; a
 * call reads one block at most. Invariant: nothing of a file is given out whose checksum is wrong, and damage is told
 * with file and offset.
 */
import { basename } from 'node:path';
import { decompressLz4Block } from '../../native-bindings/lz4.js';
import type { Disk, FileHandle } from '../base/disk.js';
import { BlockCursor } from './block-cursor.js';
import { corruptRun, runChecksum } from './run-checksum.js';
import type { RunCursor } from './run-cursor.js';
import { mayContain } from './run-filter.js';
import { compareBytes } from './run-key.js';
import * as layout from './run-layout.js';
import type { RunInfo } from './run-writer.js';

/** An open run file. */
export class RunReader {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #id: string;
  readonly #index: Uint8Array;
  readonly #filter: Uint8Array | null;
  readonly info: RunInfo;

  /** `id` is what the file was written with: its name when not given. Throws RUN_CORRUPT. */
  constructor(disk: Pick<Disk, 'openRead'>, path: string, id: string = basename(path)) {
    this.#path = path;
    this.#id = id;
    this.#file = disk.openRead(path);
    try {
      const bytes = this.#file.bytes();
      this.#checkHeader();
      const footerOffset = bytes - layout.FOOTER_BYTES;
      const footer = this.#checkedFooter(footerOffset);
      const filterOffset = footer.getFloat64(layout.FOOTER_FILTER_OFFSET, true);
      const indexOffset = footer.getFloat64(layout.FOOTER_INDEX_OFFSET, true);
      const indexEnd = filterOffset === 0 ? footerOffset : filterOffset;
      this.#index = this.#readBlock(indexOffset, indexEnd - indexOffset);
      this.#filter =
        filterOffset === 0 ? null : this.#readBlock(filterOffset, footerOffset - filterOffset);
      this.info = {
        bytes,
        entries: footer.getFloat64(layout.FOOTER_ENTRIES, true),
        tombstones: footer.getFloat64(layout.FOOTER_TOMBSTONES, true),
        blocks: footer.getUint32(layout.FOOTER_BLOCKS, true),
      };
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** A copy of the value of a key, null when it was deleted, undefined when the file does not know it. */
  get(key: Uint8Array): Uint8Array | null | undefined {
    if (this.#filter !== null && !mayContain(this.#filter, key)) return undefined;
    const at = this.cursor(key);
    if (at.isDone) return undefined;
    if (compareBytes(at.bytes, at.keyStart, at.keyEnd, key, 0, key.length) !== 0) return undefined;
    return at.isTombstone ? null : at.bytes.slice(at.valueStart, at.valueEnd);
  }

  /** At the first entry, or at the first whose key is not before `from`. */
  cursor(from?: Uint8Array): RunCursor {
    const fail = (reason: string): Error => corruptRun(this.#path, 0, reason);
    const index = new BlockCursor(fail);
    index.open(this.#index);
    const read = (offset: number, bytes: number): Uint8Array => this.#readBlock(offset, bytes);
    const cursor = new FileCursor(index, new BlockCursor(fail), read);
    if (from === undefined) cursor.load();
    else cursor.seek(from);
    return cursor;
  }

  /** Reads every block once; throws RUN_CORRUPT for the first that is wrong. */
  verify(): void {
    let entries = 0;
    for (const cursor = this.cursor(); !cursor.isDone; cursor.next()) entries++;
    if (entries === this.info.entries) return;
    throw corruptRun(this.#path, 0, `It has ${entries} of ${this.info.entries} entries.`);
  }

  close(): void {
    this.#file.close();
  }

  #checkHeader(): void {
    const fixed = this.#read(0, layout.HEADER_ID);
    const view = new DataView(fixed.buffer);
    if (Buffer.from(fixed.subarray(0, layout.HEADER_VERSION)).toString() !== layout.RUN_MAGIC) {
      throw corruptRun(this.#path, 0, 'It is not a run file.');
    }
    const checksum = runChecksum(this.#id, 'header', 0, fixed.subarray(0, layout.HEADER_CHECKSUM));
    const id = Buffer.from(this.#id);
    const stored = this.#read(layout.HEADER_ID, id.length);
    if (
      view.getUint32(layout.HEADER_CHECKSUM, true) !== checksum ||
      view.getUint32(layout.HEADER_ID_BYTES, true) !== id.length ||
      !id.equals(stored)
    ) {
      throw corruptRun(this.#path, 0, `Its header is not that of ${this.#id}.`);
    }
    const version = view.getUint32(layout.HEADER_VERSION, true);
    if (version === layout.RUN_VERSION) return;
    throw corruptRun(
      this.#path,
      layout.HEADER_VERSION,
      `It is of format version ${version}; this Millrace knows version ${layout.RUN_VERSION}.`,
    );
  }

  #checkedFooter(offset: number): DataView {
    if (offset < layout.HEADER_ID) throw corruptRun(this.#path, 0, 'The file is cut off.');
    const bytes = this.#read(offset, layout.FOOTER_BYTES);
    const view = new DataView(bytes.buffer);
    const covered = bytes.subarray(0, layout.FOOTER_CHECKSUM);
    if (
      view.getUint32(layout.FOOTER_CHECKSUM, true) !==
      runChecksum(this.#id, 'footer', offset, covered)
    ) {
      throw corruptRun(this.#path, offset, 'Its end is not that of a run file: it is cut off.');
    }
    return view;
  }

  #readBlock(offset: number, bytes: number): Uint8Array {
    const block = this.#read(offset, bytes);
    const view = new DataView(block.buffer, block.byteOffset, block.length);
    const stored = block.subarray(layout.BLOCK_HEADER_BYTES);
    const checksum = runChecksum(
      this.#id,
      'block',
      offset,
      block.subarray(0, layout.BLOCK_CHECKSUM),
      stored,
    );
    if (view.getUint32(layout.BLOCK_CHECKSUM, true) !== checksum) {
      throw corruptRun(this.#path, offset, 'The checksum of a block is wrong.');
    }
    if (view.getUint32(layout.BLOCK_CODEC, true) === layout.CODEC_NONE) return stored;
    const length = view.getUint32(layout.BLOCK_CONTENT_BYTES, true);
    const content = decompressLz4Block(stored, length, null);
    // Not a Buffer, whose slices are no copies.
    return new Uint8Array(content.buffer, content.byteOffset, content.length);
  }

  /** All of these bytes; a file that ends before is damaged. */
  #read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const count = this.#file.read(bytes, at, length - at, offset + at);
      if (count === 0) throw corruptRun(this.#path, offset + at, 'The file is cut off.');
      at += count;
    }
    return bytes;
  }
}

/** Steps through the blocks of a file, of which it holds one. */
class FileCursor implements RunCursor {
  readonly #index: BlockCursor;
  readonly #block: BlockCursor;
  readonly #readBlock: (offset: number, bytes: number) => Uint8Array;

  constructor(
    index: BlockCursor,
    block: BlockCursor,
    readBlock: (offset: number, bytes: number) => Uint8Array,
  ) {
    this.#index = index;
    this.#block = block;
    this.#readBlock = readBlock;
  }

  get isDone(): boolean {
    return this.#block.isDone;
  }
  get bytes(): Uint8Array {
    return this.#block.bytes;
  }
  get view(): DataView {
    return this.#block.view;
  }
  get keyStart(): number {
    return this.#block.keyStart;
  }
  get keyEnd(): number {
    return this.#block.keyEnd;
  }
  get valueStart(): number {
    return this.#block.valueStart;
  }
  get valueEnd(): number {
    return this.#block.valueEnd;
  }
  get isTombstone(): boolean {
    return this.#block.isTombstone;
  }

  next(): void {
    this.#block.next();
    if (!this.#block.isDone || this.#index.isDone) return;
    this.#index.next();
    this.load();
  }

  seek(key: Uint8Array): void {
    this.#index.seek(key);
    this.load();
    if (!this.#block.isDone) this.#block.seek(key);
  }

  /** Reads the block that the index is at; past the last one there is no entry. */
  load(): void {
    if (this.#index.isDone) {
      this.#block.isDone = true;
      return;
    }
    const { bytes, valueStart } = this.#index;
    const place = new DataView(bytes.buffer, bytes.byteOffset + valueStart, 12);
    this.#block.open(this.#readBlock(place.getFloat64(0, true), place.getUint32(8, true)));
  }
}
