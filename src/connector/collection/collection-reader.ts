/**
 * Reads records that are already in memory. Callers: `collection.ts`, which loads it when a job runs. Runs on: the
 * caller's thread. Invariant: a position is an index, so a restart repeats exactly the records that were not yet given.
 */
import type { Batch } from '../../record/batch.js';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  type PlainData,
  type PollResult,
  type ReaderContext,
  type SourceReader,
  type Split,
  type SplitPosition,
} from '../contract.js';
import { RecordBatcher } from '../iterable/record-batcher.js';

/** A reader of the one split of a collection. */
export class CollectionReader implements SourceReader {
  batch: Batch | null = null;
  readonly bytesRead = 0;
  readonly #items: readonly unknown[];
  readonly #batcher: RecordBatcher;
  #split: Split | null = null;
  /** Index of the first record of `batch`, or of the next one when there is none. */
  #index = 0;

  constructor(items: readonly unknown[], context: ReaderContext) {
    this.#items = items;
    const { schemas, batchRows, plan } = context;
    this.#batcher = new RecordBatcher({ schemas, batchRows, declared: plan.schema });
  }

  addSplit(split: Split, position: PlainData): void {
    this.batch = null;
    this.#split = split;
    this.#index = typeof position === 'number' ? position : 0;
  }

  poll(): PollResult {
    if (this.#split === null) return POLL_NEED_SPLIT;
    this.#index += this.batch?.rows ?? 0;
    this.batch = null;
    if (this.#index >= this.#items.length) {
      this.#split = null;
      return POLL_NEED_SPLIT;
    }
    this.#batcher.fill(this.#items, this.#index, this.#index);
    this.batch = this.#batcher.batch;
    return POLL_BATCH;
  }

  positions(rows?: number): readonly SplitPosition[] {
    if (this.#split === null) return [];
    const position = this.#index + (rows ?? this.batch?.rows ?? 0);
    return [{ split: this.#split, position }];
  }

  close(): void {
    this.#split = null;
  }
}
