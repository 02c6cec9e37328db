/**
 * The cold tier of one table: runs of records on disk, the newest first, which are merged a little at a time as they
 * become many. Nothing of it outlives its thread: what a job has to find again is in its checkpoints. Callers:
 * `tiered-table.ts` and the look-ups generated for it. Runs on: worker. Invariant: of two records of a key that in the
 * newer run is the newer, and runs that are beside each other are merged, so that this stays so.
 */
import type { ScratchDisk } from '../../storage/scratch-files.js';
import { openScratch } from '../../storage/scratch-files.js';
import { sameBytes } from '../byte-arena.js';
import { BITS_MAX, BITS_MIN } from './cold-filter.js';
import { MergedRuns } from './cold-merge.js';
import {
  mixedHash,
  RECORD_HASH,
  RECORD_KEY_BYTES,
  RECORD_LENGTH,
  RecordBuffer,
  TOMBSTONE,
} from './cold-record.js';
import { BLOCK_INDEX_BYTES, type ColdRun, ColdRunWriter, type MixedRange } from './cold-run.js';

/** Runs from which on some are merged, and from which on a merge is not left for later. */
const RUNS_MERGED = 8;
const RUNS_MAX = 32;
/** Runs that are merged at least; a further one is when it is no larger than all newer ones together. */
const MERGED_MIN = 4;
/** Entries of all other runs as a share of those of the oldest, from which on all are merged into one. */
const NEWER_SHARE = 0.5;
/**
 * Records that a merge takes in one step, at least; and for each record that is put aside, of which it takes a part in
 * each step, so that a long merge is over before there are many new runs.
 */
const STEP_RECORDS = 4096;
const STEP_SHARE = 1 / 8;
const MERGED_PER_RECORD = 16;
/** What a look-up reads, at least. */
const BLOCK_BYTES = 1024;
/** Shares of the budget for what finds blocks, and for filters. */
const INDEX_SHARE = 0.06;
const FILTER_SHARE = 0.2;
const FILTER_BYTES_MIN = 1 << 16;
/** Records that are sorted together; their places fit beside a hash into a number. */
const SORTED_MAX = 1 << 16;
const PLACE_FACTOR = 2 ** 20;
/** Bytes of records from which on they become a run. */
const SORTED_BYTES_MIN = 1 << 16;
const SORTED_BYTES_MAX = 1 << 25;
/** The same as a share of the budget. */
const SORTED_SHARE = 1 / 16;

/** Where a cold tier is, and what it may use. */
export interface ColdSpace {
  readonly disk: ScratchDisk;
  readonly directory: string;
  /** Memory for the table, hot entries and cold tier together. */
  readonly budgetBytes: number;
  /** Counts look-ups, where somebody asks. */
  readonly counts?: ColdCounts;
}

/** Look-ups of what is not in memory, and those of them that found something. */
export interface ColdCounts {
  lookups: number;
  hits: number;
}

/** Which generations of the table are kept for good; `base` is the one that changes are told from, 0 for none. */
export interface ColdOwner {
  readonly generation: number;
  readonly base: number;
  /** Takes the candidate at hand into the table: its entry. */
  bringIn(): number;
}

/** Those in which the records of a run were put aside. */
interface Generations {
  readonly since: number;
  readonly until: number;
}

/** A merge under way. */
interface Merge {
  readonly inputs: readonly ColdRun[];
  readonly merged: MergedRuns;
  readonly writer: ColdRunWriter;
  /** Whether there is nothing older that tombstones would have to hide. */
  readonly isLast: boolean;
}

/** The cold tier of a table. */
export class ColdStore {
  /** Records that are collected for the next run. */
  readonly buffer = new RecordBuffer();
  /** The candidate that `first` and `next` have found. */
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  at = 0;
  /** All that is cold, newest first. */
  #runs: ColdRun[] = [];
  /** All that was put aside since the base, newest first; some of them are among the others. */
  #changed: ColdRun[] = [];
  readonly #space: ColdSpace;
  readonly #owner: ColdOwner;
  readonly #keyStart: number;
  readonly #sortedBytesMax: number;
  readonly #counts: ColdCounts;
  #hashes: Uint32Array = new Uint32Array(0);
  #starts: Uint32Array = new Uint32Array(0);
  #count = 0;
  #merge: Merge | null = null;
  /** Records that merges have yet to take for what was put aside. */
  #owed = 0;
  #mixed = 0;
  #turn = 0;
  #block = 0;
  #end = 0;

  constructor(space: ColdSpace, owner: ColdOwner, keyStart: number) {
    this.#space = space;
    this.#owner = owner;
    this.#keyStart = keyStart;
    this.#counts = space.counts ?? { lookups: 0, hits: 0 };
    const share = space.budgetBytes * SORTED_SHARE;
    this.#sortedBytesMax = Math.max(SORTED_BYTES_MIN, Math.min(SORTED_BYTES_MAX, share));
  }

  /** Bytes in memory. */
  get bytesHeld(): number {
    let bytes =
      this.buffer.bytes.length + 8 * this.#hashes.length + (this.#merge?.writer.bytes ?? 0);
    for (const run of this.#runs) bytes += run.bytes;
    return bytes;
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  // Looking up.

  /** Finds the newest record of a hash; false when there is none. */
  first(hash: number): boolean {
    this.#counts.lookups++;
    this.#mixed = mixedHash(hash);
    this.#turn = -1;
    return this.#nextRun();
  }

  /** Finds the next older record of the hash, or another one of the same run. */
  next(): boolean {
    this.at += this.#lengthAt(this.at);
    return this.#inBlock() || this.#inNextBlocks() || this.#nextRun();
  }

  /** Visits records of a hash whose keys begin with some bytes, newest first, but for those that tombstones hide. */
  eachOf(hash: number, prefix: Uint8Array, visit: () => void): void {
    const removed: Uint8Array[] = [];
    const isKey = (key: Uint8Array, at: number): boolean =>
      sameBytes(this.bytes, at, key, 0, key.length);
    for (let isThere = this.first(hash); isThere; isThere = this.next()) {
      const from = this.at + this.#keyStart;
      if (!isKey(prefix, from)) continue;
      if (this.isTombstone) {
        const length = this.view.getUint32(this.at + RECORD_KEY_BYTES, true);
        removed.push(this.bytes.slice(from, from + length));
      } else if (!removed.some((key) => isKey(key, from))) {
        visit();
      }
    }
  }

  bringIn(): number {
    this.#counts.hits++;
    return this.#owner.bringIn();
  }

  get isTombstone(): boolean {
    return (this.view.getUint32(this.at + RECORD_LENGTH, true) & TOMBSTONE) !== 0;
  }

  #nextRun(): boolean {
    const mixed = this.#mixed;
    while (++this.#turn < this.#runs.length) {
      const run = this.#runs[this.#turn];
      if (!run.mayContain(mixed)) continue;
      this.#open(run, run.blockOf(mixed));
      if (this.#inBlock() || this.#inNextBlocks()) return true;
    }
    return false;
  }

  #open(run: ColdRun, block: number): void {
    this.view = run.readBlock(block);
    this.bytes = run.blockBytes;
    this.#block = block;
    this.#end = this.bytes.length;
    this.at = 0;
  }

  /** From `at` on. */
  #inBlock(): boolean {
    while (this.at < this.#end) {
      const mixed = mixedHash(this.view.getInt32(this.at + RECORD_HASH, true));
      if (mixed === this.#mixed) return true;
      if (mixed > this.#mixed) return false;
      this.at += this.#lengthAt(this.at);
    }
    return false;
  }

  #inNextBlocks(): boolean {
    if (this.at < this.#end) return false;
    const run = this.#runs[this.#turn];
    while (run.beginsBy(this.#block + 1, this.#mixed)) {
      this.#open(run, this.#block + 1);
      if (this.#inBlock()) return true;
      if (this.at < this.#end) return false;
    }
    return false;
  }

  #lengthAt(at: number): number {
    return this.view.getUint32(at + RECORD_LENGTH, true) & ~TOMBSTONE;
  }

  // Putting aside.

  /** The record that was appended to `buffer` from `start` on is one of the next run. */
  collected(start: number, hash: number): void {
    if (this.#count === this.#hashes.length) {
      const room = Math.max(1024, 2 * this.#count);
      this.#hashes = grown(this.#hashes, room);
      this.#starts = grown(this.#starts, room);
    }
    this.#hashes[this.#count] = mixedHash(hash);
    this.#starts[this.#count++] = start;
  }

  /** Whether what is collected has to become a run. */
  get isFull(): boolean {
    return this.#count === SORTED_MAX || this.buffer.length >= this.#sortedBytesMax;
  }

  /** Makes a run of what was collected, which is gone through as a whole only; null when that is nothing. */
  takeRun(): ColdRun | null {
    return this.#sorted({ since: 0, until: 0 }, 0);
  }

  #sorted(generations: Generations, filterBits: number): ColdRun | null {
    const count = this.#count;
    if (count === 0) return null;
    const places = new Float64Array(count);
    for (let at = 0; at < count; at++) places[at] = this.#hashes[at] * PLACE_FACTOR + at;
    places.sort();
    const writer = this.#writer(count, this.buffer.length, filterBits);
    const { words, view } = this.buffer;
    for (let place = 0; place < count; place++) {
      const at = places[place] % PLACE_FACTOR;
      const start = this.#starts[at];
      const length = view.getUint32(start + RECORD_LENGTH, true) & ~TOMBSTONE;
      writer.add(words, start, start + length, this.#hashes[at]);
    }
    this.#count = 0;
    this.buffer.reset(this.#sortedBytesMax);
    return writer.finish(generations);
  }

  /** What was collected is what the table has put aside. */
  putAside(): void {
    const { generation, base } = this.#owner;
    const filterBits = this.#filterBits(this.#count, this.isEmpty);
    const run = this.#sorted({ since: generation, until: generation }, filterBits);
    if (run === null) return;
    this.#owed += MERGED_PER_RECORD * run.facts.entries;
    run.use();
    this.#runs.unshift(run);
    if (base === 0) return;
    run.use();
    this.#changed.unshift(run);
  }

  #writer(entriesMax: number, bytes: number, filterBits: number): ColdRunWriter {
    const { budgetBytes } = this.#space;
    const indexBytes = (bytes / BLOCK_BYTES) * BLOCK_INDEX_BYTES;
    const times = Math.ceil(indexBytes / (budgetBytes * INDEX_SHARE));
    return new ColdRunWriter({
      file: openScratch(this.#space.disk, this.#space.directory),
      entriesMax,
      blockBytes: BLOCK_BYTES * Math.max(1, times),
      filterBits,
    });
  }

  /**
   * Bits of a filter for each key, as many as there is room for. Newer runs come first, which most look-ups go through
   * to find nothing; all of them together have a share of the entries of the oldest.
   */
  #filterBits(entries: number, isOldest: boolean): number {
    const room = 8 * Math.max(this.#space.budgetBytes * FILTER_SHARE, FILTER_BYTES_MIN);
    const oldest = isOldest ? entries : (this.#runs.at(-1)?.facts.entries ?? entries);
    const newer = Math.min(BITS_MAX, room / (NEWER_SHARE * oldest));
    const bits = isOldest ? room / entries - NEWER_SHARE * newer : newer;
    return bits < BITS_MIN ? 0 : Math.min(BITS_MAX, Math.floor(bits));
  }

  // Merging.

  /** Goes on with the merge that is due, a little or, where there are too many runs, until there are not. */
  work(): void {
    do {
      this.#merge ??= this.#beginMerge();
      if (this.#merge === null) return;
      this.#step(this.#merge);
    } while (this.#runs.length > RUNS_MAX);
  }

  #beginMerge(): Merge | null {
    const count = this.#mergedRuns();
    if (count === 0) return null;
    const inputs = this.#runs.slice(0, count);
    for (const run of inputs) run.use();
    const isLast = count === this.#runs.length;
    const [entries, bytes] = [entriesOf(inputs), bytesOf(inputs)];
    return {
      inputs,
      merged: new MergedRuns(inputs, this.#keyStart),
      writer: this.#writer(entries, bytes, this.#filterBits(entries, isLast)),
      isLast,
    };
  }

  /** How many runs are to be merged, the newest first. */
  #mergedRuns(): number {
    const runs = this.#runs;
    const oldest = runs.at(-1);
    if (oldest === undefined || runs.length < MERGED_MIN) return 0;
    if (entriesOf(runs) >= (1 + NEWER_SHARE) * oldest.facts.entries) return runs.length;
    if (runs.length < RUNS_MERGED) return 0;
    let count = MERGED_MIN;
    let bytes = bytesOf(runs.slice(0, count));
    for (; count < runs.length && runs[count].fileBytes <= bytes; count++) {
      bytes += runs[count].fileBytes;
    }
    return count;
  }

  #step({ merged, writer, isLast }: Merge): void {
    const records = Math.max(STEP_RECORDS, Math.ceil(this.#owed * STEP_SHARE));
    this.#owed = Math.max(0, this.#owed - records);
    for (let left = records; left > 0; left--) {
      if (!merged.next()) return this.#endMerge();
      const { record } = merged;
      if (isLast && record.isTombstone) continue;
      writer.add(record.words, record.at, record.end, record.mixed);
    }
  }

  /** Puts the result in the place of what it is made of; newer runs may have come before them. */
  #endMerge(): void {
    const merge = this.#merge;
    if (merge === null) return;
    this.#merge = null;
    const { inputs } = merge;
    const since = Math.min(...inputs.map(({ facts }) => facts.since));
    const until = Math.max(...inputs.map(({ facts }) => facts.until));
    const run = merge.writer.finish({ since, until });
    const results = run === null ? [] : [run];
    this.#runs = this.#replaced(this.#runs, inputs, results);
    // Where tombstones have been left out, or what came before the base is among them, changes stay in the inputs.
    const { base } = this.#owner;
    if (!merge.isLast && base > 0 && since > base) {
      this.#changed = this.#replaced(this.#changed, inputs, results);
    }
    for (const input of inputs) input.leave();
  }

  #replaced(runs: ColdRun[], inputs: readonly ColdRun[], by: readonly ColdRun[]): ColdRun[] {
    const at = runs.indexOf(inputs[0]);
    for (const run of by) run.use();
    const next = [...runs.slice(0, at), ...by, ...runs.slice(at + inputs.length)];
    for (const input of inputs) input.leave();
    return next;
  }

  // Snapshots.

  /** All runs there are, or those with all that changed since the base; until `release` is called. */
  pin(isAll: boolean): readonly ColdRun[] {
    const runs = [...(isAll ? this.#runs : this.#changed)];
    for (const run of runs) run.use();
    return runs;
  }

  release(runs: readonly ColdRun[]): void {
    for (const run of runs) run.leave();
  }

  /** What was put aside up to a generation is in a snapshot that is kept for good. */
  confirmed(generation: number): void {
    for (const run of this.#changed) if (run.facts.until <= generation) run.leave();
    this.#changed = this.#changed.filter(({ facts }) => facts.until > generation);
  }

  /** Goes through runs, each key once. */
  merged(runs: readonly ColdRun[]): MergedRuns {
    return new MergedRuns(runs, this.#keyStart);
  }

  /** Goes through what is cold in a range, each key once; maybe with some records behind it. */
  mergedIn(range: MixedRange): MergedRuns {
    return new MergedRuns(this.#runs, this.#keyStart, range);
  }

  /** About how many records there are in a range. */
  entriesIn({ from, to }: MixedRange): number {
    return this.#runs.reduce((sum, run) => sum + run.entriesBetween(from, to), 0);
  }

  /** Gives all of it up. */
  clear(): void {
    for (const run of [...this.#runs, ...this.#changed]) run.leave();
    for (const run of this.#merge?.inputs ?? []) run.leave();
    this.#merge?.writer.abandon();
    this.#runs = [];
    this.#changed = [];
    this.#merge = null;
    this.#owed = 0;
    this.#count = 0;
    this.buffer.reset(0);
  }
}

function entriesOf(runs: readonly ColdRun[]): number {
  return runs.reduce((sum, { facts }) => sum + facts.entries, 0);
}

function bytesOf(runs: readonly ColdRun[]): number {
  return runs.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
}

function grown(values: Uint32Array, room: number): Uint32Array {
  const larger = new Uint32Array(room);
  larger.set(values);
  return larger;
}
