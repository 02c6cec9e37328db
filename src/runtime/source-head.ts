/**
 * The head of a source chain: a reader and the queue of splits that all subtasks of the source share. A split is
 * claimed by one atomic add on a shared counter, so fast subtasks read more splits and nobody sends messages; readers
 * that read splits side by side have theirs dealt out at the start. Callers: the subtask. Runs on: the slot's thread.
 * Invariants: the chain knows which split a batch is of before it is given the batch; a split is in the progress of
 * exactly one subtask from when it is claimed.
 */
import { assert } from '../base/assert.js';
import type { SourceProgress } from '../checkpoint/contract.js';
import {
  type PlainData,
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
  /** One Int32: the place of the next unclaimed split in `unread`. */
  readonly nextSplit: Int32Array;
  /** Splits that are dealt out instead: every `every`th is this subtask's own, `first` the first; null to claim. */
  readonly dealt: { readonly first: number; readonly every: number } | null;
  /** How far the source had come in the checkpoint that the run goes on from; null for a new run. */
  readonly restored: RestoredSource | null;
  readonly deadLetters: DeadLetterQueue | null;
  readonly listener: SplitListener;
}

/** Where one subtask of a source goes on. */
export interface RestoredSource extends SourceProgress {
  /** Splits that no subtask had begun, the same for all of them, as indices in the plan. */
  readonly unread: readonly number[];
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
  #rowsPassed = 0;
  /** Indices in the plan of the splits that all subtasks share; null for all. */
  readonly #unread: readonly number[] | null;
  /** Splits that the reader had in hand and has not been given again. */
  readonly #resumes: SourceProgress['inHand'][number][];
  readonly #finished: string[];

  constructor(parts: SourceHeadParts) {
    const { restored } = parts;
    this.#parts = parts;
    this.#unread = restored?.unread ?? null;
    this.#resumes = [...(restored?.inHand ?? [])];
    this.#finished = [...(restored?.finished ?? [])];
  }

  /** How far the source has come here, after so many rows of its batch; omitted: all of them. */
  progress(rows?: number): SourceProgress {
    const inHand = this.#parts.reader
      .positions(rows)
      .filter(({ split }) => this.#inHand.has(split.id))
      .map(({ split, position }) => ({ split: split.id, position }));
    // A split whose last row has been given may not have been looked at again.
    const isRead = (id: string): boolean => !inHand.some(({ split }) => split === id);
    const finished = [...this.#finished, ...[...this.#inHand.keys()].filter(isRead)];
    return { inHand: [...inHand, ...this.#resumes], finished };
  }

  get batch(): Batch | null {
    return this.#parts.reader.batch;
  }

  get bytesRead(): number {
    return this.#parts.reader.bytesRead;
  }

  /** Rows that the reader has left out since this was last asked. */
  takeRowsPassed(): number {
    const { rowsPassed = 0 } = this.#parts.reader;
    const rows = rowsPassed - this.#rowsPassed;
    this.#rowsPassed = rowsPassed;
    return rows;
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
    this.#finished.push(id);
    this.#parts.listener.endSplit(split);
  }

  /** Gives the reader, which has read all it had, more to read; false when there is no more. */
  #addSplits(): boolean {
    for (const id of [...this.#inHand.keys()]) this.#end(id);
    const { plan, nextSplit, dealt } = this.#parts;
    const unread = this.#unread?.length ?? plan.splits.length;
    if (dealt === null) {
      if (this.#resumeNext()) return true;
      return this.#addUnread(Atomics.add(nextSplit, 0, 1));
    }
    if (this.#hasDealt) return false;
    this.#hasDealt = true;
    while (this.#resumeNext());
    for (let place = dealt.first; place < unread; place += dealt.every) this.#addUnread(place);
    return this.#inHand.size > 0;
  }

  /** Gives the reader the next split that it had in hand; false when it has been given all. */
  #resumeNext(): boolean {
    const next = this.#resumes.shift();
    if (next === undefined) return false;
    const index = this.#parts.plan.splits.findIndex(({ id }) => id === next.split);
    this.#add(index, next.position);
    return true;
  }

  #addUnread(place: number): boolean {
    if (this.#unread !== null && place >= this.#unread.length) return false;
    return this.#add(this.#unread?.[place] ?? place, null);
  }

  #add(index: number, position: PlainData): boolean {
    const { plan, reader } = this.#parts;
    if (index >= plan.splits.length) return false;
    const split = plan.splits[index];
    this.#inHand.set(split.id, index);
    this.#currentId = split.id;
    // At once, so that splits side by side wait for the first record of each other.
    this.#enter(split.id);
    reader.addSplit(split, position);
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
