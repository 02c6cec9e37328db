/**
 * The source of records that an iterable, async iterable, Node stream or web stream gives. Such
 * things exist only on the caller's thread, so it is read there, by one subtask; a `rebalance`
 * behind it makes the rest parallel. Callers: the api. Runs on: the caller's thread. Invariant:
 * nothing is pulled before the job asks for it, and the producer is told (`return`, `destroy` or
 * `cancel`, and the signal) when the job ends early.
 */
import type { Schema } from '../../record/schema.js';
import { checkArgument, checkOptionsObject, checkSchema } from '../check-arguments.js';
import type { SourceConnector } from '../contract.js';
import type { RecordInput } from './record-pull.js';

/** Given to a function that makes the iterable. */
export interface IterableContext {
  /** Aborted when the job ends before the iterable does. */
  readonly signal: AbortSignal;
}

/** An iterable, or a function that makes a new one for each run. */
export type IterableInput<T> = RecordInput<T> | ((context: IterableContext) => RecordInput<T>);

/** Options of `fromAsync`. */
export interface IterableOptions {
  /** Display name. */
  readonly name?: string;
  /** Type of the records; inferred from them when absent. */
  readonly schema?: Schema;
  /** Whether the records end. False makes aggregates emit updates rather than a final row. */
  readonly bounded?: boolean;
}

/**
 * A source over an iterable. Its records are read once: after a failure it goes on where the
 * producer is.
 *
 * @example
 * flow.from(fromAsync(fs.createReadStream('log.txt').pipe(split())))
 * flow.from(fromAsync(async function* ({ signal }) { yield* pages(signal); }))
 */
export function fromAsync<T>(
  input: IterableInput<T>,
  options: IterableOptions = {},
): SourceConnector<T> {
  const isInput = typeof input === 'function' || (typeof input === 'object' && input !== null);
  checkArgument(
    'fromAsync',
    'the input',
    input,
    isInput,
    'Give an iterable, or a generator function.',
  );
  checkOptionsObject('fromAsync', options);
  checkSchema('fromAsync', options.schema);
  const name = options.name ?? 'iterable';
  const schema = options.schema ?? null;
  return {
    kind: 'source',
    type: 'iterable',
    name,
    bounded: options.bounded ?? true,
    host: true,
    maxParallelism: 1,
    guarantee: 'at-most-once',
    projects: false,
    plan: () => ({
      schema,
      splits: [{ id: '0', bytes: null, rows: null, data: null }],
      bytes: null,
      rows: null,
      data: null,
    }),
    open: async (context) => {
      const { openInput, RecordReader } = await import('./iterable-reader.js');
      const declared = context.plan.schema ?? schema;
      return new RecordReader(context, declared, () => openInput(input, name, context.wake));
    },
  };
}
