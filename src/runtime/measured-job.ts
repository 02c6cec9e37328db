/**
 * A job as it is measured: the values of its metrics for REST, and all of them as points for reporters, whether a
 * server runs it or a program. Callers: the server, what reports. Runs on: the caller's thread; pure.
 */
import type { CheckpointStatistics } from '../checkpoint/checkpoint-statistics.js';
import type { MetricPoint, MetricScopeName, PointValue } from '../metrics/metric-point.js';
import type { ProcessUsage } from '../metrics/process-usage.js';
import {
  grownBy,
  rates,
  type TaskMetricsSnapshot,
  type TaskRates,
  type TimeSnapshot,
} from '../metrics/read-task-metrics.js';
import type { MetricScope } from '../metrics/read-user-metrics.js';
import {
  JOB_METRICS,
  measured,
  PROCESS_METRICS,
  type ProcessMeasure,
  TASK_METRICS,
} from './metric-definitions.js';
import type { RunMetricsSnapshot, UserMetric } from './metrics-snapshot.js';
import { vertexId } from './vertex-id.js';

/** As much of a chain as its metrics need. */
export interface MeasuredVertex {
  readonly id: number;
  readonly uid: string;
  readonly name: string;
  readonly parallelism: number;
}

/** A job at one moment. */
export interface MeasuredJob {
  readonly id: string;
  readonly name: string;
  readonly vertices: readonly MeasuredVertex[];
  /** Its counters; null before it has run. */
  readonly now: RunMetricsSnapshot | null;
  /** Those from which rates are reckoned: null for none, as before it has run for a while. */
  readonly earlier: RunMetricsSnapshot | null;
  /** Whether it has ended, so that nothing flows any more. */
  readonly isOver: boolean;
  readonly restarts: number;
  readonly runningMs: number;
  readonly checkpoints: CheckpointStatistics;
  /** Wall clock. */
  readonly nowMs: number;
}

/** A metric of a function of the job, with its value as points have it. */
export interface MeasuredUserMetric extends Omit<UserMetric, 'type' | 'value'> {
  readonly value: PointValue;
}

/** The metrics of the job as a whole. */
export function jobMetrics(job: MeasuredJob) {
  return measured(JOB_METRICS, {
    ...job,
    pendingRecords: pendingOf(job, 'rowsTotal', 'rowsIn'),
    pendingBytes: pendingOf(job, 'bytesTotal', 'bytesIn'),
    dataSkew: worstSkew(job),
  });
}

/** Latencies of its markers. */
export function latencyMetrics({ now }: MeasuredJob) {
  return (now?.latencies ?? []).map(({ groups, value }) => {
    return { groups, name: 'latency', value: { type: 'histogram', value } as const };
  });
}

/** Those of the groups that have a value. */
function variablesOf(groups: readonly MetricScope[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    groups.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])),
  );
}

/** What sources have not read yet; null where none of them knows, and when the job has ended. */
function pendingOf(
  { now, isOver }: MeasuredJob,
  total: 'rowsTotal' | 'bytesTotal',
  read: 'rowsIn' | 'bytesIn',
): number | null {
  let pending: number | null = null;
  for (const vertex of now?.vertices ?? []) {
    const all = vertex[total];
    if (all !== null && !isOver) pending = (pending ?? 0) + Math.max(0, all - vertex[read]);
  }
  return pending;
}

/** The greatest skew of the chains that have several subtasks; null where there are none. */
function worstSkew({ now }: MeasuredJob): number | null {
  const chains = (now?.vertices ?? []).filter(({ parallelism }) => parallelism > 1);
  if (chains.length === 0) return null;
  return Math.max(...chains.map(({ subtasks }) => skewOf(subtasks.map(({ rowsIn }) => rowsIn))));
}

/** Share of the mean by which values differ from it on average, in percent, as Flink's data skew. */
export function skewOf(values: readonly number[]): number {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const away = values.reduce((total, value) => total + Math.abs(value - mean), 0) / values.length;
  return mean === 0 ? 0 : Math.min(100, (away / Math.abs(mean)) * 100);
}

/** Those of a subtask. */
export function taskMetrics(job: MeasuredJob, vertex: MeasuredVertex, subtask: number) {
  const task = job.now?.vertices[vertex.id]?.subtasks[subtask];
  if (task === undefined) return [];
  return measured(TASK_METRICS, {
    task,
    rates: taskRates(job, vertex, subtask, task),
    inputWatermarkMs: inputWatermark(job, vertex, subtask),
    nowMs: job.nowMs,
  });
}

/** What flows and waits in a subtask per second. */
export function taskRates(
  { now, earlier, isOver }: MeasuredJob,
  { id }: MeasuredVertex,
  subtask: number,
  task: TaskMetricsSnapshot,
): TaskRates {
  if (isOver || now === null) return rates(task, task);
  const before = earlier?.vertices[id]?.subtasks[subtask];
  // Before there are earlier ones, everything since the start counts.
  const start = { ...task, rowsIn: 0, rowsOut: 0, bytesIn: 0, bytesOut: 0, atMs: 0 };
  return rates(before ?? { ...start, busyMs: 0, backpressuredMs: 0, idleMs: 0 }, task);
}

/** The least that the inputs of a subtask have come to, those left out that are idle; null before one has. */
export function inputWatermark(
  { now }: MeasuredJob,
  { id }: MeasuredVertex,
  subtask: number,
): number | null {
  const channels = (now?.edges ?? [])
    .filter(({ to }) => to === id)
    .flatMap((edge) => edge.channels.filter(({ to, isIdle }) => to === subtask && !isIdle));
  if (channels.length === 0) return now?.vertices[id]?.subtasks[subtask]?.watermarkMs ?? null;
  return leastWatermark(channels);
}

/** The least watermark of those that are not idle; null when one has none yet, and when all are idle. */
export function leastWatermark(times: readonly TimeSnapshot[]): number | null {
  let least: number | null = null;
  for (const { watermarkMs, isIdle } of times) {
    if (isIdle) continue;
    if (watermarkMs === null) return null;
    least = Math.min(least ?? watermarkMs, watermarkMs);
  }
  return least;
}

/** Those that functions of a chain have registered. */
export function userMetrics(
  { now, earlier, isOver }: MeasuredJob,
  { id }: MeasuredVertex,
): readonly MeasuredUserMetric[] {
  const metrics = now?.vertices[id]?.userMetrics ?? [];
  if (metrics.length === 0) return [];
  const before = new Map(
    earlier?.vertices[id]?.userMetrics.map((metric) => [keyOf(metric), metric.value]),
  );
  const seconds = ((now?.elapsedMs ?? 0) - (earlier?.elapsedMs ?? 0)) / 1000;
  return metrics.map((metric): MeasuredUserMetric => {
    const { type, value, ...rest } = metric;
    if (type === 'histogram') return { ...rest, value: { type, value } };
    if (type !== 'meter') return { ...rest, value: { type, value } };
    const then = Number(before.get(keyOf(metric)) ?? 0);
    const events = isOver ? 0 : grownBy(then, value);
    return { ...rest, value: { type, count: value, rate: seconds > 0 ? events / seconds : 0 } };
  });
}

function keyOf({ subtask, uid, groups, name }: UserMetric): string {
  return JSON.stringify([subtask, uid, groups, name]);
}

/** What a process takes, with its share of the cores since `earlier`, or since it began. */
export function processMeasure(usage: ProcessUsage, earlier: ProcessUsage | null): ProcessMeasure {
  const since = earlier === null || earlier.upMs >= usage.upMs ? { cpuMs: 0, upMs: 0 } : earlier;
  const ms = usage.upMs - since.upMs;
  const cpuLoad = ms > 0 ? (usage.cpuMs - since.cpuMs) / ms / usage.cores : 0;
  return { usage, cpuLoad: Math.min(1, Math.max(0, cpuLoad)) };
}

/** Those of the process of a job. */
export function processMetrics({ now, earlier }: Pick<MeasuredJob, 'now' | 'earlier'>) {
  const usage = now?.process ?? null;
  if (usage === null) return [];
  return measured(PROCESS_METRICS, processMeasure(usage, earlier?.process ?? null));
}

/** Points of one scope with the same variables. Words of a name that are groups, as `Status.JVM`, become such. */
export function pointsOf(
  scope: MetricScopeName,
  variables: Readonly<Record<string, string>>,
  metrics: readonly (readonly [name: string, value: PointValue])[],
): readonly MetricPoint[] {
  return metrics.map(([path, value]) => {
    const words = path.split('.');
    const name = words.pop() ?? '';
    const groups = words.map((word): MetricScope => ({ name: word, value: null }));
    return { scope, groups, name, variables, value };
  });
}

/** Every metric of a job. */
export function jobPoints(job: MeasuredJob, host: string): readonly MetricPoint[] {
  const ofJob = { host, job_id: job.id, job_name: job.name };
  const ofProcess = { host, tm_id: job.id };
  return [
    ...pointsOf('jmJob', ofJob, jobMetrics(job)),
    ...pointsOf('tm', ofProcess, processMetrics(job)),
    ...latencyMetrics(job).map((point): MetricPoint => {
      const variables = { ...ofProcess, ...ofJob, ...variablesOf(point.groups) };
      return { scope: 'tmJob', variables, ...point };
    }),
    ...job.vertices.flatMap((vertex) => vertexPoints(job, vertex, { ...ofJob, tm_id: job.id })),
  ];
}

function vertexPoints(
  job: MeasuredJob,
  vertex: MeasuredVertex,
  ofJob: Readonly<Record<string, string>>,
): readonly MetricPoint[] {
  const variables = (subtask: number): Readonly<Record<string, string>> => ({
    ...ofJob,
    task_id: vertexId(vertex.uid),
    task_name: vertex.name,
    task_attempt_num: String(job.restarts),
    subtask_index: String(subtask),
  });
  const subtasks = Array.from({ length: vertex.parallelism }, (_, subtask) =>
    pointsOf('task', variables(subtask), taskMetrics(job, vertex, subtask)),
  );
  const users = userMetrics(job, vertex).map(
    ({ subtask, operator, uid, groups, name, value }): MetricPoint => ({
      scope: 'operator',
      groups,
      name,
      variables: {
        ...variables(subtask),
        operator_id: vertexId(uid),
        operator_name: operator,
        ...variablesOf(groups),
      },
      value,
    }),
  );
  return [...subtasks.flat(), ...users];
}
