/**
 * What a test reads: records as they left, in order, with event time and kind of change. A sink fills it. Callers:
 * the harness, runs on arrays; tests read it. Runs on: the test's thread. Invariant: entries are in the order in
 * which the engine handed the records on, and each is there once.
 */
import type { Batch } from '../record/batch.js';
import { compileRowReader, type RowReader } from '../record/row-codec.js';
import type { Schema } from '../record/schema.js';
import type { Committable, SinkConnector, SinkWriter } from '../connector/contract.js';
import { NO_EVENT_TIME } from '../operator/flow-row.js';

/** Kinds of change, by the number that batches have for them. */
export const CHANGE_KINDS = ['insert', 'updateBefore', 'updateAfter', 'delete'] as const;
/** What a record says of the stream's contents, as Flink's RowKind. */
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** A record as it left. */
export interface OutputEntry<T> {
  readonly record: T;
  /** Event time in milliseconds since the epoch; null when the record has none. */
  readonly timestamp: number | null;
  readonly kind: ChangeKind;
}

/** Records that left by one way. */
export class TestOutput<T> {
  /** Records so far, those that were taken too. */
  count = 0;
  #entries: OutputEntry<T>[] = [];

  /** Everything since the beginning, or since the last `take`. */
  get entries(): readonly OutputEntry<T>[] {
    return this.#entries;
  }

  /** The records alone. */
  get records(): readonly T[] {
    return this.#entries.map(({ record }) => record);
  }

  /**
   * Gives the records and forgets them, so that the next look sees only what came since.
   *
   * @example
   * await input.push({ user: 'ann' });
   * expect(output.take()).toEqual([{ user: 'ann', visits: 1 }]);
   */
  take(): readonly T[] {
    const { records } = this;
    this.#entries = [];
    return records;
  }

  /** Called by the sink. */
  add(entry: OutputEntry<T>): void {
    this.count++;
    this.#entries.push(entry);
  }
}

/** How a sink into an output behaves. */
export interface OutputSinkOptions {
  readonly name: string;
  /** As the sink that it stands for has them. */
  readonly columns: readonly string[] | null;
  readonly parallelism: number | null;
  /** Whether every other call finds no room, and the others room for one record. */
  readonly isFull: boolean;
}

/** A sink into an output. */
export function outputSink(output: TestOutput<unknown>, options: OutputSinkOptions): SinkConnector {
  return {
    kind: 'sink',
    type: 'test',
    name: options.name,
    host: true,
    parallelism: options.parallelism,
    guarantee: 'at-least-once',
    columns: options.columns,
    plan: () => null,
    open: ({ wake }) => new OutputWriter(output, options.isFull, wake),
  };
}

class OutputWriter implements SinkWriter {
  readonly bytesWritten = 0;
  readonly #output: TestOutput<unknown>;
  readonly #isFull: boolean;
  readonly #wake: () => void;
  #calls = 0;
  #schema: Schema | null = null;
  #read: RowReader | null = null;

  constructor(output: TestOutput<unknown>, isFull: boolean, wake: () => void) {
    this.#output = output;
    this.#isFull = isFull;
    this.#wake = wake;
  }

  write(batch: Batch, fromRow: number): number {
    if (this.#isFull && this.#calls++ % 2 === 0) return this.#refuse();
    const read = this.#readerOf(batch);
    const to = this.#isFull ? fromRow + 1 : batch.rows;
    for (let row = fromRow; row < to; row++) {
      const timeMs = batch.times === null ? NO_EVENT_TIME : batch.times[row];
      this.#output.add({
        record: read(batch, row),
        timestamp: timeMs === NO_EVENT_TIME ? null : timeMs,
        kind: CHANGE_KINDS[batch.kinds === null ? 0 : batch.kinds[row]],
      });
    }
    if (to < batch.rows) this.#refuse();
    return to - fromRow;
  }

  /** There will be room when the sink is asked again, so it may be at once. */
  #refuse(): number {
    this.#wake();
    return 0;
  }

  #readerOf(batch: Batch): RowReader {
    if (this.#read === null || batch.schema !== this.#schema) {
      this.#read = compileRowReader(batch.schema, null);
      this.#schema = batch.schema;
    }
    return this.#read;
  }

  flush(): boolean {
    return true;
  }

  prepareCommit(): readonly Committable[] {
    return [];
  }

  close(): void {}
}
