/**
 * What a job function is given: the place where streams begin. Callers: job functions. Runs on: any
 * thread.
 */
import { MillraceError } from '../base/errors.js';
import { collection } from '../connector/collection/collection.js';
import type { SourceConnector } from '../connector/contract.js';
import { fromAsync } from '../connector/iterable/iterable.js';
import type { Schema } from '../record/schema.js';
import type { FileConnector } from './files.js';
import type { GraphBuilder } from './graph-builder.js';
import type { OperatorOptions, OptionCheck } from './operator-options.js';
import { Stream } from './stream.js';
import { requestOf, StreamCore } from './stream-core.js';

/** Options of sources. */
export interface SourceOptions extends OperatorOptions {
  /** Schema of the records; found by looking at the input when absent. */
  readonly schema?: Schema;
}

/** What records may come from. */
export type SourceInput<T> =
  | SourceConnector<T>
  | FileConnector<T>
  | readonly T[]
  | Iterable<T>
  | AsyncIterable<T>;

const SOURCE_CHECKS: Readonly<Record<string, OptionCheck>> = {
  schema: (value) =>
    typeof value === 'object' && value !== null && 'fields' in value ? null : 'a schema',
};

/** Begins streams. */
export class Flow {
  readonly #builder: GraphBuilder;

  /** Made when a job is built. */
  constructor(builder: GraphBuilder) {
    this.#builder = builder;
  }

  /**
   * A stream of the records of a connector, an array, or anything that can be iterated (which is
   * read on the caller's thread).
   *
   * @example
   * flow.from(csv('flights.csv'))
   * flow.from([{ word: 'to' }, { word: 'be' }])
   */
  from<T>(input: SourceInput<T>, options: SourceOptions = {}): Stream<T> {
    const connector = connectorOf(input);
    const request = requestOf({
      verb: 'from',
      boundary: this.from,
      options,
      extra: SOURCE_CHECKS,
      defaultName: connector.name,
      // A name often holds a path or a count, which may differ from one run to the next.
      uidName: connector.type,
    });
    const schema = options.schema ?? null;
    const node = this.#builder.source(request, connector, schema);
    const inputs = [{ node, partitioner: null }];
    return new Stream(new StreamCore(this.#builder, inputs, connector.bounded));
  }
}

function connectorOf<T>(input: SourceInput<T>): SourceConnector<T> {
  if (Array.isArray(input)) return collection(input);
  if (isConnector(input)) return input;
  if (isFile(input)) return input.source();
  if (isIterable(input)) return fromAsync(input);
  const shown = typeof input === 'string' ? `the text ${JSON.stringify(input)}` : kindOf(input);
  throw new MillraceError('OPTION_INVALID', `from(...) cannot read ${shown}.`, {
    where: { operator: 'from' },
    advice: "Give it a connector such as csv('flights.csv'), an array or an iterable.",
  });
}

function kindOf(input: unknown): string {
  return input === null ? 'null' : typeof input;
}

function isConnector<T>(input: SourceInput<T>): input is SourceConnector<T> {
  return typeof input === 'object' && input !== null && 'kind' in input && input.kind === 'source';
}

function isFile<T>(input: SourceInput<T>): input is FileConnector<T> {
  return typeof input === 'object' && input !== null && 'kind' in input && input.kind === 'file';
}

function isIterable<T>(input: SourceInput<T>): input is Iterable<T> | AsyncIterable<T> {
  if (typeof input !== 'object' || input === null) return false;
  return Symbol.iterator in input || Symbol.asyncIterator in input;
}
