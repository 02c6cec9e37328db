/**
 * `millrace run`: runs a job to its end with a live view on a terminal, plain lines elsewhere, JSON lines on
 * request. Callers: `main.ts`. Runs on: the main thread. Invariant: results go to standard output, everything
 * about the run to standard error, so that a pipe gets records only.
 */
import { describeError, MillraceError, toWire } from '../base/errors.js';
import type { JobExecution, JobResult } from '../runtime/execution.js';
import { explainPlanText } from '../runtime/explain-job.js';
import { startRun } from '../runtime/start-run.js';
import { type JobCallOptions, jobCall } from './job-call.js';
import { createView } from './run-view.js';
import { verboseReport } from './verbose-report.js';

/** Options as commander gives them. */
export interface RunCommandOptions extends JobCallOptions {
  readonly verbose?: boolean;
}

/** The job failed. */
const EXIT_FAILED = 1;
/** The job was interrupted; 128 + SIGINT, as shells do it. */
const EXIT_INTERRUPTED = 130;

/** Runs the job; the exit code. */
export async function runCommand(module: string, options: RunCommandOptions): Promise<number> {
  const call = await jobCall(module, options);
  const execution = await startRun({ ...call, baseDirectory: process.cwd(), signal: null });
  const isJson = options.json === true;
  if (!isJson) process.stderr.write(`${explainPlanText(execution.plan)}\n\n`);
  const release = onInterrupt(execution);
  const view = createView(execution, { isJson, stream: process.stderr });
  try {
    const result = await execution.finished;
    view.end(result);
    report(result, options);
    return 0;
  } catch (error) {
    view.end(null);
    if (isJson)
      process.stdout.write(`${JSON.stringify({ type: 'error', error: toWire(error) })}\n`);
    else process.stderr.write(`${failureText(error)}\n`);
    const isCanceled = MillraceError.is(error) && error.code === 'JOB_CANCELED';
    return isCanceled ? EXIT_INTERRUPTED : EXIT_FAILED;
  } finally {
    release();
  }
}

function report(result: JobResult, options: RunCommandOptions): void {
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ type: 'result', ...result })}\n`);
  } else if (options.verbose === true) {
    process.stderr.write(`${verboseReport(result)}\n`);
  }
}

/** The error, and under it the causes and the user's lines of their stacks. */
function failureText(error: unknown): string {
  const lines = [describeError(error)];
  let cause: unknown = error instanceof Error ? error.cause : undefined;
  for (let depth = 0; cause instanceof Error && depth < 4; depth++) {
    const frames = (cause.stack ?? '').split('\n').slice(1, 5);
    lines.push(`  caused by ${cause.name}: ${cause.message}`, ...frames);
    cause = cause.cause;
  }
  return lines.join('\n');
}

/** The first interrupt cancels in order, the second ends the process at once. */
function onInterrupt(execution: JobExecution): () => void {
  let interrupts = 0;
  const onSignal = (): void => {
    if (++interrupts > 1) process.exit(EXIT_INTERRUPTED);
    process.stderr.write('\nCanceling; interrupt again to end at once.\n');
    execution.cancel();
  };
  // A reader that went away, as `head` does, wants no more results.
  const onPipe = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    execution.cancel();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.stdout.on('error', onPipe);
  return () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    process.stdout.off('error', onPipe);
  };
}
