/**
 * Every path of the REST interface in one table: verb, path, what it takes and gives. The server serves it, the OpenAPI
 * document describes it, the client calls it. Callers: server, `open-api.ts`, `client.ts`. Runs on: any thread; pure
 * data.
 */
import { LOG_LEVELS } from '../base/function-log.js';
import * as cluster from './cluster-schemas.js';
import { anything, map, oneOf, type Schema, text } from './json-schema.js';
import * as jobs from './job-schemas.js';
import * as profiles from './profile-schemas.js';
import { restorePlan } from './restore-schemas.js';
import * as states from './state-schemas.js';
import * as vertices from './vertex-schemas.js';

/** One verb of one path. */
export interface PathDefinition {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With Flink's names of parameters, as `:jobid`. */
  readonly path: string;
  readonly summary: string;
  /** Of the parameters of the query, all optional. */
  readonly query?: Readonly<Record<string, Schema>>;
  /** Null takes none; `upload` a file as multipart form. */
  readonly body?: Schema | 'upload';
  readonly reply: Schema | 'events' | 'text';
  readonly status: 200 | 202;
}

const names = text({ maxLength: 65_536, description: 'Comma-separated.' });
const agg = text({ maxLength: 64, description: 'Comma-separated: min, max, sum, avg, skew.' });

const get = <const P extends string, R extends PathDefinition['reply']>(
  path: P,
  summary: string,
  reply: R,
) => ({ method: 'GET', path, summary, reply, status: 200 }) as const;

const LOG_QUERY = {
  tail: text({ pattern: '^[0-9]{1,9}$', description: 'Bytes of its end.' }),
  after: text({ pattern: '^[0-9]{1,15}$', description: 'Only lines after the one of this `seq`.' }),
} as const;

/** The table, by the name of what each does. */
export const PATHS = {
  health: get(
    '/health',
    'Whether this server leads or stands by; asks for no token.',
    cluster.health,
  ),
  overview: get('/overview', 'Slots and jobs in numbers.', cluster.overview),
  config: get('/config', 'What a console needs to know.', cluster.dashboardConfig),
  jobManagerConfig: get(
    '/jobmanager/config',
    'Settings that hold for every job, secrets left out.',
    cluster.configEntries,
  ),
  environment: get('/jobmanager/environment', 'What the server runs on.', cluster.environment),
  taskManagers: get('/taskmanagers', 'The processes of the jobs.', cluster.taskManagers),
  stdout: {
    ...get(
      '/taskmanagers/:taskmanagerid/stdout',
      'The newest of what a job has printed; a process has the id of its job.',
      'text',
    ),
    query: { tail: text({ pattern: '^[0-9]{1,9}$', description: 'Bytes of its end.' }) },
  },
  taskManager: get(
    '/taskmanagers/:taskmanagerid',
    'The process of a job, with its slots and what it takes.',
    cluster.taskManagerDetails,
  ),
  taskManagerLog: {
    ...get(
      '/taskmanagers/:taskmanagerid/log',
      'The log of a job, by the id of its process: `/jobs/:jobid/log`.',
      'text',
    ),
    query: LOG_QUERY,
  },
  taskManagerLogs: get(
    '/taskmanagers/:taskmanagerid/logs',
    'The files in which the log and the output of a job are kept.',
    cluster.logFiles,
  ),
  taskManagerLogFile: get('/taskmanagers/:taskmanagerid/logs/:filename', 'One of them.', 'text'),
  jobManagerStdout: {
    ...get('/jobmanager/stdout', 'The newest of what the server has printed, a megabyte.', 'text'),
    query: { tail: LOG_QUERY.tail },
  },
  jobManagerLog: {
    ...get('/jobmanager/log', 'The log of the server, as JSON lines.', 'text'),
    query: LOG_QUERY,
  },
  jobManagerLogs: get(
    '/jobmanager/logs',
    'The files in which the log of the server is kept.',
    cluster.logFiles,
  ),
  jobManagerLogFile: get('/jobmanager/logs/:filename', 'One of them.', 'text'),
  jobManagerMetrics: {
    ...get('/jobmanager/metrics', 'Metrics of the server.', jobs.metrics),
    query: { get: names },
  },
  taskManagersMetrics: {
    ...get('/taskmanagers/metrics', 'Metrics over the processes of jobs.', jobs.aggregates),
    query: { get: names, agg, taskmanagers: names },
  },
  taskManagerMetrics: {
    ...get(
      '/taskmanagers/:taskmanagerid/metrics',
      'Metrics of the process of a job.',
      jobs.metrics,
    ),
    query: { get: names },
  },
  jobManagerThreadDump: get(
    '/jobmanager/thread-dump',
    'What the threads of the server do just now.',
    profiles.threadDump,
  ),
  taskManagerThreadDump: get(
    '/taskmanagers/:taskmanagerid/thread-dump',
    'What the threads of a job do just now.',
    profiles.threadDump,
  ),
  shutDown: {
    method: 'DELETE',
    path: '/cluster',
    summary: 'Ends the server; its jobs go on from their checkpoints when it is started again.',
    reply: cluster.nothing,
    status: 200,
  },
  listJars: get('/jars', 'Uploaded bundles.', cluster.jarList),
  uploadJar: {
    method: 'POST',
    path: '/jars/upload',
    summary: 'Uploads a bundle: a module (.js, .mjs, .ts, .mts).',
    body: 'upload',
    reply: cluster.jarUpload,
    status: 200,
  },
  deleteJar: {
    method: 'DELETE',
    path: '/jars/:jarid',
    summary: 'Deletes a bundle; jobs that run from it go on.',
    reply: cluster.nothing,
    status: 200,
  },
  planJar: {
    method: 'POST',
    path: '/jars/:jarid/plan',
    summary: 'The plan of a job, which does not run.',
    body: cluster.jarPlanRequest,
    reply: jobs.jobPlan,
    status: 200,
  },
  getJarPlan: {
    ...get('/jars/:jarid/plan', 'The same, asked for in the query.', jobs.jobPlan),
    query: {
      'entry-class': text({ maxLength: 1024, description: 'Name of the job.' }),
      programArg: text({ maxLength: 65_536, description: 'Comma-separated.' }),
      parallelism: text({ pattern: '^[1-9][0-9]{0,4}$' }),
    },
  },
  planRestore: {
    method: 'POST',
    path: '/jars/:jarid/restore-plan',
    summary:
      'What going on from a savepoint or checkpoint would mean for a job, which does not run.',
    body: cluster.jarRunRequest,
    reply: restorePlan,
    status: 200,
  },
  runJar: {
    method: 'POST',
    path: '/jars/:jarid/run',
    summary: 'Submits a job.',
    body: cluster.jarRunRequest,
    reply: cluster.jarRun,
    status: 200,
  },
  applications: get(
    '/applications/overview',
    'All jobs as applications, of which each is one.',
    cluster.applications,
  ),
  jobs: get('/jobs', 'Ids and states of all jobs.', jobs.jobIds),
  jobsOverview: get('/jobs/overview', 'All jobs in short.', jobs.jobsOverview),
  jobsMetrics: {
    ...get('/jobs/metrics', 'Metrics over several jobs.', jobs.aggregates),
    query: { get: names, agg, jobs: names },
  },
  job: get('/jobs/:jobid', 'A job with its chains.', jobs.jobDetails),
  cancelJob: {
    method: 'PATCH',
    path: '/jobs/:jobid',
    summary: 'Cancels a job.',
    query: { mode: oneOf('cancel') },
    reply: cluster.nothing,
    status: 202,
  },
  jobStatus: get('/jobs/:jobid/status', 'The state of a job.', jobs.jobStatusInfo),
  jobLog: {
    ...get(
      '/jobs/:jobid/log',
      'The log of a job, as JSON lines: what becomes of it, and what its functions log.',
      'text',
    ),
    query: LOG_QUERY,
  },
  jobLogLevel: {
    method: 'PATCH',
    path: '/jobs/:jobid/log',
    summary: 'Has the functions of a job log from a level on.',
    query: { level: oneOf(...LOG_LEVELS) },
    reply: cluster.nothing,
    status: 200,
  },
  jobPlan: get('/jobs/:jobid/plan', 'The plan of a job.', jobs.jobPlan),
  jobFlow: get(
    '/jobs/:jobid/flow',
    'What flows through a job: rates, shares of time, fill of edges, the bottleneck.',
    jobs.jobFlow,
  ),
  jobMemory: get('/jobs/:jobid/memory', 'Who holds the memory of a job.', jobs.jobMemory),
  jobsLoad: get('/jobs/load', 'Rates, restarts and last checkpoints of all jobs.', jobs.load),
  jobConfig: get('/jobs/:jobid/config', 'The settings of a job.', jobs.jobConfig),
  executionResult: get(
    '/jobs/:jobid/execution-result',
    'How a job has ended.',
    jobs.executionResult,
  ),
  jobProfile: {
    ...get(
      '/jobs/:jobid/profile',
      'What the threads of a job do for a while, as V8 samples them.',
      profiles.profile,
    ),
    query: {
      seconds: text({
        pattern: '^[0-9]{1,2}(\\.[0-9]{1,3})?$',
        description: 'From 0.1 to 60; default: 1.',
      }),
    },
  },
  jobManagerJobConfig: get(
    '/jobs/:jobid/jobmanager/config',
    'Settings that hold for every job, secrets left out.',
    cluster.configEntries,
  ),
  jobEnvironment: get(
    '/jobs/:jobid/jobmanager/environment',
    'What the server runs on.',
    cluster.environment,
  ),
  jobExceptions: {
    ...get('/jobs/:jobid/exceptions', 'Why a job failed or was restarted.', jobs.exceptions),
    query: { maxExceptions: text({ pattern: '^[0-9]{1,9}$', description: 'At most so many.' }) },
  },
  jobAccumulators: get(
    '/jobs/:jobid/accumulators',
    'Always empty: what functions count are metrics.',
    vertices.jobAccumulators,
  ),
  jobMetrics: {
    ...get('/jobs/:jobid/metrics', 'Metrics of a job.', jobs.metrics),
    query: { get: names },
  },
  checkpoints: get('/jobs/:jobid/checkpoints', 'What became of its checkpoints.', jobs.checkpoints),
  checkpointConfig: get(
    '/jobs/:jobid/checkpoints/config',
    'How a job takes checkpoints.',
    jobs.checkpointConfig,
  ),
  checkpointDetails: get(
    '/jobs/:jobid/checkpoints/details/:checkpointid',
    'One checkpoint or savepoint.',
    jobs.checkpoint,
  ),
  checkpointState: get(
    '/jobs/:jobid/checkpoints/details/:checkpointid/state',
    'The operators of a checkpoint and their states; `latest` is the newest.',
    states.checkpointState,
  ),
  stateEntries: {
    ...get(
      '/jobs/:jobid/checkpoints/details/:checkpointid/state/entries',
      'Entries of a state, page by page; values whose names say that they are secrets are hidden.',
      states.stateEntries,
    ),
    query: states.entriesQuery,
  },
  takeCheckpoint: {
    method: 'POST',
    path: '/jobs/:jobid/checkpoints',
    summary: 'Takes a checkpoint now.',
    body: cluster.checkpointRequest,
    reply: cluster.trigger,
    status: 202,
  },
  checkpointStatus: get(
    '/jobs/:jobid/checkpoints/:triggerid',
    'What became of a checkpoint that was asked for.',
    cluster.checkpointOperation,
  ),
  takeSavepoint: {
    method: 'POST',
    path: '/jobs/:jobid/savepoints',
    summary: 'Takes a savepoint, and cancels the job after it if so asked.',
    body: cluster.savepointRequest,
    reply: cluster.trigger,
    status: 202,
  },
  savepointStatus: get(
    '/jobs/:jobid/savepoints/:triggerid',
    'What became of a savepoint or stop that was asked for.',
    cluster.operation,
  ),
  stopJob: {
    method: 'POST',
    path: '/jobs/:jobid/stop',
    summary: 'Ends a job with a savepoint.',
    body: cluster.stopRequest,
    reply: cluster.trigger,
    status: 202,
  },
  rescaleJob: {
    method: 'PATCH',
    path: '/jobs/:jobid/rescaling',
    summary: 'Has a job go on at another parallelism.',
    query: { parallelism: text({ pattern: '^[1-9][0-9]{0,4}$', description: 'Required.' }) },
    reply: cluster.trigger,
    status: 202,
  },
  rescalingStatus: get(
    '/jobs/:jobid/rescaling/:triggerid',
    'What became of a change of the parallelism that was asked for.',
    cluster.rescalingOperation,
  ),
  resourceRequirements: get(
    '/jobs/:jobid/resource-requirements',
    'Between which bounds the parallelism of each chain lies.',
    cluster.resourceRequirements,
  ),
  requireResources: {
    method: 'PUT',
    path: '/jobs/:jobid/resource-requirements',
    summary: 'Has a job go on at a parallelism within bounds for each chain.',
    body: cluster.resourceRequirements,
    reply: cluster.nothing,
    status: 200,
  },
  vertex: get(
    '/jobs/:jobid/vertices/:vertexid',
    'A chain with its subtasks.',
    vertices.vertexDetails,
  ),
  backPressure: get(
    '/jobs/:jobid/vertices/:vertexid/backpressure',
    'How busy and how blocked the subtasks of a chain are.',
    vertices.backPressure,
  ),
  watermarks: get('/jobs/:jobid/vertices/:vertexid/watermarks', 'Event time.', jobs.metrics),
  flameGraph: {
    ...get(
      '/jobs/:jobid/vertices/:vertexid/flamegraph',
      'In which functions the subtasks of a chain are, over a second.',
      profiles.flameGraph,
    ),
    query: {
      type: oneOf('FULL', 'ON_CPU', 'OFF_CPU', 'full', 'on_cpu', 'off_cpu'),
      subtaskindex: text({ pattern: '^[0-9]{1,5}$', description: 'Only of this subtask.' }),
    },
  },
  vertexMetrics: {
    ...get('/jobs/:jobid/vertices/:vertexid/metrics', 'Metrics of a chain.', jobs.metrics),
    query: { get: names },
  },
  subtasksMetrics: {
    ...get(
      '/jobs/:jobid/vertices/:vertexid/subtasks/metrics',
      'Metrics over the subtasks of a chain.',
      jobs.aggregates,
    ),
    query: { get: names, agg, subtasks: names },
  },
  subtaskMetrics: {
    ...get(
      '/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/metrics',
      'Metrics of a subtask, those of its functions too.',
      jobs.metrics,
    ),
    query: { get: names },
  },
  subtask: get(
    '/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex',
    'A subtask.',
    vertices.subtask,
  ),
  subtaskAttempt: get(
    '/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt',
    'A subtask in the attempt that runs.',
    vertices.subtask,
  ),
  subtaskTimes: get(
    '/jobs/:jobid/vertices/:vertexid/subtasktimes',
    'When the subtasks of a chain entered each state.',
    vertices.subtaskTimes,
  ),
  vertexTaskManagers: get(
    '/jobs/:jobid/vertices/:vertexid/taskmanagers',
    'A chain by the processes it runs in, of which there is one.',
    vertices.vertexTaskManagers,
  ),
  vertexAccumulators: get(
    '/jobs/:jobid/vertices/:vertexid/accumulators',
    'Always empty: what functions count are metrics.',
    vertices.vertexAccumulators,
  ),
  subtasksAccumulators: get(
    '/jobs/:jobid/vertices/:vertexid/subtasks/accumulators',
    'Always empty: what functions count are metrics.',
    vertices.subtasksAccumulators,
  ),
  tap: {
    ...get(
      '/jobs/:jobid/vertices/:vertexid/tap',
      'Server-sent events: records as they pass, a sample of them; see docs/rest.md.',
      'events',
    ),
    query: {
      operator: text({ maxLength: 1024, description: 'Name or uid; default: the whole chain.' }),
      to: text({ maxLength: 1024, description: 'Only what goes on to this operator or chain.' }),
      side: oneOf('output', 'input'),
      filter: text({ maxLength: 16_384, description: 'An expression, such as amount > 100.' }),
      limit: text({ pattern: '^[0-9]{1,9}$', description: 'Ends after so many records.' }),
      sample: text({ pattern: '^[0-9]{1,4}$', description: 'Records of a subtask each 200 ms.' }),
    },
  },
  disposeSavepoint: {
    method: 'POST',
    path: '/savepoint-disposal',
    summary: 'Deletes a savepoint.',
    body: cluster.disposalRequest,
    reply: cluster.trigger,
    status: 202,
  },
  disposalStatus: get(
    '/savepoint-disposal/:triggerid',
    'What became of a disposal.',
    cluster.operation,
  ),
  events: {
    ...get('/events', 'Server-sent events: every change of every job.', 'events'),
    query: {
      watch: text({
        maxLength: 4096,
        description: 'Comma-separated: `load` for that of all jobs, ids of jobs for their flow.',
      }),
    },
  },
  metrics: get('/metrics', 'All metrics, for Prometheus.', 'text'),
  openApi: get(
    '/openapi.json',
    'This interface as an OpenAPI document.',
    map(anything('A part of the document.')),
  ),
} as const satisfies Readonly<Record<string, PathDefinition>>;

/** The name of a path. */
export type PathName = keyof typeof PATHS;
