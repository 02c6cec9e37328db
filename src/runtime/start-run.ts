/**
 * Starts a run. Threads take longer to start than a job to be planned, so they are started first, and what
 * launches the run is loaded meanwhile. Callers: `api/start.ts`, the command line. Runs on: the caller's thread.
 * Invariant: a run that does not start leaves no thread behind.
 */
import { availableParallelism } from 'node:os';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { StartedJob } from './execution.js';
import { memoryNow } from '../memory/heap-probe.js';
import { draftOf, planOf, type RunDraft, type RunRequest } from './plan-run.js';
import { SlotThreads } from './slot-threads.js';

/**
 * Starts the job. Rejects when it cannot start; failures later reject `execution.finished`. `onPlan` is told the plan
 * before anything of it is prepared.
 */
export async function startRun(
  request: RunRequest,
  onPlan: (plan: PhysicalPlan) => void = () => {},
): Promise<StartedJob> {
  const draft = draftOf(request);
  const before = memoryNow();
  const threads = earlyThreads(request, draft);
  try {
    const loading = import('./launch-run.js');
    const planned = planOf(request, draft);
    onPlan(planned.plan);
    const reporting = isReported(request)
      ? new (await import('./job-reporting.js')).JobReporting(request)
      : null;
    const { launchRun } = await loading;
    const execution = await launchRun(withoutReporters(request), planned, threads, before);
    reporting?.begin(execution);
    return execution;
  } catch (error) {
    await threads?.terminate();
    throw error;
  }
}

function isReported({ settings, reporters = {} }: RunRequest): boolean {
  return Object.keys({ ...settings['metrics.reporters'], ...reporters }).length > 0;
}

/** What reports stays on this thread, and so do the secrets of reporters. */
function withoutReporters(request: RunRequest): RunRequest {
  return { ...request, settings: { ...request.settings, 'metrics.reporters': {} } };
}

/** As many threads as the plan will want if its operators say nothing else; null for a run without. */
function earlyThreads(
  { settings }: RunRequest,
  { isThreaded, parallelism }: RunDraft,
): SlotThreads | null {
  if (!isThreaded || settings.isolate === 'process') return null;
  // What was asked for has not been checked yet.
  const slots = parallelism >= 1 ? Math.min(parallelism, availableParallelism()) : 0;
  return new SlotThreads(Math.floor(slots), settings);
}
