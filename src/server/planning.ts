/**
 * Waits for a job process to plan its job, no longer than a module may take. Callers: `served-job.ts`, the dispatcher.
 * Runs on: the server's thread. Invariant: a process that has not planned is gone when the wait fails.
 */
import { MillraceError } from '../base/errors.js';
import type { PlanExplanation } from '../graph/explain.js';
import type { JobProcess } from '../runtime/job-process.js';

type Planning = Pick<JobProcess, 'finished' | 'kill' | 'planned'>;

/** The plan. Rejects with PLAN_TIMEOUT, or with what is wrong with the job. */
export async function plannedWithin(
  process: Planning,
  timeoutMs: number,
  bundle: string,
): Promise<PlanExplanation> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    process.kill();
  }, timeoutMs);
  try {
    return await process.planned();
  } catch (error) {
    await process.finished.catch(() => {});
    throw isLate ? planTimeout(timeoutMs, bundle) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Ends a process that is not to run, and waits until it is gone. */
export async function endProcess(process: Planning): Promise<void> {
  process.kill();
  await process.finished.catch(() => {});
}

function planTimeout(timeoutMs: number, bundle: string): MillraceError {
  return new MillraceError(
    'PLAN_TIMEOUT',
    `The module ${bundle} had not defined its job after ${timeoutMs} ms.`,
    { advice: 'Call job() at the top level of the module, and nothing there that takes long.' },
  );
}
