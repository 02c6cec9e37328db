/**
 * Pulls records out of iterables, async iterables, Node streams and web streams, never more than
 * were asked for. Callers: `record-reader.ts`. Runs on: the thread of the source, asynchronous ones
 * from its event loop too. Invariant: `stop` reaches the producer even while it has a record in the
 * making, so that a canceled job leaves no open stream behind.
 */
import { MillraceError } from '../../base/errors.js';

/** What records may be pulled from. */
export type RecordInput<T> = Iterable<T> | AsyncIterable<T>;

/** No record now; the `wake` callback will be called. */
export const PULL_WAIT = 'wait';
/** There are no more records. */
export const PULL_END = 'end';
export type Pulled = readonly unknown[] | typeof PULL_WAIT | typeof PULL_END;

/** Records on request. */
export interface RecordPull {
  /** At most `max` records that are ready now. Throws `SOURCE_FAILED` when the producer threw. */
  pull(max: number): Pulled;
  /** Tells the producer that no more records are wanted. */
  stop(): void;
}

/** Pulls from any kind of input. */
export function pullFrom<T>(input: RecordInput<T>, name: string, wake: () => void): RecordPull {
  if (isWebStream(input)) return new AsyncPull(webStream(input), name, wake);
  if (Symbol.asyncIterator in input) return new AsyncPull(asyncIterator(input), name, wake);
  return new SyncPull(input[Symbol.iterator](), name);
}

class SyncPull implements RecordPull {
  readonly #iterator: Iterator<unknown>;
  readonly #name: string;
  #ended = false;

  constructor(iterator: Iterator<unknown>, name: string) {
    this.#iterator = iterator;
    this.#name = name;
  }

  pull(max: number): Pulled {
    const records: unknown[] = [];
    try {
      while (records.length < max && !this.#ended) {
        const next = this.#iterator.next();
        if (next.done === true) this.#ended = true;
        else records.push(next.value);
      }
    } catch (cause) {
      this.#ended = true;
      throw sourceFailed(cause, this.#name);
    }
    return records.length === 0 ? PULL_END : records;
  }

  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#iterator.return?.();
  }
}

/** What the asynchronous kinds of input have in common. */
interface AsyncRecords {
  next(): Promise<IteratorResult<unknown>>;
  stop(): Promise<unknown> | undefined;
}

class AsyncPull implements RecordPull {
  readonly #records: AsyncRecords;
  readonly #name: string;
  readonly #wake: () => void;
  #ready: unknown[] = [];
  #pumping = false;
  #ended = false;
  #stopped = false;
  #error: MillraceError | null = null;

  constructor(records: AsyncRecords, name: string, wake: () => void) {
    this.#records = records;
    this.#name = name;
    this.#wake = wake;
  }

  pull(max: number): Pulled {
    const ready = this.#ready;
    if (ready.length > 0) {
      this.#ready = [];
      return ready;
    }
    if (this.#error !== null) throw this.#error;
    if (this.#ended) return PULL_END;
    if (!this.#pumping) void this.#pump(max);
    return PULL_WAIT;
  }

  stop(): void {
    if (this.#stopped || this.#ended) return;
    this.#stopped = true;
    // The job is over, with a result or a cause of its own; a producer that fails to tidy up
    // changes neither.
    this.#records.stop()?.catch(() => {});
  }

  /**
   * Fetches until a batch is there. It wakes for the first record, so that slow inputs are not held
   * up.
   */
  async #pump(max: number): Promise<void> {
    this.#pumping = true;
    try {
      for (let fetched = 0; fetched < max && !this.#stopped; fetched++) {
        const next = await this.#records.next();
        if (next.done === true) {
          this.#ended = true;
          break;
        }
        this.#ready.push(next.value);
        if (this.#ready.length === 1) this.#wake();
      }
    } catch (cause) {
      this.#ended = true;
      this.#error = sourceFailed(cause, this.#name);
    }
    this.#pumping = false;
    this.#wake();
  }
}

/**
 * Node streams are async iterables, but their iterator cannot be stopped while it waits for data.
 */
function asyncIterator(input: AsyncIterable<unknown>): AsyncRecords {
  const iterator = input[Symbol.asyncIterator]();
  return {
    next: () => iterator.next(),
    stop: () => {
      if ('destroy' in input && typeof input.destroy === 'function') input.destroy();
      return iterator.return?.();
    },
  };
}

function webStream(input: ReadableStream<unknown>): AsyncRecords {
  const reader = input.getReader();
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? { done: true, value: undefined } : { done: false, value };
    },
    stop: () => reader.cancel(),
  };
}

function isWebStream(input: object): input is ReadableStream<unknown> {
  return 'getReader' in input && typeof input.getReader === 'function';
}

/** An error of the producer as a coded one; those that have a code keep it. */
export function sourceFailed(cause: unknown, name: string): MillraceError {
  if (MillraceError.is(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError('SOURCE_FAILED', `Reading ${name} failed: ${reason}`, { cause });
}
