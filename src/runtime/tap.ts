/**
 * Looking at the records of a running job, as whoever looks sees it. Callers: `execution.ts` and `job-process.ts`, for
 * the programs and pages that ask. Runs on: the caller's thread. Invariant: one that does not keep up loses records,
 * which are counted, and holds up nobody; but none of those that a limit asks for.
 */
import { fromWire, type WireError } from '../base/errors.js';
import type { ColumnLike } from '../operator/expression-builder.js';
import type { ChangeKind } from './tap-protocol.js';

/** Where to look, and at what. */
export interface TapOptions {
  /**
   * Name or uid of an operator, a source, a sink, or a whole chain. The operators of a chain are one compiled loop,
   * so records are there to be looked at where it begins and ends; TAP_UNAVAILABLE names those places.
   */
  readonly operator: string;
  /** Only what goes to this operator or chain: the edge between the two. */
  readonly to?: string;
  /** What comes out of the operator, or what goes into it. Default: `'output'`. */
  readonly side?: 'input' | 'output';
  /** Only records for which this is true, such as `amount > 100 and country = "FI"` or `col('amount').gt(100)`. */
  readonly filter?: string | ColumnLike;
  /**
   * After so many records the tap ends. 1 or more; default: it ends with the job. All of them are given, however slow
   * the reader is.
   */
  readonly limit?: number;
  /** Records of each subtask in each fifth of a second at most, from 1 to 1000. Default: 10. */
  readonly sample?: number;
}

/** A record that has passed. */
export interface TapRecord {
  /** The record itself, with the fields that somebody downstream uses. */
  readonly record: unknown;
  /** Event time in ms since the epoch; null where the stream has none. */
  readonly timeMs: number | null;
  /** How it changes what was before: `+I` for an insert, `-U` and `+U` for an update, `-D` for a deletion. */
  readonly kind: ChangeKind;
  /** Where it passed, such as `csv -> sum`. */
  readonly at: string;
  /** The subtask that has it as input or, at a source or a sink, the one of the chain. */
  readonly subtask: number;
}

/** How much of what passed was seen. */
export interface TapCounts {
  /** Records that the tap gave. */
  readonly shown: number;
  /** Records that passed while it was open. */
  readonly passed: number;
  /** Those of them that the filter looked at; the others came when there were enough, or time was up. */
  readonly looked: number;
}

/** What was seen since the last time. */
export interface TapChunk {
  readonly records: readonly TapRecord[];
  /** So far. */
  readonly counts: TapCounts;
}

/** Is told what a tap sees. */
export interface TapObserver {
  chunk(chunk: TapChunk): void;
  /** Nothing more comes: null when there is nothing more, else why. */
  end(error: WireError | null): void;
}

/** Opens a tap; gives what closes it. */
export type OpenTap = (observer: TapObserver) => () => void;

/** Records that wait for a slow reader at most, unless its limit asks for more. */
const BACKLOG_MAX = 1000;

/**
 * A tap as an async iterable, which closes it when the loop over it ends. A wrong option rejects the first record.
 *
 * @example
 * for await (const { record } of execution.tap({ operator: 'parse', filter: 'amount > 100', limit: 10 })) {
 *   console.log(record);
 * }
 */
export class Tap implements AsyncIterableIterator<TapRecord> {
  #counts: TapCounts = { shown: 0, passed: 0, looked: 0 };
  #shown = 0;
  readonly #backlog: TapRecord[] = [];
  readonly #close: () => void;
  #hasEnded = false;
  #error: WireError | null = null;
  /** Wakes the call of `next` that waits. */
  #wake: () => void = () => {};

  constructor({ limit = 0 }: Pick<TapOptions, 'limit'>, open: OpenTap) {
    const backlogMax = Math.max(BACKLOG_MAX, limit);
    this.#close = open({
      chunk: ({ records, counts }) => {
        this.#counts = counts;
        this.#backlog.push(...records);
        this.#backlog.splice(0, this.#backlog.length - backlogMax);
        this.#wake();
      },
      end: (error) => {
        this.#hasEnded = true;
        this.#error = error;
        this.#wake();
      },
    });
  }

  /** How much of what passed was seen so far. */
  get counts(): TapCounts {
    return { ...this.#counts, shown: this.#shown };
  }

  async next(): Promise<IteratorResult<TapRecord>> {
    for (;;) {
      const [record] = this.#backlog.splice(0, 1);
      if (record !== undefined) {
        this.#shown++;
        return { value: record, done: false };
      }
      if (this.#hasEnded) return this.#done();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  return(): Promise<IteratorResult<TapRecord>> {
    this.#close();
    this.#hasEnded = true;
    this.#backlog.length = 0;
    this.#wake();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #done(): IteratorResult<TapRecord> {
    const error = this.#error;
    this.#error = null;
    if (error !== null) throw fromWire(error);
    return { value: undefined, done: true };
  }
}
