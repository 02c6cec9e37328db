/**
 * Starts jobs from any Node program. Callers: users. Runs on: the caller's thread. Inside a slot that imports the
 * user's script, nothing is started: the promise simply never settles.
 */
import { MillraceError } from '../base/errors.js';
import type { JobExecution, JobResult } from '../runtime/execution.js';
import { jobHook } from '../runtime/job-import.js';
import { startRun } from '../runtime/start-run.js';
import { isJobDefinition, type JobDefinition } from './job.js';
import { ownReporters, type RunOptions, settingsOf } from './run-options.js';

/**
 * Starts a job and gives the handle on it: state, events, metrics, `cancel`, `stop`, `finished`.
 *
 * @example
 * const execution = await start(busiestOrigins, { parallelism: 2, signal });
 * for await (const event of execution.events()) console.log(event);
 * const { metrics } = await execution.finished;
 *
 * @throws MillraceError when the job cannot start: GRAPH_INVALID, FIELD_UNKNOWN, FILE_NOT_FOUND, …
 */
export async function start<P>(
  job: JobDefinition<P>,
  options: RunOptions<P> = {},
): Promise<JobExecution> {
  return launch(job, options, false);
}

/** Starts a job; `awaitsEnd` when the caller does nothing but wait for its end. */
async function launch<P>(
  job: JobDefinition<P>,
  options: RunOptions<P>,
  awaitsEnd: boolean,
): Promise<JobExecution> {
  if (!isJobDefinition(job)) {
    throw new MillraceError('OPTION_INVALID', 'run(...) and start(...) take a job.', {
      advice: 'Give them what job("name", (flow) => { ... }) returns.',
    });
  }
  const hook = jobHook();
  if (hook?.isSlot === true) {
    hook.onRun(job);
    return new Promise(() => {});
  }
  return startRun({
    job,
    params: options.params,
    settings: settingsOf(options),
    baseDirectory: options.baseDirectory ?? process.cwd(),
    signal: options.signal ?? null,
    awaitsEnd,
    reporters: ownReporters(options),
  });
}

/**
 * Runs a job to its end. Rejects with the first failure, or with JOB_CANCELED.
 *
 * @example
 * const { metrics } = await run(busiestOrigins);
 */
export async function run<P>(
  job: JobDefinition<P>,
  options: RunOptions<P> = {},
): Promise<JobResult> {
  const execution = await launch(job, options, true);
  return execution.finished;
}
