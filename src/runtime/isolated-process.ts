/**
 * The main file of the child process of a job: imports the job, runs it, reports to the parent, ends. Callers:
 * `process-link.ts` forks it. Runs on: the main thread of the child. Invariant: a job of a server outlives it only for
 * as long as it was told, in which the next one may go on with it, and leaves its checkpoints behind.
 */
import { assert } from '../base/assert.js';
import { toWire } from '../base/errors.js';
import type { CheckpointRequest } from '../checkpoint/checkpoint-protocol.js';
import type { PlanExplanation } from '../graph/explain.js';
import type { Recap } from './adopted-process.js';
import { boundOutput } from './bounded-output.js';
import type { StartedJob } from './execution.js';
import type { AdmittedRestore, ProcessRequest, ProcessRun, ServedRun } from './job-process.js';
import { importJob } from './job-import.js';
import { type Parent, Parents } from './parents.js';
import type { RunRequest } from './plan-run.js';
import type { ProcessCall } from './process-calls.js';
import type { RescaleReport } from './rescaling.js';
import { startRun } from './start-run.js';
import type { TapOptions } from './tap.js';

/** How often counters are reported; also how stale the name of the last operator may be after a crash. */
const METRICS_MS = 250;

let execution: StartedJob | null = null;
/** Calls that come before the job runs wait for it. */
let onRunning: (running: StartedJob) => void = () => {};
const whenRunning = new Promise<StartedJob>((resolve) => {
  onRunning = resolve;
});
/** What is to be run; null before that is known. */
let requested: RunRequest | null = null;
/** What closes the taps that the parent has opened. */
const openTaps = new Map<number, () => void>();
/** Cancels the job, also one that has not started yet. */
const canceling = new AbortController();
let onAdmitted: (restore: AdmittedRestore | null) => void = () => {};
/** What a child needs to go on without its server; null where it ends with its parent. */
let served: ServedRun | null = null;
let isServed = false;
/** Ends a process that no server finds again. */
let orphaned: NodeJS.Timeout | undefined;
/** The newest plan, and to what the job was rescaled last. */
let plan: PlanExplanation | null = null;
let rescaled: Recap['rescaled'] = null;

const parents = new Parents({
  request: (request) => onRequest(request),
  orphaned: () => onOrphaned(),
  adopted: (parent) => onAdopted(parent),
});

async function main(asked: ProcessRun): Promise<void> {
  try {
    ({ served } = asked);
    if (served !== null) boundOutput(served.output);
    const request = await requestOf(asked);
    requested = request;
    const restore = asked.awaitsAdmission ? await admitted(request) : null;
    if (served !== null) await openDoor(served);
    const running = await startRun(goingOnFrom(request, restore));
    execution = running;
    onRunning(running);
    const timer = setInterval(() => {
      parents.tell({ kind: 'metrics', metrics: running.metrics() });
    }, METRICS_MS);
    const { restored } = running;
    if (restored !== null) {
      void parents.report({ kind: 'event', event: { type: 'restored', ...restored } });
    }
    const forwarded = forwardEvents(running);
    try {
      const result = await running.finished.finally(() => clearInterval(timer));
      await forwarded;
      await parents.report({ kind: 'finished', result });
    } catch (error) {
      await forwarded;
      throw error;
    }
  } catch (error) {
    await parents.report({ kind: 'failed', error: toWire(error) });
  } finally {
    parents.close();
    process.exit(0);
  }
}

/** From now on the process may be found by the next server. A system without such doors has it end with its own. */
async function openDoor({ directory, epoch, protocol, orphanTimeoutMs }: ServedRun): Promise<void> {
  if (orphanTimeoutMs === 0) return;
  const { AdoptionDoor } = await import('./adoption-door.js');
  const opening = AdoptionDoor.open({
    directory,
    epoch,
    protocol,
    onServer: (socket) => parents.adopt(socket),
    // It has come to start the job anew, from its checkpoint.
    onStranger: () => process.kill(process.pid, 'SIGKILL'),
  });
  const door = await opening.catch((error: unknown) => {
    process.emitWarning(`No other server can go on with this process: ${String(error)}`);
    return null;
  });
  if (door !== null) parents.awaitOthers(door);
}

async function requestOf(asked: ProcessRun): Promise<RunRequest> {
  const { moduleUrl, jobName, params, settings, baseDirectory, columns, identity } = asked;
  isServed = identity !== null;
  // Output goes through the parent to its terminal, for which tables are drawn.
  if (columns !== null) Object.assign(process.stdout, { isTTY: true, columns });
  const job = await importJob(moduleUrl, jobName, { isSlot: true });
  return {
    job: { ...job, module: moduleUrl, isImportable: true, build: (given) => job.build(given) },
    params,
    settings: { ...settings, isolate: 'none', runtime: 'threads' },
    baseDirectory,
    signal: canceling.signal,
    awaitsEnd: true,
    ...(identity === null ? {} : { identity }),
  };
}

function goingOnFrom(request: RunRequest, restore: AdmittedRestore | null): RunRequest {
  if (restore === null) return request;
  const settings = {
    ...request.settings,
    'execution.stateRecovery.path': restore.path,
    'execution.stateRecovery.ignoreUnclaimedState': restore.allowNonRestored,
  };
  return { ...request, settings };
}

/** Settles when what was planned may run, with what it goes on from. */
async function admitted(request: RunRequest): Promise<AdmittedRestore | null> {
  const { explainJob } = await import('./explain-job.js');
  const admission = new Promise<AdmittedRestore | null>((resolve) => {
    onAdmitted = resolve;
  });
  ({ plan } = explainJob(request));
  await parents.report({ kind: 'planned', plan });
  return admission;
}

async function forwardEvents(running: StartedJob): Promise<void> {
  for await (const event of running.events()) await parents.report({ kind: 'event', event });
}

async function openTap(tap: number, options: TapOptions): Promise<void> {
  const parent = parents.current;
  const job = await whenRunning;
  const close = job.openTap(options, {
    chunk: (chunk) => parents.tell({ kind: 'tapped', tap, chunk }, parent),
    end: (error) => {
      openTaps.delete(tap);
      parents.tell({ kind: 'tapEnded', tap, error }, parent);
    },
  });
  if (parents.current === parent) openTaps.set(tap, close);
  else close();
}

async function takeCheckpoint({ token, kind, stop, target }: CheckpointRequest): Promise<void> {
  const options = {
    ...(target === null ? {} : { directory: target }),
    ...(stop === 'none' ? {} : { stop }),
  };
  const parent = parents.current;
  const job = await whenRunning;
  const taken = kind === 'checkpoint' ? job.checkpoint() : job.savepoint(options);
  const outcome = await taken.then(
    (done) => ({ report: done }),
    (error: unknown) => ({ error: toWire(error) }),
  );
  parents.tell({ kind: 'answer', token, outcome }, parent);
}

/** Answers what is asked of a job. */
async function answer({ token, name, value }: ProcessCall): Promise<void> {
  const parent = parents.current;
  const outcome = await called(name, value).then(
    (reply) => ({ reply }),
    (error: unknown) => ({ error: toWire(error) }),
  );
  parents.tell({ kind: 'returned', token, outcome }, parent);
}

function called(name: ProcessCall['name'], value: number) {
  switch (name) {
    case 'plan':
      return planWide(value);
    case 'rescale':
      return rescale(value);
    case 'restorePlan':
      return import('./restore-report.js').then(({ reportRestore }) => reportRestore(planned()));
    case 'profile':
      return whenRunning.then((job) => job.profile({ seconds: value }));
    case 'stacks':
      return import('./profiling.js').then(({ threadStacks }) => threadStacks());
  }
}

/** The job as it would run at another parallelism than it began with. */
async function planWide(parallelism: number): Promise<PlanExplanation> {
  const { explainPlanAt } = await import('./plan-further.js');
  const job = await whenRunning;
  return explainPlanAt(planned(), job.plan, parallelism);
}

/** What runs, or is to run. */
function planned(): RunRequest {
  assert(requested !== null, 'It has been planned.');
  return requested;
}

/** Its plan is reported before it is known to be rescaled. */
async function rescale(parallelism: number): Promise<RescaleReport> {
  const { explainPlanAt } = await import('./plan-further.js');
  const job = await whenRunning;
  const done = await job.rescale(parallelism);
  plan = explainPlanAt(planned(), job.plan, done.to);
  rescaled = { parallelism: done.to };
  await parents.report({ kind: 'planned', plan });
  return done;
}

function onRequest(message: ProcessRequest): void {
  if (message.kind === 'run') void main(message);
  else if (message.kind === 'admit') onAdmitted(message.restore);
  else if (message.kind === 'cancel') cancel();
  else if (message.kind === 'logLevel') execution?.setLogLevel(message.level);
  else if (message.kind === 'checkpoint') void takeCheckpoint(message.request);
  else if (message.kind === 'openTap') void openTap(message.tap, message.options);
  else if (message.kind === 'closeTap') openTaps.get(message.tap)?.();
  else if (message.kind === 'call') void answer(message.call);
  else void execution?.stop({ drain: message.drain });
}

function cancel(): void {
  if (execution === null) canceling.abort();
  else execution.cancel();
}

// Ctrl-C reaches every process of the terminal; what it means for the job is for the parent to say.
process.on('SIGINT', () => {});

/** Without its parent the job has nobody to report to. */
function onOrphaned(): void {
  for (const close of openTaps.values()) close();
  openTaps.clear();
  if (!isServed) {
    cancel();
    setTimeout(() => process.exit(1), 5000).unref();
    return;
  }
  // A server that comes back goes on from the last checkpoint, which canceling would take away.
  if (served === null || !parents.mayHaveOthers) process.kill(process.pid, 'SIGKILL');
  else orphaned = setTimeout(() => process.kill(process.pid, 'SIGKILL'), served.orphanTimeoutMs);
}

function onAdopted(parent: Parent): void {
  clearTimeout(orphaned);
  for (const close of openTaps.values()) close();
  openTaps.clear();
  assert(plan !== null && served !== null, 'A process has its door when it is planned.');
  const recap: Recap = {
    kind: 'recap',
    plan,
    state: execution?.state ?? 'CREATED',
    restarts: execution?.restarts ?? 0,
    restored: execution?.restored ?? null,
    metrics: execution?.metrics() ?? null,
    checkpoints: execution?.checkpoints ?? null,
    checkpointsBefore: served.checkpointsBefore,
    rescaled,
  };
  void parent.send(recap);
}
