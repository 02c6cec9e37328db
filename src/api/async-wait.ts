/**
 * Asynchronous functions as the api takes them: their options, the checks, and what the graph makes of them. Callers:
 * `stream.ts`. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { type Duration, parseDurationMs } from '../base/units.js';
import { isPlainObject } from '../graph/plain-object.js';
import type {
  AsyncCall,
  AsyncContext,
  AsyncResult,
  AsyncRetry,
} from '../operator/async/async-function.js';
import type { AsyncOrder } from '../operator/async/async-queue.js';
import type { UserFunction } from '../operator/operator-spec.js';
import { callSite } from './call-site.js';
import type { OperatorBody } from './graph-builder.js';
import {
  checkOptions,
  countCheck,
  durationCheck,
  functionCheck,
  type OptionCheck,
} from './operator-options.js';
import { RETURNS, type ReturnsOptions } from './returns-option.js';
import type { VerbCall } from './stream-core.js';

/**
 * When a call is made again. Without `ifException` and `ifResult` it is after every failure; with one of them, only
 * when that says so.
 */
export interface AsyncRetryStrategy<Out = unknown> {
  /** How often a call is repeated at most, beside the first time: 3 makes four calls, as in Flink. */
  readonly maxAttempts: number;
  /** How long to wait before a repetition: a duration, or a function of the number of the repetition, from 1. */
  readonly delay: Duration | ((repetition: number) => Duration);
  /** How many times as long to wait before each next repetition. Default 1: a fixed delay. */
  readonly multiplier?: number;
  /** The longest delay that `multiplier` leads to. Default: no bound. */
  readonly maxDelay?: Duration;
  /** Whether what a call failed with is worth another one. */
  readonly ifException?: (error: unknown) => boolean;
  /** Whether the records that a call gave are no good, so that it is made again. */
  readonly ifResult?: (records: readonly Out[]) => boolean;
}

/** How calls are made. */
export interface CallOptions extends ReturnsOptions {
  /**
   * Records whose calls may be under way at a time, in each subtask, those that wait to be repeated or handed on
   * included; the input waits when there are as many. Default 100.
   */
  readonly capacity?: number;
  /** How long an answer may take, repetitions included; 0 for ever. Default 3 minutes. */
  readonly timeout?: Duration;
}

/** Options of `orderedWait` and `unorderedWait`. */
export interface AsyncOptions<T, Out, Client, Late> extends CallOptions {
  /** When calls are made again. Default: never. */
  readonly retry?: AsyncRetryStrategy<Out>;
  /**
   * Gives the result of a record whose call has timed out, or a promise of it, which has as much time again. Without
   * it the job fails with ASYNC_TIMEOUT.
   */
  readonly onTimeout?: (record: T, call: AsyncCall<Client>) => Late | AsyncResult<Late>;
  /** Opens what the calls of a subtask share, such as a pool of connections: their `client`. */
  readonly open?: (context: AsyncContext) => Client | PromiseLike<Client>;
  /** Lets go of it, when the job has ended, in whatever way; the end waits for the promise it may give. */
  readonly close?: (client: Client) => unknown;
}

/** A function that answers later, with the verb it was given to. */
export interface AsyncVerb {
  readonly call: VerbCall;
  readonly order: AsyncOrder;
  readonly fn: UserFunction;
}

const CAPACITY = 100;
const TIMEOUT = '3min';

/** Checks of the options that all calls have. */
export const CALL_CHECKS: Readonly<Record<string, OptionCheck>> = {
  ...RETURNS,
  capacity: countCheck,
  timeout: durationCheck,
  retry: retryCheck,
};

/** Checks of the options of functions. */
export const ASYNC_CHECKS: Readonly<Record<string, OptionCheck>> = {
  ...CALL_CHECKS,
  onTimeout: functionCheck,
  open: functionCheck,
  close: functionCheck,
};

/** The operator of a function and its options. */
export function asyncWait(
  { call, order, fn }: AsyncVerb,
  options: AsyncOptions<never, never, never, unknown>,
): OperatorBody {
  checkOptions(call.verb, options, callSite(call.boundary), call.extra);
  const { onTimeout = null, open = null, close = null } = options;
  return {
    kind: 'asyncWait',
    functions: { verb: call.verb, invoke: fn, onTimeout, open, close },
    order,
    ...callParts(options),
    readers: [fn, ...(onTimeout === null ? [] : [onTimeout])],
    fields: [],
  };
}

/** What checked options say of how calls are made. */
export function callParts(
  options: CallOptions & { readonly retry?: AsyncRetryStrategy<never> },
): Pick<
  Extract<OperatorBody, { kind: 'asyncWait' }>,
  'capacity' | 'timeoutMs' | 'retry' | 'returns'
> {
  const { capacity = CAPACITY, timeout = TIMEOUT, retry, returns = null } = options;
  const timeoutMs = parseDurationMs(timeout, 'timeout');
  return {
    capacity,
    timeoutMs: timeoutMs === 0 ? null : timeoutMs,
    retry: retry === undefined ? null : retryOf(retry),
    returns,
  };
}

function retryOf(retry: AsyncRetryStrategy<never>): AsyncRetry {
  const { maxAttempts, delay, multiplier = 1, maxDelay, ifException, ifResult } = retry;
  return {
    maxAttempts,
    delay,
    multiplier,
    maxDelayMs: maxDelay === undefined ? Number.POSITIVE_INFINITY : parseDurationMs(maxDelay),
    ifResult: (ifResult as AsyncRetry['ifResult'] | undefined) ?? null,
    ifException: ifException ?? (() => ifResult === undefined),
  };
}

const RETRY_CHECKS: Readonly<Record<keyof AsyncRetryStrategy, OptionCheck>> = {
  maxAttempts: countCheck,
  delay: (value) =>
    typeof value === 'function' || durationCheck(value) === null
      ? null
      : "a duration such as '100ms', or a function",
  multiplier: (value) =>
    typeof value === 'number' && Number.isFinite(value) && value >= 1 ? null : 'a number from 1 on',
  maxDelay: durationCheck,
  ifException: functionCheck,
  ifResult: functionCheck,
};

const RETRY_FORM = "an object such as { maxAttempts: 3, delay: '100ms', multiplier: 2 }";

function retryCheck(value: unknown): string | null {
  if (!isPlainObject(value)) return RETRY_FORM;
  for (const [name, part] of Object.entries(value)) {
    const check = (RETRY_CHECKS as Readonly<Record<string, OptionCheck>>)[name];
    if (check === undefined) throw unknownPart(name);
    const valid = part === undefined ? null : check(part);
    if (valid !== null) return `${RETRY_FORM}, and its ${name} ${valid}`;
  }
  const { maxAttempts, delay, multiplier, maxDelay } = value;
  if (maxAttempts === undefined || delay === undefined) return RETRY_FORM;
  const isOwn = typeof delay === 'function' && (multiplier !== undefined || maxDelay !== undefined);
  return isOwn ? `${RETRY_FORM}; a function as delay takes no multiplier, no maxDelay` : null;
}

function unknownPart(name: string): MillraceError {
  return new MillraceError('OPTION_UNKNOWN', `The option "retry" has no "${name}".`, {
    where: { field: `retry.${name}` },
    advice: didYouMean(name, Object.keys(RETRY_CHECKS)),
  });
}
