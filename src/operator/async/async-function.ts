/**
 * What an asynchronous function is: one that answers later. The engine calls it with records and goes on; what it
 * answers is handed on when it has come. Callers: the public api re-exports the types for users; `async-run.ts` calls
 * the functions. Runs on: the slot's thread. Invariant: a call is answered once, by the first that answers; whoever
 * comes later is not heard.
 */
import type { FunctionLogger } from '../../base/function-log.js';
import type { Clock } from '../../base/clock.js';
import type { MillraceError } from '../../base/errors.js';
import { type Duration, parseDurationMs } from '../../base/units.js';
import type { LookupReport } from '../../metrics/task-metrics.js';
import type { MetricGroup } from '../../metrics/user-metrics.js';

/** Who the subtask is that a client is opened for. */
export interface AsyncContext {
  /** Index of the subtask, from 0, and how many there are. */
  readonly subtask: number;
  readonly parallelism: number;
  /** Metrics of the operator in this subtask. */
  readonly metrics: MetricGroup;
  /** The log of the job, for this operator in this subtask. */
  readonly log: FunctionLogger;
}

/** What a call is given beside the record. It stays what it is until the call has ended. */
export interface AsyncCall<Client = undefined> {
  /** What the option `open` gave for this subtask. */
  readonly client: Client;
  /**
   * Aborted when nobody waits for the answer any more: the call has timed out, or the job has ended. Hand it to what
   * the call uses, such as `fetch`.
   */
  readonly signal: AbortSignal;
  /** How often the function has been called for this record, this time included: 1, and more for retries. */
  readonly attempt: number;
  /** Event time of the record; null when it has none. */
  readonly timestamp: number | null;
}

/** What an asynchronous function gives: a promise of one record, or any number of them, as an async generator does. */
export type AsyncResult<Out> = PromiseLike<Out> | AsyncIterable<Out>;

/** When a call that failed, or whose result is not good enough, is made again. */
export interface AsyncRetry<Out = unknown> {
  /** How often a call is repeated at most, beside the first time, as Flink counts. */
  readonly maxAttempts: number;
  /** How long to wait before the first repetition; or, for each repetition from 1 on, before that one. */
  readonly delay: Duration | ((repetition: number) => Duration);
  /** How many times as long before each next one, and how long at most. */
  readonly multiplier: number;
  readonly maxDelayMs: number;
  /** Whether the records that a call gave are reason to repeat it; null: none are. */
  readonly ifResult: ((records: readonly Out[]) => boolean) | null;
  /** Whether what a call failed with is reason to repeat it. */
  readonly ifException: (error: unknown) => boolean;
}

/** How long to wait before a repetition. It depends on the record's own calls only, unlike in Flink. */
export function retryDelayMs(retry: AsyncRetry, repetition: number): number {
  const { delay, multiplier, maxDelayMs } = retry;
  if (typeof delay === 'function') return parseDurationMs(delay(repetition), 'retry.delay');
  return Math.min(parseDurationMs(delay) * multiplier ** (repetition - 1), maxDelayMs);
}

/** Takes the answer of one call. */
export interface ResultFuture {
  /** Whether the answer is not waited for any more. */
  readonly isOver: boolean;
  /**
   * Gives the answer. False when it is not taken: the strategy has the call made again, or nobody waits for it. One
   * that `isFinal` is taken whatever the strategy says of it.
   */
  complete(records: readonly unknown[], isFinal?: boolean): boolean;
  completeExceptionally(error: unknown): void;
  /** The function is not what it should be, so that calling it again is of no use. */
  misused(error: MillraceError): void;
}

/** The functions of one subtask. They answer through `result`, at once or later. */
export interface AsyncFunctions {
  /** What calls are given as `client`. */
  readonly client?: unknown;
  asyncInvoke(record: unknown, call: AsyncCall<unknown>, result: ResultFuture): void;
  /** The answer for a record, where it is at hand and final, so that no call need be made; null where it is not. */
  atHand?(record: unknown): readonly unknown[] | null;
  /** What is handed on of a record and its answer; absent: the answer as it is. */
  results?(record: unknown, answer: readonly unknown[]): readonly unknown[];
  /** What look-ups have done so far; absent for functions that are none. */
  readonly lookups?: LookupReport;
  /** Called instead of failing when no answer came in time. */
  timeout?(record: unknown, call: AsyncCall<unknown>, result: ResultFuture): void;
  /** Lets go of the client; the job waits for the promise it may give. */
  close?(): unknown;
}

/** What functions of the engine are opened with. */
export interface EngineAsyncContext extends AsyncContext {
  readonly clock: Clock;
  /** Counts memory among what the subtask holds, for as long as the job runs. */
  holds(memory: { readonly bytes: number }, purpose: string): void;
}

/** Makes the functions of one subtask, or a promise of them. */
export type OpenAsync = (
  context: EngineAsyncContext,
) => AsyncFunctions | PromiseLike<AsyncFunctions>;

/** Functions of a user. */
export interface PromisedFunctions {
  /** The verb that was called, for errors. */
  readonly verb: string;
  readonly invoke: (record: never, call: AsyncCall<never>) => unknown;
  readonly onTimeout: ((record: never, call: AsyncCall<never>) => unknown) | null;
  /** Opens what calls are given as `client`, and lets go of it. */
  readonly open: ((context: AsyncContext) => unknown) | null;
  readonly close: ((client: never) => unknown) | null;
}

/** What a look-up is given beside the key. One call answers for all records of the key that wait by then. */
export type LookupCall<Client = undefined> = Omit<AsyncCall<Client>, 'timestamp'>;

/** How much is kept of what look-ups found, and for how long; null: without that bound. */
export interface LookupCacheSpec {
  readonly rowsMax: number | null;
  readonly bytesMax: number | null;
  readonly expireAfterWriteMs: number | null;
  readonly expireAfterAccessMs: number | null;
  /** Whether it is kept too that there is nothing for a key. */
  readonly keepsMissing: boolean;
}

/** The functions of a look-up join. */
export interface LookupFunctions {
  /** The verb that was called, for errors. */
  readonly verb: string;
  /** What is looked up for a record: the value of a field, an object of several, or what a function gives. */
  readonly key: string | readonly string[] | ((record: never) => unknown);
  readonly lookup: (key: never, call: LookupCall<never>) => unknown;
  readonly cache: LookupCacheSpec | null;
  /** Whether records for which nothing is found are joined with null. */
  readonly isOuter: boolean;
  /** Makes the result of a record and a row. */
  readonly join: (left: unknown, right: unknown) => unknown;
  /** What it was made of, for explain and the hash of the plan. */
  readonly of: Readonly<Record<string, unknown>>;
  readonly open: ((context: AsyncContext) => unknown) | null;
  readonly close: ((client: never) => unknown) | null;
}
