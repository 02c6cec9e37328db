/**
 * Keys of a tiered table with the time when each is to be looked at, on disk what memory is not worth. Callers: windows
 * whose keys have left memory, through `contract.ts`. Runs on: worker. Invariants: what was added is given once; nobody
 * else reads the file, which has no name, so that what tells whether it is what was written is in memory.
 */
import { crc32 } from 'node:zlib';
import type { FileHandle } from '../../base/disk.js';
import { corruptRun } from '../../storage/run-checksum.js';
import { openScratch, type ScratchDisk } from '../../storage/scratch-files.js';
import type { KeyLog } from '../contract.js';
import { RECORD_LENGTH, RecordBuffer, TOMBSTONE } from './cold-record.js';
import type { RecordPlace } from './record-code.js';

/** Bytes from which on keys go to disk. */
const BLOCK_BYTES = 1 << 16;
/** The time before each record. */
const TIME_BYTES = 8;

/** How keys are written and found again. */
export interface KeyAccess {
  readonly disk: ScratchDisk;
  readonly directory: string;
  /** Appends the record of an entry's key. */
  write(entry: number, out: RecordBuffer): void;
  /** The entry of such a record, brought in; -1 where there is none. */
  find(place: RecordPlace): number;
}

/** Keys that were written one after the other. */
class Pages {
  #file: FileHandle | null = null;
  readonly #blocks: { readonly at: number; readonly length: number; readonly sum: number }[] = [];
  #bytes = 0;
  #next = 0;

  add(access: KeyAccess, bytes: Uint8Array): void {
    this.#file ??= openScratch(access.disk, access.directory);
    this.#file.write(bytes);
    this.#blocks.push({ at: this.#bytes, length: bytes.length, sum: crc32(bytes) });
    this.#bytes += bytes.length;
  }

  /** The next block; null behind the last. Throws RUN_CORRUPT. */
  read(): Uint8Array | null {
    const block = this.#blocks[this.#next++];
    if (block === undefined || this.#file === null) return null;
    const bytes = new Uint8Array(block.length);
    for (let at = 0; at < bytes.length; ) {
      const count = this.#file.read(bytes, at, bytes.length - at, block.at + at);
      if (count === 0) throw corruptRun('keys', block.at + at, 'The file is cut off.');
      at += count;
    }
    if (crc32(bytes) === block.sum) return bytes;
    throw corruptRun('keys', block.at, 'The checksum of a block is wrong.');
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }
}

/** The part of a log that is being gone through. */
interface Pass {
  readonly pages: Pages;
  /** What had not gone to disk. */
  tail: Uint8Array | null;
  bytes: Uint8Array;
  view: DataView;
  at: number;
}

/** Such keys. */
export class DueKeys implements KeyLog {
  readonly #access: KeyAccess;
  #buffer = new RecordBuffer();
  #pages = new Pages();
  #pass: Pass | null = null;
  #firstMs = Number.POSITIVE_INFINITY;

  constructor(access: KeyAccess) {
    this.#access = access;
  }

  get bytes(): number {
    return this.#buffer.bytes.length + (this.#pass?.bytes.length ?? 0);
  }

  get firstMs(): number {
    return this.#pass === null ? this.#firstMs : Number.NEGATIVE_INFINITY;
  }

  add(entry: number, atMs: number): void {
    const buffer = this.#buffer;
    buffer.reserve(TIME_BYTES);
    buffer.view.setFloat64(buffer.length, atMs, true);
    buffer.length += TIME_BYTES;
    this.#access.write(entry, buffer);
    this.#added(atMs);
  }

  #added(atMs: number): void {
    this.#firstMs = Math.min(this.#firstMs, atMs);
    if (this.#buffer.length < BLOCK_BYTES) return;
    this.#pages.add(this.#access, this.#buffer.bytes.subarray(0, this.#buffer.length));
    this.#buffer.reset(2 * BLOCK_BYTES);
  }

  take(upToMs: number, keysMax: number, visit: (entry: number) => void): void {
    const pass = (this.#pass ??= this.#begin());
    for (let left = keysMax; left > 0; ) {
      if (pass.at >= pass.bytes.length && !this.#readOn(pass)) return;
      const atMs = pass.view.getFloat64(pass.at, true);
      const at = pass.at + TIME_BYTES;
      const length = pass.view.getUint32(at + RECORD_LENGTH, true) & ~TOMBSTONE;
      if (atMs <= upToMs) {
        const entry = this.#access.find({ bytes: pass.bytes, view: pass.view, at });
        if (entry >= 0) visit(entry);
        left--;
      } else {
        this.#keep(pass.bytes.subarray(pass.at, at + length), atMs);
      }
      pass.at = at + length;
    }
  }

  /** It is not its time yet. */
  #keep(record: Uint8Array, atMs: number): void {
    const buffer = this.#buffer;
    buffer.reserve(record.length);
    buffer.bytes.set(record, buffer.length);
    buffer.length += record.length;
    this.#added(atMs);
  }

  #begin(): Pass {
    const tail = this.#buffer.bytes.slice(0, this.#buffer.length);
    const bytes = new Uint8Array(0);
    const pass = { pages: this.#pages, tail, bytes, view: new DataView(bytes.buffer), at: 0 };
    this.#pages = new Pages();
    this.#buffer.length = 0;
    this.#firstMs = Number.POSITIVE_INFINITY;
    return pass;
  }

  /** Goes on to the next keys; false when the pass is over. */
  #readOn(pass: Pass): boolean {
    let bytes = pass.pages.read();
    if (bytes === null) {
      bytes = pass.tail;
      pass.tail = null;
    }
    if (bytes === null || bytes.length === 0) {
      pass.pages.close();
      this.#pass = null;
      return false;
    }
    pass.bytes = bytes;
    pass.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    pass.at = 0;
    return true;
  }

  close(): void {
    this.#pages.close();
    this.#pass?.pages.close();
    this.#pass = null;
    this.#buffer.reset(0);
    this.#firstMs = Number.POSITIVE_INFINITY;
  }
}
