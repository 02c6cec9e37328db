/**
 * The source of records that are already in memory. The array may have been made at run time, which
 * no worker could rebuild, so it is read on the caller's thread by one subtask; a `rebalance`
 * behind it makes the rest parallel. Callers: the api. Runs on: the caller's thread. Invariant: a
 * position is an index, so a restart repeats exactly the records that were not yet given.
 */
import type { Batch } from '../../record/batch.js';
import { inferSchema } from '../../record/infer.js';
import type { Schema } from '../../record/schema.js';
import { checkArgument, checkOptionsObject } from '../check-arguments.js';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  type PlainData,
  type PollResult,
  type ReaderContext,
  type SourceConnector,
  type SourceReader,
  type Split,
  type SplitPosition,
} from '../contract.js';
import { RecordBatcher } from '../iterable/record-batcher.js';

/** Options of `collection`. */
export interface CollectionOptions {
  /** Display name. */
  readonly name?: string;
  /** Type of the records; inferred from all of them when absent. */
  readonly schema?: Schema;
}

/**
 * A source over an array of records.
 *
 * @example
 * flow.from(collection([{ word: 'to' }, { word: 'be' }]))
 */
export function collection<T>(
  items: readonly T[],
  options: CollectionOptions = {},
): SourceConnector<T> {
  checkArgument('collection', 'items', items, Array.isArray(items), 'Give an array of records.');
  checkOptionsObject('collection', options);
  return {
    kind: 'source',
    type: 'collection',
    name: options.name ?? `collection of ${items.length}`,
    bounded: true,
    rows: items.length,
    host: true,
    maxParallelism: 1,
    guarantee: 'exactly-once',
    projects: false,
    plan: () => ({
      schema: options.schema ?? (items.length === 0 ? null : inferSchema(items)),
      splits: [{ id: '0', bytes: null, rows: items.length, data: null }],
      bytes: null,
      rows: items.length,
      data: null,
    }),
    open: (context) => new CollectionReader(items, context),
  };
}

class CollectionReader implements SourceReader {
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
