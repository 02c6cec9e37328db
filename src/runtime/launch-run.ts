/**
 * Launches a planned run: makes its first attempt, in this process or in one of its own, and gives the handle on it.
 * Callers: `start-run.ts`, which loads it. Runs on: the caller's thread.
 */
import { MillraceError, type WireError } from '../base/errors.js';
import { freshSeed, SeededRandom } from '../base/random.js';
import { RepeatedFailures } from '../checkpoint/repeated-failures.js';
import type { EndReason } from '../checkpoint/checkpoint-protocol.js';
import { RestartStrategy } from '../checkpoint/restart-strategy.js';
import { Execution, type StartedJob } from './execution.js';
import { importableUrl } from './importable-url.js';
import { JobAttempts } from './job-attempts.js';
import { type PlannedAt, planAt } from './plan-further.js';
import { notImportable, type PlannedRun, type RunRequest } from './plan-run.js';
import { checkRecoverySettings, restartPolicyOf } from './recovery-policy.js';
import type { MemoryMoment } from '../memory/heap-probe.js';
import type { SlotThreads } from './slot-threads.js';

/** Launches the run; `threads` is null when it has none in this process, which `before` was like before it started. */
export async function launchRun(
  request: RunRequest,
  planned: PlannedRun,
  threads: SlotThreads | null,
  before: MemoryMoment,
): Promise<StartedJob> {
  const { plan } = planned;
  checkRecoverySettings(request.settings);
  if (request.settings.isolate === 'process') return startIsolated(planned, request);
  threads?.resize(plan.slots);
  const attempts = new JobAttempts(request, planned, threads);
  const first = await attempts.first();
  if (typeof first === 'number') {
    await threads?.terminate();
    const { FinishedRun } = await import('./finished-run.js');
    return new FinishedRun(plan, first);
  }
  const { disk } = attempts;
  const random = new SeededRandom(request.settings.seed ?? freshSeed());
  const strategy = new RestartStrategy(restartPolicyOf(request.settings), random);
  const repeated = new RepeatedFailures(request.settings['restartStrategy.sameRecordFailures']);
  const further = {
    afterFailure: (error: WireError, nowMs: number) =>
      repeated.failed(error) ?? strategy.failed(error, nowMs) ?? error,
    checkpointed: () => repeated.passed(),
    next: (...past: Parameters<JobAttempts['next']>) => attempts.next(...past),
    region: (...region: Parameters<JobAttempts['region']>) => attempts.region(...region),
    planAt: (parallelism: number) => attempts.planAt(parallelism),
    get canLoadAhead() {
      return attempts.canLoadAhead;
    },
    loadAhead: (...what: Parameters<JobAttempts['loadAhead']>) => attempts.loadAhead(...what),
    dropAhead: () => attempts.dropAhead(),
    adopt: (planned: PlannedAt) => attempts.adopt(planned),
    savedOutput: () => attempts.savedOutput(),
    end: (reason: EndReason, suspendedTo: string | null) => attempts.end(reason, suspendedTo),
  };
  const execution = new Execution(plan, first.deployment, request.signal, disk, further, before);
  await execution.start(first);
  return execution;
}

/** Sinks that hand results to the caller have no meaning in another process, so they are refused. */
async function startIsolated(planned: PlannedRun, request: RunRequest): Promise<StartedJob> {
  const { plan } = planned;
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
    identity: null,
    awaitsAdmission: false,
    served: null,
  } as const;
  const { IsolatedRun } = await import('./isolated-run.js');
  const planWide = (width: number) => planAt(request, plan, width).plan;
  return new IsolatedRun(plan, run, signal, planWide);
}
