/**
 * Writes a run file: sorted entries in compressed blocks, an index, a footer. Callers: merge, sort, spilling state.
 * Runs on: any thread; a call writes one block at most, `finish` the index too. Invariant: keys rise; the file is whole
 * only when `finish` has returned, and durable when it was asked to be.
 */
import { basename } from 'node:path';
import { compressLz4Block } from '../../native-bindings/lz4.js';
import { assert } from '../base/assert.js';
import type { Disk, FileHandle } from '../base/disk.js';
import { BlockBuilder } from './block-builder.js';
import { runChecksum } from './run-checksum.js';
import { copyBytes, entryOf, type RunEntry } from './run-cursor.js';
import { FilterBuilder } from './run-filter.js';
import { compareBytes } from './run-key.js';
import * as layout from './run-layout.js';

/** The rate of compression hardly grows beyond, the cost of looking for one key does. */
const BLOCK_BYTES = 64 * 1024;
/** What is smaller is not worth compressing. */
const SAVED_MIN = 0.9;

/** How a run file is written. */
export interface RunWriterOptions {
  readonly disk: Pick<Disk, 'createNew' | 'remove'>;
  /** Must not exist. */
  readonly path: string;
  /** Which file it is, for checksums, wherever it is moved. The name of the file when not given. */
  readonly id?: string;
  /** Content of a block, before compression. 64 KiB when not given. */
  readonly blockBytes?: number;
  /** `'lz4'` when not given. */
  readonly compression?: 'lz4' | 'none';
  /** Whether keys may be equal: `add` keeps the order of such entries. `false` when not given. */
  readonly hasEqualKeys?: boolean;
  /** Whether single keys will be looked for: adds ten bits for each. `false` when not given. */
  readonly hasFilter?: boolean;
}

/** What was written. */
export interface RunInfo {
  readonly bytes: number;
  readonly entries: number;
  readonly tombstones: number;
  readonly blocks: number;
}

/**
 * Writes one run file.
 *
 * @example
 * const writer = new RunWriter({ disk, path: 'state.run' });
 * writer.add(runKey(3, 0, key), value);
 * writer.finish({ isDurable: true });
 */
export class RunWriter {
  readonly #options: RunWriterOptions;
  readonly #id: string;
  readonly #blockBytes: number;
  readonly #file: FileHandle;
  readonly #block: BlockBuilder;
  readonly #index = new BlockBuilder(1024);
  readonly #filter: FilterBuilder | null;
  #last = new Uint8Array(64);
  #lastBytes = 0;
  #position = 0;
  #entries = 0;
  #tombstones = 0;
  #blocks = 0;

  constructor(options: RunWriterOptions) {
    this.#options = options;
    this.#id = options.id ?? basename(options.path);
    this.#blockBytes = options.blockBytes ?? BLOCK_BYTES;
    this.#block = new BlockBuilder(this.#blockBytes + 1024);
    this.#filter = options.hasFilter === true ? new FilterBuilder() : null;
    this.#file = options.disk.createNew(options.path);
    this.#write(this.#header());
  }

  /** Bytes in the file so far. */
  get bytes(): number {
    return this.#position;
  }

  /** Adds an entry behind all others, a tombstone when `value` is null. Both may be used again afterwards. */
  add(key: Uint8Array, value: Uint8Array | null): void {
    this.append(entryOf(key, value));
  }

  /** Adds a copy of an entry behind all others, such as the one that a cursor is at. */
  append(entry: RunEntry): void {
    assert(this.#isInOrder(entry), 'Keys of a run file do not rise.');
    this.#entries++;
    if (entry.isTombstone) this.#tombstones++;
    this.#keepLast(entry);
    this.#filter?.add(this.#last, this.#lastBytes);
    this.#block.add(entry);
    if (this.#block.length >= this.#blockBytes) this.#endBlock();
  }

  /** Writes what is left and closes the file. */
  finish({ isDurable }: { readonly isDurable: boolean }): RunInfo {
    try {
      if (this.#block.entries > 0) this.#endBlock();
      const indexOffset = this.#position;
      this.#writeBlock(this.#index.finish(), this.#blocks);
      const filterOffset = this.#filter === null ? 0 : this.#position;
      if (this.#filter !== null) this.#writeBlock(this.#filter.finish(), 0);
      this.#write(this.#footer(indexOffset, filterOffset));
      if (isDurable) this.#file.sync();
    } finally {
      this.#file.close();
    }
    return {
      bytes: this.#position,
      entries: this.#entries,
      tombstones: this.#tombstones,
      blocks: this.#blocks,
    };
  }

  /** Closes and removes the file. */
  abort(): void {
    this.#file.close();
    this.#options.disk.remove(this.#options.path);
  }

  #isInOrder({ bytes, keyStart, keyEnd }: RunEntry): boolean {
    if (this.#entries === 0) return true;
    const difference = compareBytes(this.#last, 0, this.#lastBytes, bytes, keyStart, keyEnd);
    return difference < 0 || (difference === 0 && this.#options.hasEqualKeys === true);
  }

  #header(): Uint8Array {
    const id = Buffer.from(this.#id);
    const bytes = new Uint8Array(layout.HEADER_ID + id.length);
    const view = new DataView(bytes.buffer);
    bytes.set(Buffer.from(layout.RUN_MAGIC));
    view.setUint32(layout.HEADER_VERSION, layout.RUN_VERSION, true);
    view.setUint32(layout.HEADER_ID_BYTES, id.length, true);
    bytes.set(id, layout.HEADER_ID);
    const checksum = runChecksum(this.#id, 'header', 0, bytes.subarray(0, layout.HEADER_CHECKSUM));
    view.setUint32(layout.HEADER_CHECKSUM, checksum, true);
    return bytes;
  }

  /** The index knows the last key of every block, where it begins and how long it is. */
  #endBlock(): void {
    const place = new Uint8Array(12);
    const view = new DataView(place.buffer);
    const { entries } = this.#block;
    view.setFloat64(0, this.#position, true);
    view.setUint32(8, this.#writeBlock(this.#block.finish(), entries), true);
    this.#index.add(entryOf(this.#last.subarray(0, this.#lastBytes), place));
    this.#blocks++;
  }

  /** Gives the length with its header. */
  #writeBlock(content: Uint8Array, entries: number): number {
    const packed = this.#options.compression === 'none' ? content : compressLz4Block(content);
    const isPacked = packed.length < SAVED_MIN * content.length;
    const stored = isPacked ? packed : content;
    const header = new Uint8Array(layout.BLOCK_HEADER_BYTES);
    const view = new DataView(header.buffer);
    view.setUint32(layout.BLOCK_STORED_BYTES, stored.length, true);
    view.setUint32(layout.BLOCK_CONTENT_BYTES, content.length, true);
    view.setUint32(layout.BLOCK_ENTRIES, entries, true);
    view.setUint32(layout.BLOCK_CODEC, isPacked ? layout.CODEC_LZ4 : layout.CODEC_NONE, true);
    const covered = header.subarray(0, layout.BLOCK_CHECKSUM);
    const checksum = runChecksum(this.#id, 'block', this.#position, covered, stored);
    view.setUint32(layout.BLOCK_CHECKSUM, checksum, true);
    this.#write(header);
    this.#write(stored);
    return header.length + stored.length;
  }

  #footer(indexOffset: number, filterOffset: number): Uint8Array {
    const bytes = new Uint8Array(layout.FOOTER_BYTES);
    const view = new DataView(bytes.buffer);
    view.setFloat64(layout.FOOTER_INDEX_OFFSET, indexOffset, true);
    view.setFloat64(layout.FOOTER_FILTER_OFFSET, filterOffset, true);
    view.setFloat64(layout.FOOTER_ENTRIES, this.#entries, true);
    view.setFloat64(layout.FOOTER_TOMBSTONES, this.#tombstones, true);
    view.setUint32(layout.FOOTER_BLOCKS, this.#blocks, true);
    const covered = bytes.subarray(0, layout.FOOTER_CHECKSUM);
    const checksum = runChecksum(this.#id, 'footer', this.#position, covered);
    view.setUint32(layout.FOOTER_CHECKSUM, checksum, true);
    return bytes;
  }

  #keepLast({ bytes, keyStart, keyEnd }: RunEntry): void {
    const length = keyEnd - keyStart;
    if (length > this.#last.length) this.#last = new Uint8Array(2 * length);
    this.#lastBytes = copyBytes(this.#last, 0, bytes, keyStart, keyEnd);
  }

  #write(bytes: Uint8Array): void {
    this.#file.write(bytes);
    this.#position += bytes.length;
  }
}
