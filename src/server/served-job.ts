/**
 * One job of a server from its submission to its end, over any number of processes: it is planned, admitted, run,
 * started again when its process dies, canceled, stopped. Callers: the dispatcher. Runs on: the server's thread, which
 * never runs any code of the job. Invariants: what is recorded is on disk before anyone is told; a job that the server
 * leaves behind when it ends goes on with the next one.
 */
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import type { LogLevel } from '../base/function-log.js';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import { pauseFor } from '../base/pause.js';
import { freshSeed, SeededRandom } from '../base/random.js';
import {
  type CheckpointRetention,
  type EndReason,
  outlives,
} from '../checkpoint/checkpoint-protocol.js';
import {
  type CheckpointStatistics,
  NO_STATISTICS,
  withRestored,
} from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import { RestartStrategy } from '../checkpoint/restart-strategy.js';
import type { JobStatus } from '../rest/job-schemas.js';
import type { SavepointOptions } from '../runtime/checkpoint-requests.js';
import type { ExecutionEvent } from '../runtime/execution.js';
import type { Recap } from '../runtime/adopted-process.js';
import { removeDoor } from '../runtime/adoption-door.js';
import type { JobProfile, ThreadStack } from '../runtime/job-profile.js';
import type { JobProcess, ProcessRun } from '../runtime/job-process.js';
import type { RunMetricsSnapshot } from '../runtime/metrics-snapshot.js';
import type { PlanExplanation } from '../graph/explain.js';
import { restartPolicyOf } from '../runtime/recovery-policy.js';
import type { RescaleReport } from '../runtime/rescaling.js';
import type { TapObserver, TapOptions } from '../runtime/tap.js';
import { joinedStatistics } from './checkpoint-history.js';
import {
  isTerminal,
  type JobRecord,
  nameOf,
  slotsOf,
  withFailure,
  withSettings,
  withStatus,
  withRestart,
} from './job-record.js';
import { type JobStore, OUTPUT } from './job-store.js';
import { endProcess, plannedWithin } from './planning.js';
import { endLeftBehind } from './process-table.js';
import type { SlotPool } from './slot-pool.js';

/** What becomes of a job for which there are not enough free slots. */
export type Admission = 'queue' | 'refuse' | 'shrink';

/** As much of a job process as a server needs. */
export type ServedProcess = Pick<
  JobProcess,
  | 'admit'
  | 'cancel'
  | 'checkpoint'
  | 'earlierMetrics'
  | 'events'
  | 'finished'
  | 'kill'
  | 'leave'
  | 'metrics'
  | 'pid'
  | 'openTap'
  | 'planAt'
  | 'planned'
  | 'profile'
  | 'rescale'
  | 'restorePlan'
  | 'setLogLevel'
  | 'savepoint'
  | 'threadStacks'
>;

/** One that an earlier server has started, with what it tells. */
export type FoundProcess = ServedProcess & { readonly recap: Recap };

/** What a job needs of its server. */
export interface ServedJobWorld {
  readonly clock: Clock;
  readonly disk: Disk;
  /** For so long a process goes on without a server; 0 ends it at once. */
  readonly orphanTimeoutMs: number;
  /** What servers have to speak that go on with such processes. */
  readonly protocol: string;
  readonly store: JobStore;
  readonly pool: SlotPool;
  readonly admission: Admission;
  /** How long a module may take to define its job. */
  readonly planTimeoutMs: number;
  launch(run: ProcessRun): ServedProcess;
  /** The process of a job that runs on since an earlier server; null for none. Rejects with LEADERSHIP_LOST. */
  find(record: JobRecord): Promise<FoundProcess | null>;
  /** A process has been found, with which the job goes on. */
  onFound(job: ServedJob): void;
  /** Something about the job has changed. */
  onChange(job: ServedJob, event: ExecutionEvent | null): void;
  /** The server itself has failed, as when its disk is full. */
  onDefect(error: unknown): void;
}

/** Something that has happened to a job. */
export interface JobChange {
  readonly job: ServedJob;
  /** Null where only its state has changed. */
  readonly event: ExecutionEvent | null;
}

/** Beyond the time in which a job should end when it is canceled. */
const KILL_MARGIN_MS = 5000;
/** Of the output of a job, of which one file more is kept. */
const OUTPUT_BYTES_MAX = 8 * 1024 * 1024;
/** How the child of a canceled job may end. */
const CANCELED_BY = new Set(['JOB_CANCELED', 'PROCESS_DIED']);

/** The job. */
export class ServedJob {
  #record: JobRecord;
  readonly #world: ServedJobWorld;
  readonly #strategy: RestartStrategy;
  #process: ServedProcess | null = null;
  /** What became of the checkpoints of the processes before the one that runs. */
  #before: CheckpointStatistics = NO_STATISTICS;
  #isAdmitted = false;
  #isSuspended = false;
  #isRescaling = false;
  /** Ends the wait before the next process. */
  #wakeUp: () => void = () => {};
  #ended: Promise<void> = Promise.resolve();

  constructor(record: JobRecord, world: ServedJobWorld) {
    this.#record = record;
    this.#world = world;
    const policy = restartPolicyOf(record.submission.settings);
    this.#strategy = new RestartStrategy(policy, new SeededRandom(freshSeed()));
  }

  get record(): JobRecord {
    return this.#record;
  }

  get id(): string {
    return this.#record.id;
  }

  /** Settles when the job has ended, or the server has left it behind. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Counters as last reported, or at the end of the job; null before it has run. */
  metrics(): RunMetricsSnapshot | null {
    return this.#process?.metrics() ?? this.#record.metrics;
  }

  /** Those from which rates are reckoned; null for a job that does not run. */
  earlierMetrics(): RunMetricsSnapshot | null {
    return this.#process?.earlierMetrics() ?? null;
  }

  /** Plans the job and admits it. Rejects when the job is not to run at all, of which nothing stays behind. */
  async submit(): Promise<void> {
    let process = await this.#plan(false);
    const { pool, admission } = this.#world;
    if (admission === 'shrink' && this.#slots() > pool.available && pool.available > 0) {
      await endProcess(process);
      this.#narrow(pool.available);
      process = await this.#plan(false);
    }
    const slots = this.#slots();
    const isAdmitted = pool.take(this.id, slots);
    if (!isAdmitted) {
      await endProcess(process);
      if (slots > pool.total) throw this.#tooWide(slots);
      if (admission === 'refuse') throw this.#refused(slots);
      this.#enter('CREATED');
    }
    this.#begin(isAdmitted ? process : null, false);
  }

  /** Goes on with a job of an earlier server: with its process where that still runs, else from its checkpoint. */
  resume(): void {
    const { status, pid } = this.#record;
    // A process that is found has its slots by then.
    const mayRun = pid !== null && status !== 'CANCELLING';
    if (mayRun && this.#world.pool.take(this.id, this.#slots())) return this.#begin(null, true);
    this.#endLeftBehind();
    if (status === 'CANCELLING') return this.#close('CANCELED', null);
    this.#enter('CREATED');
    this.#begin(null, true);
  }

  /** Ends the job without a savepoint. Throws JOB_NOT_RUNNING. */
  cancel(): void {
    const { status, submission } = this.#record;
    if (isTerminal(status)) throw this.#notRunning('is canceled');
    if (status === 'CANCELLING') return;
    this.#enter('CANCELLING');
    const process = this.#process;
    if (process !== null && this.#isAdmitted) {
      process.cancel();
      const timeoutMs = submission.settings['task.cancellationTimeout'] + KILL_MARGIN_MS;
      const timer = setTimeout(() => this.#kill(process), timeoutMs);
      void process.finished.catch(() => {}).then(() => clearTimeout(timer));
      return;
    }
    if (process !== null) this.#kill(process);
    this.#world.pool.leave(this.id);
    this.#wakeUp();
  }

  /** Takes a savepoint, or stops the job with it. Rejects with JOB_NOT_RUNNING or CHECKPOINT_FAILED. */
  async savepoint(options: SavepointOptions): Promise<CheckpointReport> {
    return this.#running('takes a savepoint').savepoint(options);
  }

  /** Takes a checkpoint. Rejects with JOB_NOT_RUNNING or CHECKPOINT_FAILED. */
  async checkpoint(): Promise<CheckpointReport> {
    return this.#running('takes a checkpoint').checkpoint();
  }

  /** Looks at records; gives what closes it. Throws JOB_NOT_RUNNING. */
  openTap(options: TapOptions, observer: TapObserver): () => void {
    return this.#running('shows its records').openTap(options, observer);
  }

  /** What its threads do for so many seconds. Rejects with JOB_NOT_RUNNING, OPTION_INVALID, PROFILE_UNAVAILABLE. */
  async profile(seconds: number): Promise<JobProfile> {
    return this.#running('is profiled').profile({ seconds });
  }

  /** What they do now. Rejects with JOB_NOT_RUNNING and PROFILE_UNAVAILABLE. */
  async threadStacks(): Promise<readonly ThreadStack[]> {
    return this.#running('has stacks').threadStacks();
  }

  /** How the job would run at another parallelism. Rejects with JOB_NOT_RUNNING and PARALLELISM_INVALID. */
  async planAt(parallelism: number): Promise<PlanExplanation> {
    return this.#running('is rescaled').planAt(parallelism);
  }

  /** Slots that the job could have now, those that it has among them. */
  get slotsWithin(): number {
    return this.#slots() + this.#world.pool.available;
  }

  /** Has the functions of the job log from that level on, in later processes too. Throws JOB_NOT_RUNNING. */
  setLogLevel(level: LogLevel): void {
    if (isTerminal(this.#record.status)) throw this.#notRunning('logs');
    this.#record = withSettings(this.#record, { 'log.level': level });
    this.#world.store.save(this.#record);
    this.#process?.setLogLevel(level);
  }

  /**
   * Has the job go on at another parallelism. It has its slots for that before anything is done, and the new
   * parallelism is recorded before anyone is told. Rejects with JOB_NOT_RUNNING, PARALLELISM_INVALID, SLOTS_EXHAUSTED
   * and RESCALE_FAILED.
   */
  async rescale(parallelism: number): Promise<RescaleReport> {
    const process = this.#running('is rescaled');
    if (this.#isRescaling) throw this.#isBeingRescaled(parallelism);
    this.#isRescaling = true;
    const { pool, store } = this.#world;
    try {
      const plan = await process.planAt(parallelism);
      const slots = slotsOf(plan);
      if (slots > pool.total) throw this.#tooWide(slots);
      if (!pool.resize(this.id, Math.max(slots, this.#slots()))) throw this.#refused(slots);
      const report = await process.rescale(parallelism);
      this.#record = { ...withSettings(this.#record, { parallelism }), plan };
      store.save(this.#record);
      return report;
    } finally {
      this.#isRescaling = false;
      pool.resize(this.id, this.#slots());
    }
  }

  /**
   * The server ends: the job goes on from its last checkpoint with the next one. One that leads no longer leaves the
   * process to the server that does.
   */
  async suspend(): Promise<void> {
    this.#isSuspended = true;
    if (this.#process !== null) this.#kill(this.#process);
    this.#world.pool.leave(this.id);
    this.#wakeUp();
    await this.#ended;
  }

  /** Deletes the checkpoints of a job that has ended, unless they are to outlive it. */
  tidyUp(): void {
    const { status, submission } = this.#record;
    const { settings, baseDirectory } = submission;
    const directory = settings['execution.checkpointing.dir'];
    const retention = settings[
      'execution.checkpointing.externalizedCheckpointRetention'
    ] as CheckpointRetention;
    const reason = status.toLowerCase() as EndReason;
    if (directory === null || outlives(retention, reason)) return;
    this.#world.disk.removeTree(join(resolve(baseDirectory, directory), this.id));
  }

  #begin(process: ServedProcess | null, isResumed: boolean): void {
    this.#ended = this.#live(process, isResumed).catch((error: unknown) => {
      this.#world.pool.leave(this.id);
      this.#world.onDefect(error);
    });
  }

  /** One process after the other, until the job has ended. */
  async #live(admitted: ServedProcess | null, wasRunBefore: boolean): Promise<void> {
    let process = admitted;
    let isResumed = wasRunBefore;
    let mayRun = wasRunBefore;
    for (;;) {
      let error: WireError;
      try {
        if (mayRun) process = await this.#found();
        mayRun = false;
        process ??= await this.#next(isResumed);
        if (process === null) return this.#left();
        const { metrics } = await this.#follow(process);
        return this.#close('FINISHED', metrics);
      } catch (thrown) {
        error = toWire(thrown);
      }
      const metrics = process?.metrics() ?? null;
      process = null;
      isResumed = true;
      if (this.#isSuspended) return;
      const isCanceled = this.#record.status === 'CANCELLING' && CANCELED_BY.has(error.code ?? '');
      if (isCanceled) return this.#close('CANCELED', metrics);
      const delayMs = this.#delayAfter(error);
      if (delayMs === null) return this.#fail(error, metrics);
      await this.#restartAfter(error, delayMs);
    }
  }

  /** A failure within the process has been judged there; only its death is news. */
  #delayAfter(error: WireError): number | null {
    if (error.code !== 'PROCESS_DIED' || this.#record.status === 'CANCELLING') return null;
    return this.#strategy.failed(error, this.#world.clock.monotonicMs());
  }

  async #restartAfter(error: WireError, delayMs: number): Promise<void> {
    this.#note(error, null);
    this.#enter('RESTARTING', { type: 'restart', error, delayMs, vertices: null });
    const pause = pauseFor(delayMs);
    this.#wakeUp = pause.end;
    await pause.over;
    this.#wakeUp = () => {};
  }

  /** The process of an earlier server, where it still runs; null for none, and none that can be reached. */
  async #found(): Promise<ServedProcess | null> {
    if (this.#record.pid === null) return null;
    const process = await this.#world.find(this.#record);
    if (process !== null && !this.#isLeft() && this.#takeOver(process)) return process;
    if (process !== null) await this.#end(process);
    this.#endLeftBehind();
    if (!this.#isLeft()) this.#enter('CREATED');
    return null;
  }

  /** False when the process has come to need more slots than there are. */
  #takeOver(process: FoundProcess): boolean {
    const { plan, state, rescaled, checkpoints, checkpointsBefore } = process.recap;
    if (!this.#world.pool.resize(this.id, slotsOf(plan))) return false;
    this.#holds(process);
    this.#isAdmitted = true;
    this.#before = checkpointsBefore;
    const known = rescaled === null ? this.#record : withSettings(this.#record, rescaled);
    const joined = joinedStatistics(checkpointsBefore, checkpoints ?? NO_STATISTICS);
    this.#record = { ...known, pid: process.pid, plan, checkpoints: joined };
    this.#world.onFound(this);
    if (state !== this.#record.status && !isTerminal(state)) this.#enter(state);
    return true;
  }

  #holds(process: ServedProcess): void {
    this.#process = process;
    void process.finished
      .catch(() => {})
      .then(() => {
        if (this.#process === process) this.#process = null;
      });
  }

  /** Ends the process of an earlier server, if it is still there. */
  #endLeftBehind(): void {
    const { pid } = this.#record;
    if (pid === null) return;
    const { store, disk } = this.#world;
    store.fenced(() => endLeftBehind(disk, pid, this.id));
    this.#record = { ...this.#record, pid: null };
  }

  async #end(process: ServedProcess): Promise<void> {
    this.#kill(process);
    await process.finished.catch(() => {});
  }

  /** Another server that leads by now goes on with the process. */
  #kill(process: ServedProcess): void {
    try {
      this.#world.store.fenced(() => process.kill());
    } catch (error) {
      if (!MillraceError.is(error) || error.code !== 'LEADERSHIP_LOST') throw error;
      process.leave();
    }
  }

  /** The next process, once there are slots for it; null when the job has been canceled or left behind meanwhile. */
  async #next(isResumed: boolean): Promise<ServedProcess | null> {
    if (this.#isLeft()) return null;
    const { pool } = this.#world;
    if (!pool.has(this.id) && !(await pool.wait(this.id, this.#slots()))) return null;
    return this.#isLeft() ? null : this.#plan(isResumed);
  }

  #isLeft(): boolean {
    return this.#isSuspended || this.#record.status === 'CANCELLING';
  }

  #left(): void {
    if (!this.#isSuspended) this.#close('CANCELED', null);
  }

  /** A process that has planned the job and waits to be admitted. */
  async #plan(isResumed: boolean): Promise<ServedProcess> {
    const { store, planTimeoutMs, orphanTimeoutMs, protocol } = this.#world;
    const { jobName, params, settings, baseDirectory } = this.#record.submission;
    const directory = store.directoryOf(this.id);
    this.#before = this.#record.checkpoints;
    const process = this.#world.launch({
      kind: 'run',
      moduleUrl: store.urlOf(this.id),
      jobName,
      params,
      settings,
      baseDirectory,
      columns: null,
      identity: { jobId: this.id, isResumed },
      awaitsAdmission: true,
      served: {
        directory,
        epoch: store.epoch,
        protocol,
        orphanTimeoutMs,
        checkpointsBefore: this.#before,
        output: { path: join(directory, OUTPUT), bytesMax: OUTPUT_BYTES_MAX },
      },
    });
    this.#holds(process);
    this.#isAdmitted = false;
    // Noted before it runs, so that a server after a crash finds it.
    this.#record = { ...this.#record, pid: process.pid };
    try {
      store.save(this.#record);
    } catch (error) {
      process.kill();
      throw error;
    }
    const plan = await plannedWithin(process, planTimeoutMs, this.#record.submission.bundle);
    this.#record = { ...this.#record, plan };
    return process;
  }

  async #follow(process: ServedProcess): Promise<{ readonly metrics: RunMetricsSnapshot }> {
    const { clock } = this.#world;
    const events = process.events();
    // Refused to a server that leads no longer, before anything of the job is started.
    this.#world.store.save(this.#record);
    if (this.#isLeft()) this.#kill(process);
    else process.admit();
    this.#isAdmitted = true;
    for await (const event of events) {
      if (event.type === 'checkpoint') {
        const checkpoints = joinedStatistics(this.#before, event.statistics);
        this.#record = { ...this.#record, checkpoints };
      } else if (event.type === 'restored') {
        // The statistics that come with its next checkpoint tell of it too.
        const restored = { id: event.checkpoint, path: event.path, restoredMs: clock.epochMs() };
        const checkpoints = withRestored(this.#record.checkpoints, restored);
        this.#record = { ...this.#record, checkpoints };
      }
      this.#onEvent(event);
      // Asked for by an earlier server, which was gone before it was done.
      if (event.type === 'rescaled' && !this.#isRescaling) {
        await this.#noteWidth(process, event.report.to);
      }
    }
    return process.finished;
  }

  async #noteWidth(process: ServedProcess, parallelism: number): Promise<void> {
    const { pool, store } = this.#world;
    const plan = await process.planAt(parallelism).catch(() => null);
    if (plan === null) return;
    if (!pool.resize(this.id, slotsOf(plan))) return this.#kill(process);
    this.#record = { ...withSettings(this.#record, { parallelism }), plan };
    store.save(this.#record);
  }

  #onEvent(event: ExecutionEvent): void {
    if (event.type === 'restart') this.#note(event.error, event.vertices);
    // How it ended is known when the process has.
    const isEntered = event.type === 'state' && !isTerminal(event.state);
    if (isEntered && this.#record.status !== 'CANCELLING') this.#enter(event.state, event);
    else this.#world.onChange(this, event);
  }

  #note(error: WireError, vertices: readonly number[] | null): void {
    const atMs = this.#world.clock.epochMs();
    this.#record = withRestart(withFailure(this.#record, { atMs, error }), vertices);
  }

  #enter(status: JobStatus, event: ExecutionEvent | null = null): void {
    this.#record = withStatus(this.#record, status, this.#world.clock.epochMs());
    this.#world.store.save(this.#record);
    this.#world.onChange(this, event);
  }

  #fail(error: WireError, metrics: RunMetricsSnapshot | null): void {
    this.#record = withFailure(this.#record, { atMs: this.#world.clock.epochMs(), error });
    this.#close('FAILED', metrics);
  }

  #close(status: 'FINISHED' | 'FAILED' | 'CANCELED', metrics: RunMetricsSnapshot | null): void {
    this.#record = { ...this.#record, pid: null, metrics: metrics ?? this.#record.metrics };
    this.#process = null;
    this.#world.pool.leave(this.id);
    this.#enter(status);
    removeDoor(this.#world.store.directoryOf(this.id));
    this.tidyUp();
  }

  #running(what: string): ServedProcess {
    if (this.#process === null || this.#record.status !== 'RUNNING') throw this.#notRunning(what);
    return this.#process;
  }

  #slots(): number {
    const { plan } = this.#record;
    return plan === null ? 1 : slotsOf(plan);
  }

  /** Runs the job with fewer subtasks than it asked for. */
  #narrow(parallelism: number): void {
    this.#record = withSettings(this.#record, { parallelism });
  }

  #notRunning(what: string): MillraceError {
    const { status } = this.#record;
    return new MillraceError('JOB_NOT_RUNNING', `Only a running job ${what}; it is ${status}.`, {
      where: { job: nameOf(this.#record) },
    });
  }

  #isBeingRescaled(parallelism: number): MillraceError {
    return new MillraceError(
      'RESCALE_FAILED',
      `The job was not rescaled to ${parallelism}: another change is under way.`,
      { where: { job: nameOf(this.#record) }, advice: 'Ask again when that is done.' },
    );
  }

  #tooWide(slots: number): MillraceError {
    const { total } = this.#world.pool;
    return new MillraceError(
      'PARALLELISM_INVALID',
      `The job needs ${slots} slots, and the server has ${total}.`,
      {
        where: { job: nameOf(this.#record) },
        advice: `Ask for a parallelism of at most ${total}, or start the server with --slots.`,
      },
    );
  }

  #refused(slots: number): MillraceError {
    const { available } = this.#world.pool;
    const held = this.#world.pool.has(this.id) ? this.#slots() : 0;
    return new MillraceError(
      'SLOTS_EXHAUSTED',
      `The job needs ${slots - held} slots${held === 0 ? '' : ' more'}, and ${available} are free.`,
      {
        where: { job: nameOf(this.#record) },
        advice: 'Cancel or stop another job, submit with a lower parallelism, or let jobs queue.',
      },
    );
  }
}
