/**
 * The head of a source chain: a reader and the queue of splits that all subtasks of the source share. A split is
 * claimed by one atomic add on a shared counter, so fast subtasks read more splits and nobody sends messages; readers
 * that read splits side by side have theirs dealt out at the start. Callers: the subtask. Runs on: the slot's thread.
 * Invariant: the chain knows which split a batch is of before it is given the batch.
 */
import { assert } from '../base/assert.js';
import {
  POLL_BATCH,
  POLL_SPLIT_END,
  POLL_WAIT,
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

/** Is told which split the rows to come are of. */
export interface SplitListener {
  enterSplit(split: number): void;
  endSplit(split: number): void;
}

/** What the head of a source chain is made of. */
export interface SourceHeadParts {
  readonly reader: SourceReader;
  readonly plan: SourcePlan;
  /** One Int32: the index of the next unclaimed split. */
  readonly nextSplit: Int32Array;
  /** Splits that are dealt out instead: every `every`th is this subtask's own, `first` the first; null to claim. */
  readonly dealt: { readonly first: number; readonly every: number } | null;
  readonly deadLetters: DeadLetterQueue | null;
  readonly listener: SplitListener;
}

const NO_SPLIT = -1;

/** Reads a source for one subtask. */
export class SourceHead {
  /** Whether the last poll found the reader waiting for something outside the thread. */
  isWaiting = false;
  readonly #parts: SourceHeadParts;
  /** Numbers of the splits in hand, by id. */
  readonly #inHand = new Map<string, number>();
  /** The split of the last batch, and its id. */
  #current = NO_SPLIT;
  #currentId = '';
  #paused: readonly number[] = [];
  #hasDealt = false;

  constructor(parts: SourceHeadParts) {
    this.#parts = parts;
  }

  get batch(): Batch | null {
    return this.#parts.reader.batch;
  }

  get bytesRead(): number {
    return this.#parts.reader.bytesRead;
  }

  poll(): number {
    const { deadLetters } = this.#parts;
    // A sink that has no room for dead letters holds the source back, like any other sink.
    if (deadLetters !== null && !deadLetters.drain()) return HEAD_WAIT;
    const result = this.#tryReader();
    if (result !== HEAD_END || deadLetters === null) return result;
    return deadLetters.drain() ? HEAD_END : HEAD_WAIT;
  }

  /** Has the reader read these splits no further, and all others again. */
  pause(splits: readonly number[]): void {
    const before = this.#paused;
    if (before.length === 0 && splits.length === 0) return;
    this.#paused = splits;
    const idsOf = (of: readonly number[], not: readonly number[]): readonly string[] =>
      of
        .filter((split) => !not.includes(split))
        .map((split) => this.#parts.plan.splits[split].id)
        .filter((id) => this.#inHand.has(id));
    const [pause, resume] = [idsOf(splits, before), idsOf(before, splits)];
    if (pause.length + resume.length === 0) return;
    this.#parts.reader.pauseOrResumeSplits?.(pause, resume);
  }

  #tryReader(): number {
    try {
      return this.#pollReader();
    } catch (cause) {
      throw connectorFailure(cause, 'SOURCE_FAILED');
    }
  }

  #pollReader(): number {
    const { reader } = this.#parts;
    for (;;) {
      const result = reader.poll();
      this.isWaiting = result === POLL_WAIT;
      if (result === POLL_BATCH) {
        this.#enter(reader.splitId ?? this.#currentId);
        return HEAD_BATCH;
      }
      if (result === POLL_WAIT) return HEAD_WAIT;
      if (result === POLL_SPLIT_END) this.#end(reader.splitId ?? this.#currentId);
      else if (!this.#addSplits()) return HEAD_END;
    }
  }

  #enter(id: string): void {
    const split = this.#inHand.get(id);
    assert(split !== undefined, 'A batch is of a split that its reader was given.');
    if (split !== this.#current) this.#parts.listener.enterSplit(split);
    this.#current = split;
  }

  #end(id: string): void {
    const split = this.#inHand.get(id);
    assert(split !== undefined, 'A split ends once, in the reader that it was given to.');
    this.#inHand.delete(id);
    this.#parts.listener.endSplit(split);
  }

  /** Gives the reader, which has read all it had, more to read; false when there is no more. */
  #addSplits(): boolean {
    for (const id of [...this.#inHand.keys()]) this.#end(id);
    const { plan, nextSplit, dealt } = this.#parts;
    if (dealt === null) return this.#add(Atomics.add(nextSplit, 0, 1));
    if (this.#hasDealt) return false;
    this.#hasDealt = true;
    for (let index = dealt.first; index < plan.splits.length; index += dealt.every) {
      this.#add(index);
    }
    return this.#inHand.size > 0;
  }

  #add(index: number): boolean {
    const { plan, reader } = this.#parts;
    if (index >= plan.splits.length) return false;
    const split = plan.splits[index];
    this.#inHand.set(split.id, index);
    this.#currentId = split.id;
    // At once, so that splits side by side wait for the first record of each other.
    this.#enter(split.id);
    reader.addSplit(split, null);
    return true;
  }

  /** Hands on what bad records have left; false while their sink has no room. */
  flush(): boolean {
    const { deadLetters } = this.#parts;
    return deadLetters === null || deadLetters.drain();
  }

  close(): void {
    this.#parts.reader.close();
  }
}
