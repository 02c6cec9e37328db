/**
 * The main file of the child process of a job: imports the job, runs it, reports to the parent, ends. Callers:
 * `job-process.ts` forks it. Runs on: the main thread of the child. Invariant: a job of a server does not outlive it,
 * and leaves its checkpoints for the next one.
 */
import { toWire } from '../base/errors.js';
import type { CheckpointRequest } from '../checkpoint/checkpoint-protocol.js';
import type { JobExecution } from './execution.js';
import type { ProcessReport, ProcessRequest, ProcessRun } from './job-process.js';
import { importJob } from './job-import.js';
import type { RunRequest } from './plan-run.js';
import { startRun } from './start-run.js';

/** How often counters are reported; also how stale the name of the last operator may be after a crash. */
const METRICS_MS = 250;

let execution: JobExecution | null = null;
/** Cancels the job, also one that has not started yet. */
const canceling = new AbortController();
let isServed = false;
let onAdmitted: () => void = () => {};

function report(message: ProcessReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}

async function main(asked: ProcessRun): Promise<void> {
  try {
    const request = await requestOf(asked);
    if (asked.awaitsAdmission) await admitted(request);
    const running = await startRun(request);
    execution = running;
    const timer = setInterval(() => {
      void report({ kind: 'metrics', metrics: running.metrics() });
    }, METRICS_MS);
    const { restored } = running;
    if (restored !== null) void report({ kind: 'event', event: { type: 'restored', ...restored } });
    void forwardEvents(running);
    const result = await running.finished.finally(() => clearInterval(timer));
    await report({ kind: 'finished', result });
  } catch (error) {
    await report({ kind: 'failed', error: toWire(error) });
  } finally {
    process.exit(0);
  }
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

/** Settles when what was planned may run. */
async function admitted(request: RunRequest): Promise<void> {
  const { explainJob } = await import('./explain-job.js');
  const admission = new Promise<void>((resolve) => {
    onAdmitted = resolve;
  });
  await report({ kind: 'planned', plan: explainJob(request).plan });
  await admission;
}

async function forwardEvents(running: JobExecution): Promise<void> {
  for await (const event of running.events()) await report({ kind: 'event', event });
}

async function takeCheckpoint({ token, kind, stop, target }: CheckpointRequest): Promise<void> {
  const options = {
    ...(target === null ? {} : { directory: target }),
    ...(stop === 'none' ? {} : { stop }),
  };
  const taken = kind === 'checkpoint' ? execution?.checkpoint() : execution?.savepoint(options);
  if (taken === undefined) return;
  const outcome = await taken.then(
    (done) => ({ report: done }),
    (error: unknown) => ({ error: toWire(error) }),
  );
  await report({ kind: 'answer', token, outcome });
}

process.on('message', (request: ProcessRequest) => {
  if (request.kind === 'run') void main(request);
  else if (request.kind === 'admit') onAdmitted();
  else if (request.kind === 'cancel') cancel();
  else if (request.kind === 'checkpoint') void takeCheckpoint(request.request);
  else void execution?.stop({ drain: request.drain });
});

function cancel(): void {
  if (execution === null) canceling.abort();
  else execution.cancel();
}

// Ctrl-C reaches every process of the terminal; what it means for the job is for the parent to say.
process.on('SIGINT', () => {});
// Without its parent the job has nobody to report to.
process.on('disconnect', () => {
  // A server that comes back goes on from the last checkpoint, which canceling would take away.
  if (isServed) process.kill(process.pid, 'SIGKILL');
  cancel();
  setTimeout(() => process.exit(1), 5000).unref();
});
