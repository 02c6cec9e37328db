/**
 * A stream of records of type `T`: the verbs of the fluent api that need no key. Each verb adds one
 * node to the job's graph and gives the stream of its results. Callers: job functions. Runs on: any
 * thread.
 */
import { MillraceError } from '../base/errors.js';
import type { SinkConnector } from '../connector/contract.js';
import { print, type PrintOptions } from '../connector/print/print.js';
import { KEY_FIELD } from '../operator/flow-row.js';
import type { Expression } from '../operator/expression.js';
import type { UserFunction } from '../operator/operator-spec.js';
import type { NamedColumn } from '../operator/expression-builder.js';
import type { TimestampOrigin } from '../operator/operator-spec.js';
import type { AsyncOrder } from '../operator/async/async-queue.js';
import type { AsyncCall, AsyncResult } from '../operator/async/async-function.js';
import { ASYNC_CHECKS, type AsyncOptions, asyncWait } from './async-wait.js';
import { type HasExpression, isColumn } from './column-types.js';
import type { FileConnector } from './files.js';
import { KeyedStream } from './keyed-stream.js';
import {
  ConnectedStreams,
  rememberSide,
  type SideStream,
  sideOfStream,
} from './connected-streams.js';
import {
  LookupJoin,
  type LookupJoinType,
  type LookupKey,
  type LookupOf,
  type RowOf,
} from './lookup-join.js';
import { type IterateOptions, type IterationBody, iterated } from './iterate.js';
import type { OperatorOptions, OptionCheck } from './operator-options.js';
import { RETURNS, type ReturnsOptions } from './returns-option.js';
import type { EngineProcessContext } from '../operator/engine-functions.js';
import type { OpenProcess, OutputTag } from '../operator/process-function.js';
import type { CheckFields, CheckKeys, Flat, KeyFields } from './record-types.js';
import {
  type CheckTimestamp,
  type IngestionTime,
  timestampOrigin,
  type TimeValue,
  WATERMARK_CHECKS,
  type WatermarkOptions,
  watermarkStrategy,
} from './timestamps.js';
import { requireFunction, requireNames, type StreamCore, type VerbCall } from './stream-core.js';
import type {
  CheckColumn,
  CheckExplode,
  CheckFilter,
  CheckSelectArguments,
  CheckSink,
  Exploded,
  Explosion,
  KeyedBy,
  SelectArguments,
  Selected,
  SelectionOf,
  SinkRecord,
  WithColumn,
} from './verb-types.js';

import { type CheckSort, type SortBy, sorted, type SortOptions } from './sort-options.js';
import { WindowedStream } from './windowed-stream.js';
import { requireWindows, type Windows } from './windows.js';

/** Options of `explode`. */
export interface ExplodeOptions extends OperatorOptions {
  /** Whether a list that is null or empty gives one record with null; default false. */
  readonly outer?: boolean;
}

const EXPLODE: Readonly<Record<string, OptionCheck>> = {
  outer: (value) => (typeof value === 'boolean' ? null : 'true or false'),
};

/** A stream of records of type `T`. */
export class Stream<T> {
  declare readonly recordType?: T;
  readonly #core: StreamCore;

  /** Made by `flow.from` and by other streams. */
  constructor(core: StreamCore) {
    this.#core = core;
    rememberSide(this, { core, keys: null });
  }

  /**
   * One record for each record.
   *
   * @example
   * flights.map((f) => ({ ...f, late: f.delay > 15 }))
   */
  map<U>(fn: (record: T) => U, options: ReturnsOptions = {}): Stream<U> {
    requireFunction('map', fn, 'map((record) => ...)');
    const call = { verb: 'map', boundary: this.map, options, extra: RETURNS };
    const returns = options.returns ?? null;
    return new Stream(this.#core.operator(call, { kind: 'map', fn, returns }));
  }

  /** Keeps the records for which a function returns true, or an expression is true. */
  filter<U extends T>(fn: (record: T) => record is U, options?: OperatorOptions): Stream<U>;
  filter<C extends ((record: T) => boolean) | HasExpression>(
    condition: C & CheckFilter<T, C>,
    options?: OperatorOptions,
  ): Stream<T>;
  filter(
    condition: ((record: T) => boolean) | HasExpression,
    options: OperatorOptions = {},
  ): Stream<T> {
    const call = { verb: 'filter', boundary: this.filter, options };
    if (isColumn(condition)) {
      const predicate = condition.expression;
      return new Stream(this.#core.operator(call, { kind: 'where', predicate }));
    }
    requireFunction('filter', condition, "filter((record) => ...) or filter(col('delay').gt(15))");
    return new Stream(this.#core.operator(call, { kind: 'filter', fn: condition }));
  }

  /** Any number of records for each record: what the function returns as an iterable. */
  flatMap<U>(fn: (record: T) => Iterable<U>, options: ReturnsOptions = {}): Stream<U> {
    requireFunction('flatMap', fn, 'flatMap((record) => [...])');
    const call = { verb: 'flatMap', boundary: this.flatMap, options, extra: RETURNS };
    const returns = options.returns ?? null;
    return new Stream(this.#core.operator(call, { kind: 'flatMap', fn, returns }));
  }

  /**
   * A record for each item of a list, as UNNEST does: with the item in the place of the list, or
   * beside the other fields under the name that an expression is given. A record whose list is null
   * or empty gives nothing, or one record with null when `outer` is true. The list of
   * `split` or `words` is never built. Runs on columns.
   *
   * @example
   * orders.explode('items')
   * lines.explode({ word: col('value').split(' ') }).keyBy('word').count()
   */
  explode<
    const E extends string | Explosion,
    const O extends ExplodeOptions = Record<never, never>,
  >(list: E & CheckExplode<T, E>, options?: O): Stream<Exploded<T, E, O>>;
  explode(list: string | Explosion, options: ExplodeOptions = {}): Stream<never> {
    const entries = typeof list === 'string' ? [[list, list] as const] : Object.entries(list);
    const [entry] = entries;
    if (entry === undefined || entries.length > 1) throw notOneList(entries.length);
    const [as, value] = entry;
    requireNames('explode', [as]);
    const call = { verb: 'explode', boundary: this.explode, options, extra: EXPLODE };
    const { outer = false } = options;
    const expression = expressionOf('explode', as, value);
    return new Stream(this.#core.operator(call, { kind: 'explode', as, list: expression, outer }));
  }

  /**
   * Calls a process function with every record: it may give any number of records, to its output and to side outputs.
   * Keyed state and timers need `keyBy` before.
   *
   * @example
   * readings.process<Reading>(() => ({
   *   processElement(reading, context) {
   *     if (reading.value < 0) context.output(broken, reading);
   *     else context.collect(reading);
   *   },
   * }))
   */
  process<Out>(open: OpenProcess<T, undefined, Out>, options: ReturnsOptions = {}): Stream<Out> {
    requireFunction('process', open, 'process((context) => ({ processElement(record, out) {} }))');
    const call = { verb: 'process', boundary: this.process, options, extra: RETURNS };
    const returns = options.returns ?? null;
    const isBroadcast = [this.#core.isBroadcast];
    const body = { kind: 'process', keys: [null], isBroadcast, open, returns } as const;
    return new Stream(this.#core.operator(call, body));
  }

  /**
   * Passes the first `rows` records of each subtask on, then ever fewer: what has passed is at any time a fair choice
   * of all there were, and grows with the logarithm of their number only. For logs of what comes in unknown numbers,
   * such as late records. `rows` is a whole number, at least 1.
   *
   * @example
   * totals.sideOutput(late).sample(100).to(ndjson<Order>('out/late'))
   */
  sample(rows: number, options: OperatorOptions = {}): Stream<T> {
    if (!Number.isSafeInteger(rows) || rows < 1) {
      throw new MillraceError('OPTION_INVALID', `sample(...): rows cannot be ${String(rows)}.`, {
        where: { operator: 'sample', field: 'rows' },
        advice: 'Give a whole number of records, at least 1.',
      });
    }
    const call = { verb: 'sample', boundary: this.sample, options };
    const open = ({ engine, ...context }: EngineProcessContext): unknown =>
      engine.sampler<T>(rows)(context);
    const about = `the first ${rows}, then ever fewer`;
    const isBroadcast = [this.#core.isBroadcast];
    const body = {
      kind: 'process',
      keys: [null],
      isBroadcast,
      open,
      returns: null,
      about,
    } as const;
    return new Stream(this.#core.operator(call, body));
  }

  /**
   * Calls an asynchronous function with every record, many at a time, and gives the results in the order of the
   * records. A function that gives a promise gives one record; an async generator, any number of them. A call that
   * fails or takes too long fails the job, unless `retry` and `onTimeout` say otherwise.
   *
   * @example
   * orders.orderedWait(
   *   async (order, { client, signal }) => ({ ...order, rate: await client.rate(order.currency, signal) }),
   *   { open: () => new Rates(), capacity: 50, timeout: '5s', retry: { maxAttempts: 2, delay: '100ms' } },
   * )
   */
  orderedWait<Out, Client = undefined, Late = never>(
    fn: (record: T, call: AsyncCall<Client>) => AsyncResult<Out>,
    options?: AsyncOptions<T, Out, Client, Late>,
  ): Stream<Out | Late>;
  orderedWait(fn: UserFunction, options: OperatorOptions = {}): Stream<never> {
    const call = { verb: 'orderedWait', boundary: this.orderedWait, options, extra: ASYNC_CHECKS };
    return this.#asyncWait(call, 'ordered', fn, options);
  }

  /**
   * The same with results as they come: one that is there hands on at once, whatever the order of the records. A
   * result never passes a watermark, so that what is late behind does not depend on who answers first.
   *
   * @example
   * urls.unorderedWait(async (url, { signal }) => ({ url, status: (await fetch(url, { signal })).status }))
   */
  unorderedWait<Out, Client = undefined, Late = never>(
    fn: (record: T, call: AsyncCall<Client>) => AsyncResult<Out>,
    options?: AsyncOptions<T, Out, Client, Late>,
  ): Stream<Out | Late>;
  unorderedWait(fn: UserFunction, options: OperatorOptions = {}): Stream<never> {
    const boundary = this.unorderedWait;
    const call = { verb: 'unorderedWait', boundary, options, extra: ASYNC_CHECKS };
    return this.#asyncWait(call, 'unordered', fn, options);
  }

  /**
   * Joins each record with what a function finds for its key in a table outside: a database, a service, a map in
   * memory. It is looked up when the record comes, and what changes there later changes no result.
   *
   * @example
   * orders
   *   .lookupJoin({
   *     key: 'currency',
   *     open: () => new Rates(),
   *     lookup: (currency, { client, signal }) => client.rate(currency, signal),
   *     type: 'left',
   *     cache: { maxRows: 1000, expireAfterWrite: '10m' },
   *   })
   *   .apply((order, rate) => ({ ...order, euros: order.amount * (rate?.euros ?? 1) }))
   */
  lookupJoin<
    const K extends LookupKey<T>,
    Found,
    Client = undefined,
    const J extends LookupJoinType = 'inner',
    // Always `T`. A parameter of its own keeps what a join may do out of how TypeScript compares streams.
    Left = T,
  >(options: LookupOf<NoInfer<Left>, K, Found, Client, J>): LookupJoin<Left, RowOf<Found>, J> {
    return new LookupJoin(this.#core, options, (core) => new Stream(core));
  }

  /**
   * The records that the process function before gave to a tag.
   *
   * @example
   * checked.sideOutput(broken).to(ndjson('out/broken'))
   */
  sideOutput<U>(tag: OutputTag<U>, options: ReturnsOptions = {}): Stream<U> {
    const call = { verb: 'sideOutput', boundary: this.sideOutput, options, extra: RETURNS };
    const returns = options.returns ?? null;
    return new Stream(this.#core.sideOutput(call, tag, returns));
  }

  /** This stream beside another one, for a function that tells them apart. */
  connect<U>(other: SideStream<U>): ConnectedStreams<T, U, undefined> {
    const first = { core: this.#core, keys: null };
    const second = sideOfStream('connect', other);
    return new ConnectedStreams(first, second, (core) => new Stream(core));
  }

  /**
   * Replaces each record by named fields and expressions, or by some of its fields. Runs on
   * columns.
   *
   * @example
   * flights.select({ from: 'origin', hours: col('delay').div(60) })
   * flights.select('origin', 'delay')
   */
  select<const A extends SelectArguments>(
    ...selection: A & CheckSelectArguments<T, A>
  ): Stream<Selected<T, SelectionOf<A>>>;
  select(...selection: SelectArguments): Stream<never> {
    const [first, second] = selection;
    const isObject = typeof first === 'object' && !isNamedColumn(first);
    const columns = isObject ? Object.entries(first) : selection.map(namedEntry);
    const options = isObject ? optionsOf(second) : {};
    return new Stream(this.#select({ verb: 'select', boundary: this.select, options }, columns));
  }

  /**
   * Goes round with the records of this stream until nothing is fed back, or for `maxIterations` rounds. The body is
   * given the stream inside of the loop: the records of this one in round 0, and in each further round those that it
   * fed back in the round before. Inside, the event time of a record is its round, so that `tumbling(1)` holds a round.
   * Needs input that ends.
   *
   * @example
   * numbers.iterate((loop) => {
   *   const halves = loop.map((n) => n / 2);
   *   return { feedback: halves.filter((n) => n > 1), output: halves.filter((n) => n <= 1) };
   * })
   */
  iterate<Out>(
    body: (loop: Stream<T>) => IterationBody<T, Out>,
    options: IterateOptions = {},
  ): Stream<Out> {
    const call = { boundary: this.iterate, options };
    return iterated(this.#core, body, call, (core) => new Stream(core));
  }

  /** Keeps some fields of each record; Flink's name for `select('a', 'b')`. */
  project<const N extends readonly string[]>(
    ...fields: CheckFields<T, N> & N
  ): Stream<Selected<T, SelectionOf<N>>> {
    requireNames('project', fields);
    const call = { verb: 'project', boundary: this.project, options: {} };
    return new Stream(this.#select(call, fields.map(namedEntry)));
  }

  /**
   * Each record with one more field, or with another value in a field; the other fields stay as
   * they are. Runs on columns.
   *
   * @example
   * flights.select('origin', 'delay').withColumn('hours', col('delay').div(60))
   */
  withColumn<const N extends string, const C extends string | HasExpression>(
    name: N,
    value: C & CheckColumn<T, C>,
    options: OperatorOptions = {},
  ): Stream<WithColumn<T, N, C>> {
    const call = { verb: 'withColumn', boundary: this.withColumn, options };
    return new Stream(this.#select(call, [[name, value]], true));
  }

  /**
   * Divides the stream by the values of fields, or by what a function returns (which results call
   * `key`).
   *
   * @example
   * flights.keyBy('origin', 'date')
   * flights.keyBy((f) => f.origin.slice(0, 2))
   */
  keyBy<K>(fn: (record: T) => K, options?: OperatorOptions): KeyedBy<T, K>;
  keyBy<const N extends readonly string[]>(
    ...fields: CheckKeys<T, N> & N
  ): KeyedStream<T, Flat<KeyFields<T, N[number]>>>;
  keyBy(
    first: string | ((record: T) => unknown),
    second: string | OperatorOptions = {},
    ...others: readonly string[]
  ): KeyedStream<T, never> {
    if (typeof first !== 'function') {
      const names = typeof second === 'string' ? [first, second, ...others] : [first];
      requireNames('keyBy', names);
      return this.#keyed(this.#core, names);
    }
    const options = typeof second === 'string' ? {} : second;
    const call = { verb: 'keyBy', boundary: this.keyBy, options };
    return this.#keyed(this.#computedKey(call, first), [KEY_FIELD]);
  }

  #computedKey(call: VerbCall, fn: UserFunction): StreamCore {
    // One per input, so that each runs in the chain of its producer, before the exchange.
    const computed = this.#core.inputs.map((input) =>
      this.#core.over([input]).operator(call, { kind: 'computeKey', fn }),
    );
    const [head, ...tail] = computed;
    return head === undefined ? this.#core : head.merged(tail);
  }

  /**
   * All records in an order, at the end of the input: by a field, an expression, or several fields, of which each says
   * `'asc'` or `'desc'`. Records that are equal there stay in the order in which they came; null comes before all other
   * values where order ascends. One subtask sorts them all, on disk what does not fit in its memory (`state.localDir`).
   * Results have no event time.
   *
   * @example
   * flights.sortBy('delay', { descending: true })
   * flights.sortBy({ origin: 'asc', delay: 'desc' })
   */
  sortBy<const B extends SortBy>(by: B & CheckSort<T, B>, options: SortOptions = {}): Stream<T> {
    return new Stream(sorted(this.#core.dealt({ kind: 'global' }), [], by, options, this.sortBy));
  }

  /**
   * Divides all records into windows, whatever their key. Aggregates that can be added up in parts are computed in
   * parallel before one subtask puts the parts together.
   *
   * @example
   * orders.windowAll(tumbling('1m')).aggregate({ orders: count(), worth: sum('price') })
   */
  windowAll(windows: Windows<T>): WindowedStream<T, unknown, unknown> {
    requireWindows('windowAll', windows);
    const call = { verb: 'windowAll', boundary: this.windowAll, options: {} };
    return new WindowedStream({
      core: this.#core.dealt({ kind: 'global' }),
      keys: [],
      keyed: () => {
        const core = this.#computedKey(call, () => 0);
        return { core: core.dealt({ kind: 'hash', keys: [KEY_FIELD] }), keys: [KEY_FIELD] };
      },
      stream: (core) => new Stream(core),
      windows,
      allowedLatenessMs: null,
      lateTag: null,
    });
  }

  /**
   * Gives each record its event time, and makes the watermarks for all that is behind: a field (a
   * date, a timestamp, or milliseconds since the epoch), an expression, a function, or
   * `ingestionTime()`. A record without a time fails the job with `TIMESTAMP_MISSING`.
   *
   * @example
   * rides.assignTimestamps('pickedUpAt', { outOfOrderness: '2h', idleTimeout: '1min' })
   */
  assignTimestamps<
    const C extends string | ((record: T) => TimeValue) | HasExpression | IngestionTime,
  >(timestamp: C & CheckTimestamp<T, C>, options: WatermarkOptions<T> = {}): Stream<T> {
    const boundary = this.assignTimestamps;
    const call = { verb: 'assignTimestamps', boundary, options, extra: WATERMARK_CHECKS };
    return this.#timed(call, timestampOrigin(timestamp), options);
  }

  /**
   * Makes new watermarks and leaves each record the event time that it has, from
   * `assignTimestamps` before or from its source.
   *
   * @example
   * united.assignWatermarks({ outOfOrderness: '10s' })
   */
  assignWatermarks(options: WatermarkOptions<T> = {}): Stream<T> {
    const boundary = this.assignWatermarks;
    const call = { verb: 'assignWatermarks', boundary, options, extra: WATERMARK_CHECKS };
    return this.#timed(call, { from: 'record' }, options);
  }

  /**
   * The records of this stream and of others, in no particular order. They may differ; a field that is read
   * behind the union has to be in those of every stream, if need be by `withColumn(name, lit(null))` before it.
   */
  union<Others extends readonly Stream<unknown>[]>(
    ...others: Others
  ): Stream<T | RecordOf<Others[number]>> {
    return new Stream(this.#core.merged(others.map((other) => other.#core)));
  }

  /** The first record of each combination of values of some fields. */
  distinct<const N extends readonly string[]>(...fields: CheckKeys<T, N> & N): Stream<T> {
    const names: readonly string[] = fields;
    requireNames('distinct', names);
    const core = this.#core.dealt({ kind: 'hash', keys: names });
    const call = { verb: 'distinct', boundary: this.distinct, options: {} };
    return new Stream(core.operator(call, { kind: 'distinct', keys: names }));
  }

  /** Hands records to the subtask of the same number; needs equal parallelism on both sides. */
  forward(): Stream<T> {
    return new Stream(this.#core.dealt({ kind: 'forward' }));
  }

  /** Deals records to all subtasks downstream in turn. */
  rebalance(): Stream<T> {
    return new Stream(this.#core.dealt({ kind: 'rebalance' }));
  }

  /** Deals records in turn to a few subtasks that each subtask has for itself. */
  rescale(): Stream<T> {
    return new Stream(this.#core.dealt({ kind: 'rescale' }));
  }

  /** Deals records to random subtasks, uniformly. */
  shuffle(): Stream<T> {
    return new Stream(this.#core.dealt({ kind: 'shuffle' }));
  }

  /** Gives every record to every subtask downstream. */
  broadcast(): Stream<T> {
    return new Stream(this.#core.dealt({ kind: 'broadcast' }));
  }

  /** Gives all records to the first subtask downstream. */
  global(): Stream<T> {
    return new Stream(this.#core.dealt({ kind: 'global' }));
  }

  /** Deals records by a function that names the subtask, from 0 up to `parallelism`. */
  partitionBy(fn: (record: T, parallelism: number) => number): Stream<T> {
    requireFunction('partitionBy', fn, 'partitionBy((record, parallelism) => ...)');
    return new Stream(this.#core.dealt({ kind: 'custom', fn }));
  }

  /**
   * Writes the records to a sink.
   *
   * @example
   * totals.to(csv('out/totals'))
   */
  to<C extends SinkConnector | FileConnector<unknown>>(
    target: C & CheckSink<T, SinkRecord<C>>,
    options: OperatorOptions = {},
  ): void {
    const sink: SinkConnector = target?.kind === 'file' ? target.sink() : target;
    if (sink?.kind !== 'sink') {
      throw new MillraceError('OPTION_INVALID', 'to(...) takes a sink.', {
        where: { operator: 'to' },
        advice: "Write .to(csv('out/totals')) or another connector that can be written.",
      });
    }
    const names = { defaultName: sink.name, uidName: sink.type };
    this.#core.sink({ verb: 'to', boundary: this.to, options, ...names }, sink);
  }

  /**
   * Shows the records as a table on the terminal of the calling program.
   *
   * @example
   * totals.print({ title: 'Ten worst', orderBy: 'worst', limit: 10 })
   */
  print(show: PrintOptions = {}, options: OperatorOptions = {}): void {
    const sink = print(show);
    const names = { defaultName: sink.name, uidName: sink.type };
    this.#core.sink({ verb: 'print', boundary: this.print, options, ...names }, sink);
  }

  #asyncWait(call: VerbCall, order: AsyncOrder, fn: UserFunction, options: object): Stream<never> {
    requireFunction(call.verb, fn, `${call.verb}(async (record) => ({ ...record, more: 1 }))`);
    return new Stream(this.#core.operator(call, asyncWait({ call, order, fn }, options)));
  }

  #keyed<K>(core: StreamCore, keys: readonly string[]): KeyedStream<T, K> {
    return new KeyedStream(
      core.dealt({ kind: 'hash', keys }),
      keys,
      (result) => new Stream(result),
    );
  }

  #timed(call: VerbCall, timestamp: TimestampOrigin, options: WatermarkOptions<T>): Stream<T> {
    const watermarks = watermarkStrategy(call, options);
    const body = { kind: 'assignTimestamps', timestamp, watermarks } as const;
    return new Stream(this.#core.operator(call, body));
  }

  #select(
    call: VerbCall,
    selected: readonly (readonly [string, unknown])[],
    keepsOthers = false,
  ): StreamCore {
    const names = selected.map(([name]) => name);
    requireNames(call.verb, names);
    const columns = selected.map(([name, value]) => {
      return { name, value: expressionOf(call.verb, name, value) };
    });
    return this.#core.operator(call, { kind: 'select', columns, keepsOthers });
  }
}

/** The record type of a stream. */
export type RecordOf<S> = S extends Stream<infer T> ? T : never;

/** A selected field under its own name, or an expression under the name it was given by `as`. */
function namedEntry(item: unknown): readonly [string, unknown] {
  if (isNamedColumn(item)) return [item.name, item];
  return [typeof item === 'string' ? item : '', item];
}

function isNamedColumn(value: unknown): value is NamedColumn {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'expression' in value &&
    typeof value.expression === 'object'
  );
}

function expressionOf(verb: string, name: string, value: unknown): Expression {
  if (typeof value === 'string' && value !== '') return { node: 'column', name: value };
  if (isColumn(value) || isNamedColumn(value)) return value.expression;
  const write = (example: string): string =>
    verb === 'withColumn'
      ? `withColumn(${JSON.stringify(name)}, ${example})`
      : `${verb}({ ${name}: ${example} })`;
  throw new MillraceError(
    'OPTION_INVALID',
    `The value of "${name}" in ${verb}(...) is no field and no expression.`,
    {
      where: { operator: verb, field: name },
      advice: `Write ${write("'origin'")} or ${write("col('delay').div(60)")}.`,
    },
  );
}

/** The second argument of `select({ ... }, options)`, which its check has still to see. */
function optionsOf(value: unknown): OperatorOptions {
  return typeof value === 'object' && value !== null ? value : {};
}

function notOneList(count: number): MillraceError {
  return new MillraceError('OPTION_INVALID', `explode(...) takes one list, not ${count}.`, {
    where: { operator: 'explode' },
    advice: "Write explode('tags') or explode({ word: col('line').split(' ') }).",
  });
}
