/**
 * The main file of the child process of an isolated job: imports the job, runs it, reports to the parent, ends.
 * Callers: `isolated-run.ts` forks it. Runs on: the main thread of the child.
 */
import { toWire } from '../base/errors.js';
import type { CheckpointRequest } from '../checkpoint/checkpoint-protocol.js';
import type { JobExecution } from './execution.js';
import type { IsolatedReport, IsolatedRequest } from './isolated-run.js';
import { importJob } from './job-import.js';
import { startRun } from './start-run.js';

/** How often counters are reported; also how stale the name of the last operator may be after a crash. */
const METRICS_MS = 250;

let execution: JobExecution | null = null;

function report(message: IsolatedReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}

async function main(request: IsolatedRequest & { readonly kind: 'run' }): Promise<void> {
  try {
    const { moduleUrl, jobName, params, settings, baseDirectory, columns } = request;
    // Output goes through the parent to its terminal, for which tables are drawn.
    if (columns !== null) Object.assign(process.stdout, { isTTY: true, columns });
    const job = await importJob(moduleUrl, jobName, { isSlot: true });
    const running = await startRun({
      job: { ...job, module: moduleUrl, isImportable: true, build: (given) => job.build(given) },
      params,
      settings: { ...settings, isolate: 'none', runtime: 'threads' },
      baseDirectory,
      signal: null,
      awaitsEnd: true,
    });
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

process.on('message', (request: IsolatedRequest) => {
  if (request.kind === 'run') void main(request);
  else if (request.kind === 'cancel') execution?.cancel();
  else if (request.kind === 'checkpoint') void takeCheckpoint(request.request);
  else void execution?.stop({ drain: request.drain });
});
// Ctrl-C reaches every process of the terminal; what it means for the job is for the parent to say.
process.on('SIGINT', () => {});
// Without its parent the job has nobody to report to.
process.on('disconnect', () => {
  execution?.cancel();
  setTimeout(() => process.exit(1), 5000).unref();
});
