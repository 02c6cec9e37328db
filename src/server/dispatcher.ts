/**
 * All jobs of a server: takes new ones, finds those of an earlier server again, forgets the oldest that have ended.
 * Callers: the handlers, `server.ts`. Runs on: the server's thread. Invariant: as many ended jobs are kept as was said,
 * so that a server that takes jobs for months does not grow.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from '../base/errors.js';
import { freshId } from '../base/random.js';
import type { PlanExplanation } from '../graph/explain.js';
import { EventStream } from '../runtime/event-stream.js';
import type { RestoreReport } from '../runtime/restore-report.js';
import { endedMs, isTerminal, newRecord, slotsOf, type Submission } from './job-record.js';
import { endProcess, plannedWithin, restorePlannedWithin } from './planning.js';
import { endLeftBehind } from './process-table.js';
import type { JobLogs } from './job-logs.js';
import {
  type JobChange,
  ServedJob,
  type ServedJobWorld,
  type ServedProcess,
} from './served-job.js';

/** How often it is looked which jobs have ended long ago. */
const AGES_MS = 60_000;

/** What the dispatcher needs. */
export interface DispatcherWorld extends Omit<ServedJobWorld, 'onChange' | 'onFound'> {
  /** Jobs that are kept after their end. */
  readonly endedMax: number;
  /** For so long; null for ever. */
  readonly endedMs: number | null;
  readonly logs: Pick<JobLogs, 'changed' | 'forget' | 'found'>;
}

/** The dispatcher. */
export class Dispatcher {
  readonly events = new EventStream<JobChange>();
  readonly #world: DispatcherWorld;
  readonly #jobWorld: ServedJobWorld;
  readonly #jobs = new Map<string, ServedJob>();
  readonly #ages: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(world: DispatcherWorld) {
    this.#world = world;
    this.#jobWorld = {
      ...world,
      launch: (run) => world.launch(run),
      find: (record) => world.find(record),
      onFound: (job) => world.logs.found(job.record),
      onDefect: (error) => world.onDefect(error),
      onChange: (job, event) => {
        world.logs.changed(job.record, event);
        // Lines are for those who follow the log.
        if (event?.type !== 'log') this.events.push({ job, event });
        if (isTerminal(job.record.status)) this.#forget();
      },
    };
    if (world.endedMs !== null) {
      this.#ages = setInterval(() => this.#forget(), Math.min(world.endedMs, AGES_MS)).unref();
    }
  }

  get pool(): DispatcherWorld['pool'] {
    return this.#world.pool;
  }

  /** Newest first. */
  get jobs(): readonly ServedJob[] {
    return [...this.#jobs.values()].toReversed();
  }

  /** Throws JOB_UNKNOWN. */
  job(id: string): ServedJob {
    const job = this.#jobs.get(id);
    if (job !== undefined) return job;
    throw new MillraceError('JOB_UNKNOWN', `There is no job ${id}.`, {
      advice: 'GET /jobs lists those there are.',
    });
  }

  /** Finds the jobs of an earlier server. Throws OPTION_INVALID when one needs more slots than there are now. */
  recover(): void {
    const { store, disk, pool } = this.#world;
    // Those that ran have their slots before those that had waited.
    const records = store
      .load()
      .toSorted(
        (a, b) =>
          Number(b.timestamps.RUNNING !== undefined) - Number(a.timestamps.RUNNING !== undefined),
      );
    for (const { id, plan, status } of records) {
      if (plan === null || isTerminal(status) || slotsOf(plan) <= pool.total) continue;
      throw new MillraceError(
        'OPTION_INVALID',
        `The job ${id} needs ${slotsOf(plan)} slots, and the server has ${pool.total}.`,
        {
          where: { job: plan.job },
          advice: `Start the server with --slots ${slotsOf(plan)} or more.`,
        },
      );
    }
    for (const record of records) {
      const job = new ServedJob(record, this.#jobWorld);
      // Without a plan it was never acknowledged, unless nothing is known of it any more.
      if (record.plan === null && !isTerminal(record.status)) {
        if (record.pid !== null) endLeftBehind(disk, record.pid, record.id);
        store.remove(record.id);
        continue;
      }
      this.#jobs.set(record.id, job);
      if (isTerminal(record.status)) job.tidyUp();
      else job.resume();
    }
    this.#forget();
  }

  /** Whether a job still needs the snapshot that it was started from. */
  needs(snapshot: string): ServedJob | null {
    const isNeeded = ({ record }: ServedJob): boolean => {
      const { settings, baseDirectory } = record.submission;
      const from = settings['execution.stateRecovery.path'];
      if (from === null || isTerminal(record.status)) return false;
      if (record.checkpoints.latest.completed?.kind === 'checkpoint') return false;
      return resolve(baseDirectory, from).replace(/[\\/]_metadata$/, '') === snapshot;
    };
    return this.jobs.find(isNeeded) ?? null;
  }

  /** Runs a job from a module; its id, once the job is planned and admitted. */
  async submit(id: string | undefined, submission: Submission, module: string): Promise<ServedJob> {
    const jobId = id ?? freshId();
    if (this.#isClosed) throw closed();
    if (this.#jobs.has(jobId)) throw taken(jobId);
    const job = new ServedJob(newRecord(jobId, submission), this.#jobWorld);
    this.#jobs.set(jobId, job);
    try {
      this.#world.store.create(job.record, module);
      await job.submit();
    } catch (error) {
      this.#jobs.delete(jobId);
      this.#world.store.remove(jobId);
      throw error;
    }
    return job;
  }

  /** The plan of a job that does not run. */
  plan(submission: Submission, module: string): Promise<PlanExplanation> {
    return this.#asking(submission, module, plannedWithin);
  }

  /** What going on from the snapshot that its settings name would mean for a job that does not run. */
  planRestore(submission: Submission, module: string): Promise<RestoreReport> {
    return this.#asking(submission, module, restorePlannedWithin);
  }

  /** Asks a process for something that is gone when it has answered. */
  async #asking<T>(
    { bundle, jobName, params, settings, baseDirectory }: Submission,
    module: string,
    ask: (process: ServedProcess, timeoutMs: number, bundle: string) => Promise<T>,
  ): Promise<T> {
    const process = this.#world.launch({
      kind: 'run',
      moduleUrl: pathToFileURL(module).href,
      jobName,
      params,
      settings,
      baseDirectory,
      columns: null,
      identity: { jobId: freshId(), isResumed: false },
      awaitsAdmission: true,
      served: null,
    });
    try {
      return await ask(process, this.#world.planTimeoutMs, bundle);
    } finally {
      await endProcess(process);
    }
  }

  /** Leaves all jobs behind for the next server, and waits until their processes are gone, or are that server's. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#ages);
    this.events.end();
    await Promise.all(this.jobs.map((job) => job.suspend()));
  }

  #forget(): void {
    const ended = [...this.#jobs.values()]
      .flatMap((job) => {
        const atMs = endedMs(job.record);
        return atMs === null ? [] : [{ job, atMs }];
      })
      .toSorted((a, b) => b.atMs - a.atMs);
    const { endedMax, endedMs: ageMax, clock } = this.#world;
    const since = ageMax === null ? Number.NEGATIVE_INFINITY : clock.epochMs() - ageMax;
    const kept = ended.slice(0, endedMax).filter(({ atMs }) => atMs > since).length;
    for (const { job } of ended.slice(kept)) {
      this.#jobs.delete(job.id);
      this.#world.logs.forget(job.id);
      this.#world.store.remove(job.id);
    }
  }
}

function taken(id: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `There is a job ${id} already.`, {
    advice: 'Leave jobId out, or name another one.',
  });
}

function closed(): MillraceError {
  return new MillraceError('SERVER_UNREACHABLE', 'The server is about to end.', {
    advice: 'Submit the job again when it is back.',
  });
}
