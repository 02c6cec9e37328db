/**
 * Reads the counters of subtasks and channels as plain data, while their owners go on counting. Callers: console,
 * watchdog, reporters; slots only write, so that they do not load this. Runs on: any thread.
 */
import {
  CHANNEL_VALUES,
  channelValues,
  TASK_STATES,
  TASK_VALUES,
  TASK_WORDS,
  type TaskState,
  TIME_STATUS,
  taskValues,
  taskWords,
} from './metrics-layout.js';
import { type MeteredPlan, RunMetrics } from './run-metrics.js';
import type { TimePlaces } from './task-metrics.js';

function readTime(values: Float64Array, places: TimePlaces): TimeSnapshot {
  const status = values[places.timeStatus] ?? 0;
  const hasWatermark = (status & TIME_STATUS.hasWatermark) !== 0;
  return {
    watermarkMs: hasWatermark ? (values[places.watermarkMs] ?? 0) : null,
    isIdle: (status & TIME_STATUS.isIdle) !== 0,
  };
}

/** Event time at some place. */
export interface TimeSnapshot {
  /** Null before the first watermark; `Number.MAX_SAFE_INTEGER` once event time has ended. */
  readonly watermarkMs: number | null;
  /** Whether nothing is to be expected there for now, so that nobody waits for it. */
  readonly isIdle: boolean;
}

/** Values that are what they are, each under its name. */
type Counters = {
  readonly [K in Exclude<keyof typeof TASK_VALUES, 'entryMs' | keyof TimePlaces>]: number;
};

const READ_OTHERWISE = ['entryMs', 'watermarkMs', 'timeStatus'];
const COUNTERS = Object.entries(TASK_VALUES).filter(([name]) => !READ_OTHERWISE.includes(name));

function counters(values: Float64Array): Counters {
  const read = COUNTERS.map(([name, place]) => [name, values[place] ?? 0]);
  return Object.fromEntries(read) as Counters;
}

/** The counters of a subtask at one moment: plain data. */
export type TaskMetricsSnapshot = TimeSnapshot &
  Counters & {
    readonly state: TaskState;
    /** Operator whose user function runs, null for none. */
    readonly currentOperator: number | null;
    readonly progress: number;
    /** Number of the split of its source that holds its event time back, -1 for none. */
    readonly heldBySplit: number;
    /** Monotonic time at which the current step began, null between steps. */
    readonly entryMs: number | null;
    /** Monotonic time of the snapshot, as its reader gave it. */
    readonly atMs: number;
  };

/** The counters of a channel at one moment: plain data. */
export type EdgeMetricsSnapshot = TimeSnapshot & {
  readonly [K in Exclude<keyof typeof CHANNEL_VALUES, keyof TimePlaces>]: number;
} & { readonly atMs: number };

/** Reads the counters of a subtask. Runs on: any thread. */
export function readTaskMetrics(
  memory: SharedArrayBuffer,
  subtask: number,
  atMs: number,
): TaskMetricsSnapshot {
  const words = taskWords(memory, subtask);
  const values = taskValues(memory, subtask);
  const operator = words[TASK_WORDS.currentOperator] ?? -1;
  const entryMs = values[TASK_VALUES.entryMs] ?? 0;
  return {
    ...counters(values),
    ...readTime(values, TASK_VALUES),
    state: TASK_STATES[words[TASK_WORDS.state] ?? 0] ?? 'CREATED',
    currentOperator: operator < 0 ? null : operator,
    progress: words[TASK_WORDS.progress] ?? 0,
    heldBySplit: (words[TASK_WORDS.heldBySplit] ?? 0) - 1,
    entryMs: entryMs === 0 ? null : entryMs,
    atMs,
  };
}

/** Reads the counters of a channel. Runs on: any thread. */
export function readEdgeMetrics(
  memory: SharedArrayBuffer,
  subtasks: number,
  channel: number,
  atMs: number,
): EdgeMetricsSnapshot {
  const values = channelValues(memory, subtasks, channel);
  return {
    rows: values[CHANNEL_VALUES.rows] ?? 0,
    bytes: values[CHANNEL_VALUES.bytes] ?? 0,
    queuedBytes: values[CHANNEL_VALUES.queuedBytes] ?? 0,
    capacityBytes: values[CHANNEL_VALUES.capacityBytes] ?? 0,
    ...readTime(values, CHANNEL_VALUES),
    atMs,
  };
}

/** What happened between two snapshots, per second; the three times add up to about 1000. */
export interface TaskRates {
  readonly rowsInPerSecond: number;
  readonly rowsOutPerSecond: number;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
  readonly busyMsPerSecond: number;
  readonly backpressuredMsPerSecond: number;
  readonly idleMsPerSecond: number;
}

/** What a counter has grown by; one that has gone back was begun anew by a restart. */
export function grownBy(previous: number, next: number): number {
  return next >= previous ? next - previous : next;
}

/** Rates between two snapshots of one subtask; all zero when no time has passed. */
export function rates(previous: TaskMetricsSnapshot, next: TaskMetricsSnapshot): TaskRates {
  const seconds = (next.atMs - previous.atMs) / 1000;
  const per = (from: number, to: number): number => (seconds > 0 ? grownBy(from, to) / seconds : 0);
  return {
    rowsInPerSecond: per(previous.rowsIn, next.rowsIn),
    rowsOutPerSecond: per(previous.rowsOut, next.rowsOut),
    bytesInPerSecond: per(previous.bytesIn, next.bytesIn),
    bytesOutPerSecond: per(previous.bytesOut, next.bytesOut),
    busyMsPerSecond: per(previous.busyMs, next.busyMs),
    backpressuredMsPerSecond: per(previous.backpressuredMs, next.backpressuredMs),
    idleMsPerSecond: per(previous.idleMs, next.idleMs),
  };
}

/** Reads the metrics of a run by vertex and subtask. */
export class RunMetricsReader {
  readonly #memory: SharedArrayBuffer;
  readonly #index: RunMetrics;

  constructor(memory: SharedArrayBuffer, plan: MeteredPlan, channels: number) {
    this.#memory = memory;
    this.#index = new RunMetrics(memory, plan, channels);
  }

  task(vertex: number, subtask: number, atMs: number): TaskMetricsSnapshot {
    return readTaskMetrics(this.#memory, this.#index.taskIndex(vertex, subtask), atMs);
  }

  channel(channel: number, atMs: number): EdgeMetricsSnapshot {
    return readEdgeMetrics(this.#memory, this.#index.subtasks, channel, atMs);
  }
}
