/**
 * A stream divided by key: what `keyBy` gives. Aggregations on it keep state per key, and records
 * of equal key are always seen by the same subtask. Callers: job functions. Runs on: any thread.
 */
import type { EmitMode } from '../operator/operator-spec.js';
import {
  type Aggregate,
  type AggregateResult,
  type CheckAggregate,
  type CheckFieldOf,
  count,
  max,
  min,
  type NamedLater,
  sum,
} from './aggregates.js';
import { aggregateSpecs } from './aggregate-specs.js';
import type { JoinType } from '../operator/join/regular-join.js';
import type { OpenProcess } from '../operator/process-function.js';
import type { Boundary } from './call-site.js';
import {
  ConnectedStreams,
  rememberSide,
  type SideStream,
  sideOfStream,
} from './connected-streams.js';
import { IntervalJoin } from './interval-joined-streams.js';
import {
  CoGroupedStreams,
  JoinedStreams,
  type JoinOptions,
  type JoinSide,
  pairSides,
} from './joined-streams.js';
import { RETURNS, type ReturnsOptions } from './returns-option.js';
import type { OperatorOptions, OptionCheck } from './operator-options.js';
import type { Flat, Mistake } from './record-types.js';
import { type CheckSort, type SortBy, sorted, type SortOptions } from './sort-options.js';
import type { Stream } from './stream.js';
import { keyName, requireFunction, type StreamCore } from './stream-core.js';
import type { StreamFactory } from './stream-factory.js';
import {
  type CheckOrder,
  topNeverEnds,
  type TopOptions,
  topOptions,
  type TopOrderBy,
  type TopRecord,
} from './top-options.js';
import { WindowedStream } from './windowed-stream.js';
import { requireWindows, type Windows } from './windows.js';

/** Options of operators that keep a result per key. */
export interface EmitOptions extends OperatorOptions {
  /**
   * `'updates'` emits the new result after every record, `'final'` one result per key at the end of
   * the input. Absent: `'final'` when the input is bounded, else `'updates'`.
   */
  readonly emit?: EmitMode;
}

/** Checks of a record of aggregates: each must suit the stream, none may have the name of a key. */
export type CheckAggregates<T, K, A> = {
  readonly [Name in keyof A]: Name extends keyof K
    ? Mistake<`'${Name & string}' is a key field; give the aggregate another name`>
    : CheckAggregate<T, A[Name]>;
};

const EMIT: Readonly<Record<string, OptionCheck>> = {
  emit: (value) => (value === 'updates' || value === 'final' ? null : "'updates' or 'final'"),
};

/** Records of type `T` divided by key; `K` is an object type of the key fields. */
export class KeyedStream<T, K> {
  declare readonly recordType?: T;
  readonly #core: StreamCore;
  readonly #keys: readonly string[];
  readonly #stream: StreamFactory;

  /** Made by `keyBy`. `core` is dealt by the hash of `keys` already. */
  constructor(core: StreamCore, keys: readonly string[], stream: StreamFactory) {
    this.#core = core;
    this.#keys = keys;
    this.#stream = stream;
    rememberSide(this, { core, keys });
  }

  /**
   * Calls a process function with every record: with state per key, timers, and any number of results.
   *
   * @example
   * clicks.keyBy('user').process<Session>((context) => {
   *   const clicks = context.state.value<number>({ name: 'clicks' });
   *   return {
   *     processElement(click, { timers, timestamp }) {
   *       clicks.update((clicks.value() ?? 0) + 1);
   *       timers.registerEventTime((timestamp ?? 0) + 60_000);
   *     },
   *     onTimer(time, out) {
   *       out.collect({ user: out.key.user, clicks: clicks.value() ?? 0, at: time });
   *     },
   *   };
   * })
   */
  process<Out, Key = K>(open: OpenProcess<T, Key, Out>, options: ReturnsOptions = {}): Stream<Out> {
    requireFunction('process', open, 'process((context) => ({ processElement(record, out) {} }))');
    const call = { verb: 'process', boundary: this.process, options, extra: RETURNS };
    const returns = options.returns ?? null;
    const body = { kind: 'process', keys: [this.#keys], open, returns } as const;
    return this.#stream(this.#core.operator(call, body));
  }

  /**
   * This stream beside another one, for a function that tells them apart: one keyed alike, whose records meet the
   * same state, or one that is broadcast, of which every subtask sees all records.
   */
  connect<U>(other: SideStream<U>): ConnectedStreams<T, U, K> {
    const first = { core: this.#core, keys: this.#keys };
    return new ConnectedStreams(first, sideOfStream('connect', other), this.#stream);
  }

  /**
   * Divides the records of each key into windows.
   *
   * @example
   * bids.keyBy('auction').window(tumbling('10s')).aggregate({ bids: count(), top: max('price') })
   */
  window(windows: Windows<T>): WindowedStream<T, K, unknown> {
    requireWindows('window', windows);
    const by = { core: this.#core, keys: this.#keys };
    return new WindowedStream({
      ...by,
      keyed: () => by,
      stream: this.#stream,
      windows,
      allowedLatenessMs: null,
      lateTag: null,
    });
  }

  /**
   * Pairs the records of this stream with those of another one that have the same key, whenever they come: both are
   * kept, for ever or for the `ttl`. With `window(...)` behind it, pairs those of one window.
   *
   * @example
   * orders.keyBy('id').join(payments.keyBy('order'), { type: 'left' })
   *   .apply((order, payment) => ({ id: order.id, paid: payment?.at ?? null }))
   */
  join<U, K2, const J extends JoinType = 'inner'>(
    other: JoinSide<U, K, K2>,
    options: JoinOptions<J> = {},
  ): JoinedStreams<T, U, J, K> {
    const first = { core: this.#core, keys: this.#keys };
    return new JoinedStreams(pairSides('join', first, other, this.#stream), options);
  }

  /**
   * Brings the records of this stream together with those of another one that have the same key and are in the same
   * window, also where one of the two has none.
   *
   * @example
   * orders.keyBy('id').coGroup(payments.keyBy('order')).window(tumbling('1h'))
   *   .apply((orders, payments, { key }) => [{ id: key.id, open: orders.length - payments.length }])
   */
  coGroup<U, K2>(other: JoinSide<U, K, K2>): CoGroupedStreams<T, U, K> {
    const first = { core: this.#core, keys: this.#keys };
    return new CoGroupedStreams(pairSides('coGroup', first, other, this.#stream));
  }

  /**
   * Pairs the records of this stream with those of another one that have the same key and an event time within
   * bounds of theirs. Records are kept only as long as a partner may come.
   *
   * @example
   * orders.keyBy('id').intervalJoin(payments.keyBy('order')).between('-5s', '1h')
   *   .apply((order, payment) => ({ id: order.id, paid: payment.at }))
   */
  intervalJoin<U, K2>(other: JoinSide<U, K, K2>): IntervalJoin<T, U> {
    const first = { core: this.#core, keys: this.#keys };
    return new IntervalJoin(pairSides('intervalJoin', first, other, this.#stream));
  }

  /**
   * Aggregates the records of each key. The result has the key fields, then the aggregates by name.
   *
   * @example
   * flights.keyBy('origin').aggregate({ flights: count(), worst: max('delay') }, { uid: 'delays' })
   */
  aggregate<A extends Readonly<Record<string, NamedLater>>>(
    aggregates: A & CheckAggregates<T, K, A>,
    options: EmitOptions = {},
  ): Stream<Flat<K & { readonly [Name in keyof A]: AggregateResult<T, A[Name]> }>> {
    return this.#stream(this.#aggregate(aggregates, options, this.aggregate));
  }

  /**
   * Combines the records of each key into one by a function.
   *
   * @example
   * bids.keyBy('auction').reduce((best, bid) => (bid.price > best.price ? bid : best))
   */
  reduce(fn: (accumulated: T, record: T) => T, options: EmitOptions = {}): Stream<T> {
    requireFunction('reduce', fn, 'reduce((best, record) => ...)');
    const call = { verb: 'reduce', boundary: this.reduce, options, extra: EMIT };
    const emit = this.#emit(options);
    return this.#stream(this.#core.operator(call, { kind: 'reduce', keys: this.#keys, fn, emit }));
  }

  /**
   * The first `n` records of each key in an order, at the end of the input: what Flink's SQL calls Top-N. Fields of
   * `orderBy` count in the order in which they are written, `'asc'` or `'desc'` each; null comes before all other
   * values where order ascends. `rank` adds a field of that name, which counts from 1.
   *
   * @param n from 1 to 1000
   * @example
   * bids.keyBy('auction').topN(10, { orderBy: { price: 'desc', at: 'asc' }, rank: 'place' })
   */
  topN<const O extends TopOrderBy, const R extends string = never>(
    n: number,
    options: TopOptions<O & CheckOrder<T, O>, R>,
  ): Stream<TopRecord<T, R>> {
    const { rows, order, newestFirst, rank, others } = topOptions(n, options);
    if (!this.#core.isBounded) throw topNeverEnds();
    const call = { verb: 'topN', boundary: this.topN, options: others };
    const body = { kind: 'top', keys: this.#keys, rows, order, newestFirst, rank } as const;
    return this.#stream(this.#core.operator(call, { ...body, emit: 'final' }));
  }

  /**
   * The records of one key after another, those of each in an order, as `sortBy` of a stream gives them. Keys are in
   * their order too, within a subtask.
   *
   * @example
   * readings.keyBy('sensor').sortBy('at')
   */
  sortBy<const B extends SortBy>(by: B & CheckSort<T, B>, options: SortOptions = {}): Stream<T> {
    return this.#stream(sorted(this.#core, this.#keys, by, options, this.sortBy));
  }

  /** Records per key, as `count`. */
  count(options: EmitOptions = {}): Stream<Flat<K & { readonly count: number }>> {
    return this.#stream(this.#aggregate({ count: count() }, options, this.count));
  }

  /** Sum of a field per key, as `sum`. */
  sum<const N extends string>(
    field: CheckFieldOf<T, 'sum', N> & N,
    options: EmitOptions = {},
  ): Stream<Flat<K & { readonly sum: AggregateResult<T, Over<'sum', N>> }>> {
    return this.#stream(this.#aggregate({ sum: sum(field) }, options, this.sum));
  }

  /** Least value of a field per key, as `min`. */
  min<const N extends string>(
    field: CheckFieldOf<T, 'min', N> & N,
    options: EmitOptions = {},
  ): Stream<Flat<K & { readonly min: AggregateResult<T, Over<'min', N>> }>> {
    return this.#stream(this.#aggregate({ min: min(field) }, options, this.min));
  }

  /** Greatest value of a field per key, as `max`. */
  max<const N extends string>(
    field: CheckFieldOf<T, 'max', N> & N,
    options: EmitOptions = {},
  ): Stream<Flat<K & { readonly max: AggregateResult<T, Over<'max', N>> }>> {
    return this.#stream(this.#aggregate({ max: max(field) }, options, this.max));
  }

  #aggregate(
    aggregates: Readonly<Record<string, NamedLater>>,
    options: EmitOptions,
    boundary: Boundary,
  ): StreamCore {
    const taken = new Map(this.#keys.map((key) => [keyName(key), 'a key field']));
    const specs = aggregateSpecs(aggregates, taken);
    const emit = this.#emit(options);
    const call = { verb: 'aggregate', boundary, options, extra: EMIT };
    return this.#core.operator(call, {
      kind: 'aggregate',
      keys: this.#keys,
      aggregates: specs,
      emit,
      phase: 'single',
      window: null,
    });
  }

  #emit(options: EmitOptions): EmitMode {
    return options.emit ?? (this.#core.isBounded ? 'final' : 'updates');
  }
}

type Over<Fn extends 'sum' | 'min' | 'max', N extends string> = Aggregate<Fn, unknown, N, false>;
