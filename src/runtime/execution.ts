/**
 * A run of a job as the embedding program sees it: state, events, metrics, cancel, stop, and a promise of the end.
 * Callers: `api/start.ts`, the command line. Runs on: the caller's thread. Invariant: `finished` settles exactly
 * once, after sinks were committed or aborted and every thread of the run has ended.
 */
import { resolve } from 'node:path';
import { systemClock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { type LogLevel, type LogLine, logLevelNumber } from '../base/function-log.js';
import { fromWire, MillraceError, toWire, type WireError } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import { settledAfter } from '../base/settled-after.js';
import { type Pause, pauseFor } from '../base/pause.js';
import type { CheckpointOutcome, EndReason } from '../checkpoint/checkpoint-protocol.js';
import { type CheckpointStatistics, NO_STATISTICS } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointManifest, CheckpointReport, SinkCommit } from '../checkpoint/contract.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { KeptTable } from '../state/state-writer.js';
import { attemptEnded, CheckpointRequests, type SavepointOptions } from './checkpoint-requests.js';
import type { JobState, RunEvent } from './coordinator.js';
import type { Deployment } from './deployment.js';
import { ControlMemory, slotWord } from './control-layout.js';
import type { FurtherAttempts, NextAttempt, RestoredAttempt } from './further-attempts.js';
import { JobEvents } from './job-events.js';
import type { JobProfile, ProfileOptions } from './job-profile.js';
import type { BadRecordReport, CheckpointTold } from './messages.js';
import { type MemoryMoment, memoryNow } from '../memory/heap-probe.js';
import { MemoryWatch } from './memory-watch.js';
import { type RunMetricsSnapshot, snapshotMetrics } from './metrics-snapshot.js';
import type { PlannedAt } from './plan-further.js';
import { clearRegion } from './region-memory.js';
import type { RescaleReport, Rescaling } from './rescaling.js';
import type { LedgerPart } from './run-ledger.js';
import type { RunCompletion, RunControl, RunObserver } from './run-control.js';
import type { RegionDown } from './run-regions.js';
import { type TimeReport, timeReports } from './time-report.js';
import { abortSinks, commitSinks, type SinkCommitParts } from './sink-commit.js';
import { Tap, type TapObserver, type TapOptions } from './tap.js';
import type { TapReport } from './tap-protocol.js';
import type { Taps } from './taps.js';

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
  /**
   * An attempt has failed, and the next one begins after `delayMs`; where the job has parts that share nothing, only
   * that which failed: `vertices` are the ids of its chains, null for all.
   */
  | {
      readonly type: 'restart';
      readonly error: WireError;
      readonly delayMs: number;
      readonly vertices: readonly number[] | null;
    }
  /** A function of the job has logged a line; attempts count from 0. */
  | { readonly type: 'log'; readonly line: LogLine; readonly attempt: number }
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
  /** Who held how much memory when the process was largest, per slot; by what it had grown then tells `resident`. */
  readonly ledger: readonly LedgerPart[];
  /** The process in which the job ran, before it was started and at its largest; null when it has not run. */
  readonly resident: { readonly beforeBytes: number; readonly mostBytes: number } | null;
}

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
  /**
   * Looks at records as they pass, without holding them up: at some of each subtask, as `sample` says, and at no more
   * than a hundredth of its time. `counts` of what it gives tells how many passed. A wrong option rejects the first
   * record: OPERATOR_UNKNOWN, TAP_UNAVAILABLE for operators inside a chain, EXPRESSION_INVALID, FIELD_UNKNOWN.
   *
   * @example
   * const tap = execution.tap({ operator: 'parse', filter: 'amount > 100', limit: 10 });
   * for await (const { record, subtask } of tap) console.log(subtask, record);
   */
  tap(options: TapOptions): Tap;
  /**
   * Has V8 sample what the threads of the job do, for a second unless `seconds` says otherwise: what is in `threads` of
   * the result, written to a file, is a `.cpuprofile`, which the developer tools of browsers and editors open. It
   * begins a fifth of a second later: functions that are optimized are compiled again, so that all of them have their
   * names. Nothing of it is there before and after. Rejects with JOB_NOT_RUNNING, OPTION_INVALID, and
   * PROFILE_UNAVAILABLE, as in a program that started the job in a worker thread.
   *
   * @example
   * const { threads } = await execution.profile({ seconds: 5 });
   * writeFileSync('slot-0.cpuprofile', JSON.stringify(threads[0].profile));
   */
  profile(options?: ProfileOptions): Promise<JobProfile>;
  /** The counters of all subtasks and edges, read from shared memory without disturbing the workers. */
  metrics(): RunMetricsSnapshot;
  /**
   * How far event time has come at each chain, which input holds it back and which are idle: what windows and
   * timers that do not fire wait for. Empty for a job without event time.
   */
  whyNoOutput(): readonly TimeReport[];
  /**
   * Takes a checkpoint now, beside the periodic ones. Rejects with CHECKPOINT_FAILED, at once while the job is
   * RESTARTING.
   */
  checkpoint(): Promise<CheckpointReport>;
  /**
   * Takes a savepoint, which is whole, relocatable, and never deleted by the engine. Rejects with CHECKPOINT_FAILED,
   * at once while the job is RESTARTING.
   */
  savepoint(options?: SavepointOptions): Promise<CheckpointReport>;
  /**
   * Has the job go on at another parallelism of all operators that name none of their own: it is suspended with a
   * checkpoint, from which it goes on, exactly once, without being started again. The maximum parallelism stays as it
   * is, and bounds it. Resolves when all subtasks run again, and an event `rescaled` tells so; rejects with
   * PARALLELISM_INVALID before anything is done, and with RESCALE_FAILED when it is not done: the job then goes on as
   * before. With checkpoints in a directory, threads of the next attempt first load the state of some while this one
   * runs, within memory that is free: the job then pauses for what has changed since.
   *
   * @example
   * const { checkpointMs, restartMs } = await execution.rescale(4);
   */
  rescale(parallelism: number): Promise<RescaleReport>;
  /** Has the functions of the job log from that level on: what is below it is not made at all. */
  setLogLevel(level: LogLevel): void;
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
  /** Opens a tap; gives what closes it. */
  openTap(options: TapOptions, observer: TapObserver): () => void;
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
  readonly #events = new JobEvents(() => this.plan.jobName);
  readonly #memory: MemoryWatch;
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
  /** What the state of the newest checkpoint is in, by operator and name. */
  readonly #tables = new Map<string, KeptTable>();
  /** A change of the parallelism that is under way. */
  #rescaling: Rescaling | null = null;
  /** Null until somebody looks at records. */
  #taps: Promise<Taps> | null = null;
  /** The newest attempt that has ended. */
  #endedAttempt: string | null = null;
  #hasStarted = false;
  /** Where the newest checkpoint of this attempt is. */
  #newest: string | null = null;
  /** Regions that are down, and what is being done about them. */
  readonly #down = new Map<number, Promise<void>>();
  /** Whether the job ends with the failure of a region. */
  #isGivenUp = false;
  /** Of all attempts. */
  #logLevel: LogLevel;
  /** What the job is to end with before the next attempt begins. */
  #ending: RunEvent | null = null;
  /** Waits before an attempt or a region begins again. */
  readonly #pauses = new Set<Pause>();

  /**
   * `disk` is where sinks commit to; `further` is null for a job that a failure ends; `before` is the process as it was
   * before anything was started.
   */
  constructor(
    plan: PhysicalPlan,
    deployment: Deployment,
    signal: AbortSignal | null,
    disk: Disk = nodeDisk,
    further: FurtherAttempts | null = null,
    before: MemoryMoment = memoryNow(),
  ) {
    this.plan = plan;
    this.deployment = deployment;
    this.#memory = new MemoryWatch(before);
    this.#logLevel = deployment.settings['log.level'] as LogLevel;
    this.#writeLogLevel(this.#logLevel);
    this.#signal = signal;
    this.#disk = disk;
    this.#further = further;
    this.#requests = new CheckpointRequests(deployment.settings, (request) => {
      if (this.#down.size > 0) return false;
      this.#control?.send({ kind: 'request', request });
      return this.#control !== null;
    });
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
    this.#memory.begin(attempt.deployment);
    this.#newest = null;
    this.#writeLogLevel(this.#logLevel);
    if (!this.#hasStarted) this.restored = attempt.restored;
    else if (attempt.restored !== null)
      this.#events.push({ type: 'restored', ...attempt.restored });
    this.#hasStarted = true;
    try {
      this.attach(await attempt.start(this));
    } catch (error) {
      this.#memory.end();
      throw error;
    }
  }

  /** Called by whoever starts the threads of an attempt. */
  attach(control: RunControl): void {
    this.#control = control;
    if (this.#signal?.aborted === true && this.#ending === null) this.#onAbort();
    else if (this.#ending !== null) control.send(this.#ending);
    void this.#taps?.then((taps) => taps.begin());
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

  tap(options: TapOptions): Tap {
    return new Tap(options, (observer) => this.openTap(options, observer));
  }

  openTap(options: TapOptions, observer: TapObserver): () => void {
    let isClosed = false;
    let close = (): void => {};
    void this.#openedTaps()
      .then((taps) => {
        if (ENDED.has(this.state)) observer.end(null);
        else if (!isClosed) close = taps.open(options, observer);
      })
      .catch((error: unknown) => observer.end(toWire(error)));
    return () => {
      isClosed = true;
      close();
    };
  }

  #openedTaps(): Promise<Taps> {
    this.#taps ??= import('./taps.js').then(
      ({ Taps: OpenTaps }) =>
        new OpenTaps({
          now: () => this,
          ask: (request) => this.#control?.ask(request),
        }),
    );
    return this.#taps;
  }

  onTapped(report: TapReport): void {
    void this.#taps?.then((taps) => taps.report(report));
  }

  async profile({ seconds }: ProfileOptions = {}): Promise<JobProfile> {
    const { profileMs, profileSlots } = await import('./profiling.js');
    const ms = profileMs(seconds);
    if (this.state === 'RUNNING' && this.#control !== null) {
      return profileSlots(this.#control.threads, ms);
    }
    throw new MillraceError(
      'JOB_NOT_RUNNING',
      `The job is ${this.state}, which none can profile.`,
      {
        where: { job: this.jobName },
      },
    );
  }

  async rescale(parallelism: number): Promise<RescaleReport> {
    const { Rescaling: Change, notNow } = await import('./rescaling.js');
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
    const suspending = this.#loadAhead(further, planned).then((isLive) => {
      if (!isLive) throw attemptEnded();
      return this.#requests.suspend();
    });
    const change = new Change(from, planned, suspending);
    this.#rescaling = change;
    void change.suspended.then((isSuspended) => {
      if (isSuspended) return;
      this.#follow(false);
      further.dropAhead();
      if (this.#rescaling === change) this.#rescaling = null;
    });
    return change.done;
  }

  /** Has the next attempt load what it can before this one is suspended; false when this one has ended meanwhile. */
  async #loadAhead(further: FurtherAttempts, planned: PlannedAt): Promise<boolean> {
    const { attempt } = this.deployment;
    const isLive = (): boolean => this.#endedAttempt !== attempt;
    if (!further.canLoadAhead) return isLive();
    const { followCheckpoints } = await import('./rescaling.js');
    this.#follow(true);
    await followCheckpoints({
      isLive,
      checkpoint: () => this.#requests.checkpoint(),
      load: (path) => further.loadAhead(planned, { path, tables: [...this.#tables.values()] }),
    });
    return isLive();
  }

  /** Has the checkpoints of this attempt build on each other, or as the settings say. */
  #follow(isFollowed: boolean): void {
    this.#control?.send({ kind: 'followed', isFollowed });
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
    if (state === 'RUNNING') this.#down.clear();
    if (!ENDED.has(state)) this.#enter(state);
    // The first attempt may only now have come up that is to be suspended.
    if (state !== 'RUNNING' || this.#rescaling === null || this.#rescaling.before === null) return;
    this.#events.push({ type: 'rescaled', report: this.#rescaling.succeed() });
    this.#rescaling = null;
  }

  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    this.#writeLogLevel(level);
  }

  /** Into the memory of the attempt that runs, from which its functions take it. */
  #writeLogLevel(level: LogLevel): void {
    const control = new ControlMemory(this.deployment.control, this.plan.vertices.length);
    const { slots } = this.deployment;
    for (let slot = -1; slot < slots; slot++) {
      Atomics.store(control.logLevelWord(slotWord(slots, slot)), 0, logLevelNumber(level));
    }
  }

  onLog(line: LogLine): void {
    this.#events.push({ type: 'log', line, attempt: this.restarts });
  }

  onBadRecord(record: BadRecordReport): void {
    this.#events.push({ type: 'badRecord', record });
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
    if (report.status === 'completed' && report.kind === 'checkpoint') this.#newest = report.path;
    this.#events.push({ type: 'checkpoint', report, statistics });
  }

  onTables(tables: readonly KeptTable[]): void {
    for (const table of tables)
      this.#tables.set(JSON.stringify([table.uid, table.spec.name]), table);
  }

  onChainBroken(error: WireError): void {
    this.#events.push({ type: 'chainBroken', error });
  }

  onAnswer(token: number, outcome: CheckpointOutcome): void {
    this.#requests.answer(token, outcome);
  }

  onRegionDown(down: RegionDown): void {
    this.#down.set(down.region, this.#restartRegion(down));
  }

  /** Begins a region again while the others go on; where that cannot be done, the attempt fails. */
  async #restartRegion({ region, round, error, vertices }: RegionDown): Promise<void> {
    const [control, further] = [this.#control, this.#further];
    await this.#commits;
    if (control === null || this.#control !== control) return;
    const next = further?.afterFailure(error, systemClock.monotonicMs()) ?? error;
    if (further === null || typeof next !== 'number') {
      this.#isGivenUp = true;
      return control.send({ kind: 'failed', error: typeof next === 'number' ? error : next });
    }
    this.#events.push({ type: 'restart', error, delayMs: next, vertices });
    await this.#delay(next);
    if (this.#control !== control) return;
    try {
      const newest = { path: this.#newest, kept: this.#kept };
      const { start, restored } = await further.region(vertices, newest);
      const { sourcePlans, sinkPlans } = start;
      this.deployment = { ...this.deployment, sourcePlans, sinkPlans };
      clearRegion(this.plan, this.deployment, vertices);
      this.restarts++;
      if (restored !== null) this.#events.push({ type: 'restored', ...restored });
      control.ask({ kind: 'startRegion', region, round, start });
    } catch (cause) {
      control.send({ kind: 'failed', error: toWire(cause) });
    }
  }

  onComplete(completion: RunCompletion): void {
    this.#control = null;
    this.#wakeUp();
    const busy = [this.#commits, ...this.#down.values()];
    void Promise.all(busy).then(() => this.#ended(completion));
  }

  async #ended(completion: RunCompletion): Promise<void> {
    this.#endedAttempt = this.deployment.attempt;
    this.#memory.end();
    this.#down.clear();
    this.#requests.endAttempt();
    if (await this.#goesOnRescaled(completion)) return;
    const { state, error } = completion;
    const mayGoOn = state === 'FAILED' && this.#ending === null && !this.#isGivenUp;
    if (!mayGoOn || error === null || this.#further === null) return this.#settle(completion);
    const delayMs = this.#further.afterFailure(error, systemClock.monotonicMs());
    if (typeof delayMs !== 'number') return this.#settle({ ...completion, error: delayMs });
    this.#enter('RESTARTING');
    this.#events.push({ type: 'restart', error, delayMs, vertices: null });
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
    this.#enter('RESTARTING');
    if (isUnfit) this.#rescaling = null;
    try {
      if (isSuspended) await commitSinks(this.#commitParts(), completion.commits);
      const before = further.adopt(change.before ?? change.planned);
      if (isSuspended) change.before = before;
      const suspendedWith = isSuspended ? change.path : null;
      await this.start(await further.next(this.#kept, this.checkpoints, suspendedWith));
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
    this.#pauses.add(pause);
    await pause.over;
    this.#pauses.delete(pause);
  }

  /** Ends every wait before something begins again. */
  #wakeUp(): void {
    for (const pause of this.#pauses) pause.end();
  }

  async #settle(completion: RunCompletion): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#requests.end();
    (await this.#taps)?.end();
    const failure = await this.#closeSinks(completion);
    if (failure === null) {
      this.#tidyUp('finished');
      this.#enter('FINISHED');
      this.#resolve(await this.#result());
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

  async #result(): Promise<JobResult> {
    const metrics = this.metrics();
    return {
      jobName: this.jobName,
      state: 'FINISHED',
      durationMs: systemClock.monotonicMs() - this.#startedMs,
      metrics,
      badRecords: metrics.vertices.reduce((sum, vertex) => sum + vertex.badRecords, 0),
      hadFinishedMs: null,
      ...(await this.#memory.account(this.plan, this.deployment)),
    };
  }
}

const ENDED: ReadonlySet<JobState> = new Set(['FINISHED', 'FAILED', 'CANCELED']);

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
