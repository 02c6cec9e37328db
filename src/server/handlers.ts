/**
 * What each path of the REST interface does. Callers: `http-server.ts`, with requests that fit the table. Runs on: the
 * server's thread.
 */
import { cpus, freemem, hostname, totalmem } from 'node:os';
import { resolve } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import type { WireError } from '../base/errors.js';
import { MillraceError } from '../base/errors.js';
import { disposeSavepoint } from '../checkpoint/dispose-savepoint.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import { prometheusText } from '../reporters/prometheus-text.js';
import type { OperationStatus, TaskManager } from '../rest/cluster-schemas.js';
import type { BodyOf, JsonPathName, ParamsOf, QueryOf, ReplyOf } from '../rest/path-types.js';
import { jobMetrics, type MeasuredJob, processMetrics } from '../runtime/measured-job.js';
import type { BundleStore } from './bundle-store.js';
import { checkpointConfig, checkpointDetails, checkpointsView } from './checkpoint-views.js';
import type { Dispatcher } from './dispatcher.js';
import { jobFlow, loadOf } from './flow-view.js';
import { outputOf } from './job-output.js';
import { slotsOf } from './job-record.js';
import type { JobStore } from './job-store.js';
import {
  jobConfig,
  jobDetails,
  jobExceptions,
  jobSummary,
  planOf,
  planView,
  shown,
  stackOf,
  vertexDetails,
  vertexOf,
} from './job-views.js';
import { type MeasuredServer, measuredJob } from './measured-jobs.js';
import {
  backPressure,
  jobsMetrics,
  metricsView,
  processesMetrics,
  subtaskMetricsView,
  subtasksMetrics,
  vertexMetricsView,
  watermarks,
} from './metric-views.js';
import { jobMemory } from './memory-view.js';
import type { UploadedFile } from './multipart-file.js';
import { Operations, type Outcome } from './operations.js';
import type { ServedJob } from './served-job.js';
import { path, submissionOf, type SubmissionDefaults } from './submission.js';

/** A request that fits the table. */
export interface RestCall<N extends JsonPathName> {
  readonly params: ParamsOf<N>;
  readonly query: QueryOf<N>;
  readonly body: BodyOf<N>;
  readonly upload: UploadedFile | null;
}

/** A function for each path that is answered with one JSON value. */
export type Handlers = {
  readonly [N in Exclude<JsonPathName, 'openApi'>]: (
    call: RestCall<N>,
  ) => ReplyOf<N> | Promise<ReplyOf<N>>;
};

/** A function for each path that is answered with text. */
export type TextHandlers = {
  readonly metrics: () => string;
  readonly stdout: (call: {
    readonly params: ParamsOf<'stdout'>;
    readonly query: QueryOf<'stdout'>;
  }) => string;
};

/** What the handlers work on. */
export interface HandlersWorld {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly dispatcher: Dispatcher;
  readonly measuredServer: MeasuredServer;
  /** Null takes no uploads. */
  readonly uploads: BundleStore | null;
  readonly bundles: BundleStore;
  readonly jobs: JobStore;
  readonly defaults: SubmissionDefaults;
  /** Where jobs keep their checkpoints unless they say otherwise. */
  readonly checkpointDirectory: string;
  readonly version: string;
  /** Of the server, once it listens. */
  address(): string;
  /** Ends the server when its reply is out. */
  shutDown(): void;
}

/** Exceptions that are shown, as in Flink. */
const EXCEPTIONS_MAX = 16;
/** How often Flink's console asks. */
const REFRESH_MS = 3000;

/** The functions. */
export function handlersOf(world: HandlersWorld): Handlers {
  const { clock, dispatcher, bundles, defaults } = world;
  const now = (): number => clock.epochMs();
  const jobOf = (id: string): ServedJob => dispatcher.job(id);
  const measuredOf = (id: string): MeasuredJob => measuredJob(jobOf(id), now());
  const measuredJobs = (ids: string | undefined): readonly MeasuredJob[] => {
    const wanted = ids?.split(',').filter((id) => id !== '');
    const chosen = wanted?.map(jobOf) ?? dispatcher.jobs;
    return chosen.map((job) => measuredJob(job, now()));
  };
  const savepoints = new Operations<string | null>(clock);
  const checkpoints = new Operations<number>(clock);
  const disposals = new Operations<null>(clock);

  return {
    overview: () => overviewOf(dispatcher, world.version),
    config: () => dashboardOf(world),
    jobManagerConfig: () => configEntries(defaults),
    taskManagers: () => ({
      taskmanagers: dispatcher.jobs.flatMap((job) => taskManager(job, now())),
    }),
    shutDown: () => {
      world.shutDown();
      return {};
    },
    listJars: () => ({
      address: world.address(),
      files: bundles.list().map(({ id, name, uploadedMs }) => {
        return { id, name, uploaded: Math.round(uploadedMs), entry: [] };
      }),
    }),
    uploadJar: async ({ upload }) => {
      if (world.uploads === null || upload === null) throw uploadsDisabled();
      const { path: filename } = await world.uploads.add(upload.name, upload.content);
      return { filename, status: 'success' };
    },
    deleteJar: ({ params }) => {
      bundles.remove(params.jarid);
      return {};
    },
    planJar: async ({ params, body }) => {
      const bundle = bundles.get(params.jarid);
      const submission = submissionOf(bundle.name, body, defaults, now());
      const plan = await dispatcher.plan(submission, bundle.module);
      return { plan: planView(body.jobId ?? '', plan.job, plan.vertices) };
    },
    runJar: async ({ params, body }) => {
      const bundle = bundles.get(params.jarid);
      const submission = submissionOf(bundle.name, body, defaults, now());
      const job = await dispatcher.submit(body.jobId, submission, bundle.module);
      return { jobid: job.id };
    },
    jobs: () => ({
      jobs: dispatcher.jobs.map(({ id, record }) => ({ id, status: record.status })),
    }),
    jobsOverview: () => ({ jobs: dispatcher.jobs.map((job) => jobSummary(job, now())) }),
    jobsMetrics: ({ query: { jobs, ...query } }) => jobsMetrics(measuredJobs(jobs), query),
    jobManagerMetrics: ({ query }) => metricsView(world.measuredServer.values(), query.get),
    taskManagersMetrics: ({ query: { taskmanagers, ...query } }) =>
      processesMetrics(measuredJobs(taskmanagers), query),
    taskManagerMetrics: ({ params, query }) =>
      metricsView(processMetrics(measuredOf(params.taskmanagerid)), query.get),
    job: ({ params }) => jobDetails(dispatcher.job(params.jobid), now()),
    cancelJob: ({ params }) => {
      dispatcher.job(params.jobid).cancel();
      return {};
    },
    jobPlan: ({ params }) => ({ plan: planOf(dispatcher.job(params.jobid).record) }),
    jobFlow: ({ params }) => jobFlow(dispatcher.job(params.jobid), now()),
    jobMemory: ({ params }) => jobMemory(dispatcher.job(params.jobid), now()),
    jobsLoad: () => loadOf(dispatcher.jobs, now()),
    jobConfig: ({ params }) => jobConfig(dispatcher.job(params.jobid)),
    jobExceptions: ({ params }) => jobExceptions(dispatcher.job(params.jobid), EXCEPTIONS_MAX),
    jobMetrics: ({ params, query }) => metricsView(jobMetrics(measuredOf(params.jobid)), query.get),
    checkpoints: ({ params }) => checkpointsView(dispatcher.job(params.jobid)),
    checkpointConfig: ({ params }) => checkpointConfig(dispatcher.job(params.jobid)),
    checkpointDetails: ({ params }) =>
      checkpointDetails(dispatcher.job(params.jobid), params.checkpointid),
    takeCheckpoint: ({ params, body }) => {
      const job = dispatcher.job(params.jobid);
      refuseType(body.checkpointType);
      const take = async (): Promise<number> => (await job.checkpoint()).id;
      return { 'request-id': checkpoints.start(job.id, body.triggerId, take) };
    },
    checkpointStatus: ({ params }) => {
      const outcome = checkpoints.outcome(params.jobid, params.triggerid);
      if (outcome.state !== 'COMPLETED') return statusOf(outcome);
      return { ...statusOf(outcome), operation: { checkpointId: outcome.value } };
    },
    takeSavepoint: ({ params, body }) => {
      const job = dispatcher.job(params.jobid);
      const { 'target-directory': target, 'cancel-job': cancels = false, triggerId } = body;
      const take = async (): Promise<string | null> => {
        const { path: location } = await job.savepoint(targetOf(target));
        if (cancels) job.cancel();
        return location;
      };
      return { 'request-id': savepoints.start(job.id, triggerId, take) };
    },
    stopJob: ({ params, body }) => {
      const job = dispatcher.job(params.jobid);
      const stop = body.drain === true ? 'drain' : 'suspend';
      const take = async (): Promise<string | null> => {
        const report = await job.savepoint({ ...targetOf(body.targetDirectory), stop });
        await job.ended;
        return locationOf(job, report);
      };
      return { 'request-id': savepoints.start(job.id, body.triggerId, take) };
    },
    savepointStatus: ({ params }) =>
      operationStatus(savepoints.outcome(params.jobid, params.triggerid)),
    vertex: ({ params }) => {
      const job = dispatcher.job(params.jobid);
      return vertexDetails(job, vertexOf(job, params.vertexid), now());
    },
    backPressure: ({ params }) => {
      const vertex = vertexOf(jobOf(params.jobid), params.vertexid);
      return backPressure(measuredOf(params.jobid), vertex, now());
    },
    watermarks: ({ params }) => {
      const vertex = vertexOf(jobOf(params.jobid), params.vertexid);
      return watermarks(measuredOf(params.jobid), vertex);
    },
    vertexMetrics: ({ params, query }) => {
      const vertex = vertexOf(jobOf(params.jobid), params.vertexid);
      return vertexMetricsView(measuredOf(params.jobid), vertex, query.get);
    },
    subtasksMetrics: ({ params, query }) => {
      const vertex = vertexOf(jobOf(params.jobid), params.vertexid);
      return subtasksMetrics(measuredOf(params.jobid), vertex, query);
    },
    subtaskMetrics: ({ params, query }) => {
      const vertex = vertexOf(jobOf(params.jobid), params.vertexid);
      return subtaskMetricsView(measuredOf(params.jobid), vertex, params.subtaskindex, query.get);
    },
    disposeSavepoint: ({ body }) => {
      const savepoint = resolve(defaults.baseDirectory, path(body['savepoint-path']));
      const dispose = async (): Promise<null> => {
        refuseWhileNeeded(dispatcher, savepoint);
        disposeSavepoint(world.disk, savepoint, world.checkpointDirectory);
        return null;
      };
      return { 'request-id': disposals.start('', body.triggerId, dispose) };
    },
    disposalStatus: ({ params }) => operationStatus(disposals.outcome('', params.triggerid)),
  };
}

/** Those that answer with text. */
export function textHandlersOf(world: HandlersWorld): TextHandlers {
  const { clock, disk, dispatcher, jobs, measuredServer } = world;
  return {
    metrics: () => prometheusText(measuredServer.points(clock.epochMs())),
    stdout: ({ params, query: { tail } }) => {
      const { id } = dispatcher.job(params.taskmanagerid);
      const bytesMax = tail === undefined ? Number.POSITIVE_INFINITY : Number(tail);
      return outputOf(disk, jobs.directoryOf(id), bytesMax);
    },
  };
}

function overviewOf(dispatcher: Dispatcher, version: string): ReplyOf<'overview'> {
  const { pool, jobs } = dispatcher;
  const statuses = jobs.map(({ record }) => record.status);
  const countOf = (status: string): number => statuses.filter((other) => other === status).length;
  const ended = countOf('FINISHED') + countOf('CANCELED') + countOf('FAILED');
  return {
    taskmanagers: jobs.filter(({ record }) => record.pid !== null).length,
    'slots-total': pool.total,
    'slots-available': pool.free,
    'jobs-running': statuses.length - ended,
    'jobs-finished': countOf('FINISHED'),
    'jobs-cancelled': countOf('CANCELED'),
    'jobs-failed': countOf('FAILED'),
    'flink-version': version,
    'flink-commit': 'millrace',
    'jobs-queued': pool.waiting.length,
  };
}

function dashboardOf({ uploads, version }: HandlersWorld): ReplyOf<'config'> {
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return {
    'refresh-interval': REFRESH_MS,
    'timezone-name': zone,
    'timezone-offset': -new Date(0).getTimezoneOffset() * 60_000,
    'flink-version': version,
    'flink-revision': 'millrace',
    features: {
      'web-submit': uploads !== null,
      'web-cancel': true,
      'web-rescale': false,
      'web-history': false,
    },
  };
}

function configEntries({ layers }: SubmissionDefaults): ReplyOf<'jobManagerConfig'> {
  const merged = Object.assign({}, ...layers.map(({ values }) => values));
  return Object.entries(merged).map(([key, value]) => ({ key, value: shown(key, value) }));
}

/** The process of a job, as Flink shows a worker. */
function taskManager({ record }: ServedJob, nowMs: number): readonly TaskManager[] {
  const { pid, plan, submission } = record;
  if (pid === null || plan === null) return [];
  const slots = slotsOf(plan);
  const { settings } = submission;
  const memory = settings['slot.memory'] * slots;
  const network = Math.round(memory * settings['slot.networkFraction']);
  const managed = Math.round(memory * settings['slot.managedFraction']);
  const resource = (share: number) => ({
    cpuCores: slots * share,
    taskHeapMemory: (memory - network - managed) * share,
    taskOffHeapMemory: 0,
    managedMemory: managed * share,
    networkMemory: network * share,
    extendedResources: {},
  });
  return [
    {
      id: record.id,
      path: `process://${hostname()}/${pid}`,
      dataPort: -1,
      jmxPort: -1,
      timeSinceLastHeartbeat: nowMs,
      slotsNumber: slots,
      freeSlots: 0,
      totalResource: resource(1),
      freeResource: resource(0),
      hardware: {
        cpuCores: cpus().length,
        physicalMemory: totalmem(),
        freeMemory: freemem(),
        managedMemory: managed,
      },
      memoryConfiguration: {
        taskHeap: memory - network - managed,
        networkMemory: network,
        managedMemory: managed,
        totalFlinkMemory: memory,
      },
    },
  ];
}

function targetOf(directory: string | null | undefined): { readonly directory?: string } {
  return directory === null || directory === undefined ? {} : { directory: path(directory) };
}

/** Where the savepoint is with which a job has stopped. */
function locationOf({ record }: ServedJob, report: CheckpointReport): string | null {
  if (record.status === 'FINISHED') return report.path;
  throw new MillraceError(
    'CHECKPOINT_FAILED',
    `The savepoint ${report.path ?? ''} was taken, but the job did not stop with it.`,
    { where: { job: record.id }, advice: 'GET /jobs/:jobid/exceptions tells why.' },
  );
}

/** Also where the job keeps its checkpoints in a directory of its own. */
function refuseWhileNeeded(dispatcher: Dispatcher, savepoint: string): void {
  const job = dispatcher.needs(savepoint.replace(/[\\/]_metadata$/, ''));
  if (job === null) return;
  throw new MillraceError(
    'CHECKPOINT_IN_USE',
    `The job ${job.id} started from the savepoint and has no checkpoint of its own yet.`,
    { where: { file: savepoint }, advice: 'Wait for its first checkpoint, or cancel the job.' },
  );
}

/** Whether a checkpoint builds on others is for the settings of the job to say. */
function refuseType(type: string | undefined): void {
  if (type === undefined || type === 'CONFIGURED') return;
  throw new MillraceError('FEATURE_UNSUPPORTED', `A checkpoint of type ${type} is not taken.`, {
    advice: 'Leave checkpointType out; execution.checkpointing.incremental of the job decides.',
  });
}

function statusOf(outcome: Outcome<unknown>): OperationStatus {
  if (outcome.state === 'IN_PROGRESS') return { status: { id: 'IN_PROGRESS' } };
  if (outcome.state === 'COMPLETED') return { status: { id: 'COMPLETED' } };
  const failure = failureOf(outcome.error);
  return { status: { id: 'COMPLETED' }, operation: { 'failure-cause': failure } };
}

function operationStatus(outcome: Outcome<string | null>): OperationStatus {
  if (outcome.state !== 'COMPLETED') return statusOf(outcome);
  const operation = outcome.value === null ? {} : { location: outcome.value };
  return { status: { id: 'COMPLETED' }, operation };
}

function failureOf(error: WireError): { readonly class: string; readonly 'stack-trace': string } {
  return { class: error.code ?? error.name, 'stack-trace': stackOf(error) };
}

function uploadsDisabled(): MillraceError {
  return new MillraceError('UPLOADS_DISABLED', 'The server takes no uploads.', {
    advice: 'Start it with --uploads; whoever reaches it can then run any program on its machine.',
  });
}
