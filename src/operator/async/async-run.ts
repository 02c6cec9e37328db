/**
 * An asynchronous function in one subtask: calls it with records, as many at a time as it has capacity for, repeats
 * calls, gives up on those that take too long, and has answers and watermarks wait for each other. Callers: generated
 * code enters records, the chain task has the rest done. Runs on: the slot's thread; answers come between two steps.
 * Invariant: a record is in the queue until its answer has been handed on, so that a snapshot holds exactly those
 * whose calls are to be made again; nothing here waits.
 */
import { type FunctionLogger, NO_LOG } from '../../base/function-log.js';
import { assert } from '../../base/assert.js';
import type { Clock } from '../../base/clock.js';
import { MillraceError } from '../../base/errors.js';
import type { CallsReport, LookupReport } from '../../metrics/task-metrics.js';
import { metricGroup, type MetricsPlace } from '../../metrics/user-metrics.js';
import { KIND_INSERT } from '../../record/batch.js';
import { OperatorStateStore } from '../../state/operator-state.js';
import type { ListState } from '../../state/state-handles.js';
import type { StateWriter } from '../../state/state-writer.js';
import type { StateSource } from '../../state/table-snapshot.js';
import { WATERMARK_MIN } from '../../time/watermark.js';
import type { ChainErrors } from '../chain-errors.js';
import type { PendingRecords } from '../chain-pending.js';
import type { HeldTime, TimedOperator } from '../chain-time.js';
import { NO_EVENT_TIME } from '../flow-row.js';
import type { OperatorSpec } from '../operator-spec.js';
import { rejected, timedOut } from './async-errors.js';
import {
  type AsyncFunctions,
  type EngineAsyncContext,
  type OpenAsync,
  type ResultFuture,
  retryDelayMs,
} from './async-function.js';
import { AsyncQueue, type QueuedCall, type Segment } from './async-queue.js';
import { CallContext } from './call-context.js';
import { lookups } from './lookup.js';
import { isPromise, promised } from './promised.js';
import { CallTimers, NO_TIMER } from './call-timers.js';

/** The operator that calls an asynchronous function. */
export type AsyncOperator = Extract<OperatorSpec, { kind: 'asyncWait' }>;

/** What a running asynchronous function is made of. */
export interface AsyncRunParts {
  readonly operator: number;
  readonly spec: AsyncOperator;
  readonly subtask: number;
  readonly parallelism: number;
  readonly clock: Clock;
  /** Where answers wait for the code behind the operator. */
  readonly pending: PendingRecords;
  /** Element 0 is the index of the operator whose function runs. */
  readonly control: Int32Array;
  readonly errors: ChainErrors;
  readonly holds: EngineAsyncContext['holds'];
  readonly userMetrics: MetricsPlace;
  readonly log?: (operatorIndex: number) => FunctionLogger;
  /** Has the slot look again, because an answer has come. */
  readonly wake: () => void;
}

/** A record as a snapshot holds it. */
interface KeptRecord {
  readonly record: unknown;
  readonly timeMs: number;
  readonly kind: number;
}

/** A record whose call is under way. */
class Call implements QueuedCall, KeptRecord {
  readonly record: unknown;
  readonly timeMs: number;
  readonly kind: number;
  /** Its row in the batch that it came with, -1 when it came out of a snapshot. */
  readonly row: number;
  isDone = false;
  isTaken = false;
  segment: Segment | null = null;
  /** How often the function was called. */
  attempt = 0;
  /** Of the call that is waited for; null while none is. */
  context: CallContext | null = null;
  /** Wall clock at which the function was first called; 0 while it has not been. */
  sinceMs = 0;
  /** Whether the function for calls that took too long has been called. */
  isTimedOut = false;
  /** Numbers of its timers: when it is given up, and when it is made again. */
  deadline = NO_TIMER;
  repetition = NO_TIMER;
  results: readonly unknown[] = [];

  constructor({ record, timeMs, kind }: KeptRecord, row: number) {
    this.record = record;
    this.timeMs = timeMs;
    this.kind = kind;
    this.row = row;
  }
}

/** A running asynchronous function. */
export class AsyncRun implements TimedOperator, HeldTime, CallsReport {
  readonly spec: AsyncOperator;
  /** What time it is behind the operator. */
  watermarkMs = WATERMARK_MIN;
  /** Whether records that came out of a snapshot had event times, and kinds. */
  hasTimes = false;
  hasKinds = false;
  readonly #parts: AsyncRunParts;
  readonly #queue: AsyncQueue<Call>;
  readonly #timers = new CallTimers<Call>();
  readonly #states: OperatorStateStore;
  readonly #kept: ListState<KeptRecord>;
  /** Records of a snapshot that have not been entered again. */
  #restored: readonly KeptRecord[] = [];
  #entered = 0;
  #functions: AsyncFunctions | null = null;
  /** What a call has failed with; thrown at the next occasion. */
  #failure: { readonly error: unknown } | null = null;
  /** The last watermark that was put into the queue. */
  #offeredMs = WATERMARK_MIN;
  /** Whether a watermark is on its way through the operators behind, before which nothing else goes. */
  #isPassing = false;
  #wasEmpty = true;
  #isClosed = false;
  /** Answers that have come so far. */
  answers = 0;
  /** Settles when the client has been let go of; null when that takes no time. */
  closed: PromiseLike<unknown> | null = null;

  constructor(parts: AsyncRunParts) {
    this.#parts = parts;
    this.spec = parts.spec;
    this.#queue = new AsyncQueue(parts.spec.order);
    this.#states = new OperatorStateStore(parts.spec.uid);
    this.#kept = this.#states.list('calls');
  }

  /** Makes the functions of this subtask; gives a promise where that takes time. */
  open(): PromiseLike<void> | null {
    const { spec, subtask, parallelism, clock, holds, errors, operator, userMetrics } = this.#parts;
    const metrics = metricGroup({ place: userMetrics, owner: operator });
    const log = this.#parts.log?.(operator) ?? NO_LOG;
    const failed = (error: unknown): never => {
      throw errors.failed(error, operator, -1);
    };
    try {
      const opened = openOf(spec)({ subtask, parallelism, metrics, log, clock, holds });
      if (!isPromise(opened)) {
        this.#functions = opened;
        return null;
      }
      return opened.then((functions) => {
        this.#functions = functions;
        // The job may have ended meanwhile.
        if (this.#isClosed) this.#letGo(functions);
      }, failed);
    } catch (error) {
      return failed(error);
    }
  }

  /** Records whose answers have not been handed on. */
  get inFlight(): number {
    return this.#queue.size + this.#restored.length - this.#entered;
  }

  get unanswered(): number {
    return this.#queue.calls().filter(({ context }) => context !== null).length;
  }

  get oldestSinceMs(): number {
    return this.#queue.oldest?.sinceMs ?? 0;
  }

  get lookups(): LookupReport | null {
    return this.#functions?.lookups ?? null;
  }

  /** Whether no record may be entered for now. */
  get isFull(): boolean {
    return this.#queue.size >= this.spec.capacity || this.#isRestoring;
  }

  /** Calls the function with a record. */
  enter(record: unknown, timeMs: number, kind: number, row: number): void {
    if (kind !== KIND_INSERT && this.spec.order === 'unordered') throw overtaken(this.spec);
    this.#add(new Call({ record, timeMs, kind }, row));
  }

  /** Puts answers that may be handed on where the code behind takes them from; whether there are any. */
  handOn(): boolean {
    const { pending } = this.#parts;
    if (this.#isPassing || !pending.isEmpty) return !pending.isEmpty;
    for (let call = this.#queue.take(); call !== null; call = this.#queue.take()) {
      const { timeMs, kind, row } = call;
      for (const record of this.#given(call)) pending.hold(record, timeMs, kind, row, undefined);
    }
    return !pending.isEmpty;
  }

  /** What is handed on for a record; a function of the user may have a part in it. */
  #given(call: Call): readonly unknown[] {
    const functions = this.#opened;
    if (functions.results === undefined) return call.results;
    const { control, errors, operator } = this.#parts;
    const before = control[0];
    control[0] = operator;
    try {
      const given = functions.results(call.record, call.results);
      control[0] = before;
      return given;
    } catch (error) {
      throw errors.failed(error, operator, call.row);
    }
  }

  // Event time: a watermark waits in the queue for the records before it.

  fireEventTime(watermarkMs: number): boolean {
    if (!this.#isRestoring && watermarkMs > this.#offeredMs) {
      this.#offeredMs = watermarkMs;
      this.#queue.mark(watermarkMs);
    }
    if (!this.#queue.isMarkDue || this.#isPassing) return false;
    this.watermarkMs = this.#queue.release();
    this.#isPassing = true;
    return false;
  }

  passed(): void {
    this.#isPassing = false;
    this.#wasEmpty = this.isEmpty;
  }

  get isEmpty(): boolean {
    return this.inFlight === 0;
  }

  isDue(watermarkMs: number, isIdle: boolean): boolean {
    if (this.#queue.isMarkDue) return true;
    if (!this.#isRestoring && watermarkMs > this.#offeredMs) return true;
    return isIdle && this.isEmpty && !this.#wasEmpty;
  }

  // The wall clock: calls that take too long, and such as are to be made again.

  fireProcessingTime(nowMs: number): boolean {
    if (this.#failure !== null) throw this.#failure.error;
    const { control, operator } = this.#parts;
    control[0] = operator;
    const hasFired = this.#fireOne(nowMs);
    control[0] = -1;
    return hasFired;
  }

  get nextProcessingTimer(): number {
    const isDue =
      this.#failure !== null || (this.#queue.isReady && !this.#isPassing) || this.#mayEnterRestored;
    return isDue ? Number.NEGATIVE_INFINITY : this.#timers.nextMs;
  }

  get #isRestoring(): boolean {
    return this.#entered < this.#restored.length;
  }

  get #mayEnterRestored(): boolean {
    return this.#isRestoring && this.#queue.size < this.spec.capacity;
  }

  #fireOne(nowMs: number): boolean {
    const due = this.#timers.take(nowMs);
    if (due !== null) {
      if (due.id === due.call.deadline) this.#timeOut(due.call);
      else this.#start(due.call);
      return true;
    }
    if (!this.#mayEnterRestored) return false;
    this.#add(new Call(this.#restored[this.#entered++], -1));
    return true;
  }

  #add(call: Call): void {
    this.#queue.add(call);
    const answer = this.#opened.atHand?.(call.record) ?? null;
    if (answer !== null) return this.#answered(call, answer);
    call.sinceMs = this.#parts.clock.epochMs();
    this.#setDeadline(call);
    this.#start(call);
  }

  #setDeadline(call: Call): void {
    const { clock, spec } = this.#parts;
    if (spec.timeoutMs === null) return;
    call.deadline = this.#timers.set(call, clock.epochMs() + spec.timeoutMs);
  }

  #start(call: Call): void {
    call.attempt++;
    const context = this.#context(call);
    this.#opened.asyncInvoke(call.record, context, this.#resultOf(call, context));
  }

  get #opened(): AsyncFunctions {
    assert(this.#functions !== null, 'An asynchronous function is opened before its first record.');
    return this.#functions;
  }

  #context(call: Call): CallContext {
    const timestamp = call.timeMs === NO_EVENT_TIME ? null : call.timeMs;
    call.context = new CallContext(this.#opened.client, call.attempt, timestamp);
    return call.context;
  }

  /** What takes the answer of a call, as long as it is the one that is waited for. */
  #resultOf(call: Call, context: CallContext): ResultFuture {
    /** Whether it is the first answer, and is taken. */
    const first = (answer: () => boolean): boolean => {
      if (call.context !== context || this.#isClosed) return false;
      call.context = null;
      this.answers++;
      // An answer may come outside of every step, where nobody takes what is thrown.
      try {
        return answer();
      } catch (error) {
        return this.#fail(error, call);
      } finally {
        this.#parts.wake();
      }
    };
    const isOver = (): boolean => call.context !== context || this.#isClosed;
    return {
      get isOver() {
        return isOver();
      },
      complete: (records, isFinal = false) => first(() => this.#complete(call, records, isFinal)),
      completeExceptionally: (error) => void first(() => this.#completeExceptionally(call, error)),
      misused: (error) => void first(() => this.#fail(error, call)),
    };
  }

  /** Whether the answer is taken. */
  #complete(call: Call, records: readonly unknown[], isFinal: boolean): boolean {
    const { retry } = this.spec;
    if (!isFinal && retry !== null && retry.ifResult !== null && this.#mayRepeat(call)) {
      if (retry.ifResult(records)) return this.#repeat(call);
    }
    this.#answered(call, records);
    return true;
  }

  #answered(call: Call, records: readonly unknown[]): void {
    call.results = records;
    this.#timers.cancel(call.deadline);
    this.#queue.done(call);
  }

  #completeExceptionally(call: Call, error: unknown): false {
    const { retry } = this.spec;
    if (retry !== null && this.#mayRepeat(call) && retry.ifException(error)) {
      return this.#repeat(call);
    }
    return this.#fail(rejected(this.spec, error, call), call);
  }

  #mayRepeat(call: Call): boolean {
    const { retry } = this.spec;
    return retry !== null && !call.isTimedOut && call.attempt <= retry.maxAttempts;
  }

  #repeat(call: Call): false {
    const { clock, spec } = this.#parts;
    const delayMs = spec.retry === null ? 0 : retryDelayMs(spec.retry, call.attempt);
    call.repetition = this.#timers.set(call, clock.epochMs() + delayMs);
    return false;
  }

  /** No answer has come in time, repetitions included. */
  #timeOut(call: Call): void {
    const error = timedOut(this.spec, this.spec.timeoutMs ?? 0, call);
    if (call.context !== null) CallContext.abort(call.context, error);
    this.#timers.cancel(call.repetition);
    const functions = this.#opened;
    // The function for such calls has as much time as they had, once.
    if (functions.timeout === undefined || call.isTimedOut) {
      const { errors, operator } = this.#parts;
      throw errors.failed(error, operator, call.row);
    }
    call.isTimedOut = true;
    this.#setDeadline(call);
    const context = this.#context(call);
    functions.timeout(call.record, context, this.#resultOf(call, context));
  }

  #fail(error: unknown, { row }: Call): false {
    const { errors, operator } = this.#parts;
    this.#failure ??= { error: errors.failed(error, operator, row) };
    return false;
  }

  // State: the records whose answers have not been handed on, in order of arrival.

  /** Freezes the records whose calls are to be made again. */
  beginSnapshot(): readonly StateWriter[] {
    const calls = this.#queue.calls().map(kept);
    this.#kept.update([...calls, ...this.#restored.slice(this.#entered)]);
    const writers = this.#states.beginSnapshot();
    // At once: users' functions have the records at hand.
    this.#kept.get();
    this.#kept.clear();
    return writers;
  }

  restore(source: StateSource): void {
    this.#states.restore(source);
    this.#restored = [...this.#kept.get()];
    this.#entered = 0;
    this.#kept.clear();
    this.hasTimes = this.#restored.some(({ timeMs }) => timeMs !== NO_EVENT_TIME);
    this.hasKinds = this.#restored.some(({ kind }) => kind !== KIND_INSERT);
    this.#wasEmpty = this.isEmpty;
  }

  #letGo(functions: AsyncFunctions): void {
    const { errors, operator } = this.#parts;
    const failed = (error: unknown): never => {
      throw errors.failed(error, operator, -1);
    };
    try {
      const closing = functions.close?.();
      if (isPromise(closing)) this.closed = closing.then(() => {}, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Gives all calls up and lets go of the client. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const reason = new MillraceError('JOB_CANCELED', 'The job has ended.', {
      where: { operator: this.spec.name, uid: this.spec.uid },
    });
    for (const { context } of this.#queue.calls()) {
      if (context !== null) CallContext.abort(context, reason);
    }
    if (this.#functions !== null) this.#letGo(this.#functions);
  }
}

/** What makes the functions of a subtask. */
function openOf({ functions }: AsyncOperator): OpenAsync {
  if (typeof functions === 'function') return functions;
  return 'lookup' in functions ? lookups(functions) : promised(functions);
}

function kept({ record, timeMs, kind }: KeptRecord): KeptRecord {
  return { record, timeMs, kind };
}

function overtaken({ functions }: AsyncOperator): MillraceError {
  const isLookup = 'lookup' in functions;
  const [verb, instead] = isLookup
    ? [functions.verb, "outputMode: 'ordered'"]
    : ['unorderedWait', 'orderedWait'];
  return new MillraceError(
    'FEATURE_UNSUPPORTED',
    `${verb} was given an update of an earlier record, which might overtake that one.`,
    { advice: `Use ${instead}, or give its input { emit: 'final' }.` },
  );
}
