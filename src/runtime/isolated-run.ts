/**
 * Runs a whole job in a child process, so that nothing it does ends the caller: not a crash, not an abort of V8,
 * not an endless loop. Callers: `launch-run.ts` for `isolate: 'process'`. Runs on: the caller's thread. Invariant:
 * the child is gone when `finished` settles.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../base/clock.js';
import { type ErrorWhere, fromWire, MillraceError, type WireError } from '../base/errors.js';
import type { CheckpointOutcome, CheckpointRequest } from '../checkpoint/checkpoint-protocol.js';
import { type CheckpointStatistics, NO_STATISTICS } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { CheckpointRequests, type SavepointOptions } from './checkpoint-requests.js';
import type { JobState } from './coordinator.js';
import { entryUrl } from './entry-url.js';
import { EventStream } from './event-stream.js';
import type { ExecutionEvent, JobExecution, JobResult, RestoredAttempt } from './execution.js';
import type { RunMetricsSnapshot } from './metrics-snapshot.js';
import { type TimeReport, timeReports } from './time-report.js';
import type { Settings } from './settings.js';

/** To the child. */
export type IsolatedRequest =
  | {
      readonly kind: 'run';
      readonly moduleUrl: string;
      readonly jobName: string;
      readonly params: unknown;
      readonly settings: Settings;
      readonly baseDirectory: string;
      /** Columns of the caller's terminal, to which the child's output is passed on; null when it has none. */
      readonly columns: number | null;
    }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'stop'; readonly drain: boolean }
  | { readonly kind: 'checkpoint'; readonly request: CheckpointRequest };

/** From the child. */
export type IsolatedReport =
  | { readonly kind: 'event'; readonly event: ExecutionEvent }
  | { readonly kind: 'metrics'; readonly metrics: RunMetricsSnapshot }
  | { readonly kind: 'answer'; readonly token: number; readonly outcome: CheckpointOutcome }
  | { readonly kind: 'finished'; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly error: WireError };

/** A job in a child process. */
export class IsolatedRun implements JobExecution {
  readonly plan: PhysicalPlan;
  readonly finished: Promise<JobResult>;
  state: JobState = 'CREATED';
  restarts = 0;
  restored: RestoredAttempt | null = null;
  checkpoints: CheckpointStatistics = NO_STATISTICS;
  readonly #requests: CheckpointRequests;
  readonly #child: ChildProcess;
  readonly #events = new EventStream<ExecutionEvent>();
  readonly #signal: AbortSignal | null;
  readonly #onAbort = (): void => this.cancel();
  #metrics: RunMetricsSnapshot = { elapsedMs: 0, vertices: [], edges: [] };
  #outcome: IsolatedReport | null = null;

  constructor(
    plan: PhysicalPlan,
    request: IsolatedRequest & { readonly kind: 'run' },
    signal: AbortSignal | null,
  ) {
    this.plan = plan;
    this.#signal = signal;
    this.#requests = new CheckpointRequests(request.settings, (asked) =>
      this.#send({ kind: 'checkpoint', request: asked }),
    );
    // What the child prints goes through this process, as that of worker threads does, so that the caller stays
    // the only writer of its terminal.
    const options = { serialization: 'advanced', silent: true } as const;
    this.#child = fork(fileURLToPath(entryUrl('process')), [], options);
    this.#child.stdout?.pipe(process.stdout, { end: false });
    this.#child.stderr?.pipe(process.stderr, { end: false });
    this.#child.on('message', (report: IsolatedReport) => this.#onReport(report));
    this.finished = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      // Unlike 'exit', it comes after everything that the child has printed.
      this.#child.once('close', (code, exitSignal) => {
        this.#settle(code, exitSignal, resolve, reject);
      });
    });
    this.finished.catch(() => {});
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#send(request);
    if (signal?.aborted === true) this.cancel();
  }

  get jobName(): string {
    return this.plan.jobName;
  }

  cancel(): void {
    this.#send({ kind: 'cancel' });
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
    return this.#metrics;
  }

  whyNoOutput(): readonly TimeReport[] {
    return timeReports(this.plan, this.#metrics, systemClock.epochMs());
  }

  #send(request: IsolatedRequest): void {
    if (this.#child.connected) this.#child.send(request);
  }

  #onReport(report: IsolatedReport): void {
    if (report.kind === 'metrics') this.#metrics = report.metrics;
    else if (report.kind === 'answer') this.#requests.answer(report.token, report.outcome);
    else if (report.kind === 'event') {
      if (report.event.type === 'state') this.state = report.event.state;
      if (report.event.type === 'restart') this.restarts++;
      if (report.event.type === 'checkpoint') this.checkpoints = report.event.statistics;
      if (report.event.type === 'restored' && this.restarts === 0) this.restored = report.event;
      this.#events.push(report.event);
    } else {
      this.#outcome = report;
    }
  }

  #settle(
    code: number | null,
    exitSignal: NodeJS.Signals | null,
    resolve: (result: JobResult) => void,
    reject: (error: unknown) => void,
  ): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#requests.end();
    const outcome = this.#outcome;
    if (outcome?.kind === 'finished') {
      this.#metrics = outcome.result.metrics;
      this.state = 'FINISHED';
      resolve(outcome.result);
    } else if (outcome?.kind === 'failed') {
      reject(fromWire(outcome.error));
    } else {
      this.state = 'FAILED';
      reject(this.#died(code, exitSignal));
    }
    this.#events.end();
  }

  #died(code: number | null, exitSignal: NodeJS.Signals | null): MillraceError {
    const how = exitSignal === null ? `with code ${code}` : `by ${exitSignal}`;
    const where = this.#lastOperator();
    const last = where.operator === undefined ? '' : `; ${where.operator} was running`;
    return new MillraceError('PROCESS_DIED', `The process of the job ended ${how}${last}.`, {
      where: { job: this.jobName, ...where },
      advice: 'An abort by V8 usually means that functions of the job keep too much in memory.',
    });
  }

  /** The operator that was in a user function when the child last reported. */
  #lastOperator(): ErrorWhere {
    for (const vertex of this.#metrics.vertices) {
      for (const [subtask, task] of vertex.subtasks.entries()) {
        if (task.currentOperator === null) continue;
        const spec = this.plan.vertices[vertex.id]?.operators[task.currentOperator]?.spec;
        return { operator: spec?.name ?? vertex.name, subtask, ...(spec && { uid: spec.uid }) };
      }
    }
    return {};
  }
}
