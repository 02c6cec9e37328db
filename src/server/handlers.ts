/**
 * What each path of the REST interface does. Callers: `http-server.ts`, with requests that fit the table. Runs on: the
 * server's thread.
 */
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import type { WireError } from '../base/errors.js';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { shown } from '../base/secrets.js';
import { METADATA } from '../checkpoint/checkpoint-paths.js';
import { readContent } from '../checkpoint/file-content.js';
import { disposeSavepoint } from '../checkpoint/dispose-savepoint.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import { prometheusText } from '../reporters/prometheus-text.js';
import type { JarRunRequest, OperationStatus } from '../rest/cluster-schemas.js';
import type {
  BodyOf,
  JsonPathName,
  ParamsOf,
  QueryOf,
  ReplyOf,
  TextPathName,
} from '../rest/path-types.js';
import { restorePlanOf } from '../rest/restore-schemas.js';
import { type MeasuredJob, processMetrics } from '../runtime/measured-job.js';
import type { RescaleReport } from '../runtime/rescaling.js';
import type { BundleStore } from './bundle-store.js';
import { checkpointConfig, checkpointDetails, checkpointsView } from './checkpoint-views.js';
import type { Dispatcher } from './dispatcher.js';
import { jobFlow, loadOf } from './flow-view.js';
import { nameOf, type Submission } from './job-record.js';
import type { JobLogs, LogFile } from './job-logs.js';
import { endOf } from './rotating-file.js';
import { type JobStore, OUTPUT } from './job-store.js';
import {
  executionResult,
  jobConfig,
  jobDetails,
  jobExceptions,
  jobSummary,
  planOf,
  planView,
  stackOf,
} from './job-views.js';
import { type MeasuredServer, measuredJob } from './measured-jobs.js';
import { jobsMetrics, metricsView, processesMetrics, wholeJob } from './metric-views.js';
import { jobMemory } from './memory-view.js';
import type { UploadedFile } from './multipart-file.js';
import { Operations, type Outcome } from './operations.js';
import { environment, taskManager, taskManagerDetails } from './process-views.js';
import { profileHandlers } from './profile-handlers.js';
import { parallelismWithin, resourceRequirements } from './resource-requirements.js';
import type { ServedJob } from './served-job.js';
import { type StateReader, stateHandlers } from './state-handlers.js';
import { path, submissionAgain, submissionOf, type SubmissionDefaults } from './submission.js';
import { vertexHandlers } from './vertex-handlers.js';

/** A request that fits the table. */
export interface RestCall<N extends JsonPathName> {
  readonly params: ParamsOf<N>;
  readonly query: QueryOf<N>;
  readonly body: BodyOf<N>;
  readonly upload: UploadedFile | null;
}

/** A function for each path that is answered with one JSON value. */
export type Handlers = {
  readonly [N in Exclude<JsonPathName, 'health' | 'openApi'>]: (
    call: RestCall<N>,
  ) => ReplyOf<N> | Promise<ReplyOf<N>>;
};

/** A function for each path that is answered with text. */
export type TextHandlers = {
  readonly [N in TextPathName]: (call: {
    readonly params: ParamsOf<N>;
    readonly query: QueryOf<N>;
  }) => string;
};

/** What the handlers work on. */
export interface HandlersWorld {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly dispatcher: Dispatcher;
  readonly measuredServer: MeasuredServer;
  /** Looks into checkpoints. */
  readonly states: StateReader;
  /** Whether records and state of jobs may be looked at. */
  readonly showsRecords: boolean;
  /** Null takes no uploads. */
  readonly uploads: BundleStore | null;
  readonly bundles: BundleStore;
  readonly jobs: JobStore;
  readonly logs: JobLogs;
  readonly defaults: SubmissionDefaults;
  /** Where jobs keep their checkpoints unless they say otherwise. */
  readonly checkpointDirectory: string;
  /** Where the log of the server is. */
  readonly logDirectory: string;
  readonly version: string;
  /** The end of what the server has printed; null within a program. */
  readonly printed: ((bytesMax: number) => string) | null;
  /** Of the server, once it listens. */
  address(): string;
  /** Ends the server when its reply is out. */
  shutDown(): void;
}

/** What is planned or run. */
interface Program {
  readonly submission: Submission;
  readonly module: string;
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
  const isThere = (directory: string): boolean =>
    world.disk.stat(join(directory, METADATA)) !== null;
  const savepoints = new Operations<string | null>(clock);
  const checkpoints = new Operations<number>(clock);
  const rescalings = new Operations<RescaleReport>(clock);
  const disposals = new Operations<null>(clock);

  /** Of a bundle, or of a job by its id, which is kept with all that it was submitted with. */
  const programOf = (jarid: string, request: JarRunRequest): Program => {
    if (/^[0-9a-f]{32}$/.test(jarid)) {
      const { id, record } = jobOf(jarid);
      const submission = submissionAgain(record.submission, request, now());
      return { submission, module: world.jobs.moduleOf(id) };
    }
    const { name, module } = bundles.get(jarid);
    return { submission: submissionOf(name, request, defaults, now()), module };
  };

  const planned = async (jarid: string, request: JarRunRequest): Promise<ReplyOf<'planJar'>> => {
    const { submission, module } = programOf(jarid, request);
    const plan = await dispatcher.plan(submission, module);
    return { plan: planView(request.jobId ?? '', plan.job, plan.vertices) };
  };

  return {
    overview: () => overviewOf(dispatcher, world.version),
    config: () => dashboardOf(world),
    jobManagerConfig: () => configEntries(defaults),
    taskManagers: () => ({
      taskmanagers: dispatcher.jobs.flatMap((job) => taskManager(job, now())),
    }),
    taskManager: ({ params }) => {
      const job = jobOf(params.taskmanagerid);
      const [found] = taskManagerDetails(job, now());
      if (found === undefined) throw noProcess(job);
      return found;
    },
    environment,
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
    planJar: ({ params, body }) => planned(params.jarid, body),
    getJarPlan: ({ params, query: { 'entry-class': entryClass, programArg, parallelism } }) =>
      planned(params.jarid, {
        entryClass: entryClass ?? null,
        programArgsList: programArg?.split(',') ?? null,
        parallelism: parallelism === undefined ? null : Number(parallelism),
      }),
    planRestore: async ({ params, body }) => {
      const { submission, module } = programOf(params.jarid, body);
      if (submission.settings['execution.stateRecovery.path'] === null) throw withoutSavepoint();
      return restorePlanOf(await dispatcher.planRestore(submission, module));
    },
    runJar: async ({ params, body }) => {
      const { submission, module } = programOf(params.jarid, body);
      const job = await dispatcher.submit(body.jobId ?? undefined, submission, module);
      return { jobid: job.id };
    },
    jobs: () => ({
      jobs: dispatcher.jobs.map(({ id, record }) => ({ id, status: record.status })),
    }),
    applications: () => ({
      applications: dispatcher.jobs.map((job) => applicationOf(jobSummary(job, now()))),
    }),
    jobsOverview: () => ({ jobs: dispatcher.jobs.map((job) => jobSummary(job, now())) }),
    jobsMetrics: ({ query: { jobs, ...query } }) => jobsMetrics(measuredJobs(jobs), query),
    jobManagerMetrics: ({ query }) => metricsView(world.measuredServer.values(), query.get),
    taskManagersMetrics: ({ query: { taskmanagers, ...query } }) =>
      processesMetrics(measuredJobs(taskmanagers), query),
    taskManagerMetrics: ({ params, query }) =>
      metricsView(processMetrics(measuredOf(params.taskmanagerid)), query.get),
    job: ({ params }) => jobDetails(dispatcher.job(params.jobid), now()),
    jobLogLevel: ({ params, query: { level } }) => {
      if (level === undefined) {
        throw new MillraceError('REQUEST_INVALID', 'A level is missing.', {
          advice: 'Add ?level=debug, or another of trace, info, warn, error, silent.',
        });
      }
      dispatcher.job(params.jobid).setLogLevel(level);
      return {};
    },
    jobManagerLogs: () => ({ logs: world.logs.serverFiles() }),
    taskManagerLogs: ({ params }) => ({
      logs: world.logs.filesOf(dispatcher.job(params.taskmanagerid).record),
    }),
    cancelJob: ({ params }) => {
      dispatcher.job(params.jobid).cancel();
      return {};
    },
    jobStatus: ({ params }) => ({ status: jobOf(params.jobid).record.status }),
    executionResult: ({ params }) => executionResult(jobOf(params.jobid), now()),
    jobManagerJobConfig: ({ params }) => {
      jobOf(params.jobid);
      return configEntries(defaults);
    },
    jobEnvironment: ({ params }) => {
      jobOf(params.jobid);
      return environment();
    },
    jobAccumulators: ({ params }) => {
      jobOf(params.jobid);
      return {
        'job-accumulators': [],
        'user-task-accumulators': [],
        'serialized-user-task-accumulators': {},
      };
    },
    jobPlan: ({ params }) => ({ plan: planOf(dispatcher.job(params.jobid).record) }),
    jobFlow: ({ params }) => jobFlow(dispatcher.job(params.jobid), now()),
    jobMemory: ({ params }) => jobMemory(dispatcher.job(params.jobid), now()),
    jobsLoad: () => loadOf(dispatcher.jobs, now()),
    jobConfig: ({ params }) => jobConfig(dispatcher.job(params.jobid)),
    jobExceptions: ({ params, query: { maxExceptions } }) =>
      jobExceptions(
        dispatcher.job(params.jobid),
        maxExceptions === undefined ? EXCEPTIONS_MAX : Number(maxExceptions),
      ),
    jobMetrics: ({ params, query }) => metricsView(wholeJob(measuredOf(params.jobid)), query.get),
    checkpoints: ({ params }) => checkpointsView(dispatcher.job(params.jobid), isThere),
    checkpointConfig: ({ params }) => checkpointConfig(dispatcher.job(params.jobid)),
    checkpointDetails: ({ params }) =>
      checkpointDetails(dispatcher.job(params.jobid), params.checkpointid, isThere),
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
      const { 'target-directory': target, 'cancel-job': cancels, triggerId } = body;
      const take = async (): Promise<string | null> => {
        const { path: location } = await job.savepoint(targetOf(target));
        if (cancels === true) job.cancel();
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
    rescaleJob: ({ params, query: { parallelism } }) => {
      const job = dispatcher.job(params.jobid);
      if (parallelism === undefined) throw withoutParallelism();
      const rescale = (): Promise<RescaleReport> => job.rescale(Number(parallelism));
      return { 'request-id': rescalings.start(job.id, undefined, rescale) };
    },
    rescalingStatus: ({ params }) => {
      const outcome = rescalings.outcome(params.jobid, params.triggerid);
      if (outcome.state !== 'COMPLETED') return statusOf(outcome);
      return { ...statusOf(outcome), operation: outcome.value };
    },
    resourceRequirements: ({ params }) => resourceRequirements(dispatcher.job(params.jobid)),
    requireResources: async ({ params, body }) => {
      const job = dispatcher.job(params.jobid);
      await job.rescale(await parallelismWithin(job, body));
      return {};
    },
    ...vertexHandlers(dispatcher, clock),
    ...profileHandlers(dispatcher),
    ...stateHandlers(world),
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
  const { clock, disk, dispatcher, jobs, logs, measuredServer } = world;
  const jobLog = (id: string, { tail, after }: QueryOf<'jobLog'>): string =>
    logs.textOf(dispatcher.job(id).record, numberIn(tail), numberIn(after));
  return {
    metrics: () => prometheusText(measuredServer.points(clock.epochMs())),
    stdout: ({ params, query: { tail } }) => {
      const { id } = dispatcher.job(params.taskmanagerid);
      return endOf(disk, join(jobs.directoryOf(id), OUTPUT), bytesOf(tail));
    },
    jobManagerStdout: ({ query: { tail } }) => {
      if (world.printed === null) throw outputOfAnother();
      return world.printed(bytesOf(tail));
    },
    jobLog: ({ params, query }) => jobLog(params.jobid, query),
    taskManagerLog: ({ params, query }) => jobLog(params.taskmanagerid, query),
    taskManagerLogFile: ({ params }) => {
      const { record } = dispatcher.job(params.taskmanagerid);
      return logFile(world, jobs.directoryOf(record.id), logs.filesOf(record), params.filename);
    },
    jobManagerLog: ({ query: { tail, after } }) => logs.serverText(numberIn(tail), numberIn(after)),
    jobManagerLogFile: ({ params }) =>
      logFile(world, world.logDirectory, logs.serverFiles(), params.filename),
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
      'web-rescale': true,
      'web-history': false,
    },
  };
}

function configEntries({ layers }: SubmissionDefaults): ReplyOf<'jobManagerConfig'> {
  const merged = Object.assign({}, ...layers.map(({ values }) => values));
  return Object.entries(merged).map(([key, value]) => ({ key, value: shown(key, value) }));
}

/** As Flink names the application around a job that was submitted alone. */
function applicationOf(
  summary: ReplyOf<'jobsOverview'>['jobs'][number],
): ReplyOf<'applications'>['applications'][number] {
  const { jid, name, state } = summary;
  return {
    id: jid,
    name: `SingleJobApplication(${name})`,
    'start-time': summary['start-time'],
    'end-time': summary['end-time'],
    duration: summary.duration,
    status: state,
    jobs: { [state]: 1 },
  };
}

function noProcess({ record }: ServedJob): MillraceError {
  return new MillraceError('PATH_UNKNOWN', `The job ${record.id} has no process now.`, {
    where: { job: nameOf(record) },
    advice: 'GET /taskmanagers lists the jobs that have one.',
  });
}

function outputOfAnother(): MillraceError {
  return new MillraceError('PATH_UNKNOWN', 'What the server prints goes to the program it is in.', {
    advice: 'GET /jobmanager/log gives the log of the server.',
  });
}

function numberIn(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

function bytesOf(tail: string | undefined): number {
  return numberIn(tail) ?? Number.POSITIVE_INFINITY;
}

/** One of the files that are listed, and no other of the directory. */
function logFile(
  { disk }: HandlersWorld,
  directory: string,
  files: readonly LogFile[],
  name: string,
): string {
  if (files.some((file) => file.name === name)) {
    return Buffer.from(readContent(disk, join(directory, name)) ?? []).toString();
  }
  throw new MillraceError('REQUEST_INVALID', `There is no log ${JSON.stringify(name)}.`, {
    advice: didYouMean(
      name,
      files.map((file) => file.name),
    ),
  });
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
function refuseType(type: string | null | undefined): void {
  if (type === undefined || type === null || type === 'CONFIGURED') return;
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

function withoutSavepoint(): MillraceError {
  return new MillraceError('REQUEST_INVALID', 'The request names nothing to go on from.', {
    advice: 'Give savepointPath: the directory of a savepoint or checkpoint.',
  });
}

function withoutParallelism(): MillraceError {
  return new MillraceError('REQUEST_INVALID', 'The request names no parallelism.', {
    advice: 'Write PATCH /jobs/:jobid/rescaling?parallelism=4.',
  });
}

function uploadsDisabled(): MillraceError {
  return new MillraceError('UPLOADS_DISABLED', 'The server takes no uploads.', {
    advice: 'Start it with --uploads; whoever reaches it can then run any program on its machine.',
  });
}
