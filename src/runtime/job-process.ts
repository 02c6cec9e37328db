/**
 * A job in a child process, as its parent sees it: what the child is told, what it reports, how it ends. Nothing that
 * the job does ends the parent: not a crash, not an abort of V8, not an endless loop. Callers: `isolated-run.ts` for
 * `isolate: 'process'`, the server for each of its jobs. Runs on: the caller's thread. Invariant: the child is gone
 * when `finished` settles.
 */
import type { LogLevel } from '../base/function-log.js';
import { type ErrorWhere, fromWire, MillraceError, type WireError } from '../base/errors.js';
import { settledAfter } from '../base/settled-after.js';
import type { CheckpointOutcome, CheckpointRequest } from '../checkpoint/checkpoint-protocol.js';
import { type CheckpointStatistics, NO_STATISTICS } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import type { PlanExplanation } from '../graph/explain.js';
import { CheckpointRequests, type SavepointOptions } from './checkpoint-requests.js';
import type { JobState } from './coordinator.js';
import { JobEvents } from './job-events.js';
import type { JobProfile, ProfileOptions, ThreadStack } from './job-profile.js';
import type { ExecutionEvent, JobResult } from './execution.js';
import type { RestoredAttempt } from './further-attempts.js';
import type { RunMetricsSnapshot } from './metrics-snapshot.js';
import { NO_METRICS } from './no-metrics.js';
import type { JobIdentity } from './plan-run.js';
import { type CallOutcome, type ProcessCall, ProcessCalls } from './process-calls.js';
import type { ProcessLink } from './process-link.js';
import { RateWindow } from './rate-window.js';
import type { RescaleReport } from './rescaling.js';
import type { RestoreReport } from './restore-report.js';
import type { Settings } from './settings.js';
import { Tap, type TapChunk, type TapObserver, type TapOptions } from './tap.js';

/** What a child runs. */
export interface ProcessRun {
  readonly kind: 'run';
  readonly moduleUrl: string;
  /** Null takes the default export, or the only job of the module. */
  readonly jobName: string | null;
  readonly params: unknown;
  readonly settings: Settings;
  readonly baseDirectory: string;
  /** Columns of the caller's terminal, to which the child's output is passed on; null when it has none. */
  readonly columns: number | null;
  /** Who the job is to its server, without which it then ends at once; null for the run of an embedding program. */
  readonly identity: JobIdentity | null;
  /** Whether the child reports its plan and waits to be admitted before anything of it is started. */
  readonly awaitsAdmission: boolean;
  /** What it needs to outlive its server; null for one that ends with its parent. */
  readonly served: ServedRun | null;
}

/** How the process of a job goes on without its server, and is found by the next one. */
export interface ServedRun {
  /** Of the job, where its door is. Absolute. */
  readonly directory: string;
  /** Number of the term of the server. */
  readonly epoch: number;
  /** What a server has to speak to go on with it: the version of the package, and that of V8. */
  readonly protocol: string;
  /** For so long it goes on without a server; 0 ends it at once. */
  readonly orphanTimeoutMs: number;
  /** What became of the checkpoints of the processes before it, for the server that finds it. */
  readonly checkpointsBefore: CheckpointStatistics;
  /** The file to which its output goes, which is put aside when it has so many bytes. */
  readonly output: { readonly path: string; readonly bytesMax: number };
}

/** What an admitted job goes on from, when that was not known yet as it was planned. */
export interface AdmittedRestore {
  readonly path: string;
  /** Whether state of operators that the job does not have is left out. */
  readonly allowNonRestored: boolean;
}

/** To the child. */
export type ProcessRequest =
  | ProcessRun
  | { readonly kind: 'admit'; readonly restore: AdmittedRestore | null }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'logLevel'; readonly level: LogLevel }
  | { readonly kind: 'stop'; readonly drain: boolean }
  | { readonly kind: 'checkpoint'; readonly request: CheckpointRequest }
  | { readonly kind: 'call'; readonly call: ProcessCall }
  | { readonly kind: 'openTap'; readonly tap: number; readonly options: TapOptions }
  | { readonly kind: 'closeTap'; readonly tap: number };

/** From the child. */
export type ProcessReport =
  | { readonly kind: 'planned'; readonly plan: PlanExplanation }
  | { readonly kind: 'event'; readonly event: ExecutionEvent }
  | { readonly kind: 'metrics'; readonly metrics: RunMetricsSnapshot }
  | { readonly kind: 'answer'; readonly token: number; readonly outcome: CheckpointOutcome }
  | { readonly kind: 'returned'; readonly token: number; readonly outcome: CallOutcome }
  | { readonly kind: 'tapped'; readonly tap: number; readonly chunk: TapChunk }
  | { readonly kind: 'tapEnded'; readonly tap: number; readonly error: WireError | null }
  | { readonly kind: 'finished'; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly error: WireError };

/** What is known of a job whose process was started by somebody else. */
export interface KnownProgress {
  readonly plan: PlanExplanation;
  readonly state: JobState;
  readonly restarts: number;
  readonly restored: RestoredAttempt | null;
  readonly metrics: RunMetricsSnapshot | null;
  readonly checkpoints: CheckpointStatistics;
}

/** A job in a child process. */
export class JobProcess {
  finished: Promise<JobResult>;
  state: JobState = 'CREATED';
  restarts = 0;
  restored: RestoredAttempt | null = null;
  checkpoints: CheckpointStatistics = NO_STATISTICS;
  readonly #requests: CheckpointRequests;
  readonly #calls = new ProcessCalls((call) => this.#send({ kind: 'call', call }));
  readonly #link: ProcessLink;
  readonly #events = new JobEvents(() => this.jobName);
  readonly #jobName: string;
  readonly #planned: Promise<PlanExplanation>;
  #onPlanned: (plan: PlanExplanation) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #plan: PlanExplanation | null = null;
  readonly #metrics = new RateWindow(NO_METRICS);
  readonly #taps = new Map<number, TapObserver>();
  #lastTap = 0;
  #outcome: ProcessReport | null = null;

  /** `link` leads to the child, which has been told what to run. */
  constructor(request: Pick<ProcessRun, 'jobName' | 'settings'>, link: ProcessLink) {
    this.#jobName = request.jobName ?? '';
    this.#planned = new Promise((resolve) => {
      this.#onPlanned = resolve;
    });
    // The process answers, or its end does.
    this.#requests = new CheckpointRequests(request.settings, (asked) => {
      this.#send({ kind: 'checkpoint', request: asked });
      return true;
    });
    this.#link = link;
    this.finished = new Promise((resolve, reject) => {
      this.#reject = reject;
      link.open({
        report: (report) => this.#onReport(report),
        failed: reject,
        ended: (how) => this.#settle(how, resolve, reject),
      });
    });
    this.finished.catch(() => {});
  }

  get jobName(): string {
    return this.#plan?.job ?? this.#jobName;
  }

  afterEnd(action: () => Promise<void>): void {
    this.finished = settledAfter(this.finished, action);
  }

  /** Of the child; null when it could not be started. */
  get pid(): number | null {
    return this.#link.pid;
  }

  /** The plan of a job that awaits admission; rejects when there is none. */
  async planned(): Promise<PlanExplanation> {
    const ended = this.finished.then(() => Promise.reject(this.#died('without a plan')));
    return Promise.race([this.#planned, ended]);
  }

  /** Lets a job start that has been planned; `restore` null goes on from what its settings say. */
  admit(restore: AdmittedRestore | null = null): void {
    this.#send({ kind: 'admit', restore });
  }

  setLogLevel(level: LogLevel): void {
    this.#send({ kind: 'logLevel', level });
  }

  cancel(): void {
    this.#send({ kind: 'cancel' });
  }

  /** Ends the child without asking it. */
  kill(): void {
    this.#link.kill();
  }

  /** Lets go of the child, which another server goes on with. `finished` rejects with LEADERSHIP_LOST. */
  leave(): void {
    this.#link.leave();
    this.#end();
    this.#reject(
      new MillraceError('LEADERSHIP_LOST', 'Another server goes on with the process of the job.', {
        where: { job: this.jobName },
      }),
    );
    this.#events.end();
  }

  stop(options: { readonly drain?: boolean } = {}): Promise<JobResult> {
    this.#send({ kind: 'stop', drain: options.drain ?? false });
    return this.finished;
  }

  checkpoint(): Promise<CheckpointReport> {
    return this.#requests.checkpoint();
  }

  savepoint(options: SavepointOptions = {}): Promise<CheckpointReport> {
    return this.#requests.savepoint(options);
  }

  /** How the job would run at another parallelism. Rejects with PARALLELISM_INVALID. */
  planAt(parallelism: number): Promise<PlanExplanation> {
    return this.#calls.ask('plan', parallelism);
  }

  /** What going on from the snapshot of its settings would mean. Rejects with why that cannot be told. */
  restorePlan(): Promise<RestoreReport> {
    return this.#calls.ask('restorePlan', 0);
  }

  /** Has the job go on at another parallelism. Rejects as that of an execution, and with JOB_NOT_RUNNING. */
  rescale(parallelism: number): Promise<RescaleReport> {
    return this.#calls.ask('rescale', parallelism);
  }

  /** Rejects as that of an execution, and with JOB_NOT_RUNNING. */
  profile({ seconds = 1 }: ProfileOptions = {}): Promise<JobProfile> {
    return this.#calls.ask('profile', seconds);
  }

  /** What every thread of the child does now. Rejects with PROFILE_UNAVAILABLE and JOB_NOT_RUNNING. */
  threadStacks(): Promise<readonly ThreadStack[]> {
    return this.#calls.ask('stacks', 0);
  }

  tap(options: TapOptions): Tap {
    return new Tap(options, (observer) => this.openTap(options, observer));
  }

  openTap(options: TapOptions, observer: TapObserver): () => void {
    const tap = ++this.#lastTap;
    this.#taps.set(tap, observer);
    this.#send({ kind: 'openTap', tap, options });
    return () => {
      if (this.#taps.delete(tap)) this.#send({ kind: 'closeTap', tap });
    };
  }

  #endTap(tap: number, error: WireError | null): void {
    const observer = this.#taps.get(tap);
    this.#taps.delete(tap);
    observer?.end(error);
  }

  events(): AsyncIterableIterator<ExecutionEvent> {
    return this.#events.subscribe();
  }

  /** The counters as the child last reported them, at most a quarter of a second old. */
  metrics(): RunMetricsSnapshot {
    return this.#metrics.newest;
  }

  /** Those of five to ten seconds before, or the first ones: what rates are reckoned from. */
  earlierMetrics(): RunMetricsSnapshot {
    return this.#metrics.earlier;
  }

  /** Names an operator of a chain for errors. */
  protected operatorAt(vertex: number, operator: number): ErrorWhere {
    const found = this.#plan?.vertices[vertex]?.operators[operator];
    return found === undefined ? {} : { operator: found.name, uid: found.uid };
  }

  #send(request: ProcessRequest): void {
    this.#link.send(request);
  }

  #onReport(report: ProcessReport): void {
    if (report.kind === 'metrics') this.#metrics.add(report.metrics);
    else if (report.kind === 'tapped') this.#taps.get(report.tap)?.chunk(report.chunk);
    else if (report.kind === 'tapEnded') this.#endTap(report.tap, report.error);
    else if (report.kind === 'answer') this.#requests.answer(report.token, report.outcome);
    else if (report.kind === 'returned') this.#calls.answer(report.token, report.outcome);
    else if (report.kind === 'planned') {
      this.#plan = report.plan;
      this.#onPlanned(report.plan);
    } else if (report.kind === 'event') {
      if (report.event.type === 'state') this.#entered(report.event.state);
      if (report.event.type === 'restart') this.restarts++;
      if (report.event.type === 'checkpoint') this.checkpoints = report.event.statistics;
      if (report.event.type === 'restored' && this.restarts === 0) this.restored = report.event;
      this.#events.push(report.event);
    } else {
      this.#outcome = report;
    }
  }

  #entered(state: JobState): void {
    this.state = state;
    // Counters begin anew with an attempt, and rates with them.
    if (state === 'RUNNING') this.#metrics.begin();
  }

  /** What the child has come to before this parent had it. */
  protected goOn(known: KnownProgress): void {
    const { plan, state, restarts, restored, metrics, checkpoints } = known;
    Object.assign(this, { state, restarts, restored, checkpoints });
    this.#plan = plan;
    this.#onPlanned(plan);
    if (metrics === null) return;
    this.#metrics.begin();
    this.#metrics.add(metrics);
  }

  /** Nobody answers any more. */
  #end(): void {
    this.#requests.end();
    this.#calls.end();
    for (const tap of this.#taps.keys()) this.#endTap(tap, null);
  }

  #settle(
    how: string,
    resolve: (result: JobResult) => void,
    reject: (error: unknown) => void,
  ): void {
    this.#end();
    const outcome = this.#outcome;
    if (outcome?.kind === 'finished') {
      this.#metrics.add(outcome.result.metrics);
      this.state = 'FINISHED';
      resolve(outcome.result);
    } else if (outcome?.kind === 'failed') {
      reject(fromWire(outcome.error));
    } else {
      this.state = 'FAILED';
      reject(this.#died(how));
    }
    this.#events.end();
  }

  #died(how: string): MillraceError {
    const where = this.#lastOperator();
    const last = where.operator === undefined ? '' : `; ${where.operator} was running`;
    return new MillraceError('PROCESS_DIED', `The process of the job ended ${how}${last}.`, {
      where: { job: this.jobName, ...where },
      advice: 'An abort by V8 usually means that functions of the job keep too much in memory.',
    });
  }

  /** The operator that was in a user function when the child last reported. */
  #lastOperator(): ErrorWhere {
    for (const vertex of this.#metrics.newest.vertices) {
      for (const [subtask, task] of vertex.subtasks.entries()) {
        if (task.currentOperator === null) continue;
        const known = this.operatorAt(vertex.id, task.currentOperator);
        return { operator: vertex.name, ...known, subtask };
      }
    }
    return {};
  }
}
