/**
 * What the paths of jobs take and give, with Flink's names. Callers: `paths.ts`, the server's views, the client.
 * Runs on: any thread; pure data.
 */
import {
  anything,
  boolean,
  integer,
  list,
  map,
  nullable,
  number,
  object,
  oneOf,
  text,
  type ValueOf,
} from './json-schema.js';

/** States of a job, as Flink names them. */
export const JOB_STATES = [
  'INITIALIZING',
  'CREATED',
  'RUNNING',
  'FAILING',
  'FAILED',
  'CANCELLING',
  'CANCELED',
  'FINISHED',
  'RESTARTING',
] as const;
/** States of a subtask, as Flink names them. */
export const EXECUTION_STATES = [
  'CREATED',
  'SCHEDULED',
  'DEPLOYING',
  'RUNNING',
  'FINISHED',
  'CANCELING',
  'CANCELED',
  'FAILED',
  'RECONCILING',
  'INITIALIZING',
] as const;

export const jobId = text({ pattern: '^[0-9a-f]{32}$' });
export const jobStatus = oneOf(...JOB_STATES);
export const jobStatusInfo = object({ status: jobStatus });
export const executionState = oneOf(...EXECUTION_STATES);
const milliseconds = integer();
const count = integer();
const jobType = oneOf('STREAMING', 'BATCH');
/** A plan does not change while a job runs, whatever its parallelism. */
const schedulerType = oneOf('Default');

/** How many subtasks are in each state. */
const taskCounts = {
  created: count,
  scheduled: count,
  deploying: count,
  running: count,
  finished: count,
  canceling: count,
  canceled: count,
  failed: count,
  reconciling: count,
  initializing: count,
};
/** The same with the names of states as they are, as Flink has it everywhere but in the list of jobs. */
export const stateCounts = object({
  CREATED: count,
  SCHEDULED: count,
  DEPLOYING: count,
  RUNNING: count,
  FINISHED: count,
  CANCELING: count,
  CANCELED: count,
  FAILED: count,
  RECONCILING: count,
  INITIALIZING: count,
});

export const jobIds = object({ jobs: list(object({ id: jobId, status: jobStatus })) });

const jobSummary = object({
  jid: jobId,
  name: text(),
  jobType,
  schedulerType,
  state: jobStatus,
  'start-time': milliseconds,
  'end-time': milliseconds,
  duration: milliseconds,
  'last-modification': milliseconds,
  tasks: object({ total: count, ...taskCounts }),
  'pending-operators': count,
});
export const jobsOverview = object({ jobs: list(jobSummary) });

export const ioMetrics = object({
  'read-bytes': count,
  'read-bytes-complete': boolean,
  'write-bytes': count,
  'write-bytes-complete': boolean,
  'read-records': count,
  'read-records-complete': boolean,
  'write-records': count,
  'write-records-complete': boolean,
  'accumulated-backpressured-time': milliseconds,
  'accumulated-idle-time': milliseconds,
  'accumulated-busy-time': number,
});

const planNode = object(
  {
    id: text(),
    parallelism: count,
    operator: text(),
    operator_strategy: text(),
    description: text(),
    optimizer_properties: map(anything('Always empty.')),
  },
  {
    inputs: list(object({ num: count, id: text(), ship_strategy: text(), exchange: text() })),
  },
);
export const plan = object({ jid: text(), name: text(), type: text(), nodes: list(planNode) });
export const jobPlan = object({ plan });

export const jobDetails = object({
  jid: jobId,
  'application-id': jobId,
  name: text(),
  isStoppable: boolean,
  state: jobStatus,
  'start-time': milliseconds,
  'end-time': milliseconds,
  duration: milliseconds,
  maxParallelism: count,
  schedulerType,
  now: milliseconds,
  timestamps: map(milliseconds),
  vertices: list(
    object({
      id: text(),
      slotSharingGroupId: text(),
      name: text(),
      maxParallelism: count,
      parallelism: count,
      status: executionState,
      'start-time': milliseconds,
      'end-time': milliseconds,
      duration: milliseconds,
      tasks: stateCounts,
      metrics: ioMetrics,
    }),
  ),
  'status-counts': stateCounts,
  plan,
  'job-type': jobType,
  'pending-operators': count,
  slots: count,
  restarts: count,
});

/** How a job ended, for clients that wait for it; why it failed is told by its exceptions. */
export const executionResult = object(
  { status: object({ id: oneOf('IN_PROGRESS', 'COMPLETED') }) },
  {
    'job-execution-result': object({
      id: jobId,
      'application-status': oneOf('SUCCEEDED', 'FAILED', 'CANCELED'),
      'accumulator-results': map(text()),
      'net-runtime': milliseconds,
    }),
  },
);

export const jobConfig = object({
  jid: jobId,
  name: text(),
  'execution-config': object({
    'restart-strategy': text(),
    'job-parallelism': count,
    'object-reuse-mode': boolean,
    'user-config': map(text()),
  }),
});

const exceptionInfo = {
  exceptionName: text(),
  stacktrace: text(),
  timestamp: milliseconds,
  taskName: nullable(text()),
  endpoint: nullable(text()),
  taskManagerId: nullable(text()),
  failureLabels: map(text()),
};
export const exceptions = object({
  'root-exception': nullable(text()),
  timestamp: nullable(milliseconds),
  'all-exceptions': list(
    object({ exception: text(), task: text(), endpoint: text(), timestamp: milliseconds }),
  ),
  truncated: boolean,
  exceptionHistory: object({
    entries: list(object({ ...exceptionInfo, concurrentExceptions: list(object(exceptionInfo)) })),
    truncated: boolean,
  }),
});

const checkpointState = oneOf('IN_PROGRESS', 'COMPLETED', 'FAILED');
/** A checkpoint or savepoint. */
export const checkpoint = object(
  {
    className: oneOf('in_progress', 'completed', 'failed'),
    id: count,
    status: checkpointState,
    is_savepoint: boolean,
    savepointFormat: nullable(oneOf('CANONICAL')),
    checkpoint_type: oneOf('CHECKPOINT', 'SAVEPOINT'),
    trigger_timestamp: milliseconds,
    latest_ack_timestamp: milliseconds,
    checkpointed_size: count,
    state_size: count,
    end_to_end_duration: milliseconds,
    alignment_buffered: count,
    processed_data: count,
    persisted_data: count,
    num_subtasks: count,
    num_acknowledged_subtasks: count,
    tasks: map(anything('Always empty.')),
  },
  {
    external_path: nullable(text()),
    discarded: boolean,
    failure_timestamp: milliseconds,
    failure_message: nullable(text()),
  },
);
const restored = object({
  id: count,
  restore_timestamp: milliseconds,
  is_savepoint: boolean,
  external_path: nullable(text()),
});
const spread = object({
  min: number,
  max: number,
  avg: number,
  p50: number,
  p90: number,
  p95: number,
  p99: number,
  p999: number,
});
export const checkpoints = object({
  counts: object({
    restored: count,
    total: count,
    in_progress: count,
    completed: count,
    failed: count,
  }),
  summary: object({
    checkpointed_size: spread,
    state_size: spread,
    end_to_end_duration: spread,
    alignment_buffered: spread,
    processed_data: spread,
    persisted_data: spread,
  }),
  latest: object({
    completed: nullable(checkpoint),
    savepoint: nullable(checkpoint),
    failed: nullable(checkpoint),
    restored: nullable(restored),
  }),
  history: list(checkpoint),
});
export const checkpointConfig = object({
  mode: oneOf('exactly_once', 'at_least_once'),
  interval: milliseconds,
  timeout: milliseconds,
  min_pause: milliseconds,
  max_concurrent: count,
  externalization: object({ enabled: boolean, delete_on_cancellation: boolean }),
  state_backend: text(),
  checkpoint_storage: text(),
  unaligned_checkpoints: boolean,
  tolerable_failed_checkpoints: count,
  aligned_checkpoint_timeout: milliseconds,
  checkpoints_after_tasks_finish: boolean,
  /** Changes are written as they are made nowhere but in checkpoints. */
  state_changelog_enabled: boolean,
  changelog_periodic_materialization_interval: milliseconds,
  changelog_storage: text(),
});

const share = number;
const flowVertex = object({
  id: text(),
  name: text(),
  parallelism: count,
  status: executionState,
  isSource: boolean,
  /** Operators of the chain, and what each does, in their order. */
  operators: list(object({ name: text(), kind: text(), text: text() })),
  records: count,
  recordsPerSecond: number,
  bytesPerSecond: number,
  busy: share,
  blocked: share,
  idle: share,
  /** The least of its subtasks that are not idle; null before the first. */
  watermark: nullable(milliseconds),
  lateRecords: count,
  badRecords: count,
});
const flowEdge = object({
  from: text(),
  to: text(),
  strategy: text(),
  recordsPerSecond: number,
  bytesPerSecond: number,
  /** How full the rings are, 0 to 1. */
  fill: share,
});
/**
 * What flows through a job now, by chain and edge; of one that has ended, on average over its whole run. Shares of time
 * are from 0 to 1.
 */
export const jobFlow = object({
  jid: jobId,
  name: text(),
  state: jobStatus,
  now: milliseconds,
  vertices: list(flowVertex),
  edges: list(flowEdge),
  /** What keeps the job from being faster; null while there is too little to say. */
  bottleneck: nullable(object({ vertex: nullable(text()), sentence: text() })),
});
const slotMemory = object({
  /** -1 is the thread that a job shares with its coordinator. */
  slot: integer({ minimum: -1 }),
  subtasks: count,
  heapBytes: count,
  heapBytesMax: count,
  stateBytes: count,
  stateBytesMax: count,
  /** What its subtasks have on disk because it does not fit: state, records that wait or are sorted. */
  spilledBytes: count,
  /** What waits in the rings of its inputs, what these may hold, and what a slot has for them. */
  ringBytes: count,
  ringBytesReserved: count,
  ringBytesMax: count,
});
/** Who holds the memory of a job now, by slot. */
export const jobMemory = object({
  jid: jobId,
  now: milliseconds,
  /** Memory of its process that the machine backs; null without one. */
  residentBytes: nullable(count),
  /** What a slot is given. */
  slotBytes: count,
  slots: list(slotMemory),
});
/** How a job stands, in numbers: one line of the event `load`. */
const jobLoad = object({
  jid: jobId,
  recordsPerSecond: number,
  restarts: count,
  /** When its newest checkpoint was completed; null without one. */
  checkpointed: nullable(milliseconds),
});
export const load = object({ now: milliseconds, jobs: list(jobLoad) });

/** One metric by its id; the value is there when it was asked for. */
export const metric = object({ id: text() }, { value: text() });
export const metrics = list(metric);
/** One metric over several subtasks or jobs. */
export const aggregate = object(
  { id: text() },
  { min: number, max: number, avg: number, sum: number, skew: number },
);
export const aggregates = list(aggregate);

export type JobStatus = ValueOf<typeof jobStatus>;
export type ExecutionState = ValueOf<typeof executionState>;
export type JobSummary = ValueOf<typeof jobSummary>;
export type JobDetails = ValueOf<typeof jobDetails>;
export type JobPlan = ValueOf<typeof jobPlan>;
export type ExecutionResult = ValueOf<typeof executionResult>;
export type JobConfig = ValueOf<typeof jobConfig>;
export type TaskCounts = ValueOf<typeof stateCounts>;
export type IoMetrics = ValueOf<typeof ioMetrics>;
export type JobExceptions = ValueOf<typeof exceptions>;
export type Checkpoint = ValueOf<typeof checkpoint>;
export type Checkpoints = ValueOf<typeof checkpoints>;
export type CheckpointConfig = ValueOf<typeof checkpointConfig>;
export type JobFlow = ValueOf<typeof jobFlow>;
export type JobMemory = ValueOf<typeof jobMemory>;
export type JobLoad = ValueOf<typeof jobLoad>;
export type Load = ValueOf<typeof load>;
export type Metric = ValueOf<typeof metric>;
export type Aggregate = ValueOf<typeof aggregate>;
