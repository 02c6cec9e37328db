/**
 * A run of a job as the embedding program sees it: state, events, metrics, cancel, stop, and a promise of the end.
 * Callers: `api/start.ts`, the command line. Runs on: the caller's thread. Invariant: `finished` settles exactly
 * once, after sinks were committed or aborted and every thread of the run has ended.
 */
import { resolve } from 'node:path';
import { systemClock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { fromWire, MillraceError, toWire, type WireError } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import { settledAfter } from '../base/settled-after.js';
import { pauseFor } from '../base/pause.js';
import type { CheckpointOutcome, EndReason } from '../checkpoint/checkpoint-protocol.js';
import { type CheckpointStatistics, NO_STATISTICS } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointManifest, CheckpointReport, SinkCommit } from '../checkpoint/contract.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { LedgerRow } from '../memory/ledger.js';
import { CheckpointRequests, type SavepointOptions } from './checkpoint-requests.js';
import type { JobState, RunEvent } from './coordinator.js';
import type { Deployment } from './deployment.js';
import { EventStream } from './event-stream.js';
import type { BadRecordReport, CheckpointTold } from './messages.js';
import { type RunMetricsSnapshot, snapshotMetrics } from './metrics-snapshot.js';
import type { PlannedAt } from './job-attempts.js';
import type { RescaleReport, Rescaling } from './rescaling.js';
import type { RestoreMapping } from './restore-plan.js';
import type { RunCompletion, RunControl, RunObserver } from './run-control.js';
import { type TimeReport, timeReports } from './time-report.js';
import { sharedLedger } from './shared-ledger.js';
import { abortSinks, commitSinks, type SinkCommitParts } from './sink-commit.js';

/** What `events()` yields. */
export type ExecutionEvent =
  | { readonly type: 'state'; readonly state: JobState; readonly atMs: number }
  | { readonly type: 'badRecord'; readonly record: BadRecordReport }
  | {
      readonly type: 'checkpoint';
      readonly report: CheckpointReport;
      readonly statistics: CheckpointStatistics;
    }
  /** After a restart the job goes on from a checkpoint; what maps to what. */
  | ({ readonly type: 'restored' } & RestoredAttempt)
  /**
   * State that later checkpoints were to build on is damaged or cannot be read: the next one holds everything. What is
   * wrong, and where, is in `error`.
   */
  | { readonly type: 'chainBroken'; readonly error: WireError }
  /** An attempt has failed, and the next one begins after `delayMs`. */
  | { readonly type: 'restart'; readonly error: WireError; readonly delayMs: number }
  /** The job runs at another parallelism now. */
  | { readonly type: 'rescaled'; readonly report: RescaleReport };

/** What a finished run leaves behind. */
export interface JobResult {
  readonly jobName: string;
  readonly state: 'FINISHED';
  readonly durationMs: number;
  readonly metrics: RunMetricsSnapshot;
  readonly badRecords: number;
  /** When the job had finished before it was started, so that nothing has run; null otherwise. Wall clock. */
  readonly hadFinishedMs: number | null;
  /** Who held how much memory, per slot. */
  readonly ledger: readonly { readonly slot: number; readonly rows: readonly LedgerRow[] }[];
}

/** The slot number under which the shared memory of the run stands in the ledger. */
export const SHARED_LEDGER = -2;

/** The handle on a running job, wherever it runs. */
export interface JobExecution {
  readonly jobName: string;
  /** Of the attempt that runs: another one after `rescale`. */
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
  /** Takes a checkpoint now, beside the periodic ones. Rejects with CHECKPOINT_FAILED. */
  checkpoint(): Promise<CheckpointReport>;
  /**
   * Takes a savepoint, which is whole, relocatable, and never deleted by the engine. Rejects with CHECKPOINT_FAILED.
   */
  savepoint(options?: SavepointOptions): Promise<CheckpointReport>;
  /**
   * Has the job go on at another parallelism of all operators that name none of their own: it is suspended with a
   * checkpoint, from which it goes on, exactly once, without being started again. The maximum parallelism stays as it
   * is, and bounds it. Resolves when all subtasks run again, and an event `rescaled` tells so; rejects with
   * PARALLELISM_INVALID before anything is done, and with RESCALE_FAILED when it is not done: the job then goes on as
   * before. Jobs in a process of their own refuse it with FEATURE_UNSUPPORTED.
   *
   * @example
   * const { checkpointMs, restartMs } = await execution.rescale(4);
   */
  rescale(parallelism: number): Promise<RescaleReport>;
  /** How often the job has been restarted after a failure. */
  readonly restarts: number;
  /** What the job went on from when it was started; null when it began. */
  readonly restored: RestoredAttempt | null;
  /** What became of the checkpoints so far, over all attempts. */
  readonly checkpoints: CheckpointStatistics;
}

/** A job, for whoever starts it. */
export interface StartedJob extends JobExecution {
  /** Has something done when the job has ended, before `finished` settles. It never rejects. */
  afterEnd(action: () => Promise<void>): void;
}

/** What gives a job further attempts after a failure. */
export interface FurtherAttempts {
  /** After how long the job is to be started again, or what it ends with. */
  afterFailure(error: WireError, nowMs: number): number | WireError;
  /** A checkpoint has completed. */
  checkpointed(): void;
  /** The next attempt, which goes on from the newest checkpoint; `kept` is that of a job that keeps them in memory. */
  next(kept: CheckpointManifest | null, statistics: CheckpointStatistics): Promise<NextAttempt>;
  /** The job at another parallelism. Throws PARALLELISM_INVALID. */
  planAt(parallelism: number): PlannedAt;
  /** Makes further attempts of it; gives what they were made of before. */
  adopt(planned: PlannedAt): PlannedAt;
  /** Output that savepoints hold and no checkpoint has made visible: not to be thrown away. */
  savedOutput(): readonly SinkCommit[];
  /**
   * There will be no further attempt: what the job need not leave behind goes. `suspendedTo` is the savepoint with
   * which it was stopped, to go on another time; null for none.
   */
  end(reason: EndReason, suspendedTo: string | null): void;
}

/** An attempt that is ready to start. */
export interface NextAttempt {
  readonly plan: PhysicalPlan;
  readonly deployment: Deployment;
  readonly restored: RestoredAttempt | null;
  start(observer: RunObserver): Promise<RunControl>;
}

/** What an attempt goes on from. */
export interface RestoredAttempt {
  readonly checkpoint: number;
  readonly path: string | null;
  readonly mapping: RestoreMapping;
  /** Newer ones that are damaged, which were passed over: what is wrong with each. */
  readonly damaged: readonly WireError[];
}

/** A job that runs in this process. */
export class Execution implements RunObserver, StartedJob {
  plan: PhysicalPlan;
  /** Of the current attempt. */
  deployment: Deployment;
  finished: Promise<JobResult>;
  state: JobState = 'CREATED';
  restarts = 0;
  restored: RestoredAttempt | null = null;
  checkpoints: CheckpointStatistics = NO_STATISTICS;
  readonly #startedMs = systemClock.monotonicMs();
  readonly #events = new EventStream<ExecutionEvent>();
  readonly #ledger: { slot: number; rows: readonly LedgerRow[] }[] = [];
  readonly #signal: AbortSignal | null;
  readonly #disk: Disk;
  readonly #further: FurtherAttempts | null;
  readonly #requests: CheckpointRequests;
  readonly #onAbort = (): void => this.#cancel(this.#signal?.reason);
  #control: RunControl | null = null;
  #resolve: (result: JobResult) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  /** Settles when everything that was to be made visible so far is. */
  #commits: Promise<void> = Promise.resolve();
  #kept: CheckpointManifest | null = null;
  /** The savepoint with which the job was stopped. */
  #suspendedTo: string | null = null;
  /** A change of the parallelism that is under way. */
  #rescaling: Rescaling | null = null;
  #hasStarted = false;
  /** What the job is to end with before the next attempt begins. */
  #ending: RunEvent | null = null;
  /** Ends the wait before the next attempt. */
  #wakeUp: () => void = () => {};

  /** `disk` is where sinks commit to; `further` is null for a job that a failure ends. */
  constructor(
    plan: PhysicalPlan,
    deployment: Deployment,
    signal: AbortSignal | null,
    disk: Disk = nodeDisk,
    further: FurtherAttempts | null = null,
  ) {
    this.plan = plan;
    this.deployment = deployment;
    this.#signal = signal;
    this.#disk = disk;
    this.#further = further;
    this.#requests = new CheckpointRequests(deployment.settings, (request) =>
      this.#control?.send({ kind: 'request', request }),
    );
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever only listens to events must not bring the process down with an unhandled rejection.
    this.finished.catch(() => {});
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Starts an attempt. */
  async start(attempt: NextAttempt): Promise<void> {
    this.plan = attempt.plan;
    this.deployment = attempt.deployment;
    if (!this.#hasStarted) this.restored = attempt.restored;
    else if (attempt.restored !== null)
      this.#events.push({ type: 'restored', ...attempt.restored });
    this.#hasStarted = true;
    this.attach(await attempt.start(this));
  }

  /** Called by whoever starts the threads of an attempt. */
  attach(control: RunControl): void {
    this.#control = control;
    if (this.#signal?.aborted === true && this.#ending === null) this.#onAbort();
    else if (this.#ending !== null) control.send(this.#ending);
  }

  get jobName(): string {
    return this.plan.jobName;
  }

  afterEnd(action: () => Promise<void>): void {
    this.finished = settledAfter(this.finished, action);
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
    this.#end({ kind: 'cancel', reason: toWire(reason) });
  }

  stop(options: { readonly drain?: boolean } = {}): Promise<JobResult> {
    if (this.#ending === null) this.#end({ kind: 'stop', drain: options.drain ?? false });
    return this.finished;
  }

  /** Ends this attempt, and keeps the next one from beginning. */
  #end(event: RunEvent): void {
    this.#ending = event;
    this.#control?.send(event);
    this.#wakeUp();
  }

  checkpoint(): Promise<CheckpointReport> {
    return this.#requests.checkpoint();
  }

  async savepoint({ directory, ...options }: SavepointOptions = {}): Promise<CheckpointReport> {
    const { baseDirectory } = this.deployment;
    const target = directory === undefined ? null : resolve(baseDirectory, directory);
    const report = await this.#requests.savepoint({ ...options, directory: target });
    if (options.stop === 'suspend') this.#suspendedTo = report.path;
    return report;
  }

  async rescale(parallelism: number): Promise<RescaleReport> {
    const { Rescaling: Change } = await import('./rescaling.js');
    const from = this.deployment.parallelism;
    const further = this.#further;
    const hasEnded = ENDED.has(this.state);
    if (further === null || hasEnded || this.#rescaling !== null) {
      throw notNow(this.jobName, parallelism, hasEnded);
    }
    const planned = further.planAt(parallelism);
    if (parallelism === from) {
      return { from, to: from, checkpoint: null, checkpointMs: 0, restartMs: 0 };
    }
    const change = new Change(from, planned, this.#requests.suspend());
    this.#rescaling = change;
    void change.suspended.then((isSuspended) => {
      if (!isSuspended && this.#rescaling === change) this.#rescaling = null;
    });
    return change.done;
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
    if (!ENDED.has(state)) this.#enter(state);
    // The first attempt may only now have come up that is to be suspended.
    if (state !== 'RUNNING' || this.#rescaling === null || this.#rescaling.before === null) return;
    this.#events.push({ type: 'rescaled', report: this.#rescaling.succeed() });
    this.#rescaling = null;
  }

  onBadRecord(record: BadRecordReport): void {
    this.#events.push({ type: 'badRecord', record });
  }

  onLedger(slot: number, rows: readonly LedgerRow[]): void {
    this.#ledger.push({ slot, rows });
  }

  onCommit(checkpoint: number | null, commits: readonly SinkCommit[]): void {
    const control = this.#control;
    this.#commits = this.#commits.then(async () => {
      try {
        await commitSinks(this.#commitParts(), commits);
        control?.send({ kind: 'committed', checkpoint });
      } catch (cause) {
        control?.send({ kind: 'failed', error: toWire(cause) });
      }
    });
  }

  onCheckpoint({ report, kept, statistics }: CheckpointTold): void {
    this.checkpoints = statistics;
    this.#kept = kept ?? this.#kept;
    if (report.status === 'completed') this.#further?.checkpointed();
    this.#events.push({ type: 'checkpoint', report, statistics });
  }

  onChainBroken(error: WireError): void {
    this.#events.push({ type: 'chainBroken', error });
  }

  onAnswer(token: number, outcome: CheckpointOutcome): void {
    this.#requests.answer(token, outcome);
  }

  onComplete(completion: RunCompletion): void {
    void this.#commits.then(() => this.#ended(completion));
  }

  async #ended(completion: RunCompletion): Promise<void> {
    this.#requests.endAttempt();
    if (await this.#goesOnRescaled(completion)) return;
    const { state, error } = completion;
    const mayGoOn = state === 'FAILED' && this.#ending === null;
    if (!mayGoOn || error === null || this.#further === null) return this.#settle(completion);
    const delayMs = this.#further.afterFailure(error, systemClock.monotonicMs());
    if (typeof delayMs !== 'number') return this.#settle({ ...completion, error: delayMs });
    this.#control = null;
    this.#enter('RESTARTING');
    this.#events.push({ type: 'restart', error, delayMs });
    await this.#delay(delayMs);
    const ending = this.#endingNow();
    if (ending?.kind === 'cancel') {
      return this.#settle({ state: 'CANCELED', error: ending.reason, commits: [] });
    }
    try {
      const next = await this.#further.next(this.#kept, this.checkpoints);
      this.restarts++;
      await this.start(next);
    } catch (cause) {
      await this.#ended({ state: 'FAILED', error: toWire(cause), commits: [] });
    }
  }

  /**
   * Begins the next attempt of a job that was suspended to be rescaled, or did not come up at its new parallelism;
   * false when the attempt has ended for another reason.
   */
  async #goesOnRescaled(completion: RunCompletion): Promise<boolean> {
    const [change, further] = [this.#rescaling, this.#further];
    if (change === null || further === null) return false;
    const isUnfit = completion.state === 'FAILED' && change.before !== null;
    const isSuspended = completion.state === 'FINISHED' && (await change.suspended);
    if (this.#ending !== null || !(isUnfit || isSuspended)) {
      this.#rescaling = null;
      change.fail(completion.error);
      return false;
    }
    this.#control = null;
    this.#enter('RESTARTING');
    if (isUnfit) this.#rescaling = null;
    try {
      if (isSuspended) await commitSinks(this.#commitParts(), completion.commits);
      const before = further.adopt(change.before ?? change.planned);
      if (isSuspended) change.before = before;
      await this.start(await further.next(this.#kept, this.checkpoints));
      if (isUnfit) change.fail(completion.error);
    } catch (cause) {
      if (isUnfit) change.fail(completion.error);
      await this.#ended({ state: 'FAILED', error: toWire(cause), commits: [] });
    }
    return true;
  }

  /** What may have been set while something was waited for. */
  #endingNow(): RunEvent | null {
    return this.#ending;
  }

  async #delay(delayMs: number): Promise<void> {
    const pause = pauseFor(delayMs);
    this.#wakeUp = pause.end;
    await pause.over;
    this.#wakeUp = () => {};
  }

  async #settle(completion: RunCompletion): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#requests.end();
    const failure = await this.#closeSinks(completion);
    if (failure === null) {
      this.#tidyUp('finished');
      this.#enter('FINISHED');
      this.#resolve(this.#result());
    } else {
      const isCanceled = completion.state === 'CANCELED';
      this.#tidyUp(isCanceled ? 'canceled' : 'failed');
      this.#enter(isCanceled ? 'CANCELED' : 'FAILED');
      this.#reject(failure);
    }
    this.#events.end();
  }

  /** How the job ended is decided; checkpoints that cannot be deleted stay. */
  #tidyUp(reason: EndReason): void {
    try {
      this.#further?.end(reason, this.#suspendedTo);
    } catch (error) {
      if (!MillraceError.is(error)) throw error;
    }
  }

  #commitParts(kept: readonly SinkCommit[] = []): SinkCommitParts {
    const { plan, deployment } = this;
    return { plan, deployment, disk: this.#disk, kept };
  }

  /** Commits the sinks, or cleans up after them; gives what the run failed with, null for nothing. */
  async #closeSinks(completion: RunCompletion): Promise<Error | null> {
    if (completion.state === 'FINISHED') {
      return commitSinks(this.#commitParts(), completion.commits).then(() => null, asError);
    }
    const failure = this.#failure(completion);
    try {
      await abortSinks(this.#commitParts(this.#further?.savedOutput()));
      return failure;
    } catch (second) {
      return withSecond(failure, asError(second));
    }
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
      hadFinishedMs: null,
      ledger: [
        { slot: SHARED_LEDGER, rows: sharedLedger(this.plan, this.deployment) },
        ...this.#ledger,
      ],
    };
  }
}

const ENDED: ReadonlySet<JobState> = new Set(['FINISHED', 'FAILED', 'CANCELED']);

function notNow(job: string, parallelism: number, hasEnded: boolean): MillraceError {
  const why = hasEnded ? 'it has ended' : 'another change is under way';
  return new MillraceError(
    'RESCALE_FAILED',
    `The job was not rescaled to ${parallelism}: ${why}.`,
    hasEnded ? { where: { job } } : { where: { job }, advice: 'Wait for what rescale() gave.' },
  );
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
