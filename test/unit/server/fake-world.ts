/** A dispatcher whose jobs run in no process: the test says what becomes of each. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MillraceError } from '../../../src/base/errors.js';
import type { LogLevel } from '../../../src/base/function-log.js';
import { nodeDisk } from '../../../src/base/node-disk.js';
import type { PlanExplanation } from '../../../src/graph/explain.js';
import { EventStream } from '../../../src/runtime/event-stream.js';
import type { ExecutionEvent, JobResult } from '../../../src/runtime/execution.js';
import { NO_STATISTICS } from '../../../src/checkpoint/checkpoint-statistics.js';
import type { Recap } from '../../../src/runtime/adopted-process.js';
import type { ProcessRun } from '../../../src/runtime/job-process.js';
import type { JobProfile, ThreadStack } from '../../../src/runtime/job-profile.js';
import type { RescaleReport } from '../../../src/runtime/rescaling.js';
import type { RestoreReport } from '../../../src/runtime/restore-report.js';
import type { RunMetricsSnapshot } from '../../../src/runtime/metrics-snapshot.js';
import { NO_METRICS } from '../../../src/runtime/no-metrics.js';
import { resolveSettings } from '../../../src/runtime/settings.js';
import { Dispatcher } from '../../../src/server/dispatcher.js';
import type { Submission } from '../../../src/server/job-record.js';
import { JobLogs } from '../../../src/server/job-logs.js';
import { JobStore } from '../../../src/server/job-store.js';
import { DataFence, observedTerm } from '../../../src/server/leadership/data-fence.js';
import { identityOf } from '../../../src/server/process-table.js';
import type { Admission, ServedProcess } from '../../../src/server/served-job.js';
import { SlotPool } from '../../../src/server/slot-pool.js';

interface FakeRescaling {
  readonly parallelism: number;
  isOver: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

export class FakeProcess implements ServedProcess {
  readonly pid = 2 ** 30;
  readonly run: ProcessRun;
  readonly finished: Promise<JobResult>;
  isAdmitted = false;
  isCanceled = false;
  isOver = false;
  isLeft = false;
  /** To which it was rescaled. */
  parallelism: number | null = null;
  /** Asked for last; the test answers it. */
  rescaling: FakeRescaling | null = null;
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

  profile(): Promise<JobProfile> {
    return Promise.resolve({ startMs: 0, endMs: 1, threads: [] });
  }

  threadStacks(): Promise<readonly ThreadStack[]> {
    return Promise.resolve([]);
  }

  openTap(): () => void {
    return () => {};
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
    // One that was found runs already.
    if (this.isAdmitted) return;
    this.isAdmitted = true;
    this.tell({ type: 'state', state: 'RUNNING', atMs: 0 });
  }

  tell(event: ExecutionEvent): void {
    this.#events.push(event);
  }

  logLevel: LogLevel | null = null;

  setLogLevel(level: LogLevel): void {
    this.logLevel = level;
  }

  cancel(): void {
    this.isCanceled = true;
  }

  kill(): void {
    this.fail(new MillraceError('PROCESS_DIED', 'It was killed.'));
  }

  leave(): void {
    this.isLeft = true;
    this.#reject(new MillraceError('LEADERSHIP_LOST', 'It is left to another server.'));
    this.#events.end();
  }

  /** The same process as the next server finds it. */
  foundAgain(): FakeProcess & { readonly recap: Recap } {
    const found = new FakeProcess(this.run);
    const { parallelism } = this;
    const rescaled = parallelism === null ? null : { parallelism };
    Object.assign(found, { parallelism, isAdmitted: true, isCanceled: this.isCanceled });
    this.isOver = true;
    const recap: Recap = {
      kind: 'recap',
      plan: fakePlan(parallelism ?? this.run.settings.parallelism ?? 1),
      state: 'RUNNING',
      restarts: 0,
      restored: null,
      metrics: NO_METRICS,
      checkpoints: NO_STATISTICS,
      checkpointsBefore: this.run.served?.checkpointsBefore ?? NO_STATISTICS,
      rescaled,
    };
    return Object.assign(found, { recap });
  }

  finish(): void {
    this.isOver = true;
    this.rescaling?.reject(new MillraceError('JOB_NOT_RUNNING', 'It has ended.'));
    const { jobName } = this.run;
    const rest = {
      durationMs: 1,
      metrics: NO_METRICS,
      badRecords: 0,
      hadFinishedMs: null,
      ledger: [],
      resident: null,
    };
    this.#resolve({ jobName: jobName ?? '', state: 'FINISHED', ...rest });
    this.#events.end();
  }

  fail(error: MillraceError): void {
    this.isOver = true;
    this.rescaling?.reject(error);
    this.#reject(error);
    this.#events.end();
  }

  checkpoint(): Promise<never> {
    return Promise.reject(new MillraceError('CHECKPOINT_FAILED', 'It takes none.'));
  }

  savepoint(): Promise<never> {
    return Promise.reject(new MillraceError('CHECKPOINT_FAILED', 'It takes none.'));
  }

  async planAt(parallelism: number): Promise<PlanExplanation> {
    if (parallelism > 128) throw new MillraceError('PARALLELISM_INVALID', 'It is too wide.');
    return fakePlan(parallelism);
  }

  restorePlan(): Promise<RestoreReport> {
    if (this.run.jobName === 'hangs on restore') return this.finished.then(() => fakeRestore());
    if (this.run.jobName === 'dies on restore') {
      this.fail(new MillraceError('PROCESS_DIED', 'It was killed.'));
      return Promise.reject(new MillraceError('JOB_NOT_RUNNING', 'It has ended.'));
    }
    if (this.run.jobName === 'refuses') {
      return Promise.reject(new MillraceError('CHECKPOINT_NOT_FOUND', 'There is none.'));
    }
    return Promise.resolve(fakeRestore());
  }

  rescale(parallelism: number): Promise<RescaleReport> {
    return new Promise((resolve, reject) => {
      this.rescaling = {
        parallelism,
        isOver: false,
        resolve: () => {
          if (this.rescaling !== null) this.rescaling.isOver = true;
          this.parallelism = parallelism;
          const times = { checkpoint: 1, checkpointMs: 1, restartMs: 1 };
          resolve({ from: this.run.settings.parallelism ?? 1, to: parallelism, ...times });
        },
        reject: (error) => {
          if (this.rescaling !== null) this.rescaling.isOver = true;
          reject(error);
        },
      };
    });
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

function fakeRestore(): RestoreReport {
  return { job: 'fake', checkpoint: null, operators: [], unreadable: [], refusals: [] };
}

/** A source and a sink that need so many slots. */
export function fakePlan(slots: number): PlanExplanation {
  const common = {
    slotSharingGroup: 'default',
    region: 0,
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
  readonly endedMs?: number;
  readonly planTimeoutMs?: number;
}

export class FakeWorld {
  readonly directory = mkdtempSync(join(tmpdir(), 'millrace-dispatcher-'));
  readonly module = join(this.directory, 'module.mjs');
  readonly processes: FakeProcess[] = [];
  readonly defects: unknown[] = [];
  readonly time = { nowMs: 1000 };
  readonly clock = { epochMs: () => this.time.nowMs, monotonicMs: () => this.time.nowMs };

  readonly fence = nextFence(this.directory);
  #logs: JobLogs | null = null;

  constructor() {
    writeFileSync(this.module, 'export {};');
  }

  release(): void {
    this.#logs?.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  get store(): JobStore {
    return new JobStore(nodeDisk, join(this.directory, 'jobs'), this.fence);
  }

  get logDirectory(): string {
    return join(this.directory, 'log');
  }

  /** One for the whole world, as a server has one. */
  get logs(): JobLogs {
    const { store, clock, logDirectory: directory } = this;
    const kept = { bytesMax: 1024 * 1024, files: 2 };
    this.#logs ??= new JobLogs({ disk: nodeDisk, clock, store, directory, kept });
    return this.#logs;
  }

  dispatcher(options: WorldOptions = {}): Dispatcher {
    const { slots = 4, admission = 'queue', planTimeoutMs = 60_000 } = options;
    const { endedMax = 100, endedMs = null } = options;
    return new Dispatcher({
      clock: this.clock,
      disk: nodeDisk,
      store: this.store,
      pool: new SlotPool(slots),
      admission,
      endedMax,
      endedMs,
      planTimeoutMs,
      logs: this.logs,
      launch: (run) => {
        const process = new FakeProcess(run);
        this.processes.push(process);
        return process;
      },
      orphanTimeoutMs: 60_000,
      protocol: 'test',
      find: async ({ id }) => {
        const process = this.processOf(id)?.foundAgain() ?? null;
        if (process !== null) this.processes.push(process);
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

/** The right of a leader that has just taken over the data. */
export function nextFence(data: string): DataFence {
  const self = { url: 'http://localhost:8081', process: identityOf(nodeDisk, process.pid) };
  const fence = DataFence.claim(nodeDisk, data, self, observedTerm(nodeDisk, data).epoch);
  if (fence === null) throw new Error('Another one was faster.');
  return fence;
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
