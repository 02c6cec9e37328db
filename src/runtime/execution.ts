/**
 * A run of a job as the embedding program sees it: state, events, metrics, cancel, stop, and a promise of the end.
 * Callers: `api/start.ts`, the command line. Runs on: the caller's thread. Invariant: `finished` settles exactly
 * once, after sinks were committed or aborted and every thread of the run has ended.
 */
import { systemClock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { fromWire, MillraceError, toWire } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { LedgerRow } from '../memory/ledger.js';
import type { JobState } from './coordinator.js';
import type { Deployment } from './deployment.js';
import { EventStream } from './event-stream.js';
import type { BadRecordReport } from './messages.js';
import { type RunMetricsSnapshot, snapshotMetrics } from './metrics-snapshot.js';
import type { RunCompletion, RunControl, RunObserver } from './run-control.js';
import { type TimeReport, timeReports } from './time-report.js';
import { sharedLedger } from './shared-ledger.js';
import { abortSinks, commitSinks } from './sink-commit.js';

/** What `events()` yields. */
export type ExecutionEvent =
  | { readonly type: 'state'; readonly state: JobState; readonly atMs: number }
  | { readonly type: 'badRecord'; readonly record: BadRecordReport };

/** What a finished run leaves behind. */
export interface JobResult {
  readonly jobName: string;
  readonly state: 'FINISHED';
  readonly durationMs: number;
  readonly metrics: RunMetricsSnapshot;
  readonly badRecords: number;
  /** Who held how much memory, per slot. */
  readonly ledger: readonly { readonly slot: number; readonly rows: readonly LedgerRow[] }[];
}

/** The slot number under which the shared memory of the run stands in the ledger. */
export const SHARED_LEDGER = -2;

/** The handle on a running job, wherever it runs. */
export interface JobExecution {
  readonly jobName: string;
  readonly plan: PhysicalPlan;
  readonly state: JobState;
  /** Resolves with the result; rejects with the first failure, or with JOB_CANCELED. */
  readonly finished: Promise<JobResult>;
  /** Ends the job at once; results that are not committed are thrown away. */
  cancel(): void;
  /**
   * Ends the job in order: sources stop, records in flight are processed, sinks commit. With `drain`, operators
   * also emit what they hold back, as at the natural end of the input.
   */
  stop(options?: { readonly drain?: boolean }): Promise<JobResult>;
  /** What happens from now on, until the end; each call is a stream of its own. */
  events(): AsyncIterableIterator<ExecutionEvent>;
  /** The counters of all subtasks and edges, read from shared memory without disturbing the workers. */
  metrics(): RunMetricsSnapshot;
  /**
   * How far event time has come at each chain, which input holds it back and which are idle: what windows and
   * timers that do not fire wait for. Empty for a job without event time.
   */
  whyNoOutput(): readonly TimeReport[];
}

/** A job that runs in this process. */
export class Execution implements RunObserver, JobExecution {
  readonly plan: PhysicalPlan;
  readonly deployment: Deployment;
  readonly finished: Promise<JobResult>;
  state: JobState = 'CREATED';
  readonly #startedMs = systemClock.monotonicMs();
  readonly #events = new EventStream<ExecutionEvent>();
  readonly #ledger: { slot: number; rows: readonly LedgerRow[] }[] = [];
  readonly #signal: AbortSignal | null;
  readonly #disk: Disk;
  readonly #onAbort = (): void => this.#cancel(this.#signal?.reason);
  #control: RunControl | null = null;
  #resolve: (result: JobResult) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  /** `disk` is where sinks commit to. */
  constructor(
    plan: PhysicalPlan,
    deployment: Deployment,
    signal: AbortSignal | null,
    disk: Disk = nodeDisk,
  ) {
    this.plan = plan;
    this.deployment = deployment;
    this.#signal = signal;
    this.#disk = disk;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever only listens to events must not bring the process down with an unhandled rejection.
    this.finished.catch(() => {});
  }

  /** Called once by whoever starts the threads. */
  attach(control: RunControl): void {
    this.#control = control;
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (this.#signal?.aborted === true) this.#onAbort();
  }

  get jobName(): string {
    return this.plan.jobName;
  }

  cancel(): void {
    this.#cancel(undefined);
  }

  /** `cause` is what the signal of the run was aborted with. */
  #cancel(cause: unknown): void {
    const reason = new MillraceError('JOB_CANCELED', 'The job was canceled.', {
      where: { job: this.jobName },
      ...(cause === undefined ? {} : { cause }),
    });
    this.#control?.send({ kind: 'cancel', reason: toWire(reason) });
  }

  stop(options: { readonly drain?: boolean } = {}): Promise<JobResult> {
    this.#control?.send({ kind: 'stop', drain: options.drain ?? false });
    return this.finished;
  }

  events(): AsyncIterableIterator<ExecutionEvent> {
    return this.#events.subscribe();
  }

  metrics(): RunMetricsSnapshot {
    return snapshotMetrics(this.plan, this.deployment, systemClock.monotonicMs() - this.#startedMs);
  }

  whyNoOutput(): readonly TimeReport[] {
    return timeReports(this.plan, this.metrics(), systemClock.epochMs());
  }

  /** The end is not announced here, because sinks have not been committed yet. */
  onState(state: JobState): void {
    if (state !== 'FINISHED' && state !== 'FAILED' && state !== 'CANCELED') this.#enter(state);
  }

  onBadRecord(record: BadRecordReport): void {
    this.#events.push({ type: 'badRecord', record });
  }

  onLedger(slot: number, rows: readonly LedgerRow[]): void {
    this.#ledger.push({ slot, rows });
  }

  onComplete(completion: RunCompletion): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    void this.#settle(completion);
  }

  async #settle(completion: RunCompletion): Promise<void> {
    const failure = await this.#closeSinks(completion);
    if (failure === null) {
      this.#enter('FINISHED');
      this.#resolve(this.#result());
    } else {
      this.#enter(completion.state === 'CANCELED' ? 'CANCELED' : 'FAILED');
      this.#reject(failure);
    }
    this.#events.end();
  }

  /** Commits the sinks, or cleans up after them; gives what the run failed with, null for nothing. */
  async #closeSinks(completion: RunCompletion): Promise<Error | null> {
    const parts = { plan: this.plan, deployment: this.deployment, disk: this.#disk };
    if (completion.state === 'FINISHED') {
      return commitSinks(parts, completion.commits).then(() => null, asError);
    }
    const failure = this.#failure(completion);
    return abortSinks(parts).then(
      () => failure,
      (second: unknown) => withSecond(failure, asError(second)),
    );
  }

  #enter(state: JobState): void {
    this.state = state;
    this.#events.push({ type: 'state', state, atMs: systemClock.epochMs() });
  }

  #failure(completion: RunCompletion): Error {
    if (completion.error === null)
      return new MillraceError('ASSERTION', 'A job failed without a cause.');
    const error = fromWire(completion.error);
    return MillraceError.is(error) ? error.at({ job: this.jobName }) : error;
  }

  #result(): JobResult {
    const metrics = this.metrics();
    return {
      jobName: this.jobName,
      state: 'FINISHED',
      durationMs: systemClock.monotonicMs() - this.#startedMs,
      metrics,
      badRecords: metrics.vertices.reduce((sum, vertex) => sum + vertex.badRecords, 0),
      ledger: [
        { slot: SHARED_LEDGER, rows: sharedLedger(this.plan, this.deployment) },
        ...this.#ledger,
      ],
    };
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The failure that ended the run, which also tells of the one that came of cleaning up after it. */
function withSecond(failure: Error, second: Error): Error {
  if (!MillraceError.is(failure)) return failure;
  const { code, message, where, cause, advice } = failure;
  return new MillraceError(code, `${message} Cleaning up failed as well: ${second.message}`, {
    where,
    cause,
    ...(advice === null ? {} : { advice }),
  });
}
