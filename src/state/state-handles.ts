/**
 * The kinds of state that user functions work with, named as Flink names them, and how they are declared. Keyed
 * state always means the state of the current key. Callers: the public api re-exports them; operators hand them to
 * user functions. Runs on: worker.
 *
 * Values must be plain data (structured clone carries them). A value read from state is the one in the table: change
 * it in place only between reading and `update`, as with Flink's heap backend. Null and undefined clear a value.
 */
import type { Duration } from '../base/units.js';
import type { DataType } from '../record/schema.js';
import type { StateTtl } from './time-to-live.js';

/** How a keyed state is declared. */
export interface StateDescriptor {
  /** Unique within the operator, and stable across versions of the job. */
  readonly name: string;
  /** Type of the values, when known: numbers, booleans, bigints and text are then kept outside of the heap. */
  readonly type?: DataType;
  /**
   * Time to live, per value, list element or map entry: how long after its last write, as in `'30min'`, by the wall
   * clock, or a `StateTtl` that says more. Default: for ever.
   */
  readonly ttl?: Duration | StateTtl;
  /**
   * What fields of the type were called in earlier versions of the job: `{ total: 'sum' }` says that `sum` was `total`.
   * Fields within others are named by their path, as in `address.zip`. Needs a type.
   */
  readonly renames?: Readonly<Record<string, string>>;
  /** Values of fields of the type that older values do not have, by their path. Needs a type. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /**
   * Makes a value of the type out of one that was written under another type, for what rules do not do. Called once for
   * each such value, list element or map entry when the job goes on from a snapshot that holds them, on the thread of
   * the subtask; what it throws ends the job with STATE_INCOMPATIBLE. Needs a type, and does without `renames` and
   * `defaults`.
   *
   * @example
   * state.value({
   *   name: 'amount',
   *   type: { kind: 'int64' },
   *   migrate: (euros: number) => BigInt(Math.round(euros * 100)),
   * });
   */
  migrate?(value: never): unknown;
}

/** One value per key. */
export interface ValueState<T> {
  /** The value, undefined when there is none. */
  value(): T | undefined;
  update(value: T | null | undefined): void;
  clear(): void;
}

/** A list per key; every element is an entry of its own, so adding costs the same however long the list is. */
export interface ListState<T> {
  /** The elements in the order in which they were added. */
  get(): Iterable<T>;
  add(value: T): void;
  addAll(values: Iterable<T>): void;
  /** Replaces the list. */
  update(values: Iterable<T>): void;
  clear(): void;
}

/** What a map's keys may be. Equal by value: -0 is 0, NaN is NaN, arrays and dates by content. */
export type MapStateKey = string | number | bigint | boolean | null | Date | readonly MapStateKey[];

/** A map per key; every entry is one of its own. Iteration is in the order in which keys were put first. */
export interface MapState<K extends MapStateKey, V> {
  get(key: K): V | undefined;
  put(key: K, value: V): void;
  putAll(entries: Iterable<readonly [K, V]>): void;
  remove(key: K): void;
  contains(key: K): boolean;
  /** The map may change during iteration; entries removed meanwhile are not given. */
  entries(): Iterable<[K, V]>;
  keys(): Iterable<K>;
  values(): Iterable<V>;
  isEmpty(): boolean;
  clear(): void;
}

/** One value per key, into which added values are folded. */
export interface ReducingState<T> {
  get(): T | undefined;
  add(value: T): void;
  clear(): void;
}

/** One accumulator per key, into which added values are folded. */
export interface AggregatingState<In, Out> {
  /** The result, undefined when nothing was added. */
  get(): Out | undefined;
  add(value: In): void;
  clear(): void;
}

/** How an aggregating state folds. */
export interface StateAggregator<In, Acc, Out> {
  create(): Acc;
  /** The new accumulator; undefined means that the given one was changed in place. */
  add(accumulator: Acc, value: In): Acc | undefined;
  result(accumulator: Acc): Out;
}
