/**
 * The source of records that an iterable, async iterable, Node stream or web stream gives. Such
 * things exist only on the caller's thread, so it is read there, by one subtask; a `rebalance`
 * behind it makes the rest parallel. Callers: the api. Runs on: the caller's thread. Invariant:
 * nothing is pulled before the job asks for it, and the producer is told (`return`, `destroy` or
 * `cancel`, and the signal) when the job ends early.
 */
import { MillraceError } from '../../base/errors.js';
import type { Schema } from '../../record/schema.js';
import { checkArgument, checkOptionsObject } from '../check-arguments.js';
import type { SourceConnector } from '../contract.js';
import { pullFrom, type RecordInput, type RecordPull, sourceFailed } from './record-pull.js';

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
      const { RecordReader } = await import('./record-reader.js');
      const declared = context.plan.schema ?? schema;
      return new RecordReader(context, declared, () => openInput(input, name, context.wake));
    },
  };
}

function openInput<T>(input: IterableInput<T>, name: string, wake: () => void): RecordPull {
  const abort = new AbortController();
  const pull = pullFrom(iterableOf(input, name, abort.signal), name, wake);
  return {
    pull: (max) => pull.pull(max),
    stop: () => {
      abort.abort();
      pull.stop();
    },
  };
}

function iterableOf<T>(input: IterableInput<T>, name: string, signal: AbortSignal): RecordInput<T> {
  const made = typeof input === 'function' ? call(input, name, signal) : input;
  if (Symbol.asyncIterator in made || Symbol.iterator in made || 'getReader' in made) return made;
  throw new MillraceError('OPTION_INVALID', `${name}: the function did not return an iterable.`, {
    advice: 'Return an array, an iterable, an async iterable or a stream of records.',
  });
}

function call<T>(
  make: (context: IterableContext) => RecordInput<T>,
  name: string,
  signal: AbortSignal,
): RecordInput<T> {
  try {
    return make({ signal });
  } catch (cause) {
    throw sourceFailed(cause, name);
  }
}
