/**
 * Starts a run: builds the graph, plans it, asks sources and sinks to prepare, lays out shared memory, and starts
 * threads or the in-thread runtime. Callers: `api/start.ts`, the command line. Runs on: the caller's thread.
 */
import { availableParallelism } from 'node:os';
import { systemClock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import { freshSeed } from '../base/random.js';
import type { SourcePlan } from '../connector/contract.js';
import type { LogicalGraph } from '../graph/logical-graph.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { planJob } from '../graph/plan.js';
import type { Schema } from '../record/schema.js';
import { deploy } from './deploy.js';
import { Execution, type JobExecution } from './execution.js';
import { IsolatedRun } from './isolated-run.js';
import { type InThreadWorld, planInThread, startInThread } from './in-thread-run.js';
import { importableUrl } from './job-bundle.js';
import type { RunnableJob } from './job-import.js';
import { planOptionsOf } from './plan-options.js';
import { abortPrepared, type PreparedConnectors, prepareConnectors } from './prepare-connectors.js';
import type { Settings } from './settings.js';
import { startThreads } from './threaded-run.js';

/** What a run is asked for. */
export interface RunRequest {
  readonly job: RunnableJob;
  readonly params: unknown;
  readonly settings: Settings;
  readonly baseDirectory: string;
  readonly signal: AbortSignal | null;
  /** Replaces clock, disk and order of stepping of an in-thread run; for tests and simulation. */
  readonly world?: InThreadWorld;
}

/** Plans the job as `startRun` would, without running it. */
export function planOf(request: RunRequest): PlannedRun {
  const { settings, params } = request;
  const graph = request.job.build(params);
  const isThreaded = usesThreads(request, graph);
  const parallelism = settings.parallelism ?? (isThreaded ? availableParallelism() : 1);
  const options = { ...planOptionsOf(settings, params), parallelism };
  const plan = planJob(graph, options);
  return {
    plan: isThreaded ? plan : planInThread(plan),
    parallelism,
    isThreaded,
    check: (sourceSchemas) => {
      planJob(graph, { ...options, sourceSchemas });
    },
  };
}

/** A plan, and what it was made of. */
export interface PlannedRun {
  readonly plan: PhysicalPlan;
  readonly parallelism: number;
  readonly isThreaded: boolean;
  /** Checks the names and types in the job against the schemas that sources found, by uid. */
  check(sourceSchemas: ReadonlyMap<string, Schema>): void;
}

/** Starts the job. Rejects when it cannot start; failures later reject `execution.finished`. */
export async function startRun(request: RunRequest): Promise<JobExecution> {
  const planned = planOf(request);
  const { plan } = planned;
  if (request.settings.isolate === 'process') return startIsolated(plan, request);
  const disk = request.world?.disk ?? nodeDisk;
  const prepared = await prepareConnectors(plan, disk, request.baseDirectory);
  try {
    return await launch(request, planned, prepared, disk);
  } catch (error) {
    await abortPrepared(plan, prepared, disk, request.baseDirectory);
    throw error;
  }
}

/** Checks what sources have found, lays out the memory of the run and starts it. */
async function launch(
  request: RunRequest,
  { plan, parallelism, isThreaded, check }: PlannedRun,
  prepared: PreparedConnectors,
  disk: Disk,
): Promise<JobExecution> {
  const { settings } = request;
  check(foundSchemas(plan, prepared.sourcePlans));
  const deployment = deploy(plan, {
    jobName: plan.jobName,
    attempt: `${systemClock.epochMs().toString(36)}-${freshSeed().toString(36)}`,
    moduleUrl: isThreaded ? await importableUrl(request.job.module ?? '') : null,
    params: request.params,
    planHash: plan.hash,
    parallelism,
    baseDirectory: request.baseDirectory,
    settings,
    seed: settings.seed ?? freshSeed(),
    ...prepared,
  });
  const execution = new Execution(plan, deployment, request.signal, disk);
  const world = request.world ?? { clock: systemClock, disk: nodeDisk, shuffle: null };
  execution.attach(
    isThreaded
      ? startThreads(plan, deployment, execution)
      : startInThread(plan, deployment, execution, world),
  );
  return execution;
}

/** Sinks that hand results to the caller have no meaning in another process, so they are refused. */
async function startIsolated(plan: PhysicalPlan, request: RunRequest): Promise<JobExecution> {
  const { job, params, settings, baseDirectory, signal } = request;
  if (!job.isImportable || job.module === null) throw notImportable(request);
  for (const sink of plan.vertices.flatMap((vertex) => vertex.sinks)) {
    if (!sink.connector.host || sink.connector.type === 'print') continue;
    throw new MillraceError(
      'FEATURE_UNSUPPORTED',
      `The sink ${sink.identity.name} gives its rows to this process, but the job is isolated.`,
      { where: { job: job.name }, advice: 'Write to a file sink, or run with isolate: "none".' },
    );
  }
  const moduleUrl = await importableUrl(job.module);
  const run = {
    kind: 'run',
    moduleUrl,
    jobName: job.name,
    params,
    settings,
    baseDirectory,
    columns: process.stdout.isTTY === true ? process.stdout.columns : null,
  } as const;
  return new IsolatedRun(plan, run, signal);
}

/** Threads where the job can be imported by them; otherwise the calling thread, if that is not a lie. */
function usesThreads({ job, settings, world }: RunRequest, graph: LogicalGraph): boolean {
  if (settings.runtime === 'in-thread' || world !== undefined) return false;
  if (settings.runtime === 'auto' && settings.parallelism === null && isSmall(graph)) return false;
  if (job.isImportable && job.module !== null) return true;
  const asked = settings.runtime === 'threads' || (settings.parallelism ?? 1) > 1;
  if (!asked) return false;
  throw notImportable({ job });
}

/** Below this many rows, all of them in memory, starting threads costs more than it can save. */
const SMALL_ROWS_MAX = 10_000;

function isSmall(graph: LogicalGraph): boolean {
  let rows = 0;
  for (const node of graph.nodes) {
    if (node.kind === 'source') rows += node.connector.rows ?? Number.POSITIVE_INFINITY;
  }
  return rows <= SMALL_ROWS_MAX;
}

function notImportable({ job }: Pick<RunRequest, 'job'>): MillraceError {
  return new MillraceError(
    'JOB_NOT_IMPORTABLE',
    `The job "${job.name}" cannot run in worker threads: importing its module does not define it.`,
    {
      where: { job: job.name, ...(job.module === null ? {} : { file: job.module }) },
      advice:
        'Call job() at the top level of a module and pass values as params, or run it with ' +
        '{ parallelism: 1 } in the calling thread.',
    },
  );
}

function foundSchemas(
  plan: PhysicalPlan,
  sourcePlans: readonly (SourcePlan | null)[],
): ReadonlyMap<string, Schema> {
  const found = new Map<string, Schema>();
  for (const { id, source } of plan.vertices) {
    const schema = sourcePlans[id]?.schema ?? null;
    if (source !== null && schema !== null) found.set(source.identity.uid, schema);
  }
  return found;
}
