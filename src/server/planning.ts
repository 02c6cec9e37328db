/**
 * Waits for a job process to plan its job, or a restore of it, no longer than that may take. Callers: `served-job.ts`,
 * the dispatcher. Runs on: the server's thread. Invariant: a process that has not planned is gone when the wait fails.
 */
import { MillraceError } from '../base/errors.js';
import type { PlanExplanation } from '../graph/explain.js';
import type { JobProcess } from '../runtime/job-process.js';
import type { RestoreReport } from '../runtime/restore-report.js';

type Planning = Pick<JobProcess, 'finished' | 'kill' | 'planned' | 'restorePlan'>;

/** The plan. Rejects with PLAN_TIMEOUT, or with what is wrong with the job. */
export function plannedWithin(
  process: Planning,
  timeoutMs: number,
  bundle: string,
): Promise<PlanExplanation> {
  return within(process, timeoutMs, () => process.planned(), planTimeout(timeoutMs, bundle));
}

/** What going on would mean. Rejects with PLAN_TIMEOUT, or with why that cannot be told. */
export async function restorePlannedWithin(
  process: Planning,
  timeoutMs: number,
  bundle: string,
): Promise<RestoreReport> {
  await plannedWithin(process, timeoutMs, bundle);
  const late = restoreTimeout(timeoutMs, bundle);
  return within(process, timeoutMs, () => process.restorePlan(), late);
}

async function within<T>(
  process: Planning,
  timeoutMs: number,
  ask: () => Promise<T>,
  late: MillraceError,
): Promise<T> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    process.kill();
  }, timeoutMs);
  try {
    return await ask();
  } catch (error) {
    process.kill();
    const end: unknown = await process.finished.catch((how: unknown) => how);
    if (isLate) throw late;
    // One that dies while it is asked something is better known by its end.
    throw isCode(error, 'JOB_NOT_RUNNING') && end instanceof Error ? end : error;
  } finally {
    clearTimeout(timer);
  }
}

function isCode(error: unknown, code: MillraceError['code']): boolean {
  return MillraceError.is(error) && error.code === code;
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

function restoreTimeout(timeoutMs: number, bundle: string): MillraceError {
  return new MillraceError(
    'PLAN_TIMEOUT',
    `What the restore of ${bundle} would mean was not known after ${timeoutMs} ms.`,
    {
      advice:
        'All state is read for it, and functions are opened; ' +
        '`millrace explain --from`, beside the state, takes as long as it needs.',
    },
  );
}
