/**
 * A run of the cold tier: records of a table, ordered by mixed hash, in a file without a name. What finds a block, and
 * tells whether it is what was written, is in memory, since nothing of a file is ever read by anyone else. Callers:
 * `cold-store.ts`, `cold-merge.ts`. Runs on: worker. Invariant: a key is in a run once; a run never changes.
 */
import { crc32 } from 'node:zlib';
import type { FileHandle } from '../../base/disk.js';
import { corruptRun } from '../../storage/run-checksum.js';
import { ColdFilter } from './cold-filter.js';
import { mixedHash, RECORD_HASH, RECORD_LENGTH, TOMBSTONE } from './cold-record.js';

/** Bytes that are written at once, and read at once by those who go through a run. */
const CHUNK_BYTES = 1 << 17;
/** What a block takes in memory, without being asked for: first hash, offset, checksum. */
export const BLOCK_INDEX_BYTES = 16;

/** Where the blocks of a run are, and what they are told by. */
interface RunIndex {
  readonly firsts: Uint32Array;
  /** One more than there are blocks. */
  readonly offsets: Float64Array;
  readonly checksums: Uint32Array;
}

/** What is known of a run beside its records. */
export interface RunFacts {
  readonly entries: number;
  /** Generations of the table in which its records were put aside. */
  readonly since: number;
  readonly until: number;
}

/** One run. */
export class ColdRun {
  readonly facts: RunFacts;
  readonly blocks: number;
  readonly fileBytes: number;
  readonly #file: FileHandle;
  readonly #index: RunIndex;
  readonly #filter: ColdFilter | null;
  #uses = 0;
  #block = new Uint8Array(0);
  #blockView = new DataView(this.#block.buffer);
  #blockAt = -1;

  constructor(file: FileHandle, facts: RunFacts, index: RunIndex, filter: ColdFilter | null) {
    this.facts = facts;
    this.blocks = index.firsts.length;
    this.fileBytes = index.offsets[this.blocks];
    this.#file = file;
    this.#index = index;
    this.#filter = filter;
  }

  /** Bytes in memory. */
  get bytes(): number {
    return this.blocks * BLOCK_INDEX_BYTES + (this.#filter?.bytes ?? 0) + this.#block.length;
  }

  /** Those of them that its filter takes. */
  get filterBytes(): number {
    return this.#filter?.bytes ?? 0;
  }

  /** Somebody more, or somebody less, reads it; the last one closes it. */
  use(): void {
    this.#uses++;
  }
  leave(): void {
    if (--this.#uses === 0) this.#file.close();
  }

  /** Closes a run that nobody has used. */
  discard(): void {
    this.#file.close();
  }

  mayContain(mixed: number): boolean {
    return this.#filter === null || this.#filter.mayContain(mixed);
  }

  /** The first block that may have records of a hash: the last one that begins before it. */
  blockOf(mixed: number): number {
    const { firsts } = this.#index;
    const last = this.blocks - 1;
    // Hashes are spread evenly, so that the place is nearly known; from there on by steps that double.
    let low = Math.min(last, Math.floor((mixed / 2 ** 32) * this.blocks));
    let high = low;
    for (let step = 1; low > 0 && firsts[low] >= mixed; step *= 2) {
      high = low;
      low = Math.max(0, low - step);
    }
    for (let step = 1; high < last && firsts[high] < mixed; step *= 2) {
      low = high;
      high = Math.min(last, high + step);
    }
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (firsts[middle] < mixed) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** About how many records have mixed hashes from one on up to another. */
  entriesBetween(from: number, to: number): number {
    const blocks = this.blockOf(to) - this.blockOf(from) + 1;
    return Math.ceil((this.facts.entries * blocks) / this.blocks);
  }

  /** Whether a block begins with records of a hash, or with earlier ones. */
  beginsBy(block: number, mixed: number): boolean {
    return block < this.blocks && this.#index.firsts[block] <= mixed;
  }

  /** A block, as long as no other one is asked for. Throws RUN_CORRUPT. */
  readBlock(block: number): DataView {
    if (block === this.#blockAt) return this.#blockView;
    const { offsets } = this.#index;
    const length = offsets[block + 1] - offsets[block];
    if (this.#block.length !== length) {
      this.#block = new Uint8Array(length);
      this.#blockView = new DataView(this.#block.buffer);
    }
    this.#blockAt = -1;
    this.#read(this.#block, offsets[block]);
    this.#check(this.#block, block);
    this.#blockAt = block;
    return this.#blockView;
  }

  get blockBytes(): Uint8Array {
    return this.#block;
  }

  /** Bytes of the blocks from one up to another that are read together, and which comes next. */
  chunkAt(from: number, to: number): { readonly length: number; readonly next: number } {
    const { offsets } = this.#index;
    const start = offsets[from];
    let next = from + 1;
    while (next < to && offsets[next + 1] - start <= CHUNK_BYTES) next++;
    return { length: offsets[next] - start, next };
  }

  /** Reads the blocks from one up to another. Throws RUN_CORRUPT. */
  readChunk(from: number, to: number, bytes: Uint8Array): void {
    const { offsets } = this.#index;
    const start = offsets[from];
    this.#read(bytes.subarray(0, offsets[to] - start), start);
    for (let block = from; block < to; block++) {
      this.#check(bytes.subarray(offsets[block] - start, offsets[block + 1] - start), block);
    }
  }

  #read(bytes: Uint8Array, position: number): void {
    for (let at = 0; at < bytes.length; ) {
      const count = this.#file.read(bytes, at, bytes.length - at, position + at);
      if (count === 0) throw corruptRun('state', position + at, 'The file is cut off.');
      at += count;
    }
  }

  #check(bytes: Uint8Array, block: number): void {
    if (crc32(bytes) === this.#index.checksums[block]) return;
    throw corruptRun('state', this.#index.offsets[block], 'The checksum of a block is wrong.');
  }
}

/** How a run is written. */
export interface RunOptions {
  readonly file: FileHandle;
  /** As many entries as there can be. */
  readonly entriesMax: number;
  readonly blockBytes: number;
  /** Bits of the filter for each of them; 0: none. */
  readonly filterBits: number;
}

/** Writes a run; records are given in order. */
export class ColdRunWriter {
  readonly #options: RunOptions;
  readonly #filter: ColdFilter | null;
  readonly #firsts: number[] = [];
  readonly #offsets: number[] = [0];
  readonly #checksums: number[] = [];
  #words: Int32Array = new Int32Array(CHUNK_BYTES / 4);
  #chunk: Uint8Array = new Uint8Array(this.#words.buffer);
  #length = 0;
  /** Start of the open block in the chunk, and of the chunk in the file. */
  #blockStart = 0;
  #written = 0;
  #entries = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    const { entriesMax, filterBits } = options;
    this.#filter = filterBits > 0 ? new ColdFilter(entriesMax, filterBits) : null;
  }

  get bytes(): number {
    const index = this.#firsts.length * BLOCK_INDEX_BYTES;
    return this.#chunk.length + index + (this.#filter?.bytes ?? 0);
  }

  /** Adds the record at byte `start` up to `end` of these words. */
  add(words: Int32Array, start: number, end: number, mixed: number): void {
    const length = end - start;
    const open = this.#length - this.#blockStart;
    if (open > 0 && open + length > this.#options.blockBytes) this.#endBlock();
    if (this.#length + length > this.#chunk.length) this.#makeRoom(length);
    if (this.#length === this.#blockStart) this.#firsts.push(mixed);
    copyWords(words, start >>> 2, end >>> 2, this.#words, this.#length >>> 2);
    this.#length += length;
    this.#filter?.add(mixed);
    this.#entries++;
  }

  #endBlock(): void {
    if (this.#length === this.#blockStart) return;
    this.#checksums.push(crc32(this.#chunk.subarray(this.#blockStart, this.#length)));
    this.#offsets.push(this.#written + this.#length);
    this.#blockStart = this.#length;
  }

  /** Writes the blocks that are complete; the open one goes on at the start of the chunk. */
  #makeRoom(length: number): void {
    const open = this.#length - this.#blockStart;
    this.#options.file.write(this.#chunk.subarray(0, this.#blockStart));
    this.#written += this.#blockStart;
    const wanted = open + length;
    const rest = this.#chunk.subarray(this.#blockStart, this.#length);
    if (wanted > this.#chunk.length) {
      this.#words = new Int32Array(wanted >>> 2);
      this.#chunk = new Uint8Array(this.#words.buffer);
    }
    this.#chunk.set(rest);
    this.#length = open;
    this.#blockStart = 0;
  }

  /** Gives the file up. */
  abandon(): void {
    this.#options.file.close();
  }

  /** The run; null when it would be empty. Nobody uses it yet. */
  finish(generations: { readonly since: number; readonly until: number }): ColdRun | null {
    if (this.#entries === 0) {
      this.#options.file.close();
      return null;
    }
    this.#endBlock();
    this.#options.file.write(this.#chunk.subarray(0, this.#length));
    const index = {
      firsts: Uint32Array.from(this.#firsts),
      offsets: Float64Array.from(this.#offsets),
      checksums: Uint32Array.from(this.#checksums),
    };
    const facts = { entries: this.#entries, ...generations };
    return new ColdRun(this.#options.file, facts, index, this.#filter);
  }
}

/** Words up to which a loop copies faster than a native call. */
const LOOP_WORDS_MAX = 32;

function copyWords(
  from: Int32Array,
  start: number,
  end: number,
  to: Int32Array,
  target: number,
): void {
  if (end - start > LOOP_WORDS_MAX) to.set(from.subarray(start, end), target);
  else for (let at = start, next = target; at < end; at++, next++) to[next] = from[at];
}

/** Mixed hashes from one on and below another. */
export interface MixedRange {
  readonly from: number;
  readonly to: number;
}

export const WHOLE_RANGE: MixedRange = Object.freeze({ from: 0, to: 2 ** 32 });

/** Goes through the records of a run in order. */
export class ColdCursor {
  readonly #run: ColdRun;
  words: Int32Array = new Int32Array(0);
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  #length = 0;
  /** The record at hand, and its mixed hash; infinite at the end. */
  at = 0;
  end = 0;
  mixed = 0;
  #next: number;
  readonly #end: number;

  /** At the first record in a range of mixed hashes; goes a little beyond its end at most. */
  constructor(run: ColdRun, { from, to }: MixedRange = WHOLE_RANGE) {
    this.#run = run;
    this.#next = run.blockOf(from);
    this.#end = run.blockOf(to) + 1;
    this.next();
    while (this.mixed < from) this.next();
  }

  get isTombstone(): boolean {
    return (this.view.getUint32(this.at + RECORD_LENGTH, true) & TOMBSTONE) !== 0;
  }

  /** Steps to the next record. */
  next(): void {
    this.at = this.end;
    if (this.at >= this.#length && !this.#readOn()) return;
    const length = this.view.getUint32(this.at + RECORD_LENGTH, true) & ~TOMBSTONE;
    this.end = this.at + length;
    this.mixed = mixedHash(this.view.getInt32(this.at + RECORD_HASH, true));
  }

  /** Reads the next blocks into the same memory; false when there are none. */
  #readOn(): boolean {
    if (this.#next >= this.#end) {
      this.mixed = Number.POSITIVE_INFINITY;
      return false;
    }
    const { length, next } = this.#run.chunkAt(this.#next, this.#end);
    if (length > this.bytes.length) {
      this.words = new Int32Array(length >>> 2);
      this.bytes = new Uint8Array(this.words.buffer);
      this.view = new DataView(this.words.buffer);
    }
    this.#run.readChunk(this.#next, next, this.bytes);
    this.#next = next;
    this.#length = length;
    this.at = 0;
    return true;
  }
}
