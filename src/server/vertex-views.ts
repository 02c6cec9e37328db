/**
 * The chains of a job and their subtasks as REST shows them, with Flink's names. Callers: the handlers, the views of
 * jobs and of what flows. Runs on: the server's thread; pure.
 */
import { hostname } from 'node:os';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { VertexExplanation } from '../graph/explain.js';
import type { TaskMetricsSnapshot } from '../metrics/read-task-metrics.js';
import type { ExecutionState, IoMetrics, JobStatus, TaskCounts } from '../rest/job-schemas.js';
import type {
  AggregatedDetails,
  Subtask,
  SubtaskTimes,
  VertexDetails,
  VertexTaskManagers,
} from '../rest/vertex-schemas.js';
import { vertexId } from '../runtime/vertex-id.js';
import { attemptOf, endedMs, type JobRecord, nameOf } from './job-record.js';
import type { ServedJob } from './served-job.js';
import { spreadOf } from './spread.js';

/** A chain of a job by its id. Throws PATH_UNKNOWN. */
export function vertexOf({ record }: ServedJob, id: string): VertexExplanation {
  const vertices = record.plan?.vertices ?? [];
  const found = vertices.find(({ uid }) => vertexId(uid) === id);
  if (found !== undefined) return found;
  throw new MillraceError('PATH_UNKNOWN', `The job has no chain ${id}.`, {
    where: { job: nameOf(record) },
    advice: didYouMean(
      id,
      vertices.map(({ uid }) => vertexId(uid)),
    ),
  });
}

/** Counters of the subtasks of a chain; empty before it has run. */
export function tasksOf(job: ServedJob, vertex: number): readonly TaskMetricsSnapshot[] {
  return job.metrics()?.vertices[vertex]?.subtasks ?? [];
}

/** The states of the subtasks of a chain. */
export function taskStates(
  job: ServedJob,
  { id, parallelism }: VertexExplanation,
): readonly ExecutionState[] {
  const tasks = tasksOf(job, id);
  return Array.from({ length: parallelism }, (_, subtask) =>
    taskState(job.record.status, tasks[subtask]?.state),
  );
}

/** What a subtask last said, unless the job is past it. */
function taskState(status: JobStatus, state: ExecutionState | undefined): ExecutionState {
  if (state === 'FINISHED' && status !== 'CREATED' && status !== 'RESTARTING') return state;
  switch (status) {
    case 'INITIALIZING':
    case 'CREATED':
    case 'RESTARTING':
      return 'CREATED';
    case 'RUNNING':
      return state ?? 'DEPLOYING';
    case 'FAILING':
    case 'CANCELLING':
      return 'CANCELING';
    default:
      return status;
  }
}

const NO_TASKS: TaskCounts = {
  CREATED: 0,
  SCHEDULED: 0,
  DEPLOYING: 0,
  RUNNING: 0,
  FINISHED: 0,
  CANCELING: 0,
  CANCELED: 0,
  FAILED: 0,
  RECONCILING: 0,
  INITIALIZING: 0,
};

/** How many are in each state. */
export function countStates(states: readonly ExecutionState[]): TaskCounts {
  const counts: Record<string, number> = { ...NO_TASKS };
  for (const state of states) counts[state] = (counts[state] ?? 0) + 1;
  return { ...NO_TASKS, ...counts };
}

interface Span {
  readonly 'start-time': number;
  readonly 'end-time': number;
  readonly duration: number;
}

/** From when until when. */
export function spanOf(record: JobRecord, startMs: number, nowMs: number): Span {
  const end = endedMs(record);
  return {
    'start-time': startMs,
    'end-time': end ?? -1,
    duration: Math.max(0, (end ?? nowMs) - startMs),
  };
}

/** When its subtasks began to run, about. */
export function runningSince({ timestamps, submission }: JobRecord): number {
  return timestamps.RUNNING ?? submission.submittedMs;
}

/** The state of a chain: that of all its subtasks, else of the ones that are furthest behind. */
export function jointState(states: readonly ExecutionState[]): ExecutionState {
  const order = [
    'FAILED',
    'CANCELING',
    'CANCELED',
    'CREATED',
    'DEPLOYING',
    'INITIALIZING',
  ] as const;
  const first = order.find((state) => states.includes(state));
  if (first !== undefined) return first;
  return states.every((state) => state === 'FINISHED') ? 'FINISHED' : 'RUNNING';
}

/** What subtasks have read and written, and how they have spent their time. */
export function ioMetrics(tasks: readonly TaskMetricsSnapshot[]): IoMetrics {
  const sum = (pick: (task: TaskMetricsSnapshot) => number): number =>
    tasks.reduce((total, task) => total + pick(task), 0);
  const isComplete = tasks.length > 0;
  return {
    'read-bytes': sum((task) => task.bytesIn),
    'read-bytes-complete': isComplete,
    'write-bytes': sum((task) => task.bytesOut),
    'write-bytes-complete': isComplete,
    'read-records': sum((task) => task.rowsIn),
    'read-records-complete': isComplete,
    'write-records': sum((task) => task.rowsOut),
    'write-records-complete': isComplete,
    'accumulated-backpressured-time': Math.round(sum((task) => task.backpressuredMs)),
    'accumulated-idle-time': Math.round(sum((task) => task.idleMs)),
    'accumulated-busy-time': Math.round(sum((task) => task.busyMs)),
  };
}

/** A chain with its subtasks. */
export function vertexDetails(
  job: ServedJob,
  vertex: VertexExplanation,
  nowMs: number,
): VertexDetails {
  const subtasks = subtasksOf(job, vertex, nowMs);
  return {
    id: vertexId(vertex.uid),
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    now: nowMs,
    subtasks,
    aggregated: aggregatedOf(subtasks),
  };
}

function subtasksOf(job: ServedJob, vertex: VertexExplanation, nowMs: number): readonly Subtask[] {
  const { record } = job;
  const tasks = tasksOf(job, vertex.id);
  const startMs = runningSince(record);
  const durations = statusDurations(record, nowMs);
  return taskStates(job, vertex).map((status, subtask) => ({
    subtask,
    status,
    attempt: attemptOf(record, vertex),
    endpoint: hostname(),
    ...spanOf(record, startMs, nowMs),
    metrics: ioMetrics(tasks.slice(subtask, subtask + 1)),
    'taskmanager-id': record.id,
    'status-duration': durations,
    start_time: startMs,
  }));
}

/** One of its subtasks; with `attempt`, which must be the one that runs. Throws PATH_UNKNOWN. */
export function subtaskDetails(
  job: ServedJob,
  vertex: VertexExplanation,
  { subtaskindex, attempt }: { readonly subtaskindex: string; readonly attempt?: string },
  nowMs: number,
): Subtask {
  const found = subtasksOf(job, vertex, nowMs)[
    subtaskIndex(nameOf(job.record), vertex, subtaskindex)
  ];
  if (found !== undefined && (attempt === undefined || attempt === String(found.attempt))) {
    return found;
  }
  throw new MillraceError('PATH_UNKNOWN', `${vertex.name} has no attempt ${attempt}.`, {
    where: { job: nameOf(job.record) },
    advice: `It runs in attempt ${attemptOf(job.record, vertex)}; earlier ones are not kept.`,
  });
}

/** The number of a subtask in a path. Throws PATH_UNKNOWN. */
export function subtaskIndex(job: string, vertex: VertexExplanation, text: string): number {
  const index = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (index >= 0 && index < vertex.parallelism) return index;
  throw new MillraceError('PATH_UNKNOWN', `${vertex.name} has no subtask ${text}.`, {
    where: { job },
    advice: `Its subtasks are 0 to ${vertex.parallelism - 1}.`,
  });
}

/** States that nobody sees, since subtasks pass through them together with their job. */
const NO_TIME = { SCHEDULED: 0, DEPLOYING: 0, INITIALIZING: 0 };

/** How long a subtask has been starting and running: all those of a job do so together. */
function statusDurations(record: JobRecord, nowMs: number): Readonly<Record<string, number>> {
  const { RUNNING: running } = record.timestamps;
  const until = endedMs(record) ?? nowMs;
  const created = Math.max(0, (running ?? until) - record.submission.submittedMs);
  const ran = running === undefined ? 0 : Math.max(0, until - running);
  return { ...NO_TIME, CREATED: created, RUNNING: ran };
}

/** When the subtasks of a chain entered each state. */
export function subtaskTimes(
  job: ServedJob,
  vertex: VertexExplanation,
  nowMs: number,
): SubtaskTimes {
  const { record } = job;
  const { submittedMs } = record.submission;
  const subtasks = taskStates(job, vertex).map((state, subtask) => ({
    subtask,
    endpoint: hostname(),
    duration: spanOf(record, submittedMs, nowMs).duration,
    timestamps: {
      ...NO_TASKS,
      CREATED: submittedMs,
      RUNNING: record.timestamps.RUNNING ?? 0,
      ...(endedMs(record) === null ? {} : { [state]: endedMs(record) ?? 0 }),
    },
  }));
  return { id: vertexId(vertex.uid), name: vertex.name, now: nowMs, subtasks };
}

/** The one process in which all subtasks of a chain run. */
export function vertexTaskManagers(
  job: ServedJob,
  vertex: VertexExplanation,
  nowMs: number,
): VertexTaskManagers {
  const states = taskStates(job, vertex);
  return {
    id: vertexId(vertex.uid),
    name: vertex.name,
    now: nowMs,
    taskmanagers: [
      {
        endpoint: hostname(),
        status: jointState(states),
        ...spanOf(job.record, runningSince(job.record), nowMs),
        metrics: ioMetrics(tasksOf(job, vertex.id)),
        'status-counts': countStates(states),
        'taskmanager-id': job.id,
        aggregated: aggregatedOf(subtasksOf(job, vertex, nowMs)),
      },
    ],
  };
}

function aggregatedOf(subtasks: readonly Subtask[]): AggregatedDetails {
  const numbers = subtasks.map(({ metrics }) =>
    Object.fromEntries(Object.entries(metrics).filter(([, value]) => typeof value === 'number')),
  );
  return {
    metrics: statisticsOf(numbers as readonly Record<string, number>[]),
    'status-duration': statisticsOf(subtasks.map((subtask) => subtask['status-duration'])),
  };
}

type Statistics = AggregatedDetails['metrics'];

function statisticsOf(rows: readonly Readonly<Record<string, number>>[]): Statistics {
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const { min, max, avg, sum, at } = spreadOf(rows.map((row) => row[name] ?? 0));
      const quantiles = { median: at(0.5), p25: at(0.25), p75: at(0.75), p95: at(0.95) };
      return [name, { min, max, avg, sum, ...quantiles }];
    }),
  );
}
