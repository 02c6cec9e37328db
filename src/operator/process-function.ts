/**
 * What a process function is: the general operator of Flink, which sees every record, keeps state and timers, and
 * gives any number of records to its output and to side outputs. Windows that do not compile, joins and patterns
 * are process functions of the engine. Callers: the public api re-exports the types; `chain-process.ts` calls the
 * functions. Runs on: the slot's thread. Invariant: nothing of a subtask's is shared with another one; what a
 * function keeps between calls belongs into state, or it is gone after a restart.
 */
import type { FunctionLogger } from '../base/function-log.js';
import type { Schema } from '../record/schema.js';
import type { MetricGroup } from '../metrics/user-metrics.js';
import type {
  AggregatingState,
  ListState,
  MapState,
  MapStateKey,
  ReducingState,
  StateAggregator,
  StateDescriptor,
  ValueState,
} from '../state/state-handles.js';
import type { BroadcastState } from '../state/operator-state.js';

/** Names a side output; records given to it with `context.output` are read with `stream.sideOutput(tag)`. */
export interface OutputTag<T> {
  /** Unique within the operator. */
  readonly id: string;
  /** Only for the compiler; never set. */
  readonly type?: T;
}

/**
 * A tag for a side output.
 *
 * @example
 * const late = outputTag<Order>('late');
 */
export function outputTag<T>(id: string): OutputTag<T> {
  return Object.freeze({ id });
}

/** Keyed state of the current key; declare it once, in `open`. */
export interface KeyedStates {
  value<T>(descriptor: StateDescriptor): ValueState<T>;
  list<T>(descriptor: StateDescriptor): ListState<T>;
  map<K extends MapStateKey, V>(descriptor: StateDescriptor): MapState<K, V>;
  reducing<T>(descriptor: StateDescriptor, reduce: (left: T, right: T) => T): ReducingState<T>;
  aggregating<In, Acc, Out>(
    descriptor: StateDescriptor,
    aggregator: StateAggregator<In, Acc, Out>,
  ): AggregatingState<In, Out>;
}

/** State of the subtask, whatever the key; declare it once, in `open`. */
export interface OperatorStates {
  /** A list whose items are dealt among the subtasks when the job is rescaled. */
  list<T>(name: string): ListState<T>;
  /** A list of which every subtask is given all items at restore. */
  unionList<T>(name: string): ListState<T>;
  /**
   * A map that is the same in all subtasks. It is written in `open` and for records of a stream that was `broadcast()`,
   * which all subtasks see; writing it elsewhere throws STATE_READ_ONLY.
   */
  broadcast<K extends MapStateKey, V>(name: string): BroadcastState<K, V>;
}

/**
 * Timers of the current key, by whole milliseconds. A timer is known by its time: registering one twice is
 * registering it once. `space` sets timers of one key apart when the service was made with names for it.
 */
export interface TimerService {
  /** Fires when the watermark reaches `timeMs`; at once, after the current call, when it has. */
  registerEventTime(timeMs: number, ...space: number[]): void;
  /** Fires when the wall clock has passed `timeMs`. */
  registerProcessingTime(timeMs: number, ...space: number[]): void;
  deleteEventTime(timeMs: number, ...space: number[]): void;
  deleteProcessingTime(timeMs: number, ...space: number[]): void;
  /** The event time that has been reached here: no record up to it is expected any more. */
  readonly currentWatermark: number;
  /** The wall clock in milliseconds since the epoch. */
  readonly currentProcessingTime: number;
}

/** Which clock a timer went by. */
export type TimeDomain = 'event' | 'processing';

/** What a timer that fires brings. */
export interface FiredTimer {
  readonly timeMs: number;
  readonly domain: TimeDomain;
  /** The numbers it was registered with, in order. */
  readonly space: readonly number[];
}

/** What `open` is given: how to declare state, and who the subtask is. */
export interface ProcessContext {
  readonly state: KeyedStates;
  readonly operatorState: OperatorStates;
  /** Index of the subtask, from 0, and how many there are. */
  readonly subtask: number;
  readonly parallelism: number;
  /** Metrics of the operator in this subtask, to be registered here. */
  readonly metrics: MetricGroup;
  /** The log of the job, for this operator in this subtask. */
  readonly log: FunctionLogger;
  /** Counts records that came too late, whether dropped or given to a side output, in the metric `lateRecords`. */
  countLate(records: number): void;
  /** Makes timers apart from those of `context.timers`, told apart by `names.length` numbers beside the time. */
  timerService(
    name: string,
    names: readonly string[],
    onTimer: (timer: FiredTimer, context: ElementContext<unknown, unknown>) => void,
  ): TimerService;
}

/**
 * What a call is given: the current key and time, timers, and where results go. Valid during the call only; using it
 * later throws CONTEXT_EXPIRED.
 */
export interface ElementContext<K, Out> {
  /**
   * The key fields of the record or timer at hand, under the names of the first side; undefined for records of a side
   * that is not keyed.
   */
  readonly key: K;
  /** Event time of the record at hand, null when it has none; the time of the timer that fires. */
  readonly timestamp: number | null;
  readonly timers: TimerService;
  /** Gives a record; its event time is `timestamp` unless another one is named. */
  collect(record: Out, timestamp?: number): void;
  /** Gives a record to a side output. */
  output<T>(tag: OutputTag<T>, record: T, timestamp?: number): void;
  /**
   * Calls `visit` for every key that has this state, with that key current, in no particular order: the way for
   * records of a side without key to change what keys keep. `state` is a handle of `context.state`. Throws
   * OPTION_INVALID while a key is current. The subtask does nothing else until all keys were visited.
   *
   * @example
   * processElement2: (rule, out) => out.applyToKeyedState(count, (key, state) => state.update(0)),
   */
  applyToKeyedState<S extends object>(state: S, visit: (key: K, state: S) => void): void;
}

/** What functions of the engine see beside that. */
export interface EngineContext<K, Out> extends ElementContext<K, Out> {
  /** Which change the record at hand is: a kind of `record/batch.ts`. */
  readonly kind: number;
  /**
   * Gives records that are made as there is room for them, after the call: what makes them must not use the context
   * or state. Null and undefined give none. Throws USER_FUNCTION_FAILED for what has no elements.
   */
  collectAll(records: Iterable<Out> | null | undefined, timestamp?: number): void;
}

/** What the timer's call is given beside that. */
export interface TimerContext<K, Out> extends ElementContext<K, Out> {
  readonly timestamp: number;
  readonly timeDomain: TimeDomain;
}

/** What `open` gives: the functions of one subtask. */
export interface ProcessFunction<T, K, Out, T2 = never> {
  processElement(record: T, context: ElementContext<K, Out>): void;
  /** Records of the second side, of operators that have one. */
  processElement2?(record: T2, context: ElementContext<K, Out>): void;
  onTimer?(timestamp: number, context: TimerContext<K, Out>): void;
  /** The input has ended, after the last timer; no key is current. */
  endOfInput?(context: ElementContext<undefined, Out>): void;
  /** Lets go of what the function holds outside of the engine; called when the job fails, too. */
  close?(): void;
}

/** What functions of the engine are that aggregate records: code and results depend on the types of these. */
export interface AggregatingFunction<T, K, Out> extends ProcessFunction<T, K, Out> {
  /** Takes the schema of the records to come; true when there is something new in it. */
  adopt(records: Schema): boolean;
  /** The schema of results; null when it is not known. */
  readonly resultSchema: Schema | null;
}

/**
 * Makes the functions of one subtask; runs once in each, before its first record. An interface with a member more
 * than its call, because the compiler then lets streams of a narrower record type pass for those of a wider one.
 */
export interface OpenProcess<T, K, Out, T2 = never> {
  (context: ProcessContext): ProcessFunction<T, K, Out, T2>;
  readonly length: number;
}
