/**
 * Every metric of the engine: its name as in Flink, its type, and where its value comes from. REST, reporters and
 * `docs/metrics.md` read these tables; what each means is in `metric-meanings.ts`. Callers: `measured-job.ts`, the
 * server. Runs on: the caller's thread; pure.
 */
import type { CheckpointStatistics } from '../checkpoint/checkpoint-statistics.js';
import type { PointValue } from '../metrics/metric-point.js';
import type { ProcessUsage } from '../metrics/process-usage.js';
import type { TaskMetricsSnapshot, TaskRates } from '../metrics/read-task-metrics.js';
import { WATERMARK_MAX } from '../time/watermark.js';

/** A metric of something. */
export interface MetricDefinition<T> {
  readonly type: PointValue['type'];
  /** Null where there is none for now. */
  read(of: T): PointValue | null;
}

/** A subtask at one moment. */
export interface TaskMeasure {
  readonly task: TaskMetricsSnapshot;
  readonly rates: TaskRates;
  /** The least that its inputs have come to; null before one has. */
  readonly inputWatermarkMs: number | null;
  /** Wall clock. */
  readonly nowMs: number;
}

/** A job at one moment. */
export interface JobMeasure {
  readonly restarts: number;
  /** How long it has been running, 0 while it is not. */
  readonly runningMs: number;
  readonly checkpoints: CheckpointStatistics;
  /** Wall clock. */
  readonly nowMs: number;
  /** What its sources have not read yet; null where none of them knows. */
  readonly pendingRecords: number | null;
  readonly pendingBytes: number | null;
  /** How unevenly the records of its chains go to their subtasks: the worst one, in per cent. */
  readonly dataSkew: number | null;
}

/** A process at one moment, and what it took of the cores of late, as a share. */
export interface ProcessMeasure {
  readonly usage: ProcessUsage;
  readonly cpuLoad: number;
}

/** A server at one moment. */
export interface ServerMeasure {
  readonly slots: number;
  readonly freeSlots: number;
  readonly processes: number;
  readonly runningJobs: number;
}

const counter = <T>(read: (of: T) => number): MetricDefinition<T> => ({
  type: 'counter',
  read: (of) => ({ type: 'counter', value: read(of) }),
});

const gauge = <T>(read: (of: T) => number | null | undefined): MetricDefinition<T> => ({
  type: 'gauge',
  read: (of) => {
    const value = read(of);
    return value === null || value === undefined ? null : { type: 'gauge', value };
  },
});

const meter = <T>(count: (of: T) => number, rate: (of: T) => number): MetricDefinition<T> => ({
  type: 'meter',
  read: (of) => ({ type: 'meter', count: count(of), rate: rate(of) }),
});

const text = <T>(read: (of: T) => string | null | undefined): MetricDefinition<T> => ({
  type: 'text',
  read: (of) => {
    const value = read(of);
    return value === null || value === undefined ? null : { type: 'text', value };
  },
});

/** No watermark yet, and the end of event time, as Flink has them: the least and the greatest of its numbers. */
export const NO_WATERMARK = -(2 ** 63);
export const END_OF_TIME = 2 ** 63;

/** A watermark as a number. */
export function watermark(watermarkMs: number | null): number {
  if (watermarkMs === null) return NO_WATERMARK;
  return watermarkMs >= WATERMARK_MAX ? END_OF_TIME : watermarkMs;
}

/** How far a watermark is behind the wall clock; null where there is none, and when event time has ended or rests. */
function lagOf({ task: { watermarkMs, isIdle }, nowMs }: TaskMeasure): number | null {
  return watermarkMs === null || isIdle || watermarkMs >= WATERMARK_MAX
    ? null
    : nowMs - watermarkMs;
}

/** Back pressure from this share of time on is low, and high, as Flink has it. */
export const BACK_PRESSURE = { low: 0.1, high: 0.5 } as const;

/** Of subtasks. */
export const TASK_METRICS = {
  numRecordsIn: counter(({ task }: TaskMeasure) => task.rowsIn),
  numRecordsOut: counter(({ task }: TaskMeasure) => task.rowsOut),
  numBytesIn: counter(({ task }: TaskMeasure) => task.bytesIn),
  numBytesOut: counter(({ task }: TaskMeasure) => task.bytesOut),
  numBuffersIn: counter(({ task }: TaskMeasure) => task.batchesIn),
  numRecordsInPerSecond: meter(
    ({ task }: TaskMeasure) => task.rowsIn,
    ({ rates }) => rates.rowsInPerSecond,
  ),
  numRecordsOutPerSecond: meter(
    ({ task }: TaskMeasure) => task.rowsOut,
    ({ rates }) => rates.rowsOutPerSecond,
  ),
  numBytesInPerSecond: meter(
    ({ task }: TaskMeasure) => task.bytesIn,
    ({ rates }) => rates.bytesInPerSecond,
  ),
  numBytesOutPerSecond: meter(
    ({ task }: TaskMeasure) => task.bytesOut,
    ({ rates }) => rates.bytesOutPerSecond,
  ),
  busyTimeMsPerSecond: gauge(({ rates }: TaskMeasure) => rates.busyMsPerSecond),
  idleTimeMsPerSecond: gauge(({ rates }: TaskMeasure) => rates.idleMsPerSecond),
  backPressuredTimeMsPerSecond: gauge(({ rates }: TaskMeasure) => rates.backpressuredMsPerSecond),
  accumulateBusyTimeMs: gauge(({ task }: TaskMeasure) => task.busyMs),
  accumulateIdleTimeMs: gauge(({ task }: TaskMeasure) => task.idleMs),
  accumulateBackPressuredTimeMs: gauge(({ task }: TaskMeasure) => task.backpressuredMs),
  isBackPressured: text(({ rates }: TaskMeasure) =>
    String(rates.backpressuredMsPerSecond > BACK_PRESSURE.low * 1000),
  ),
  numLateRecordsDropped: counter(({ task }: TaskMeasure) => task.lateRecords),
  numRecordsInErrors: counter(({ task }: TaskMeasure) => task.badRecords),
  currentInputWatermark: gauge(({ inputWatermarkMs }: TaskMeasure) => watermark(inputWatermarkMs)),
  currentOutputWatermark: gauge(({ task }: TaskMeasure) => watermark(task.watermarkMs)),
  watermarkLag: gauge(lagOf),
  heapUsedBytes: gauge(({ task }: TaskMeasure) => task.heapUsedBytes),
  heapLimitBytes: gauge(({ task }: TaskMeasure) => task.heapLimitBytes),
  loopLagMs: gauge(({ task }: TaskMeasure) => task.loopLagMs),
  callsInFlight: gauge(({ task }: TaskMeasure) => task.callsInFlight),
  lookupHits: counter(({ task }: TaskMeasure) => task.lookupHits),
  lookupMisses: counter(({ task }: TaskMeasure) => task.lookupMisses),
  lookupLoads: counter(({ task }: TaskMeasure) => task.lookupLoads),
  lookupFailures: counter(({ task }: TaskMeasure) => task.lookupFailures),
  cachedRows: gauge(({ task }: TaskMeasure) => task.cachedRows),
  cachedBytes: gauge(({ task }: TaskMeasure) => task.cachedBytes),
  spilledBytes: gauge(({ task }: TaskMeasure) => task.spilledBytes),
  spilledBytesOut: counter(({ task }: TaskMeasure) => task.spilledBytesOut),
  spilledBytesIn: counter(({ task }: TaskMeasure) => task.spilledBytesIn),
  spillReads: counter(({ task }: TaskMeasure) => task.spillReads),
  coldLookups: counter(({ task }: TaskMeasure) => task.coldLookups),
  coldHits: counter(({ task }: TaskMeasure) => task.coldHits),
} as const;

/** Of jobs. */
export const JOB_METRICS = {
  numRestarts: gauge(({ restarts }: JobMeasure) => restarts),
  fullRestarts: gauge(({ restarts }: JobMeasure) => restarts),
  uptime: gauge(({ runningMs }: JobMeasure) => runningMs),
  runningTime: gauge(({ runningMs }: JobMeasure) => runningMs),
  numberOfInProgressCheckpoints: gauge(
    ({ checkpoints }: JobMeasure) => checkpoints.counts.inProgress,
  ),
  numberOfCompletedCheckpoints: gauge(
    ({ checkpoints }: JobMeasure) => checkpoints.counts.completed,
  ),
  numberOfFailedCheckpoints: gauge(({ checkpoints }: JobMeasure) => checkpoints.counts.failed),
  totalNumberOfCheckpoints: gauge(({ checkpoints }: JobMeasure) => checkpoints.counts.total),
  lastCompletedCheckpointId: gauge(
    ({ checkpoints }: JobMeasure) => checkpoints.latest.completed?.id,
  ),
  lastCheckpointDuration: gauge(({ checkpoints: { latest } }: JobMeasure) =>
    latest.completed === null ? null : Math.round(latest.completed.durationMs ?? 0),
  ),
  lastCheckpointSize: gauge(({ checkpoints }: JobMeasure) => checkpoints.latest.completed?.bytes),
  lastCheckpointFullSize: gauge(
    ({ checkpoints }: JobMeasure) => checkpoints.latest.completed?.fullBytes,
  ),
  lastCheckpointCompletedTimestamp: gauge(({ checkpoints: { latest } }: JobMeasure) =>
    latest.completed === null
      ? null
      : Math.round(latest.completed.triggeredMs + (latest.completed.durationMs ?? 0)),
  ),
  lastCheckpointAge: gauge(({ checkpoints: { latest, counts }, nowMs, runningMs }: JobMeasure) => {
    const newest = latest.completed;
    if (newest !== null) return Math.round(nowMs - newest.triggeredMs);
    return counts.total > 0 ? runningMs : null;
  }),
  lastCheckpointExternalPath: text(({ checkpoints: { latest } }: JobMeasure) =>
    latest.completed === null ? null : (latest.completed.path ?? 'n/a'),
  ),
  lastCheckpointRestoreTimestamp: gauge(({ checkpoints: { latest } }: JobMeasure) =>
    latest.restored === null ? null : Math.round(latest.restored.restoredMs),
  ),
  pendingRecords: gauge(({ pendingRecords }: JobMeasure) => pendingRecords),
  pendingBytes: gauge(({ pendingBytes }: JobMeasure) => pendingBytes),
  dataSkew: gauge(({ dataSkew }: JobMeasure) => dataSkew),
} as const;

/** Of the processes of jobs and of the server. */
export const PROCESS_METRICS = {
  'Status.JVM.CPU.Load': gauge(({ cpuLoad }: ProcessMeasure) => cpuLoad),
  'Status.JVM.CPU.Time': gauge(({ usage }: ProcessMeasure) => usage.cpuMs * 1e6),
  'Status.JVM.Memory.Heap.Used': gauge(({ usage }: ProcessMeasure) => usage.heapUsedBytes),
  'Status.JVM.Memory.Heap.Committed': gauge(
    ({ usage }: ProcessMeasure) => usage.heapCommittedBytes,
  ),
  'Status.JVM.Memory.Heap.Max': gauge(({ usage }: ProcessMeasure) => usage.heapMaxBytes),
  'Status.JVM.Memory.NonHeap.Used': gauge(({ usage }: ProcessMeasure) => usage.externalBytes),
  'Status.JVM.Memory.Direct.MemoryUsed': gauge(({ usage }: ProcessMeasure) => usage.bufferBytes),
  'Status.Process.Memory.Resident': gauge(({ usage }: ProcessMeasure) => usage.residentBytes),
  'Status.Process.Uptime': gauge(({ usage }: ProcessMeasure) => usage.upMs),
} as const;

/** Of the server. */
export const SERVER_METRICS = {
  taskSlotsTotal: gauge(({ slots }: ServerMeasure) => slots),
  taskSlotsAvailable: gauge(({ freeSlots }: ServerMeasure) => freeSlots),
  numRegisteredTaskManagers: gauge(({ processes }: ServerMeasure) => processes),
  numRunningJobs: gauge(({ runningJobs }: ServerMeasure) => runningJobs),
} as const;

/** The metrics of a table that something has now. */
export function measured<T>(
  table: Readonly<Record<string, MetricDefinition<T>>>,
  of: T,
): readonly (readonly [name: string, value: PointValue])[] {
  return Object.entries(table).flatMap(([name, definition]) => {
    const value = definition.read(of);
    return value === null ? [] : [[name, value] as const];
  });
}
