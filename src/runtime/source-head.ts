/**
 * The head of a source chain: a reader and the queue of splits that all subtasks of the source share. A split is
 * claimed by one atomic add on a shared counter, so fast subtasks read more splits and nobody sends messages.
 * Callers: the subtask. Runs on: the slot's thread.
 */
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  type SourcePlan,
  type SourceReader,
} from '../connector/contract.js';
import type { Batch } from '../record/batch.js';
import { connectorFailure } from './connector-failure.js';
import type { DeadLetterQueue } from './dead-letter-queue.js';

/** The next batch is ready. */
export const HEAD_BATCH = 0;
/** Nothing now. */
export const HEAD_WAIT = 1;
/** No rows will come any more. */
export const HEAD_END = 2;

/** Reads a source for one subtask. */
export class SourceHead {
  /** Whether the last poll found the reader waiting for something outside the thread. */
  isWaiting = false;
  readonly #reader: SourceReader;
  readonly #plan: SourcePlan;
  /** One Int32: the index of the next unclaimed split. */
  readonly #nextSplit: Int32Array;
  readonly #deadLetters: DeadLetterQueue | null;

  constructor(
    reader: SourceReader,
    plan: SourcePlan,
    nextSplit: Int32Array,
    deadLetters: DeadLetterQueue | null,
  ) {
    this.#deadLetters = deadLetters;
    this.#reader = reader;
    this.#plan = plan;
    this.#nextSplit = nextSplit;
  }

  get batch(): Batch | null {
    return this.#reader.batch;
  }

  get bytesRead(): number {
    return this.#reader.bytesRead;
  }

  poll(): number {
    // A sink that has no room for dead letters holds the source back, like any other sink.
    if (this.#deadLetters !== null && !this.#deadLetters.drain()) return HEAD_WAIT;
    const result = this.#tryReader();
    if (result !== HEAD_END || this.#deadLetters === null) return result;
    return this.#deadLetters.drain() ? HEAD_END : HEAD_WAIT;
  }

  #tryReader(): number {
    try {
      return this.#pollReader();
    } catch (cause) {
      throw connectorFailure(cause, 'SOURCE_FAILED');
    }
  }

  #pollReader(): number {
    for (;;) {
      const result = this.#reader.poll();
      if (result === POLL_BATCH) {
        this.isWaiting = false;
        return HEAD_BATCH;
      }
      if (result !== POLL_NEED_SPLIT) {
        this.isWaiting = true;
        return HEAD_WAIT;
      }
      const index = Atomics.add(this.#nextSplit, 0, 1);
      if (index >= this.#plan.splits.length) {
        this.isWaiting = false;
        return HEAD_END;
      }
      this.#reader.addSplit(this.#plan.splits[index], null);
    }
  }

  /** Hands on what bad records have left; false while their sink has no room. */
  flush(): boolean {
    return this.#deadLetters === null || this.#deadLetters.drain();
  }

  close(): void {
    this.#reader.close();
  }
}
