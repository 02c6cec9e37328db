/**
 * Has the metrics of a job reported by the program that embeds it: on its thread, whether the job runs in threads of
 * the program or in a process of its own. Callers: `start-run.ts`, which loads it for jobs with reporters. Runs on: the
 * caller's thread. Invariant: `finished` of the job settles when its reporters have ended.
 */
import { hostname } from 'node:os';
import { systemClock } from '../base/clock.js';
import type { MillraceError } from '../base/errors.js';
import { freshId } from '../base/random.js';
import { metricFilter } from '../reporters/metric-filter.js';
import type { MetricReporter } from '../reporters/reporter.js';
import { type ReporterSetup, Reporting } from '../reporters/reporting.js';
import { reportersOf } from '../reporters/reporters-of.js';
import type { ScopeFormats } from '../reporters/scope-formats.js';
import type { StartedJob } from './execution.js';
import { jobPoints } from './measured-job.js';
import { NO_METRICS } from './no-metrics.js';
import type { RunRequest } from './plan-run.js';
import { RateWindow } from './rate-window.js';
import { scopeFormatsOf } from './scope-settings.js';

/** How often reporters of users are called, and how long a call may take. */
const OWN_INTERVAL_MS = 10_000;

/** Reporters that are ready to report a job. */
export class JobReporting {
  readonly #request: RunRequest;
  readonly #setups: readonly ReporterSetup[];
  readonly #formats: ScopeFormats;

  /** Throws OPTION_UNKNOWN and OPTION_INVALID. */
  constructor(request: RunRequest) {
    this.#request = request;
    const own = Object.entries(request.reporters ?? {}).map(([name, reporter]) =>
      ownSetup(name, reporter),
    );
    this.#formats = scopeFormatsOf(request.settings);
    this.#setups = [...reportersOf(request.settings['metrics.reporters']), ...own];
  }

  /** Reports a job that has been started, until its end. */
  begin(execution: StartedJob): void {
    const id = this.#request.identity?.jobId ?? freshId();
    const host = hostname();
    const startedMs = systemClock.monotonicMs();
    const window = new RateWindow(NO_METRICS);
    const reporting = new Reporting(this.#setups, {
      formats: this.#formats,
      tell: warn,
      measure: () => {
        window.add(execution.metrics());
        const { plan, jobName, restarts, checkpoints, state } = execution;
        const runningMs = state === 'RUNNING' ? systemClock.monotonicMs() - startedMs : 0;
        const nowMs = systemClock.epochMs();
        const job = { id, name: jobName, restarts, checkpoints, runningMs, isOver: false, nowMs };
        const counters = { now: window.newest, earlier: window.earlier };
        return jobPoints({ ...job, ...counters, vertices: plan.vertices }, host);
      },
    });
    void reporting.open();
    execution.afterEnd(() => reporting.close());
  }
}

function ownSetup(name: string, reporter: MetricReporter): ReporterSetup {
  return {
    name,
    reporter,
    intervalMs: OWN_INTERVAL_MS,
    timeoutMs: OWN_INTERVAL_MS,
    filter: metricFilter('*', ''),
    delimiter: '.',
    withoutVariables: [],
    variables: {},
    secrets: [],
  };
}

function warn({ message, code, advice }: MillraceError): void {
  process.emitWarning(message, { type: 'MillraceWarning', code, detail: advice ?? '' });
}
