/**
 * A stream divided by key and window: what `window` and `windowAll` give. Its verbs give a result for each key and
 * window, with `windowStart` and `windowEnd`, when the window is over. Callers: job functions. Runs on: any thread.
 */
import { MillraceError } from '../base/errors.js';
import type { Duration } from '../base/units.js';
import { LATE_FIRING, WINDOW_END, WINDOW_START } from '../operator/aggregate-fields.js';
import type { EngineProcessContext } from '../operator/engine-functions.js';
import type { OutputTag, ProcessFunction } from '../operator/process-function.js';
import type { Evictor } from '../operator/window/evictor.js';
import { type Fold, reduceFold } from '../operator/window/fold.js';
import type { Trigger } from '../operator/window/trigger.js';
import type {
  WindowContext,
  WindowFunction,
  WindowOperatorParts,
} from '../operator/window/window-operator.js';
import type { AggregateSpec, Aggregation, WindowSpec } from '../operator/operator-spec.js';
import { canMerge } from '../operator/pre-aggregate.js';
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
import type { Boundary } from './call-site.js';
import type { OperatorOptions } from './operator-options.js';
import type { Flat, Mistake } from './record-types.js';
import type { Stream } from './stream.js';
import { RETURNS, type ReturnsOptions } from './returns-option.js';
import { keyName, requireFunction, type StreamCore, type VerbCall } from './stream-core.js';
import type { StreamFactory } from './stream-factory.js';
import type { Windows } from './windows.js';
import {
  lateTagId,
  windowParts,
  type WindowSettings,
  windowsText,
  withEvictor,
  withLateness,
  withTrigger,
} from './window-settings.js';

/** The fields by which a result tells of its window, in milliseconds since the epoch. */
export interface WindowFields {
  readonly windowStart: number;
  readonly windowEnd: number;
}

/** The field that results have where windows take late records. */
export interface LateField {
  /** Whether the window has given a result before, and this is one that a late record has changed. */
  readonly lateFiring: boolean;
}

/** Checks of a record of aggregates: each must suit the stream, none may have the name of another field. */
type CheckWindowAggregates<T, K, A> = {
  readonly [Name in keyof A]: Name extends keyof K
    ? Mistake<`'${Name & string}' is a key field; give the aggregate another name`>
    : Name extends 'windowStart' | 'windowEnd' | 'lateFiring'
      ? Mistake<`'${Name}' tells of the window; give the aggregate another name`>
      : CheckAggregate<T, A[Name]>;
};

/** What a function is told of the window whose value it is given. */
export type WindowInfo<K> = Omit<WindowContext<K, never>, 'collect' | 'output'>;

/** Combines two records into one. */
export type ReduceFunction<T> = (accumulated: T, record: T) => T;

/** Makes the result of a window from what its records were reduced to. */
export type FinishFunction<T, K, Out> = (value: T, context: WindowInfo<K>) => Out;

/** What windows are made of. */
export interface WindowParts<T> extends WindowSettings<T> {
  readonly core: StreamCore;
  readonly keys: readonly string[];
  readonly stream: StreamFactory;
  readonly lateTag: string | null;
  /** The same records with a key field, for operators that keep state by key; without one it is made up. */
  readonly keyed: () => { readonly core: StreamCore; readonly keys: readonly string[] };
}

/** Records of type `T` by key and window; `K` is an object type of the key fields, `L` of those of lateness. */
export class WindowedStream<T, K, L> {
  declare readonly recordType?: T;
  declare readonly lateType?: L;
  readonly #parts: WindowParts<T>;

  /** Made by `window` and `windowAll`. */
  constructor(parts: WindowParts<T>) {
    this.#parts = parts;
  }

  /**
   * Keeps windows for so long after their end. A record that comes for one that has given its result already makes
   * it give the result again, for the key of that record, with `lateFiring` true. Without it, such records are late.
   *
   * @example
   * orders.keyBy('shop').window(tumbling('1m')).allowedLateness('10s').sum('price')
   */
  allowedLateness(lateness: Duration): WindowedStream<T, K, LateField> {
    return new WindowedStream({ ...this.#parts, ...withLateness(this.#parts, lateness) });
  }

  /**
   * Gives records that are late for all their windows to a side output, instead of dropping them. Read it with
   * `sideOutput(tag)` of the stream of results.
   *
   * @example
   * const late = outputTag<Order>('late');
   * const totals = orders.keyBy('shop').window(tumbling('1m')).sideOutputLateData(late).sum('price');
   * totals.sideOutput(late).to(ndjson<Order>('out/late'));
   */
  sideOutputLateData(tag: OutputTag<T>): WindowedStream<T, K, L> {
    const lateTag = lateTagId('sideOutputLateData', this.#parts, tag);
    return new WindowedStream({ ...this.#parts, lateTag });
  }

  /**
   * Replaces the trigger, which decides when a window gives its result: by default when its time is over.
   *
   * @example
   * orders.keyBy('shop').window(tumbling('1h')).trigger(continuousEventTimeTrigger('1m')).process(soFar)
   */
  trigger(trigger: Trigger<T>): WindowedStream<T, K, L> {
    return new WindowedStream({ ...this.#parts, ...withTrigger(trigger) });
  }

  /**
   * Drops records of a window before its function sees them, or after. A window then holds all its records.
   *
   * @example
   * trades.keyBy('share').window(globalWindow()).trigger(countTrigger(1)).evictor(timeEvictor('5m'))
   */
  evictor(evictor: Evictor<T>): WindowedStream<T, K, L> {
    return new WindowedStream({ ...this.#parts, ...withEvictor(evictor) });
  }

  /**
   * Combines the records of each key and window into one by a function, as they come. With a second function the
   * result is what that makes of it, given the key and the window too.
   *
   * @example
   * bids.keyBy('auction').window(tumbling('1m')).reduce((best, bid) => (bid.price > best.price ? bid : best))
   */
  reduce(fn: ReduceFunction<T>, options?: ReturnsOptions): Stream<T>;
  reduce<Out, Key = K>(
    fn: ReduceFunction<T>,
    finish: FinishFunction<T, Key, Out>,
    options?: ReturnsOptions,
  ): Stream<Out>;
  reduce(
    fn: ReduceFunction<T>,
    second: FinishFunction<T, never, unknown> | ReturnsOptions = {},
    third: ReturnsOptions = {},
  ): Stream<never> {
    requireFunction('reduce', fn, 'reduce((best, record) => ...)');
    const finish = typeof second === 'function' ? second : (value: T): unknown => value;
    const options = typeof second === 'function' ? third : second;
    const call = { verb: 'reduce', boundary: this.reduce, options, extra: RETURNS };
    const result: WindowFunction<T, never, unknown> = ([value], context) =>
      context.collect(finish(value, context));
    return this.#stream(this.#general(call, reduceFold(fn), result));
  }

  /**
   * Calls a function with all records of each key and window, in order of arrival.
   *
   * @example
   * clicks.keyBy('user').window(session('30m')).process<Visit>((all, { key, window, collect }) =>
   *   collect({ user: key.user, from: window.start, clicks: all.length }))
   */
  process<Out, Key = K>(
    fn: WindowFunction<T, Key, Out>,
    options: ReturnsOptions = {},
  ): Stream<Out> {
    requireFunction('process', fn, 'process((records, context) => context.collect({ ... }))');
    const call = { verb: 'process', boundary: this.process, options, extra: RETURNS };
    return this.#stream(this.#general(call, null, fn));
  }

  /** Windows whose records a function sees, or that have a trigger or evictor. */
  #general<Key, Out>(
    call: VerbCall & { readonly options: ReturnsOptions },
    fold: Fold<T, unknown> | null,
    fn: WindowFunction<never, Key, Out>,
  ): StreamCore {
    const source = (fold?.add ?? fn).toString().replaceAll(/\s+/g, ' ');
    const about = `${windowsText(this.#parts)}: ${source}`;
    return this.#windows(call, { fold, fn }, { about });
  }

  /** Aggregates of windows that are not compiled. */
  #aggregated(call: VerbCall, aggregates: readonly AggregateSpec[]): StreamCore {
    const { keys, allowedLatenessMs } = this.#parts;
    const window = { allowedLatenessMs };
    const aggregation = { name: call.verb, keys, aggregates, phase: 'single', window } as const;
    const about = windowsText(this.#parts);
    return this.#windows(call, { fold: aggregation, fn: null }, { about, aggregation });
  }

  #windows<Key, Out>(
    call: VerbCall & { readonly options: ReturnsOptions },
    made: Pick<WindowOperatorParts<T, Key, Out>, 'fold' | 'fn'>,
    told: { readonly about: string; readonly aggregation?: Aggregation },
  ): StreamCore {
    const { lateTag, keys } = this.#parts;
    const parts: WindowOperatorParts<T, Key, Out> = {
      ...windowParts(call.verb, this.#parts),
      lateTag: lateTag === null ? null : { id: lateTag },
      ...made,
    };
    const open = (context: EngineProcessContext): ProcessFunction<T, Key, Out> =>
      context.engine.openWindows(parts, context);
    const { core, keys: by } = this.#parts.keyed();
    const options = aloneWithoutKey(keys, call.options);
    const returns = call.options.returns ?? null;
    const body = { kind: 'process', keys: [by], open, returns, ...told } as const;
    return core.operator({ ...call, options }, body);
  }

  #stream<R>(core: StreamCore): Stream<R> {
    return this.#parts.stream(core);
  }

  /**
   * Aggregates the records of each key and window. The result has the key fields, `windowStart` and `windowEnd` (and
   * `lateFiring`, after `allowedLateness`), then the aggregates by name. Its event time is `windowEnd - 1`.
   *
   * @example
   * bids.keyBy('auction').window(sliding('1m', '10s')).aggregate({ bids: count(), top: max('price') })
   */
  aggregate<A extends Readonly<Record<string, NamedLater>>>(
    aggregates: A & CheckWindowAggregates<T, K, A>,
    options: OperatorOptions = {},
  ): Stream<
    Flat<K & WindowFields & L & { readonly [Name in keyof A]: AggregateResult<T, A[Name]> }>
  > {
    return this.#parts.stream(this.#aggregate(aggregates, options, this.aggregate));
  }

  /** Records per key and window, as `count`. */
  count(
    options: OperatorOptions = {},
  ): Stream<Flat<K & WindowFields & L & { readonly count: number }>> {
    return this.#parts.stream(this.#aggregate({ count: count() }, options, this.count));
  }

  /** Sum of a field per key and window, as `sum`. */
  sum<const N extends string>(
    field: CheckFieldOf<T, 'sum', N> & N,
    options: OperatorOptions = {},
  ): Stream<Flat<K & WindowFields & L & { readonly sum: AggregateResult<T, Over<'sum', N>> }>> {
    return this.#parts.stream(this.#aggregate({ sum: sum(field) }, options, this.sum));
  }

  /** Least value of a field per key and window, as `min`. */
  min<const N extends string>(
    field: CheckFieldOf<T, 'min', N> & N,
    options: OperatorOptions = {},
  ): Stream<Flat<K & WindowFields & L & { readonly min: AggregateResult<T, Over<'min', N>> }>> {
    return this.#parts.stream(this.#aggregate({ min: min(field) }, options, this.min));
  }

  /** Greatest value of a field per key and window, as `max`. */
  max<const N extends string>(
    field: CheckFieldOf<T, 'max', N> & N,
    options: OperatorOptions = {},
  ): Stream<Flat<K & WindowFields & L & { readonly max: AggregateResult<T, Over<'max', N>> }>> {
    return this.#parts.stream(this.#aggregate({ max: max(field) }, options, this.max));
  }

  #aggregate(
    aggregates: Readonly<Record<string, NamedLater>>,
    options: OperatorOptions,
    boundary: Boundary,
  ): StreamCore {
    const { core, keys, windows, allowedLatenessMs, lateTag, trigger, evictor } = this.#parts;
    const taken = new Map([
      ...keys.map((key): [string, string] => [keyName(key), 'a key field']),
      ...[WINDOW_START, WINDOW_END, LATE_FIRING].map((name): [string, string] => [
        name,
        'a field that tells of the window',
      ]),
    ]);
    const specs = aggregateSpecs(aggregates, taken);
    const isPlain = trigger === undefined && evictor === undefined;
    const window = isPlain ? compiledWindow(windows, { allowedLatenessMs, lateTag }, specs) : null;
    if (window === null) {
      const call = { verb: 'aggregate', boundary, options };
      return this.#aggregated(call, specs);
    }
    const call = { verb: 'aggregate', boundary, options: aloneWithoutKey(keys, options) };
    return core.operator(call, {
      kind: 'aggregate',
      keys,
      aggregates: specs,
      emit: 'final',
      phase: 'single',
      window,
    });
  }
}

/** The windows of aggregates as a compiled chain has them; null where only the general operator does. */
function compiledWindow<T>(
  windows: Windows<T>,
  rules: Pick<WindowSpec, 'allowedLatenessMs' | 'lateTag'>,
  aggregates: readonly AggregateSpec[],
): WindowSpec | null {
  if (windows.kind === 'aligned') {
    const { grid, time, firesAtEnd } = windows;
    return { grid, time, firesAtEnd, ...rules };
  }
  const { sessions, assigner } = windows;
  if (sessions === null || assigner.time === 'none' || !aggregates.every(canMerge)) return null;
  return { ...sessions, time: assigner.time, ...rules };
}

/** Without a key one subtask has all windows; what is before it adds up their parts in parallel. */
function aloneWithoutKey(keys: readonly string[], options: OperatorOptions): OperatorOptions {
  if (keys.length > 0) return options;
  const { parallelism = 1 } = options;
  if (parallelism === 1) return { ...options, parallelism };
  throw new MillraceError(
    'OPTION_INVALID',
    `windowAll(...): parallelism is ${String(parallelism)}, but one subtask has all records.`,
    {
      where: { operator: 'windowAll', field: 'parallelism' },
      advice: 'Leave it out, or divide the stream by keyBy(...).window(...).',
    },
  );
}

type Over<Fn extends 'sum' | 'min' | 'max', N extends string> = Aggregate<Fn, unknown, N, false>;
