/**
 * Jobs of a server, and the server itself, as they are measured. Callers: metric views, what reports. Runs on: the
 * server's thread.
 */
import { hostname } from 'node:os';
import type { MetricPoint } from '../metrics/metric-point.js';
import { processUsage } from '../metrics/process-usage.js';
import { jobPoints, type MeasuredJob, pointsOf, processMeasure } from '../runtime/measured-job.js';
import { measured, PROCESS_METRICS, SERVER_METRICS } from '../runtime/metric-definitions.js';
import { RateWindow } from '../runtime/rate-window.js';
import type { Dispatcher } from './dispatcher.js';
import { isTerminal, nameOf } from './job-record.js';
import type { ServedJob } from './served-job.js';

/** A job of the server. */
export function measuredJob(job: ServedJob, nowMs: number): MeasuredJob {
  const { record } = job;
  const { status, timestamps, restarts, checkpoints, plan } = record;
  return {
    id: job.id,
    name: nameOf(record),
    vertices: plan?.vertices ?? [],
    now: job.metrics(),
    earlier: job.earlierMetrics(),
    isOver: record.metrics !== null,
    restarts,
    runningMs: status === 'RUNNING' ? nowMs - (timestamps.RUNNING ?? nowMs) : 0,
    checkpoints,
    nowMs,
  };
}

/** The server. One for its life, as it remembers what its process took before. */
export class MeasuredServer {
  readonly #dispatcher: Dispatcher;
  readonly #usage: RateWindow<{
    readonly elapsedMs: number;
    readonly usage: ReturnType<typeof processUsage>;
  }>;

  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
    const usage = processUsage();
    this.#usage = new RateWindow({ elapsedMs: usage.upMs, usage });
  }

  /** The metrics of the server and its process. */
  values() {
    const { pool, jobs } = this.#dispatcher;
    const usage = processUsage();
    this.#usage.add({ elapsedMs: usage.upMs, usage });
    const ofServer = {
      slots: pool.total,
      freeSlots: pool.free,
      processes: jobs.filter(({ record }) => record.pid !== null).length,
      runningJobs: jobs.filter(({ record }) => !isTerminal(record.status)).length,
    };
    return [
      ...measured(SERVER_METRICS, ofServer),
      ...measured(PROCESS_METRICS, processMeasure(usage, this.#usage.earlier.usage)),
    ];
  }

  /** Everything there is now. Jobs that have ended are left out. */
  points(nowMs: number): readonly MetricPoint[] {
    const host = hostname();
    const live = this.#dispatcher.jobs.filter(({ record }) => !isTerminal(record.status));
    return [
      ...pointsOf('jm', { host }, this.values()),
      ...live.flatMap((job) => jobPoints(measuredJob(job, nowMs), host)),
    ];
  }
}
