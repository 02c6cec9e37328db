/**
 * What an operator of a chain is, as plain frozen data plus the user's functions: the vocabulary that the api
 * builds, the graph chains and the chain compiler turns into code. User functions are addressed by the uid of
 * their operator, so the same graph rebuilt in another thread has the same specs. Runs on: any thread.
 */
import type { Schema } from '../record/schema.js';
import type { WatermarkStrategy } from '../time/watermark-strategy.js';
import type { WindowGrid } from '../time/window-arithmetic.js';
import type {
  AsyncRetry,
  LookupFunctions,
  OpenAsync,
  PromisedFunctions,
} from './async/async-function.js';
import type { AsyncOrder } from './async/async-queue.js';
import type { Expression } from './expression.js';

/** A function of the job. */
// biome-ignore lint/suspicious/noExplicitAny: the engine calls it with what the typed api promised.
export type UserFunction = (...args: any[]) => unknown;

/** Who an operator is: printed by explain, named by errors. */
export interface OperatorIdentity {
  /** Stable id: the user's `uid`, or derived from name and position. */
  readonly uid: string;
  readonly name: string;
  /** `file:line:column` of the user's call that created the operator, when known. */
  readonly createdAt: string | null;
}

/** When a keyed aggregation emits: an update per record, or one row per key at the end of bounded input. */
export type EmitMode = 'updates' | 'final';

/**
 * Where a keyed aggregation stands: `single` sees raw rows after the exchange; `partial` pre-aggregates raw
 * rows before the exchange and emits accumulators; `merge` combines accumulators after it.
 */
export type AggregatePhase = 'single' | 'partial' | 'merge';

/** A built-in aggregate over an expression (null for count of rows). */
export interface BuiltInAggregate {
  readonly as: string;
  readonly fn:
    | 'count'
    | 'sum'
    | 'min'
    | 'max'
    | 'avg'
    | 'first'
    | 'last'
    | 'countDistinct'
    | 'collect';
  readonly input: Expression | null;
  /** Only rows for which this is true count. */
  readonly filter: Expression | null;
  /** Float sums and averages independent of the order of arrival. */
  readonly exact: boolean;
}

/** An aggregate written by the user. Accumulators must be structured-cloneable. */
export interface UserAggregator {
  create(): unknown;
  /** Returns the new accumulator; undefined means that the given one was changed in place. */
  add(accumulator: unknown, value: unknown): unknown;
  /** Needed for pre-aggregation; without it the aggregate runs in one phase. */
  merge?(left: unknown, right: unknown): unknown;
  result(accumulator: unknown): unknown;
}

/** A user aggregator in place of a built-in one; it is given the record, with the fields that it reads. */
export interface UserAggregate {
  readonly as: string;
  readonly fn: 'user';
  readonly aggregator: UserAggregator;
  readonly filter: Expression | null;
}

export type AggregateSpec = BuiltInAggregate | UserAggregate;

/** What all windows of an aggregation have. */
interface WindowRules {
  /** Whose time says which windows a record is in, and when they are over. */
  readonly time: 'event' | 'processing';
  /** Whether windows of processing time that are not over give what they hold when the input ends. */
  readonly firesAtEnd: boolean;
  /**
   * For how long after its end a window takes records still, and gives its result again for each of them; results
   * then say whether they are such ones. Null: a window is gone with its result.
   */
  readonly allowedLatenessMs: number | null;
  /** The side output of records that came too late for all their windows; null: they are counted and dropped. */
  readonly lateTag: string | null;
}

/** Windows in a grid of time. */
export interface AlignedSpec extends WindowRules {
  readonly grid: WindowGrid;
  readonly gapMs?: undefined;
}

/** Sessions, which go on as long as each record comes at most `gapMs` after the one before. */
export interface SessionSpec extends WindowRules {
  readonly gapMs: number;
  readonly grid?: undefined;
}

/** The windows of an aggregation: each window of a key has accumulators of its own. */
export type WindowSpec = AlignedSpec | SessionSpec;

/** What an aggregation gives, wherever it keeps what it adds up. */
export interface Aggregation {
  readonly name: string;
  readonly keys: readonly string[];
  readonly aggregates: readonly AggregateSpec[];
  readonly phase: AggregatePhase;
  /** Null without windows. */
  readonly window: Pick<WindowRules, 'allowedLatenessMs'> | null;
}

/** What tells the event time of a record. */
export type TimestampOrigin =
  /** A timestamp, a date, or a number or int64 of milliseconds since the epoch. */
  | { readonly from: 'expression'; readonly expression: Expression }
  /** `fn(record)` gives a Date or milliseconds since the epoch. */
  | { readonly from: 'function'; readonly fn: UserFunction }
  /** The wall clock when the record arrives: ingestion time. */
  | { readonly from: 'clock' }
  /** The event time that the record has already, from its source or an operator before. */
  | { readonly from: 'record' };

/** A field by which rows are ordered; null comes before all other values. */
export interface TopOrder {
  readonly name: string;
  readonly descending: boolean;
}

/** What records are sorted by; null comes before all other values. */
export interface SortOrder {
  readonly by: Expression;
  readonly descending: boolean;
}

/** A field of a joined record: what it is called, and which field of which side it is. */
export interface JoinColumn {
  readonly as: string;
  readonly side: 0 | 1;
  readonly name: string;
}

/** The operators that chains are made of. */
export type OperatorSpec = OperatorIdentity &
  (
    | { readonly kind: 'map'; readonly fn: UserFunction; readonly returns: Schema | null }
    | { readonly kind: 'filter'; readonly fn: UserFunction }
    | { readonly kind: 'where'; readonly predicate: Expression }
    | { readonly kind: 'flatMap'; readonly fn: UserFunction; readonly returns: Schema | null }
    /** Replaces the record by the named expressions, in order; the result is an object. */
    | {
        readonly kind: 'select';
        readonly columns: readonly { readonly name: string; readonly value: Expression }[];
        /** Whether the fields that no expression replaces stay, in their places, before the new ones. */
        readonly keepsOthers: boolean;
      }
    /**
     * A row for each item of a list, which replaces or becomes the field `as`; the other fields are kept, and the
     * result is an object. `outer` gives a row with null for a list that is null or empty.
     */
    | {
        readonly kind: 'explode';
        readonly as: string;
        readonly list: Expression;
        readonly outer: boolean;
      }
    /** Adds a field `$key` computed by a key function, before a hash exchange. */
    | { readonly kind: 'computeKey'; readonly fn: UserFunction }
    /** Keyed aggregation; the result is an object of the key fields (`$key` as `key`), then the aggregates. */
    | {
        readonly kind: 'aggregate';
        readonly keys: readonly string[];
        readonly aggregates: readonly AggregateSpec[];
        readonly emit: EmitMode;
        readonly phase: AggregatePhase;
        /** Null: one result per key; otherwise one per key and window, when the window is over. */
        readonly window: WindowSpec | null;
      }
    /** Keyed reduce of whole records by a function (accumulated, record) -> accumulated. */
    | {
        readonly kind: 'reduce';
        readonly keys: readonly string[];
        readonly fn: UserFunction;
        readonly emit: EmitMode;
      }
    /** The first `rows` records of each key in an order, given when the input has ended. */
    | {
        readonly kind: 'top';
        readonly keys: readonly string[];
        readonly rows: number;
        readonly order: readonly TopOrder[];
        /** Whether of equal records the one that came last comes first. */
        readonly newestFirst: boolean;
        /** The field that results have beside their own, which counts from 1; null for none. */
        readonly rank: string | null;
        readonly emit: 'final';
      }
    /**
     * All records of a subtask in an order, given when the input has ended: those of one key behind the other, if there
     * are keys.
     */
    | {
        readonly kind: 'sort';
        readonly keys: readonly string[];
        readonly order: readonly SortOrder[];
        readonly emit: 'final';
      }
    /** Gives each record its event time, and makes the watermarks for all that is behind. */
    | {
        readonly kind: 'assignTimestamps';
        readonly timestamp: TimestampOrigin;
        readonly watermarks: WatermarkStrategy;
      }
    /** Calls a process function; `keys` by side, null where it is not keyed. */
    | {
        readonly kind: 'process';
        readonly keys: readonly (readonly string[] | null)[];
        /** By side, the fields that the function reads, other than keys; null or missing: all. */
        readonly reads?: readonly (readonly string[] | null)[];
        /** By side, whether all subtasks see all its records and may so write broadcast state; missing: false. */
        readonly isBroadcast?: readonly boolean[];
        /** `open(context)` gives the functions of one subtask: an `OpenProcess`. */
        readonly open: UserFunction;
        /** What a function of the engine was made of, which its source does not tell; none for a user's. */
        readonly of?: Readonly<Record<string, unknown>>;
        readonly returns: Schema | null;
        /** What windows that a function of the engine fills come to, if they are aggregated. */
        readonly aggregation?: Aggregation;
        /** What a function of the engine does, for explain and the hash of the plan; absent for those of users. */
        readonly about?: string;
      }
    /**
     * Pairs records of two sides that have one key, each pair when the later of the two arrives; `keys` by side.
     * Results are chosen fields of both, or what a function makes of them.
     */
    | ({
        readonly kind: 'join';
        readonly keys: readonly [readonly string[], readonly string[]];
        readonly returns: Schema | null;
      } & (
        | { readonly columns: readonly JoinColumn[]; readonly apply: null }
        | { readonly columns: null; readonly apply: UserFunction }
      ))
    /** Calls a function that answers later, for many records at a time. It always heads its chain. */
    | {
        readonly kind: 'asyncWait';
        /** What is called; a function of the engine makes its own functions for each subtask. */
        readonly functions: OpenAsync | PromisedFunctions | LookupFunctions;
        readonly order: AsyncOrder;
        /** Records whose calls may be under way at a time. */
        readonly capacity: number;
        /** How long an answer may take, repeated calls included; null for ever. */
        readonly timeoutMs: number | null;
        readonly retry: AsyncRetry | null;
        /** The functions that are given the record first, and fields that are read besides: all that is read of it. */
        readonly readers: readonly UserFunction[];
        readonly fields: readonly string[];
        readonly returns: Schema | null;
      }
    /** The records that the process function before it gave to a tag. */
    | { readonly kind: 'sideOutput'; readonly tag: string; readonly returns: Schema | null }
    /** Emits the first record of each key, drops the rest. */
    | { readonly kind: 'distinct'; readonly keys: readonly string[] }
    /**
     * The head of a loop: hands on the records of its input, then those that were fed back, round by round. In the loop
     * the event time of a record is its round. Null: until nothing is fed back.
     */
    | { readonly kind: 'loop'; readonly maxIterations: number | null }
    /** The tail of a loop: its records go back to the head whose uid is `loop`. */
    | { readonly kind: 'feedback'; readonly loop: string }
  );

/** How the rows of an edge are dealt to the subtasks downstream; names and rules as Flink's. */
export type Partitioner =
  | { readonly kind: 'forward' | 'rebalance' | 'rescale' | 'shuffle' | 'broadcast' | 'global' }
  | { readonly kind: 'hash'; readonly keys: readonly string[] }
  /** `fn(record, parallelism)` gives the subtask. */
  | { readonly kind: 'custom'; readonly fn: UserFunction };

/** The operators that aggregate by key. */
export type KeyedOperator = Extract<
  OperatorSpec,
  { kind: 'aggregate' | 'reduce' | 'top' | 'distinct' }
>;

const KEYED: ReadonlySet<OperatorSpec['kind']> = new Set([
  'aggregate',
  'reduce',
  'top',
  'distinct',
]);

/** Whether an operator aggregates by key. */
export function isKeyed(spec: OperatorSpec): spec is KeyedOperator {
  return KEYED.has(spec.kind);
}

/** Kinds of operators that keep something between two rows without having keys of their own. */
const KEEPING: ReadonlySet<OperatorSpec['kind']> = new Set([
  'process',
  'join',
  'asyncWait',
  'explode',
]);

/** Whether an operator keeps state, or the rest of a record; its code is loaded only where there is one. */
export function isStateful(spec: OperatorSpec): boolean {
  return isKeyed(spec) || KEEPING.has(spec.kind);
}
