/**
 * Sorts more entries than fit in memory: as many as do are sorted at a time and written to a run file, then the files
 * are merged. Callers: sort. Runs on: any thread; `add` blocks while it spills. Invariant: entries of equal keys keep
 * the order in which they came; memory stays within the budget, whatever is added.
 */
import { join } from 'node:path';
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import { EntryArena } from './entry-arena.js';
import type { RunCursor } from './run-cursor.js';
import { MergeCursor, mergeStep } from './run-merge.js';
import { RunReader } from './run-reader.js';
import { RunWriter } from './run-writer.js';
import type { RunDisk } from './scratch-files.js';

/** Files that are merged at a time: each takes a descriptor and the memory of a block. */
const RUNS_MAX = 64;
const BUDGET_BYTES_MIN = 64 * 1024;

/** What a sorter may use. */
export interface RunSorterOptions {
  readonly disk: RunDisk;
  /** Exists, and belongs to the sorter: files in it are removed when it is closed. */
  readonly directory: string;
  /** Memory for entries, from 64 KiB to 2 GiB. Merging takes 64 blocks of 64 KiB beside it. */
  readonly budgetBytes: number;
  /** `'lz4'` when not given. */
  readonly compression?: 'lz4' | 'none';
}

/**
 * Sorts entries by the bytes of their keys.
 *
 * @example
 * const sorter = new RunSorter({ disk, directory, budgetBytes: 64 * 1024 * 1024 });
 * for (const { key, value } of entries) sorter.add(key, value);
 * for (const at = sorter.sorted(); !at.isDone; at.next()) use(keyOf(at), valueOf(at));
 * sorter.close();
 */
export class RunSorter {
  readonly #options: RunSorterOptions;
  /** Given up when all entries are in files. */
  #arena: EntryArena;
  /** Paths of files, those of older entries first. */
  #runs: string[] = [];
  #names = 0;
  #open: RunReader[] = [];
  #spilledBytes = 0;

  constructor(options: RunSorterOptions) {
    this.#options = options;
    const { budgetBytes } = options;
    assert(budgetBytes >= BUDGET_BYTES_MIN && budgetBytes <= 2 ** 31, 'A sort has no memory.');
    this.#arena = new EntryArena(budgetBytes);
  }

  /** Memory of the entries that are in no file yet. */
  get bytes(): Uint8Array {
    return this.#arena.bytes;
  }

  /** The same memory, for numbers. */
  get view(): DataView {
    return this.#arena.view;
  }

  /** Bytes of memory in use by now. */
  get heldBytes(): number {
    return this.#arena.touchedBytes;
  }

  /** Bytes written to files so far, those of intermediate merges too. */
  get spilledBytes(): number {
    return this.#spilledBytes;
  }

  /** Both may be used again afterwards. Throws RECORD_TOO_LARGE for an entry that alone exceeds the budget. */
  add(key: Uint8Array, value: Uint8Array): void {
    const at = this.claim(key, key.length, value.length);
    this.bytes.set(value, at);
  }

  /**
   * Adds an entry whose value the caller writes: gives where in `bytes`, of which all have to be written before
   * anything else is called. The key is the first `keyBytes` of `key`.
   */
  claim(key: Uint8Array, keyBytes: number, valueBytes: number): number {
    const at = this.#arena.claim(key, keyBytes, valueBytes);
    if (at >= 0) return at;
    this.#spill();
    const again = this.#arena.claim(key, keyBytes, valueBytes);
    if (again >= 0) return again;
    const bytes = keyBytes + valueBytes;
    const { budgetBytes } = this.#options;
    throw new MillraceError(
      'RECORD_TOO_LARGE',
      `A record of ${bytes} bytes is to be sorted with ${budgetBytes} bytes of memory.`,
      { advice: 'Raise the managed memory of the slot.' },
    );
  }

  /** All entries in order. Nothing can be added any more. */
  sorted(): RunCursor {
    if (this.#runs.length === 0) return this.#arena.sorted();
    this.#spill();
    this.#arena = new EntryArena(0);
    while (this.#runs.length > RUNS_MAX) this.#mergeOldest();
    return this.#merged(this.#runs);
  }

  /** Frees the memory and removes the files. */
  close(): void {
    this.#closeReaders();
    for (const path of this.#runs) this.#options.disk.remove(path);
    this.#runs = [];
    this.#arena = new EntryArena(0);
  }

  #spill(): void {
    const writer = this.#writer();
    const cursor = this.#arena.sorted();
    while (!mergeStep(cursor, writer, { entriesMax: Number.MAX_SAFE_INTEGER, isBase: false }));
    this.#spilledBytes += writer.finish({ isDurable: false }).bytes;
    this.#arena.clear();
  }

  /** Neighbours only, so that entries of equal keys stay in their order. */
  #mergeOldest(): void {
    const merged = this.#runs.splice(0, RUNS_MAX);
    const cursor = this.#merged(merged);
    const writer = this.#writer();
    while (!mergeStep(cursor, writer, { entriesMax: Number.MAX_SAFE_INTEGER, isBase: false }));
    this.#spilledBytes += writer.finish({ isDurable: false }).bytes;
    this.#runs.unshift(this.#runs.pop() ?? '');
    this.#closeReaders();
    for (const path of merged) this.#options.disk.remove(path);
  }

  #merged(paths: readonly string[]): RunCursor {
    this.#open = paths.map((path) => new RunReader(this.#options.disk, path));
    return new MergeCursor(
      this.#open.map((run) => run.cursor()),
      { equalKeys: 'all' },
    );
  }

  /** Of the next run, which is behind all others. */
  #writer(): RunWriter {
    const { disk, directory, compression = 'lz4' } = this.#options;
    const path = join(directory, `sort-${this.#names++}.run`);
    this.#runs.push(path);
    return new RunWriter({ disk, path, compression, hasEqualKeys: true });
  }

  #closeReaders(): void {
    for (const run of this.#open) run.close();
    this.#open = [];
  }
}
