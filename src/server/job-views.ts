/**
 * A job as REST shows it, with Flink's names: overview, detail, plan, chains and subtasks, configuration, exceptions.
 * Callers: the handlers, the stream of events. Runs on: the server's thread; pure.
 */
import { shown } from '../base/secrets.js';
import { hostname } from 'node:os';
import type { WireError } from '../base/errors.js';
import type { PlanExplanation } from '../graph/explain.js';
import {
  type ExecutionResult,
  JOB_STATES,
  type JobConfig,
  type JobDetails,
  type JobExceptions,
  type JobPlan,
  type JobSummary,
} from '../rest/job-schemas.js';
import { restartPolicyOf } from '../runtime/recovery-policy.js';
import { vertexId } from '../runtime/vertex-id.js';
import { endedMs, type JobRecord, nameOf, slotsOf } from './job-record.js';
import type { ServedJob } from './served-job.js';
import {
  countStates,
  ioMetrics,
  jointState,
  runningSince,
  spanOf,
  tasksOf,
  taskStates,
} from './vertex-views.js';

/** The line of a job in a list. */
export function jobSummary(job: ServedJob, nowMs: number): JobSummary {
  const { record } = job;
  const states = (record.plan?.vertices ?? []).flatMap((vertex) => taskStates(job, vertex));
  const counts = Object.entries(countStates(states)).map(([state, count]) => [
    state.toLowerCase(),
    count,
  ]);
  return {
    jid: record.id,
    name: nameOf(record),
    jobType: 'STREAMING',
    schedulerType: 'Default',
    state: record.status,
    ...spanOf(record, record.submission.submittedMs, nowMs),
    'last-modification': record.timestamps[record.status] ?? record.submission.submittedMs,
    tasks: { total: states.length, ...Object.fromEntries(counts) },
    'pending-operators': 0,
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
      // All chains of a job share its slots.
      slotSharingGroupId: record.id,
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
    'application-id': record.id,
    name: nameOf(record),
    isStoppable: record.submission.settings['execution.checkpointing.interval'] !== null,
    state: record.status,
    ...spanOf(record, record.submission.submittedMs, nowMs),
    maxParallelism: Math.max(-1, ...vertices.map(({ maxParallelism }) => maxParallelism)),
    schedulerType: 'Default',
    now: nowMs,
    timestamps: allStates(timestamps),
    vertices: rows,
    'status-counts': countStates(rows.map(({ status }) => status)),
    plan: planOf(record),
    'job-type': 'STREAMING',
    'pending-operators': 0,
    slots: record.plan === null ? 0 : slotsOf(record.plan),
    restarts: record.restarts,
  };
}

/** When it entered each state, 0 for never, as Flink has it. */
function allStates(timestamps: JobRecord['timestamps']): Readonly<Record<string, number>> {
  const states = JOB_STATES.map((state) => [state, timestamps[state] ?? 0]);
  return { ...Object.fromEntries(states), RECONCILING: 0, SUSPENDED: 0 };
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

/** How a job has ended. */
export function executionResult({ record }: ServedJob, nowMs: number): ExecutionResult {
  const ended = endedMs(record);
  if (ended === null) return { status: { id: 'IN_PROGRESS' } };
  const { duration } = spanOf(record, runningSince(record), nowMs);
  const status = record.status === 'FINISHED' ? 'SUCCEEDED' : record.status;
  return {
    status: { id: 'COMPLETED' },
    'job-execution-result': {
      id: record.id,
      'application-status': status === 'SUCCEEDED' || status === 'CANCELED' ? status : 'FAILED',
      'accumulator-results': {},
      'net-runtime': duration,
    },
  };
}

/** The settings of a job. */
export function jobConfig({ record }: ServedJob): JobConfig {
  const { settings, params } = record.submission;
  return {
    jid: record.id,
    name: nameOf(record),
    'execution-config': {
      'restart-strategy': restartPolicyOf(settings).type,
      'job-parallelism': settings.parallelism ?? 1,
      'object-reuse-mode': false,
      'user-config': Object.fromEntries(
        Object.entries(params).map(([key, value]) => [key, shown(key, value)]),
      ),
    },
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
    taskManagerId: record.id,
    failureLabels: {},
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
