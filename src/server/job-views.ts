/**
 * A job as REST shows it, with Flink's names: overview, detail, plan, chains and subtasks, configuration, exceptions.
 * Callers: the handlers, the stream of events. Runs on: the server's thread; pure.
 */
import { hostname } from 'node:os';
import type { WireError } from '../base/errors.js';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { PlanExplanation, VertexExplanation } from '../graph/explain.js';
import type { TaskMetricsSnapshot } from '../metrics/read-task-metrics.js';
import type {
  ExecutionState,
  IoMetrics,
  JobConfig,
  JobDetails,
  JobExceptions,
  JobPlan,
  JobStatus,
  JobSummary,
  TaskCounts,
  VertexDetails,
} from '../rest/job-schemas.js';
import { restartPolicyOf } from '../runtime/recovery-policy.js';
import { vertexId } from '../runtime/vertex-id.js';
import { endedMs, type JobRecord, nameOf, slotsOf } from './job-record.js';
import type { ServedJob } from './served-job.js';

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
  created: 0,
  scheduled: 0,
  deploying: 0,
  running: 0,
  finished: 0,
  canceling: 0,
  canceled: 0,
  failed: 0,
  reconciling: 0,
  initializing: 0,
};

function countStates(states: readonly ExecutionState[]): TaskCounts {
  const counts: Record<string, number> = { ...NO_TASKS };
  for (const state of states) {
    const name = state.toLowerCase();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return { ...NO_TASKS, ...counts };
}

interface Span {
  readonly 'start-time': number;
  readonly 'end-time': number;
  readonly duration: number;
}

function spanOf(record: JobRecord, startMs: number, nowMs: number): Span {
  const end = endedMs(record);
  return {
    'start-time': startMs,
    'end-time': end ?? -1,
    duration: Math.max(0, (end ?? nowMs) - startMs),
  };
}

/** When its subtasks began to run, about. */
function runningSince({ timestamps, submission }: JobRecord): number {
  return timestamps.RUNNING ?? submission.submittedMs;
}

/** The line of a job in a list. */
export function jobSummary(job: ServedJob, nowMs: number): JobSummary {
  const { record } = job;
  const states = (record.plan?.vertices ?? []).flatMap((vertex) => taskStates(job, vertex));
  return {
    jid: record.id,
    name: nameOf(record),
    state: record.status,
    ...spanOf(record, record.submission.submittedMs, nowMs),
    'last-modification': record.timestamps[record.status] ?? record.submission.submittedMs,
    tasks: { total: states.length, ...countStates(states) },
  };
}

/** Everything about a job on one page. */
export function jobDetails(job: ServedJob, nowMs: number): JobDetails {
  const { record } = job;
  const vertices = record.plan?.vertices ?? [];
  const rows = vertices.map((vertex) => {
    const states = taskStates(job, vertex);
    return {
      id: vertexId(vertex.uid),
      name: vertex.name,
      maxParallelism: vertex.maxParallelism,
      parallelism: vertex.parallelism,
      status: jointState(states),
      ...spanOf(record, runningSince(record), nowMs),
      tasks: countStates(states),
      metrics: ioMetrics(tasksOf(job, vertex.id)),
    };
  });
  const { timestamps } = record;
  return {
    jid: record.id,
    name: nameOf(record),
    isStoppable: record.submission.settings['execution.checkpointing.interval'] !== null,
    state: record.status,
    ...spanOf(record, record.submission.submittedMs, nowMs),
    maxParallelism: Math.max(-1, ...vertices.map(({ maxParallelism }) => maxParallelism)),
    now: nowMs,
    timestamps: Object.fromEntries(Object.entries(timestamps)),
    vertices: rows,
    'status-counts': countStates(rows.map(({ status }) => status)),
    plan: planOf(record),
    'job-type': 'STREAMING',
    slots: record.plan === null ? 0 : slotsOf(record.plan),
    restarts: record.restarts,
  };
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

function ioMetrics(tasks: readonly TaskMetricsSnapshot[]): IoMetrics {
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

/** The plan of a recorded job. */
export function planOf(record: JobRecord): JobPlan['plan'] {
  return planView(record.id, nameOf(record), record.plan?.vertices ?? []);
}

/** A plan as Flink's console draws it. */
export function planView(
  jid: string,
  name: string,
  vertices: PlanExplanation['vertices'],
): JobPlan['plan'] {
  const inputsOf = (id: number) =>
    vertices.flatMap((from) =>
      from.outputs
        .filter(({ to }) => to === id)
        .map(({ partitioner, side }) => {
          const exchange = 'pipelined_bounded';
          return { num: side, id: vertexId(from.uid), ship_strategy: partitioner, exchange };
        }),
    );
  const nodes = vertices.map((vertex) => {
    const inputs = inputsOf(vertex.id);
    return {
      id: vertexId(vertex.uid),
      parallelism: vertex.parallelism,
      operator: '',
      operator_strategy: '',
      description: vertex.name,
      optimizer_properties: {},
      ...(inputs.length === 0 ? {} : { inputs }),
    };
  });
  return { jid, name, type: 'STREAMING', nodes };
}

/** The settings of a job. */
export function jobConfig({ record }: ServedJob): JobConfig {
  const { settings, params } = record.submission;
  return {
    jid: record.id,
    name: nameOf(record),
    'execution-config': {
      'execution-mode': 'PIPELINED',
      'restart-strategy': restartPolicyOf(settings).type,
      'job-parallelism': settings.parallelism ?? 1,
      'object-reuse-mode': false,
      'user-config': Object.fromEntries(
        Object.entries(params).map(([key, value]) => [key, shown(key, value)]),
      ),
    },
  };
}

/** Keys whose values nobody should read, as Flink has them. */
const SECRET = /password|secret|token|credential|apikey|api-key|access-key|auth|headers|hosturl/i;

/** A value as text, unless its name says that it is a secret. */
export function shown(key: string, value: unknown): string {
  if (SECRET.test(key)) return '******';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A chain with its subtasks. */
export function vertexDetails(
  job: ServedJob,
  vertex: VertexExplanation,
  nowMs: number,
): VertexDetails {
  const { record } = job;
  const tasks = tasksOf(job, vertex.id);
  const startMs = runningSince(record);
  return {
    id: vertexId(vertex.uid),
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    now: nowMs,
    subtasks: taskStates(job, vertex).map((status, subtask) => ({
      subtask,
      status,
      attempt: record.restarts,
      endpoint: hostname(),
      ...spanOf(record, startMs, nowMs),
      metrics: ioMetrics(tasks.slice(subtask, subtask + 1)),
      'taskmanager-id': record.id,
      start_time: startMs,
    })),
  };
}

/** Why a job failed or was started again, newest first; at most `max` of them. */
export function jobExceptions({ record }: ServedJob, max: number): JobExceptions {
  const entries = record.failures.map(({ atMs, error }) => ({
    exceptionName: error.code ?? error.name,
    stacktrace: stackOf(error),
    timestamp: atMs,
    taskName: taskName(error),
    endpoint: hostname(),
    concurrentExceptions: [],
  }));
  const isFailed = record.status === 'FAILED' || record.status === 'RESTARTING';
  const root = isFailed ? (entries[0] ?? null) : null;
  return {
    'root-exception': root?.stacktrace ?? null,
    timestamp: root?.timestamp ?? null,
    'all-exceptions': [],
    truncated: false,
    exceptionHistory: {
      entries: entries.slice(0, max),
      truncated: entries.length > max,
    },
  };
}

function taskName({ where }: WireError): string | null {
  if (where.operator === undefined) return null;
  return where.subtask === undefined ? where.operator : `${where.operator} (${where.subtask})`;
}

/** The error, what to do about it, and its causes. */
export function stackOf(error: WireError): string {
  const { code, message, stack, advice, cause } = error;
  const head = `${code ?? error.name}: ${message}${advice === null ? '' : ` ${advice}`}`;
  const frames = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const below = cause === null ? [] : [`Caused by: ${stackOf(cause)}`];
  return [head, ...frames, ...below].join('\n');
}
