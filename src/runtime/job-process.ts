/**
 * A job in a child process, as its parent sees it: what the child is told, what it reports, how it ends. Nothing that
 * the job does ends the parent: not a crash, not an abort of V8, not an endless loop. Callers: `isolated-run.ts` for
 * `isolate: 'process'`, the server for each of its jobs. Runs on: the caller's thread. Invariant: the child is gone
 * when `finished` settles.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ErrorWhere, fromWire, MillraceError, type WireError } from '../base/errors.js';
import { settledAfter } from '../base/settled-after.js';
import type { CheckpointOutcome, CheckpointRequest } from '../checkpoint/checkpoint-protocol.js';
import { type CheckpointStatistics, NO_STATISTICS } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import type { PlanExplanation } from '../graph/explain.js';
import { CheckpointRequests, type SavepointOptions } from './checkpoint-requests.js';
import type { JobState } from './coordinator.js';
import { entryUrl } from './entry-url.js';
import { EventStream } from './event-stream.js';
import type { ExecutionEvent, JobResult, RestoredAttempt } from './execution.js';
import type { RunMetricsSnapshot } from './metrics-snapshot.js';
import { NO_METRICS } from './no-metrics.js';
import type { JobIdentity } from './plan-run.js';
import { RateWindow } from './rate-window.js';
import type { Settings } from './settings.js';

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
}

/** To the child. */
export type ProcessRequest =
  | ProcessRun
  | { readonly kind: 'admit' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'stop'; readonly drain: boolean }
  | { readonly kind: 'checkpoint'; readonly request: CheckpointRequest };

/** From the child. */
export type ProcessReport =
  | { readonly kind: 'planned'; readonly plan: PlanExplanation }
  | { readonly kind: 'event'; readonly event: ExecutionEvent }
  | { readonly kind: 'metrics'; readonly metrics: RunMetricsSnapshot }
  | { readonly kind: 'answer'; readonly token: number; readonly outcome: CheckpointOutcome }
  | { readonly kind: 'finished'; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly error: WireError };

/** Where what the child prints goes. */
export interface ProcessOutput {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** A job in a child process. */
export class JobProcess {
  finished: Promise<JobResult>;
  state: JobState = 'CREATED';
  restarts = 0;
  restored: RestoredAttempt | null = null;
  checkpoints: CheckpointStatistics = NO_STATISTICS;
  readonly #requests: CheckpointRequests;
  readonly #child: ChildProcess;
  readonly #events = new EventStream<ExecutionEvent>();
  readonly #jobName: string;
  readonly #planned: Promise<PlanExplanation>;
  #onPlanned: (plan: PlanExplanation) => void = () => {};
  #plan: PlanExplanation | null = null;
  readonly #metrics = new RateWindow(NO_METRICS);
  #outcome: ProcessReport | null = null;

  constructor(request: ProcessRun, output: ProcessOutput) {
    this.#jobName = request.jobName ?? '';
    this.#planned = new Promise((resolve) => {
      this.#onPlanned = resolve;
    });
    this.#requests = new CheckpointRequests(request.settings, (asked) =>
      this.#send({ kind: 'checkpoint', request: asked }),
    );
    // The id is there for people who look for the process of a job, and for a server that looks for one left behind.
    const words = request.identity === null ? [] : [request.identity.jobId];
    const options = { serialization: 'advanced', silent: true } as const;
    this.#child = fork(fileURLToPath(entryUrl('process')), words, options);
    // What the child prints goes through this process, as that of worker threads does, so that the caller stays
    // the only writer of its terminal.
    this.#child.stdout?.pipe(output.stdout, { end: false });
    this.#child.stderr?.pipe(output.stderr, { end: false });
    this.#child.on('message', (report: ProcessReport) => this.#onReport(report));
    this.finished = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      // Unlike 'exit', it comes after everything that the child has printed.
      this.#child.once('close', (code, exitSignal) => {
        this.#settle(code, exitSignal, resolve, reject);
      });
    });
    this.finished.catch(() => {});
    this.#send(request);
  }

  get jobName(): string {
    return this.#plan?.job ?? this.#jobName;
  }

  afterEnd(action: () => Promise<void>): void {
    this.finished = settledAfter(this.finished, action);
  }

  /** Of the child; null when it could not be started. */
  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** The plan of a job that awaits admission; rejects when there is none. */
  async planned(): Promise<PlanExplanation> {
    const ended = this.finished.then(() => Promise.reject(this.#died('without a plan')));
    return Promise.race([this.#planned, ended]);
  }

  /** Lets a job start that has been planned. */
  admit(): void {
    this.#send({ kind: 'admit' });
  }

  cancel(): void {
    this.#send({ kind: 'cancel' });
  }

  /** Ends the child without asking it. */
  kill(): void {
    this.#child.kill('SIGKILL');
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
    if (this.#child.connected) this.#child.send(request);
  }

  #onReport(report: ProcessReport): void {
    if (report.kind === 'metrics') this.#metrics.add(report.metrics);
    else if (report.kind === 'answer') this.#requests.answer(report.token, report.outcome);
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

  #settle(
    code: number | null,
    exitSignal: NodeJS.Signals | null,
    resolve: (result: JobResult) => void,
    reject: (error: unknown) => void,
  ): void {
    this.#requests.end();
    const outcome = this.#outcome;
    if (outcome?.kind === 'finished') {
      this.#metrics.add(outcome.result.metrics);
      this.state = 'FINISHED';
      resolve(outcome.result);
    } else if (outcome?.kind === 'failed') {
      reject(fromWire(outcome.error));
    } else {
      this.state = 'FAILED';
      reject(this.#died(exitSignal === null ? `with code ${code}` : `by ${exitSignal}`));
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
