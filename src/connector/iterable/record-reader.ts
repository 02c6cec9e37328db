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
  POLL_SPLIT_END,
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
  /** Records given in batches, those of the current one included. */
  given: number;
  /** Records pulled, and how many of them are in batches already. */
  records: readonly unknown[];
  used: number;
  isPaused: boolean;
}

/** A source reader over pulls. It takes turns between its splits, a batch each. */
export class RecordReader implements SourceReader {
  batch: Batch | null = null;
  splitId = '';
  /** Records have no size in bytes that would mean anything. */
  readonly bytesRead = 0;
  readonly #context: ReaderContext;
  readonly #open: OpenSplit;
  readonly #batcher: RecordBatcher;
  readonly #readings: Reading[] = [];
  /** Whose turn it is. */
  #next = 0;

  constructor(context: ReaderContext, declared: Schema | null, open: OpenSplit) {
    this.#context = context;
    this.#open = open;
    const { schemas, batchRows } = context;
    this.#batcher = new RecordBatcher({ schemas, batchRows, declared });
  }

  addSplit(split: Split, position: PlainData): void {
    this.batch = null;
    const given = typeof position === 'number' ? position : 0;
    const pull = this.#open(split, given);
    this.#readings.push({ split, pull, given, records: [], used: 0, isPaused: false });
  }

  poll(): PollResult {
    this.batch = null;
    for (let looked = 0; looked < this.#readings.length; looked++) {
      const turn = this.#next % this.#readings.length;
      this.#next = turn + 1;
      const found = this.#pollSplit(turn);
      if (found !== POLL_WAIT) return found;
    }
    return this.#readings.length === 0 ? POLL_NEED_SPLIT : POLL_WAIT;
  }

  pauseOrResumeSplits(pause: readonly string[], resume: readonly string[]): void {
    for (const reading of this.#readings) {
      if (pause.includes(reading.split.id)) reading.isPaused = true;
      if (resume.includes(reading.split.id)) reading.isPaused = false;
    }
  }

  positions(rows?: number): readonly SplitPosition[] {
    const held = rows === undefined ? 0 : (this.batch?.rows ?? 0) - rows;
    return this.#readings.map(({ split, given }) => {
      return { split, position: split.id === this.splitId ? given - held : given };
    });
  }

  close(): void {
    for (const { pull } of this.#readings.splice(0)) pull.stop();
  }

  #pollSplit(turn: number): PollResult {
    const reading = this.#readings[turn];
    if (reading.isPaused) return POLL_WAIT;
    this.splitId = reading.split.id;
    if (reading.used === reading.records.length) {
      const pulled = reading.pull.pull(this.#context.batchRows);
      if (pulled === PULL_WAIT) return POLL_WAIT;
      if (pulled === PULL_END) {
        this.#readings.splice(turn, 1);
        // The one behind it has moved up.
        this.#next = turn;
        return POLL_SPLIT_END;
      }
      reading.records = pulled;
      reading.used = 0;
    }
    const { records, used, given } = reading;
    const rows = this.#batcher.fill(records, used, given);
    reading.used += rows;
    reading.given += rows;
    this.batch = this.#batcher.batch;
    return POLL_BATCH;
  }
}
