/**
 * Reads splits whose records come from a pull: the reader behind iterables and custom sources. A
 * split's position is the number of its records given so far. Callers: `iterable.ts`,
 * `custom/define-source.ts`. Runs on: the thread of the source. Invariant: positions count exactly
 * the records handed out in batches, whatever was pulled ahead.
 */
import type { Batch } from '../../record/batch.js';
import type { Schema } from '../../record/schema.js';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  POLL_WAIT,
  type PlainData,
  type PollResult,
  type ReaderContext,
  type SourceReader,
  type Split,
  type SplitPosition,
} from '../contract.js';
import { RecordBatcher } from './record-batcher.js';
import { PULL_END, PULL_WAIT, type RecordPull } from './record-pull.js';

/** Starts reading a split after its first `position` records. */
export type OpenSplit = (split: Split, position: number) => RecordPull;

/** A split being read. */
interface Reading {
  readonly split: Split;
  readonly pull: RecordPull;
  /** Records given in batches before the current one. */
  given: number;
}

/** A source reader over pulls. */
export class RecordReader implements SourceReader {
  batch: Batch | null = null;
  /** Records have no size in bytes that would mean anything. */
  readonly bytesRead = 0;
  readonly #context: ReaderContext;
  readonly #open: OpenSplit;
  readonly #batcher: RecordBatcher;
  #reading: Reading | null = null;
  /** Records pulled, and how many of them are in batches already. */
  #records: readonly unknown[] = [];
  #used = 0;

  constructor(context: ReaderContext, declared: Schema | null, open: OpenSplit) {
    this.#context = context;
    this.#open = open;
    const { schemas, batchRows } = context;
    this.#batcher = new RecordBatcher({ schemas, batchRows, declared });
  }

  addSplit(split: Split, position: PlainData): void {
    this.batch = null;
    const given = typeof position === 'number' ? position : 0;
    this.#reading = { split, pull: this.#open(split, given), given };
  }

  poll(): PollResult {
    const reading = this.#reading;
    if (reading === null) return POLL_NEED_SPLIT;
    if (this.batch !== null) {
      reading.given += this.batch.rows;
      this.batch = null;
    }
    if (this.#used === this.#records.length) {
      const pulled = reading.pull.pull(this.#context.batchRows);
      if (pulled === PULL_WAIT) return POLL_WAIT;
      if (pulled === PULL_END) {
        this.#reading = null;
        return POLL_NEED_SPLIT;
      }
      this.#records = pulled;
      this.#used = 0;
    }
    this.#used += this.#batcher.fill(this.#records, this.#used, reading.given);
    this.batch = this.#batcher.batch;
    return POLL_BATCH;
  }

  positions(rows?: number): readonly SplitPosition[] {
    if (this.#reading === null) return [];
    const { split, given } = this.#reading;
    return [{ split, position: given + (rows ?? this.batch?.rows ?? 0) }];
  }

  close(): void {
    this.#reading?.pull.stop();
    this.#reading = null;
  }
}
