/**
 * One job of a server from its submission to its end, over any number of processes: it is planned, admitted, run,
 * started again when its process dies, canceled, stopped. Callers: the dispatcher. Runs on: the server's thread, which
 * never runs any code of the job. Invariants: what is recorded is on disk before anyone is told; a job that the server
 * leaves behind when it ends goes on with the next one.
 */
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import { pauseFor } from '../base/pause.js';
import { freshSeed, SeededRandom } from '../base/random.js';
import {
  type CheckpointRetention,
  type EndReason,
  outlives,
} from '../checkpoint/checkpoint-protocol.js';
import { withRestored } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import { RestartStrategy } from '../checkpoint/restart-strategy.js';
import type { JobStatus } from '../rest/job-schemas.js';
import type { SavepointOptions } from '../runtime/checkpoint-requests.js';
import type { ExecutionEvent } from '../runtime/execution.js';
import type { JobProcess, ProcessOutput, ProcessRun } from '../runtime/job-process.js';
import type { RunMetricsSnapshot } from '../runtime/metrics-snapshot.js';
import { restartPolicyOf } from '../runtime/recovery-policy.js';
import { joinedStatistics } from './checkpoint-history.js';
import { JobOutput } from './job-output.js';
import {
  isTerminal,
  type JobRecord,
  nameOf,
  slotsOf,
  withFailure,
  withStatus,
} from './job-record.js';
import type { JobStore } from './job-store.js';
import { endProcess, plannedWithin } from './planning.js';
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
  | 'metrics'
  | 'pid'
  | 'planned'
  | 'savepoint'
>;

/** What a job needs of its server. */
export interface ServedJobWorld {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly store: JobStore;
  readonly pool: SlotPool;
  readonly admission: Admission;
  /** How long a module may take to define its job. */
  readonly planTimeoutMs: number;
  launch(run: ProcessRun, output: ProcessOutput): ServedProcess;
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
/** How the child of a canceled job may end. */
const CANCELED_BY = new Set(['JOB_CANCELED', 'PROCESS_DIED']);

/** The job. */
export class ServedJob {
  #record: JobRecord;
  readonly #world: ServedJobWorld;
  readonly #strategy: RestartStrategy;
  #process: ServedProcess | null = null;
  #isAdmitted = false;
  #isSuspended = false;
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

  /** Goes on with a job of an earlier server. */
  resume(): void {
    if (this.#record.status === 'CANCELLING') return this.#close('CANCELED', null);
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
      const timer = setTimeout(() => process.kill(), timeoutMs);
      void process.finished.catch(() => {}).then(() => clearTimeout(timer));
      return;
    }
    process?.kill();
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

  /** The server ends: the job goes on from its last checkpoint with the next one. */
  async suspend(): Promise<void> {
    this.#isSuspended = true;
    this.#process?.kill();
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
    for (;;) {
      let error: WireError;
      try {
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
    this.#note(error);
    this.#enter('RESTARTING', { type: 'restart', error, delayMs });
    const pause = pauseFor(delayMs);
    this.#wakeUp = pause.end;
    await pause.over;
    this.#wakeUp = () => {};
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
    const { store, disk, planTimeoutMs } = this.#world;
    const { jobName, params, settings, baseDirectory } = this.#record.submission;
    const output = new JobOutput(disk, store.directoryOf(this.id));
    const run: ProcessRun = {
      kind: 'run',
      moduleUrl: store.urlOf(this.id),
      jobName,
      params,
      settings,
      baseDirectory,
      columns: null,
      identity: { jobId: this.id, isResumed },
      awaitsAdmission: true,
    };
    const process = this.#world.launch(run, { stdout: output.stream, stderr: output.stream });
    this.#process = process;
    this.#isAdmitted = false;
    void process.finished
      .catch(() => {})
      .then(() => {
        output.close();
        if (this.#process === process) this.#process = null;
      });
    // Noted before it runs, so that a server after a crash finds it.
    this.#record = { ...this.#record, pid: process.pid };
    store.save(this.#record);
    const plan = await plannedWithin(process, planTimeoutMs, this.#record.submission.bundle);
    this.#record = { ...this.#record, plan };
    return process;
  }

  async #follow(process: ServedProcess): Promise<{ readonly metrics: RunMetricsSnapshot }> {
    const { clock } = this.#world;
    const before = this.#record.checkpoints;
    const events = process.events();
    if (this.#isLeft()) process.kill();
    else process.admit();
    this.#isAdmitted = true;
    this.#world.store.save(this.#record);
    for await (const event of events) {
      if (event.type === 'checkpoint') {
        const checkpoints = joinedStatistics(before, event.statistics);
        this.#record = { ...this.#record, checkpoints };
      } else if (event.type === 'restored') {
        // The statistics that come with its next checkpoint tell of it too.
        const restored = { id: event.checkpoint, path: event.path, restoredMs: clock.epochMs() };
        const checkpoints = withRestored(this.#record.checkpoints, restored);
        this.#record = { ...this.#record, checkpoints };
      }
      this.#onEvent(event);
    }
    return process.finished;
  }

  #onEvent(event: ExecutionEvent): void {
    if (event.type === 'restart') this.#note(event.error);
    // How it ended is known when the process has.
    const isEntered = event.type === 'state' && !isTerminal(event.state);
    if (isEntered && this.#record.status !== 'CANCELLING') this.#enter(event.state, event);
    else this.#world.onChange(this, event);
  }

  #note(error: WireError): void {
    const atMs = this.#world.clock.epochMs();
    const noted = withFailure(this.#record, { atMs, error });
    this.#record = { ...noted, restarts: noted.restarts + 1 };
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
    const { submission } = this.#record;
    const settings = { ...submission.settings, parallelism };
    this.#record = { ...this.#record, submission: { ...submission, settings } };
  }

  #notRunning(what: string): MillraceError {
    const { status } = this.#record;
    return new MillraceError('JOB_NOT_RUNNING', `Only a running job ${what}; it is ${status}.`, {
      where: { job: nameOf(this.#record) },
    });
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
    return new MillraceError(
      'SLOTS_EXHAUSTED',
      `The job needs ${slots} slots, and ${available} are free.`,
      {
        where: { job: nameOf(this.#record) },
        advice: 'Cancel or stop another job, submit with a lower parallelism, or let jobs queue.',
      },
    );
  }
}
