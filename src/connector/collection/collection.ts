/**
 * The source of records that are already in memory. The array may have been made at run time, which
 * no worker could rebuild, so it is read on the caller's thread by one subtask; a `rebalance`
 * behind it makes the rest parallel. Callers: the api. Runs on: the caller's thread. Invariant: a
 * position is an index, so a restart repeats exactly the records that were not yet given.
 */
import { inferSchema } from '../../record/infer.js';
import type { Schema } from '../../record/schema.js';
import { checkArgument, checkOptionsObject, checkSchema } from '../check-arguments.js';
import type { SourceConnector } from '../contract.js';

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
  checkSchema('collection', options.schema);
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
    open: async (context) => {
      const { CollectionReader } = await import('./collection-reader.js');
      return new CollectionReader(items, context);
    },
  };
}
