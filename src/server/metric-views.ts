/**
 * Metrics as REST shows them: Flink's names, values as text, over subtasks as least, most, sum, average and skew.
 * Callers: the handlers. Runs on: the server's thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { VertexExplanation } from '../graph/explain.js';
import { rates, type TaskMetricsSnapshot } from '../metrics/read-task-metrics.js';
import type { Aggregate, BackPressure, Metric } from '../rest/job-schemas.js';
import { WATERMARK_MAX } from '../time/watermark.js';
import { tasksOf } from './job-views.js';
import type { ServedJob } from './served-job.js';

type Values = ReadonlyMap<string, string | number>;

/** No watermark yet, and the end of event time, as Flink's clients know them. */
const NO_WATERMARK = '-9223372036854775808';
const END_OF_TIME = '9223372036854775807';

/** Back pressure from this share of time on is low, and high, as Flink has it. */
const LOW = 0.1;
const HIGH = 0.5;

function watermarkText(watermarkMs: number | null): string {
  if (watermarkMs === null) return NO_WATERMARK;
  return watermarkMs >= WATERMARK_MAX ? END_OF_TIME : String(watermarkMs);
}

/** What flows and waits in a subtask per second. */
function ratesOf(job: ServedJob, vertex: number, subtask: number, now: TaskMetricsSnapshot) {
  const earlier = job.earlierMetrics()?.vertices[vertex]?.subtasks[subtask];
  // Before there are earlier ones, everything since the start counts.
  const start = { ...now, rowsIn: 0, rowsOut: 0, bytesIn: 0, bytesOut: 0, atMs: 0 };
  const none = { ...start, busyMs: 0, backpressuredMs: 0, idleMs: 0 };
  const isOver = job.record.metrics !== null;
  return isOver ? rates(now, now) : rates(earlier ?? none, now);
}

/** The metrics of one subtask. */
export function subtaskValues(job: ServedJob, vertex: VertexExplanation, subtask: number): Values {
  const task = tasksOf(job, vertex.id)[subtask];
  if (task === undefined) return new Map();
  const rate = ratesOf(job, vertex.id, subtask, task);
  return new Map<string, string | number>([
    ['numRecordsIn', task.rowsIn],
    ['numRecordsOut', task.rowsOut],
    ['numBytesIn', task.bytesIn],
    ['numBytesOut', task.bytesOut],
    ['numRecordsInPerSecond', rate.rowsInPerSecond],
    ['numRecordsOutPerSecond', rate.rowsOutPerSecond],
    ['numBytesInPerSecond', rate.bytesInPerSecond],
    ['numBytesOutPerSecond', rate.bytesOutPerSecond],
    ['numBuffersIn', task.batchesIn],
    ['busyTimeMsPerSecond', rate.busyMsPerSecond],
    ['idleTimeMsPerSecond', rate.idleMsPerSecond],
    ['backPressuredTimeMsPerSecond', rate.backpressuredMsPerSecond],
    ['accumulateBusyTimeMs', task.busyMs],
    ['accumulateIdleTimeMs', task.idleMs],
    ['accumulateBackPressuredTimeMs', task.backpressuredMs],
    ['isBackPressured', String(rate.backpressuredMsPerSecond > LOW * 1000)],
    ['numLateRecordsDropped', task.lateRecords],
    ['numRecordsInErrors', task.badRecords],
    ['currentOutputWatermark', watermarkText(task.watermarkMs)],
    ['currentInputWatermark', watermarkText(inputWatermark(job, vertex.id, subtask))],
    ['heapUsedBytes', task.heapUsedBytes],
    ['heapLimitBytes', task.heapLimitBytes],
    ['loopLagMs', task.loopLagMs],
    ['callsInFlight', task.callsInFlight],
  ]);
}

/** The least that the inputs of a subtask have come to, those left out that are idle; null before one has. */
function inputWatermark(job: ServedJob, vertex: number, subtask: number): number | null {
  const metrics = job.metrics();
  const channels = (metrics?.edges ?? [])
    .filter(({ to }) => to === vertex)
    .flatMap((edge) => edge.channels.filter(({ to, isIdle }) => to === subtask && !isIdle));
  if (channels.length === 0) {
    return metrics?.vertices[vertex]?.subtasks[subtask]?.watermarkMs ?? null;
  }
  let least = WATERMARK_MAX;
  for (const { watermarkMs } of channels) {
    if (watermarkMs === null) return null;
    least = Math.min(least, watermarkMs);
  }
  return least;
}

/** The metrics of a job as a whole. */
export function jobValues(job: ServedJob, nowMs: number): Values {
  const { record } = job;
  const { counts, latest } = record.checkpoints;
  const { completed, restored } = latest;
  const values: [string, string | number][] = [
    ['numRestarts', record.restarts],
    ['uptime', record.status === 'RUNNING' ? nowMs - (record.timestamps.RUNNING ?? nowMs) : 0],
    ['numberOfInProgressCheckpoints', counts.inProgress],
    ['numberOfCompletedCheckpoints', counts.completed],
    ['numberOfFailedCheckpoints', counts.failed],
    ['totalNumberOfCheckpoints', counts.total],
  ];
  if (completed !== null) {
    const { id, durationMs, bytes, fullBytes, triggeredMs, path } = completed;
    values.push(
      ['lastCompletedCheckpointId', id],
      ['lastCheckpointDuration', Math.round(durationMs ?? 0)],
      ['lastCheckpointSize', bytes],
      ['lastCheckpointFullSize', fullBytes],
      ['lastCheckpointCompletedTimestamp', Math.round(triggeredMs + (durationMs ?? 0))],
      ['lastCheckpointExternalPath', path ?? 'n/a'],
    );
  }
  if (restored !== null) {
    values.push(['lastCheckpointRestoreTimestamp', Math.round(restored.restoredMs)]);
  }
  return new Map(values);
}

/** The ids there are, or those that were asked for, with their values; unknown ones are left out, as in Flink. */
function chosen(values: Values, get: string | undefined): readonly Metric[] {
  if (get === undefined) return [...values.keys()].map((id) => ({ id }));
  return namesIn(get).flatMap((id) => {
    const value = values.get(id);
    return value === undefined ? [] : [{ id, value: String(value) }];
  });
}

function namesIn(text: string): readonly string[] {
  return text.split(',').filter((name) => name !== '');
}

/** `GET /jobs/:jobid/metrics`. */
export function jobMetrics(job: ServedJob, get: string | undefined, nowMs: number) {
  return chosen(jobValues(job, nowMs), get);
}

/** `GET /jobs/:jobid/vertices/:vertexid/metrics`: ids begin with the number of the subtask. */
export function vertexMetrics(
  job: ServedJob,
  vertex: VertexExplanation,
  get: string | undefined,
): readonly Metric[] {
  const all = new Map<string, string | number>();
  for (let subtask = 0; subtask < vertex.parallelism; subtask++) {
    for (const [name, value] of subtaskValues(job, vertex, subtask)) {
      all.set(`${subtask}.${name}`, value);
    }
  }
  return chosen(all, get);
}

/** `GET /jobs/:jobid/vertices/:vertexid/watermarks`. */
export function watermarks(job: ServedJob, vertex: VertexExplanation): readonly Metric[] {
  return Array.from({ length: vertex.parallelism }, (_, subtask) => ({
    id: `${subtask}.currentInputWatermark`,
    value: watermarkText(inputWatermark(job, vertex.id, subtask)),
  }));
}

const AGGREGATES = ['min', 'max', 'sum', 'avg', 'skew'] as const;
type AggregateName = (typeof AGGREGATES)[number];

/** What is asked of a metric over several subtasks or jobs. */
export interface AggregateQuery {
  readonly get?: string | undefined;
  readonly agg?: string | undefined;
}

/** `GET /jobs/metrics`, over some jobs or all. */
export function jobsMetrics(
  jobs: readonly ServedJob[],
  query: AggregateQuery,
  nowMs: number,
): readonly Aggregate[] {
  return aggregated(
    jobs.map((job) => jobValues(job, nowMs)),
    query,
  );
}

/** `GET /jobs/:jobid/vertices/:vertexid/subtasks/metrics`, over some subtasks or all. */
export function subtasksMetrics(
  job: ServedJob,
  vertex: VertexExplanation,
  { subtasks, ...query }: AggregateQuery & { readonly subtasks?: string | undefined },
): readonly Aggregate[] {
  const all = Array.from({ length: vertex.parallelism }, (_, subtask) => subtask);
  const wanted = subtasks === undefined ? all : all.filter(inRanges(subtasks));
  return aggregated(
    wanted.map((subtask) => subtaskValues(job, vertex, subtask)),
    query,
  );
}

/** Such as `0,3,5-7`. */
function inRanges(text: string): (subtask: number) => boolean {
  const ranges = namesIn(text).map((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) {
      throw new MillraceError('REQUEST_INVALID', `"${part}" names no subtasks.`, {
        advice: 'Write numbers and ranges, such as subtasks=0,3,5-7.',
      });
    }
    const [, from = '', to = from] = match;
    return { from: Number(from), to: Number(to) };
  });
  return (subtask) => ranges.some(({ from, to }) => subtask >= from && subtask <= to);
}

function aggregated(rows: readonly Values[], { get, agg }: AggregateQuery): readonly Aggregate[] {
  const known = new Set(rows.flatMap((row) => [...row.keys()]));
  if (get === undefined) return [...known].map((id) => ({ id }));
  const wanted = agg === undefined ? AGGREGATES : namesIn(agg).map(aggregateName);
  return namesIn(get).flatMap((id) => {
    const values = rows.map((row) => Number(row.get(id))).filter((value) => Number.isFinite(value));
    if (values.length === 0) return [];
    const all = aggregatesOf(values);
    return [{ id, ...Object.fromEntries(wanted.map((name) => [name, all[name]])) }];
  });
}

function aggregateName(name: string): AggregateName {
  const found = AGGREGATES.find((known) => known === name.toLowerCase());
  if (found !== undefined) return found;
  throw new MillraceError('REQUEST_INVALID', `There is no aggregation "${name}".`, {
    advice: didYouMean(name, AGGREGATES),
  });
}

function aggregatesOf(values: readonly number[]): Readonly<Record<AggregateName, number>> {
  const sum = values.reduce((total, value) => total + value, 0);
  const avg = sum / values.length;
  const deviation = values.reduce((total, value) => total + Math.abs(value - avg), 0);
  return {
    min: Math.min(...values),
    max: Math.max(...values),
    sum,
    avg,
    // Share of the mean by which values differ from it on average, in percent, as Flink's data skew.
    skew: avg === 0 ? 0 : Math.min(100, (deviation / values.length / Math.abs(avg)) * 100),
  };
}

/** `GET /jobs/:jobid/vertices/:vertexid/backpressure`. */
export function backPressure(
  job: ServedJob,
  vertex: VertexExplanation,
  nowMs: number,
): BackPressure {
  const subtasks = tasksOf(job, vertex.id).map((task, subtask) => {
    const rate = ratesOf(job, vertex.id, subtask, task);
    const ratio = rate.backpressuredMsPerSecond / 1000;
    return {
      subtask,
      'backpressure-level': levelOf(ratio),
      ratio,
      idleRatio: rate.idleMsPerSecond / 1000,
      busyRatio: rate.busyMsPerSecond / 1000,
    };
  });
  return {
    status: 'ok',
    'backpressure-level': levelOf(Math.max(0, ...subtasks.map(({ ratio }) => ratio))),
    'end-timestamp': nowMs,
    subtasks,
  };
}

function levelOf(ratio: number): 'ok' | 'low' | 'high' {
  if (ratio > HIGH) return 'high';
  return ratio > LOW ? 'low' : 'ok';
}
