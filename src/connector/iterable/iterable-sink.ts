/**
 * The sink that hands records to a `for await` loop on the caller's thread. The queue between them
 * is bounded, so a slow loop slows the job. Callers: the api. Runs on: the caller's thread.
 * Invariant: every record is given once, in order; the loop ends after the last one, or throws when
 * the job did not get that far.
 */
import { MillraceError } from '../../base/errors.js';
import type { Batch } from '../../record/batch.js';
import { compileRowReader, type RowReader } from '../../record/row-codec.js';
import type { Schema } from '../../record/schema.js';
import { checkOptionsObject } from '../check-arguments.js';
import type { Committable, SinkConnector, SinkWriter } from '../contract.js';

/** Options of `iterableSink`. */
export interface IterableSinkOptions {
  /** Most records waiting for the loop; default 4096. */
  readonly queueRows?: number;
  /** Display name. */
  readonly name?: string;
  /** Called when the loop is left before the end; records that come later are thrown away. */
  readonly onLeave?: () => void;
}

/** A sink that is iterated; by one loop only. */
export interface IterableSink<T = unknown> extends SinkConnector<T>, AsyncIterable<T> {
  /** Ends the loop with an error, when the job has failed with it. */
  fail(error: unknown): void;
}

const QUEUE_ROWS = 4096;

/**
 * Hands records to a loop while the job runs.
 *
 * @example
 * const alerts = iterableSink<Alert>();
 * stream.to(alerts);
 * const execution = await start(job);
 * for await (const alert of alerts) show(alert);
 */
export function iterableSink<T = unknown>(options: IterableSinkOptions = {}): IterableSink<T> {
  checkOptionsObject('iterableSink', options);
  const queueRows = options.queueRows ?? QUEUE_ROWS;
  if (!Number.isSafeInteger(queueRows) || queueRows < 1) {
    throw new MillraceError('OPTION_INVALID', `iterableSink: queueRows cannot be ${queueRows}.`, {
      advice: 'Give a whole number of records, at least 1.',
    });
  }
  const queue = new RecordQueue<T>(queueRows, options.onLeave ?? (() => {}));
  return {
    kind: 'sink',
    type: 'iterable',
    name: options.name ?? 'iterable',
    host: true,
    parallelism: 1,
    guarantee: 'at-least-once',
    columns: null,
    plan: () => null,
    open: ({ wake }) => new QueueWriter(queue, wake),
    abort: () => queue.end(unfinished()),
    fail: (error) => queue.end(error),
    [Symbol.asyncIterator]: () => queue,
  };
}

/** Who waits for the next record. */
interface Waiting<T> {
  resolve(result: IteratorResult<T>): void;
  reject(error: unknown): void;
}

class RecordQueue<T> implements AsyncIterator<T> {
  wake: () => void = () => {};
  readonly #capacity: number;
  readonly #onLeave: () => void;
  #records: T[] = [];
  #next = 0;
  #waiting: Waiting<T>[] = [];
  #ended = false;
  #left = false;
  /** Thrown once by the loop after the last record, when there is one. */
  #error: { readonly cause: unknown } | null = null;

  constructor(capacity: number, onLeave: () => void) {
    this.#capacity = capacity;
    this.#onLeave = onLeave;
  }

  /** Records there is room for. */
  get room(): number {
    return this.#left ? Number.POSITIVE_INFINITY : this.#capacity - this.#length;
  }

  get #length(): number {
    return this.#records.length - this.#next;
  }

  push(record: T): void {
    if (this.#left) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#records.push(record);
    else waiting.resolve({ done: false, value: record });
  }

  /**
   * No more records; the loop ends, with an error when there is one. Later calls change nothing.
   */
  end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    const [first, ...others] = this.#waiting;
    this.#waiting = [];
    if (error !== null && first === undefined) this.#error = { cause: error };
    else if (error !== null) first.reject(error);
    else first?.resolve({ done: true, value: undefined });
    for (const waiting of others) waiting.resolve({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#next < this.#records.length) return Promise.resolve(this.#shift());
    const error = this.#error;
    this.#error = null;
    if (error !== null) return Promise.reject(error.cause);
    if (this.#ended || this.#left) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T>> {
    if (!this.#left && !this.#ended) this.#onLeave();
    this.#left = true;
    this.#records = [];
    this.#next = 0;
    for (const waiting of this.#waiting) waiting.resolve({ done: true, value: undefined });
    this.#waiting = [];
    this.wake();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The writer is woken when half of the queue is free again, not for each record. */
  #shift(): IteratorResult<T> {
    const value = this.#records[this.#next++];
    if (this.#next === this.#records.length) {
      this.#records = [];
      this.#next = 0;
      this.wake();
    } else if (this.#next * 2 === this.#capacity) {
      this.#records = this.#records.slice(this.#next);
      this.#next = 0;
      this.wake();
    }
    return { done: false, value };
  }
}

class QueueWriter<T> implements SinkWriter {
  readonly bytesWritten = 0;
  readonly #queue: RecordQueue<T>;
  #schema: Schema | null = null;
  #read: RowReader | null = null;

  constructor(queue: RecordQueue<T>, wake: () => void) {
    this.#queue = queue;
    queue.wake = wake;
  }

  write(batch: Batch, fromRow: number): number {
    if (this.#read === null || batch.schema !== this.#schema) {
      this.#read = compileRowReader(batch.schema, null);
      this.#schema = batch.schema;
    }
    const rows = Math.min(batch.rows - fromRow, this.#queue.room);
    for (let row = fromRow; row < fromRow + rows; row++) {
      // The type parameter is the user's statement about the stream; the schema is what really
      // came.
      this.#queue.push(this.#read(batch, row) as T);
    }
    return rows;
  }

  flush(): boolean {
    return true;
  }

  prepareCommit(endOfInput: boolean): readonly Committable[] {
    if (endOfInput) this.#queue.end(null);
    return [];
  }

  close(): void {
    this.#queue.wake = () => {};
  }
}

function unfinished(): MillraceError {
  return new MillraceError('JOB_CANCELED', 'The job ended before its last record was given.', {
    advice: 'Its `finished` promise says why.',
  });
}
