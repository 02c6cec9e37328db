/**
 * Sinks written by users as functions of records: backpressure, flushing and errors of the sink
 * contract, done for them. Callers: the api. Runs on: the slot's thread (the caller's when `host`).
 * Invariant: one call of `write` is under way at a time, and nothing is taken from the job while it
 * is, so a slow target slows the job.
 */
import { MillraceError } from '../../base/errors.js';
import type { Batch } from '../../record/batch.js';
import { compileRowReader, type RowReader } from '../../record/row-codec.js';
import type { Schema } from '../../record/schema.js';
import { checkArgument, checkOptionsObject } from '../check-arguments.js';
import type { Committable, SinkConnector, SinkWriter } from '../contract.js';

/** Given to `open`. */
export interface SinkContext {
  readonly subtask: number;
  readonly parallelism: number;
  readonly baseDirectory: string;
}

/** The target of one subtask. */
export interface CustomWriter<T> {
  /** Takes records; the next ones come when the returned promise, if any, has settled. */
  write(records: readonly T[]): void | Promise<void>;
  /** Called when input runs dry and at the end: pushes out what is buffered. */
  flush?(): void | Promise<void>;
  /** Called once, also after a failure. */
  close?(): void | Promise<void>;
}

/** What makes a custom sink. */
export interface CustomSink<T> {
  readonly name: string;
  /** True when it uses things that exist only on the caller's thread; default false. */
  readonly host?: boolean;
  /** Number of writers; default that of the input. */
  readonly parallelism?: number;
  /** What the target makes of repetitions after a failure; default 'at-least-once'. */
  readonly guarantee?: SinkConnector['guarantee'];
  /** Names of the fields it needs; default all. */
  readonly columns?: readonly string[];
  open(context: SinkContext): CustomWriter<T> | Promise<CustomWriter<T>>;
}

/**
 * A sink out of functions.
 *
 * @example
 * const alerts = defineSink<Alert>({
 *   name: 'alerts',
 *   open: () => ({ write: (records) => post('/alerts', records) }),
 * });
 */
export function defineSink<T>(sink: CustomSink<T>): SinkConnector<T> {
  checkOptionsObject('defineSink', sink);
  const isRight = typeof sink.open === 'function';
  checkArgument('defineSink', 'open', sink.open, isRight, 'Give the function open(context).');
  return {
    kind: 'sink',
    type: 'custom',
    name: sink.name,
    host: sink.host ?? false,
    parallelism: sink.parallelism ?? null,
    guarantee: sink.guarantee ?? 'at-least-once',
    columns: sink.columns ?? null,
    plan: () => null,
    open: async ({ subtask, parallelism, baseDirectory, wake }) => {
      try {
        const target = await sink.open({ subtask, parallelism, baseDirectory });
        return new RecordWriter(target, sink, wake);
      } catch (cause) {
        throw sinkFailed(cause, sink.name);
      }
    },
  };
}

class RecordWriter<T> implements SinkWriter {
  readonly bytesWritten = 0;
  readonly #target: CustomWriter<T>;
  readonly #sink: CustomSink<T>;
  readonly #wake: () => void;
  #schema: Schema | null = null;
  #read: RowReader | null = null;
  #busy = false;
  /** Records were written since the last flush began. */
  #dirty = false;
  #closed = false;
  #error: MillraceError | null = null;

  constructor(target: CustomWriter<T>, sink: CustomSink<T>, wake: () => void) {
    this.#target = target;
    this.#sink = sink;
    this.#wake = wake;
  }

  write(batch: Batch, fromRow: number): number {
    if (this.#isBusy()) return 0;
    const records = this.#records(batch, fromRow);
    this.#dirty = true;
    this.#run(() => this.#target.write(records));
    return records.length;
  }

  flush(): boolean {
    if (this.#isBusy()) return false;
    if (!this.#dirty) return true;
    this.#dirty = false;
    this.#run(() => this.#target.flush?.());
    return !this.#isBusy();
  }

  prepareCommit(): readonly Committable[] | null {
    return this.flush() ? [] : null;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#run(() => this.#target.close?.());
  }

  #records(batch: Batch, fromRow: number): T[] {
    if (this.#read === null || batch.schema !== this.#schema) {
      this.#read = compileRowReader(batch.schema, this.#sink.columns ?? null);
      this.#schema = batch.schema;
    }
    const records: T[] = [];
    // The type parameter is the user's statement about the stream; the schema is what really came.
    for (let row = fromRow; row < batch.rows; row++) records.push(this.#read(batch, row) as T);
    return records;
  }

  #isBusy(): boolean {
    if (this.#error !== null) throw this.#error;
    return this.#busy;
  }

  /** Calls the user's function; what it throws, now or later, fails the next call of the job. */
  #run(action: () => void | Promise<void>): void {
    try {
      const pending = action();
      if (pending instanceof Promise) {
        this.#busy = true;
        pending.then(
          () => this.#settled(null),
          (cause: unknown) => this.#settled(cause),
        );
      }
    } catch (cause) {
      this.#error = sinkFailed(cause, this.#sink.name);
      throw this.#error;
    }
  }

  #settled(cause: unknown): void {
    this.#busy = false;
    if (cause !== null) this.#error = sinkFailed(cause, this.#sink.name);
    this.#wake();
  }
}

function sinkFailed(cause: unknown, name: string): MillraceError {
  if (MillraceError.is(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError('SINK_FAILED', `Writing to ${name} failed: ${reason}`, { cause });
}
