/**
 * Every path of the REST interface in one table: verb, path, what it takes and gives. The server serves it, the OpenAPI
 * document describes it, the client calls it. Callers: server, `open-api.ts`, `client.ts`. Runs on: any thread; pure
 * data.
 */
import * as cluster from './cluster-schemas.js';
import { anything, map, oneOf, type Schema, text } from './json-schema.js';
import * as jobs from './job-schemas.js';

/** One verb of one path. */
export interface PathDefinition {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
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

/** The table, by the name of what each does. */
export const PATHS = {
  overview: get('/overview', 'Slots and jobs in numbers.', cluster.overview),
  config: get('/config', 'What a console needs to know.', cluster.dashboardConfig),
  jobManagerConfig: get(
    '/jobmanager/config',
    'Settings that hold for every job, secrets left out.',
    cluster.configEntries,
  ),
  taskManagers: get('/taskmanagers', 'The processes of the jobs.', cluster.taskManagers),
  stdout: {
    ...get(
      '/taskmanagers/:taskmanagerid/stdout',
      'The newest of what a job has printed; a process has the id of its job.',
      'text',
    ),
    query: { tail: text({ pattern: '^[0-9]{1,9}$', description: 'Bytes of its end.' }) },
  },
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
  runJar: {
    method: 'POST',
    path: '/jars/:jarid/run',
    summary: 'Submits a job.',
    body: cluster.jarRunRequest,
    reply: cluster.jarRun,
    status: 200,
  },
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
  jobPlan: get('/jobs/:jobid/plan', 'The plan of a job.', jobs.jobPlan),
  jobFlow: get(
    '/jobs/:jobid/flow',
    'What flows through a job: rates, shares of time, fill of edges, the bottleneck.',
    jobs.jobFlow,
  ),
  jobMemory: get('/jobs/:jobid/memory', 'Who holds the memory of a job.', jobs.jobMemory),
  jobsLoad: get('/jobs/load', 'Rates, restarts and last checkpoints of all jobs.', jobs.load),
  jobConfig: get('/jobs/:jobid/config', 'The settings of a job.', jobs.jobConfig),
  jobExceptions: get(
    '/jobs/:jobid/exceptions',
    'Why a job failed or was restarted.',
    jobs.exceptions,
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
  vertex: get('/jobs/:jobid/vertices/:vertexid', 'A chain with its subtasks.', jobs.vertexDetails),
  backPressure: get(
    '/jobs/:jobid/vertices/:vertexid/backpressure',
    'How busy and how blocked the subtasks of a chain are.',
    jobs.backPressure,
  ),
  watermarks: get('/jobs/:jobid/vertices/:vertexid/watermarks', 'Event time.', jobs.metrics),
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
