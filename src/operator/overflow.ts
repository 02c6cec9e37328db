/**
 * What a keyed operator of bounded input does when its state is full: the keys that it holds go on as before, and
 * records of all others wait on disk, dealt to partitions by the hashes of their keys. When the input has ended and
 * the keys in memory have given their results, each partition is taken as input again, which may overflow anew.
 * Callers: the keyed operator, the chain task and code that `fragments/overflow.ts` writes. Runs on: the slot's
 * thread. Invariant: all records of a key are either taken before its result is given or wait, and those that wait
 * keep their order.
 */
import { assert } from '../base/assert.js';
import type { RunCursor } from '../storage/run-cursor.js';
import { RunReader } from '../storage/run-reader.js';
import { RunWriter } from '../storage/run-writer.js';
import { ScratchFiles } from '../storage/scratch-files.js';
import type { SpillSpace } from './chain-options.js';
import { RowLayouts, RowScratch } from './row-layouts.js';

/** Bits of a hash that decide the partition; one that overflows is divided by the next ones. */
const PARTITION_BITS = 4;
const PARTITIONS = 1 << PARTITION_BITS;
const HASH_BITS = 32;
/** What an open partition takes in memory: a block, and what it is compressed into. */
const PARTITION_BYTES = 192 * 1024;
const BLOCK_BYTES = 64 * 1024;

/** Records that wait for their turn. */
interface Partition {
  readonly name: string;
  readonly level: number;
}

/** The records of one operator that wait. */
export class Overflow {
  readonly layouts = new RowLayouts();
  /** The record that is being written. */
  readonly scratch = new RowScratch();
  /** Whether no key is taken in that is not there already. Changes between two calls of generated code only. */
  isFull = true;
  /** Records that the next call may take from the partition. */
  left = 0;
  /** The record of the partition that comes next. */
  cursor: RunCursor | null = null;
  readonly #files: ScratchFiles;
  #writers: (RunWriter | null)[] = closed();
  readonly #waiting: Partition[] = [];
  #reading: { readonly name: string; readonly reader: RunReader } | null = null;
  #level = 0;
  #names = 0;
  /** An entry without a key, so that all of them are in the order in which they came. */
  readonly #entry = { bytes: this.scratch.bytes, valueEnd: 0, ...NO_KEY };

  constructor(space: SpillSpace) {
    this.#files = new ScratchFiles(space.disk, space.directory);
  }

  /** Memory that it holds. */
  get bytes(): number {
    return this.#writers.filter((writer) => writer !== null).length * PARTITION_BYTES;
  }

  /** Puts the record in `scratch` behind the others of its partition. */
  put(hash: number): void {
    const entry = this.#entry;
    entry.bytes = this.scratch.bytes;
    entry.valueEnd = this.scratch.length;
    this.#writerOf(mixed(hash) >>> (HASH_BITS - PARTITION_BITS * (this.#level + 1))).append(entry);
  }

  #writerOf(bits: number): RunWriter {
    const partition = bits & (PARTITIONS - 1);
    const known = this.#writers[partition];
    if (known !== null) return known;
    const name = String(this.#names++);
    const options = { disk: this.#files, path: name, blockBytes: BLOCK_BYTES, hasEqualKeys: true };
    const writer = new RunWriter(options);
    this.#writers[partition] = writer;
    this.#waiting.push({ name, level: this.#level });
    return writer;
  }

  /** Whether a partition is being read. */
  get isReading(): boolean {
    if (this.cursor === null) return false;
    if (!this.cursor.isDone) return true;
    this.#endReading();
    return false;
  }

  #endReading(): void {
    this.#reading?.reader.close();
    if (this.#reading !== null) this.#files.remove(this.#reading.name);
    this.#reading = null;
    this.cursor = null;
  }

  /** Begins with the next partition, of which there may be keys again; false when none waits. */
  next(): boolean {
    assert(this.#reading === null, 'One partition is read at a time.');
    for (const writer of this.#writers) writer?.finish({ isDurable: false });
    this.#writers = closed();
    // The last first: those that a partition was divided into come before the others, so that few of them wait.
    const partition = this.#waiting.pop();
    if (partition === undefined) return false;
    const { name, level } = partition;
    // Bits begin anew when they are used up: what is taken in each time is enough for an end to come.
    this.#level = (level + 1) % (HASH_BITS / PARTITION_BITS);
    const reader = new RunReader(this.#files, name);
    this.#reading = { name, reader };
    this.cursor = reader.cursor();
    this.isFull = false;
    return true;
  }

  /** Gives up what waits. */
  close(): void {
    this.#endReading();
    this.#writers = closed();
    this.#waiting.length = 0;
    this.#files.close();
  }
}

const NO_KEY = { keyStart: 0, keyEnd: 0, valueStart: 0, isTombstone: false } as const;

function closed(): (RunWriter | null)[] {
  return Array.from({ length: PARTITIONS }, () => null);
}

/** Spreads hashes, of which those of small numbers are the numbers. */
function mixed(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return second ^ (second >>> 16);
}
