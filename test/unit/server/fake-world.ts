/** A dispatcher whose jobs run in no process: the test says what becomes of each. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MillraceError } from '../../../src/base/errors.js';
import { nodeDisk } from '../../../src/base/node-disk.js';
import type { PlanExplanation } from '../../../src/graph/explain.js';
import { EventStream } from '../../../src/runtime/event-stream.js';
import type { ExecutionEvent, JobResult } from '../../../src/runtime/execution.js';
import type { ProcessRun } from '../../../src/runtime/job-process.js';
import type { RunMetricsSnapshot } from '../../../src/runtime/metrics-snapshot.js';
import { NO_METRICS } from '../../../src/runtime/no-metrics.js';
import { resolveSettings } from '../../../src/runtime/settings.js';
import { Dispatcher } from '../../../src/server/dispatcher.js';
import type { Submission } from '../../../src/server/job-record.js';
import { JobStore } from '../../../src/server/job-store.js';
import type { Admission, ServedProcess } from '../../../src/server/served-job.js';
import { SlotPool } from '../../../src/server/slot-pool.js';

export class FakeProcess implements ServedProcess {
  readonly pid = 2 ** 30;
  readonly run: ProcessRun;
  readonly finished: Promise<JobResult>;
  isAdmitted = false;
  isCanceled = false;
  isOver = false;
  readonly #events = new EventStream<ExecutionEvent>();
  #resolve: (result: JobResult) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(run: ProcessRun) {
    this.run = run;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.finished.catch(() => {});
  }

  async planned(): Promise<PlanExplanation> {
    if (this.isOver) throw new MillraceError('PROCESS_DIED', 'It ended.');
    if (this.run.jobName === 'hangs') return this.finished.then(() => fakePlan(1));
    if (this.run.jobName === 'wrong') {
      this.fail(
        new MillraceError('FIELD_UNKNOWN', 'There is no field "a".', {
          advice: 'Did you mean "b"?',
        }),
      );
      return this.finished.then(() => fakePlan(1));
    }
    return fakePlan(this.run.settings.parallelism ?? 1);
  }

  admit(): void {
    this.isAdmitted = true;
    this.tell({ type: 'state', state: 'RUNNING', atMs: 0 });
  }

  tell(event: ExecutionEvent): void {
    this.#events.push(event);
  }

  cancel(): void {
    this.isCanceled = true;
  }

  kill(): void {
    this.fail(new MillraceError('PROCESS_DIED', 'It was killed.'));
  }

  finish(): void {
    this.isOver = true;
    const { jobName } = this.run;
    const rest = {
      durationMs: 1,
      metrics: NO_METRICS,
      badRecords: 0,
      hadFinishedMs: null,
      ledger: [],
    };
    this.#resolve({ jobName: jobName ?? '', state: 'FINISHED', ...rest });
    this.#events.end();
  }

  fail(error: MillraceError): void {
    this.isOver = true;
    this.#reject(error);
    this.#events.end();
  }

  checkpoint(): Promise<never> {
    return Promise.reject(new MillraceError('CHECKPOINT_FAILED', 'It takes none.'));
  }

  savepoint(): Promise<never> {
    return Promise.reject(new MillraceError('CHECKPOINT_FAILED', 'It takes none.'));
  }

  events(): AsyncIterableIterator<ExecutionEvent> {
    return this.#events.subscribe();
  }

  metrics(): RunMetricsSnapshot {
    return NO_METRICS;
  }

  earlierMetrics(): RunMetricsSnapshot {
    return NO_METRICS;
  }
}

/** A source and a sink that need so many slots. */
export function fakePlan(slots: number): PlanExplanation {
  const common = {
    slotSharingGroup: 'default',
    host: false,
    operators: [],
    source: null,
    sinks: [],
  };
  const numbers = Array.from({ length: slots }, (_, slot) => slot);
  const vertex = { maxParallelism: 128, parallelism: slots, slots: numbers };
  const edge = { to: 1, after: -1, partitioner: 'HASH', side: 0 as const };
  return {
    job: 'fake',
    hash: '',
    slots,
    guarantee: 'exactly-once',
    guaranteeLimitedBy: [],
    warnings: [],
    vertices: [
      {
        ...common,
        ...vertex,
        id: 0,
        uid: 'source',
        name: 'source',
        outputs: [{ ...edge, columns: null, chainBreak: '' }],
      },
      { ...common, ...vertex, id: 1, uid: 'sink', name: 'sink', outputs: [] },
    ],
  };
}

export interface WorldOptions {
  readonly slots?: number;
  readonly admission?: Admission;
  readonly endedMax?: number;
  readonly planTimeoutMs?: number;
}

export class FakeWorld {
  readonly directory = mkdtempSync(join(tmpdir(), 'millrace-dispatcher-'));
  readonly module = join(this.directory, 'module.mjs');
  readonly processes: FakeProcess[] = [];
  readonly defects: unknown[] = [];
  readonly time = { nowMs: 1000 };
  readonly clock = { epochMs: () => this.time.nowMs, monotonicMs: () => this.time.nowMs };

  constructor() {
    writeFileSync(this.module, 'export {};');
  }

  release(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  get store(): JobStore {
    return new JobStore(nodeDisk, join(this.directory, 'jobs'));
  }

  dispatcher(options: WorldOptions = {}): Dispatcher {
    const { slots = 4, admission = 'queue', endedMax = 100, planTimeoutMs = 60_000 } = options;
    return new Dispatcher({
      clock: this.clock,
      disk: nodeDisk,
      store: this.store,
      pool: new SlotPool(slots),
      admission,
      endedMax,
      planTimeoutMs,
      launch: (run) => {
        const process = new FakeProcess(run);
        this.processes.push(process);
        return process;
      },
      onDefect: (error) => this.defects.push(error),
    });
  }

  /** The newest process of a job that is not over. */
  processOf(jobid: string): FakeProcess | undefined {
    return this.processes.findLast(({ run, isOver }) => run.identity?.jobId === jobid && !isOver);
  }
}

export function submissionOf(
  parallelism: number,
  values: Readonly<Record<string, unknown>> = {},
  jobName: string | null = null,
): Submission {
  const settings = resolveSettings([{ origin: 'test', values: { parallelism, ...values } }]);
  const rest = { params: {}, baseDirectory: '/', submittedMs: 0 };
  return { bundle: 'job.mjs', jobName, settings, ...rest };
}

/** Lets everything happen that waits for nothing outside, and timers of no time, which come in their order. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => {
      setTimeout(resolve, 0);
    });
  }
}
