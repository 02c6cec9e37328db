/**
 * A job that was to go on from its newest checkpoint and had come to its end before: there is nothing to do. Callers:
 * `launch-run.ts`. Runs on: the caller's thread. Invariant: nothing is read, written or started.
 */
import { MillraceError } from '../base/errors.js';
import { type CheckpointStatistics, NO_STATISTICS } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { JobState } from './coordinator.js';
import { EventStream } from './event-stream.js';
import type { ExecutionEvent, StartedJob, JobResult } from './execution.js';
import type { RestoredAttempt } from './further-attempts.js';
import type { JobProfile } from './job-profile.js';
import type { RunMetricsSnapshot } from './metrics-snapshot.js';
import { NO_METRICS } from './no-metrics.js';
import type { RescaleReport } from './rescaling.js';
import { Tap, type TapObserver, type TapOptions } from './tap.js';
import type { TimeReport } from './time-report.js';

/** The handle on it. */
export class FinishedRun implements StartedJob {
  readonly plan: PhysicalPlan;
  readonly finished: Promise<JobResult>;
  readonly state: JobState = 'FINISHED';
  readonly restarts = 0;
  readonly restored: RestoredAttempt | null = null;
  readonly checkpoints: CheckpointStatistics = NO_STATISTICS;
  readonly #events = new EventStream<ExecutionEvent>();

  /** `finishedMs`: when it came to its end, by the wall clock. */
  constructor(plan: PhysicalPlan, finishedMs: number) {
    this.plan = plan;
    this.finished = Promise.resolve({
      jobName: plan.jobName,
      state: 'FINISHED',
      durationMs: 0,
      metrics: this.metrics(),
      badRecords: 0,
      hadFinishedMs: finishedMs,
      ledger: [],
      resident: null,
    });
    this.#events.end();
  }

  get jobName(): string {
    return this.plan.jobName;
  }

  cancel(): void {}

  stop(): Promise<JobResult> {
    return this.finished;
  }

  /** There is nothing left to report. */
  afterEnd(action: () => Promise<void>): void {
    void action();
  }

  events(): AsyncIterableIterator<ExecutionEvent> {
    return this.#events.subscribe();
  }

  metrics(): RunMetricsSnapshot {
    return NO_METRICS;
  }

  whyNoOutput(): readonly TimeReport[] {
    return [];
  }

  checkpoint(): Promise<CheckpointReport> {
    return Promise.reject(hasEnded('checkpoint'));
  }

  savepoint(): Promise<CheckpointReport> {
    return Promise.reject(hasEnded('savepoint'));
  }

  tap(): Tap {
    return new Tap({}, (observer) => this.openTap({ operator: '' }, observer));
  }

  openTap(_options: TapOptions, { end }: TapObserver): () => void {
    end(null);
    return () => {};
  }

  profile(): Promise<JobProfile> {
    const where = { job: this.jobName };
    return Promise.reject(new MillraceError('JOB_NOT_RUNNING', 'The job has ended.', { where }));
  }

  setLogLevel(): void {}

  rescale(): Promise<RescaleReport> {
    return Promise.reject(cannotRescale(this.jobName));
  }
}

function cannotRescale(job: string): MillraceError {
  return new MillraceError('RESCALE_FAILED', 'The job was not rescaled: it has ended.', {
    where: { job },
  });
}

function hasEnded(kind: string): MillraceError {
  return new MillraceError('CHECKPOINT_FAILED', `No ${kind} was taken: the job has ended.`);
}
