/**
 * Launches a planned run: asks sources and sinks to prepare, lays out shared memory, and gives the threads or the
 * in-thread runtime their work. Callers: `start-run.ts`, which loads it. Runs on: the caller's thread.
 */
import { systemClock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import { freshSeed } from '../base/random.js';
import type { SourcePlan } from '../connector/contract.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { Schema } from '../record/schema.js';
import { deploy } from './deploy.js';
import { Execution, type JobExecution } from './execution.js';
import { importableUrl } from './importable-url.js';
import { notImportable, type PlannedRun, type RunRequest } from './plan-run.js';
import { abortPrepared, type PreparedConnectors, prepareConnectors } from './prepare-connectors.js';
import type { SlotThreads } from './slot-threads.js';
import { startThreads } from './threaded-run.js';

/** Launches the run; `threads` is null when it has none in this process. */
export async function launchRun(
  request: RunRequest,
  planned: PlannedRun,
  threads: SlotThreads | null,
): Promise<JobExecution> {
  const { plan } = planned;
  if (request.settings.isolate === 'process') return startIsolated(plan, request);
  threads?.resize(plan.slots);
  const disk = request.world?.disk ?? nodeDisk;
  const prepared = await prepareConnectors(plan, disk, request.baseDirectory);
  try {
    return await launch(request, planned, prepared, threads);
  } catch (error) {
    await abortPrepared(plan, prepared, disk, request.baseDirectory);
    throw error;
  }
}

/** Checks what sources have found, lays out the memory of the run and starts it. */
async function launch(
  request: RunRequest,
  { plan, parallelism, check }: PlannedRun,
  prepared: PreparedConnectors,
  threads: SlotThreads | null,
): Promise<JobExecution> {
  const { settings, world } = request;
  check(foundSchemas(plan, prepared.sourcePlans));
  const deployment = deploy(plan, {
    jobName: plan.jobName,
    attempt: `${systemClock.epochMs().toString(36)}-${freshSeed().toString(36)}`,
    moduleUrl: threads === null ? null : await importableUrl(request.job.module ?? ''),
    params: request.params,
    planHash: plan.hash,
    parallelism,
    baseDirectory: request.baseDirectory,
    settings,
    seed: settings.seed ?? freshSeed(),
    ...prepared,
  });
  const execution = new Execution(plan, deployment, request.signal, world?.disk);
  if (threads !== null) {
    execution.attach(
      startThreads(plan, deployment, execution, threads, request.awaitsEnd === true),
    );
    return execution;
  }
  const { startInThread } = await import('./in-thread-run.js');
  const realWorld = { clock: systemClock, disk: nodeDisk, shuffle: null };
  execution.attach(startInThread(plan, deployment, execution, world ?? realWorld));
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
  const { IsolatedRun } = await import('./isolated-run.js');
  return new IsolatedRun(plan, run, signal);
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
