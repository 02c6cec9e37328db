/**
 * Gives the batches of a subtask to the functions of a custom sink, as records. Callers: `define-sink.ts`, which loads
 * it. Runs on: the slot's thread (the caller's when `host`). Invariant: one call is under way at a time, and nothing is
 * taken from the job while it is.
 */
import type { MillraceError } from '../../base/errors.js';
import { metricGroup } from '../../metrics/user-metrics.js';
import type { Batch } from '../../record/batch.js';
import { compileRowReader, type RowReader } from '../../record/row-codec.js';
import type { Schema } from '../../record/schema.js';
import type { Committable, SinkWriter, WriterContext } from '../contract.js';
import {
  type CustomSink,
  type CustomWriter,
  customFault,
  type TwoPhaseWriter,
} from './custom-sink.js';

/** A sink writer over the functions of one subtask. */
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
  /** What the target has prepared and nobody has fetched yet. */
  #prepared: readonly Committable[] | null = null;
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

  prepareCommit(endOfInput: boolean): readonly Committable[] | null {
    if (!this.flush()) return null;
    const target = this.#target;
    if (this.#prepared === null && isTwoPhase(target)) {
      this.#run(async () => {
        this.#prepared = await target.prepareCommit(endOfInput);
      });
      return null;
    }
    const prepared = this.#prepared ?? [];
    this.#prepared = null;
    return prepared;
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
      this.#error = customFault(cause, this.#sink.name);
      throw this.#error;
    }
  }

  #settled(cause: unknown): void {
    this.#busy = false;
    if (cause !== null) this.#error = customFault(cause, this.#sink.name);
    this.#wake();
  }
}

/** Opens the target of a subtask. */
export async function openTarget<T>(
  sink: CustomSink<T>,
  { subtask, parallelism, baseDirectory, metrics, log, wake }: WriterContext,
  runId: string,
): Promise<RecordWriter<T>> {
  const group = metricGroup(metrics);
  const given = { subtask, parallelism, baseDirectory, runId, metrics: group, log };
  return new RecordWriter(await sink.open(given), sink, wake);
}

function isTwoPhase<T>(target: CustomWriter<T>): target is TwoPhaseWriter<T, Committable> {
  return 'prepareCommit' in target && typeof target.prepareCommit === 'function';
}
