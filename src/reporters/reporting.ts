/**
 * Has reporters report: opens them, calls each in its interval, closes them. Callers: `job-reporting.ts` for a program
 * that embeds a job, the server for all of its jobs. Runs on: their thread. Invariants: a reporter has one report
 * under way at most; what it throws, and that it does not come to an end, touches nobody; nothing of it is left after
 * `close`.
 */
import { systemClock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import type { MetricPoint } from '../metrics/metric-point.js';
import type { MetricFilter } from './metric-filter.js';
import type { MetricReporter } from './reporter.js';
import { identifierOf, type ScopeFormats } from './scope-formats.js';

/** A reporter and how it is called. */
export interface ReporterSetup {
  readonly name: string;
  readonly reporter: MetricReporter;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly filter: MetricFilter;
  readonly delimiter: string;
  /** Variables that it is not given, and such that it is given besides. */
  readonly withoutVariables: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  /** Texts that must not stand in a message. */
  readonly secrets: readonly string[];
}

/** What is reported, and who is told what went wrong. */
export interface ReportingWorld {
  measure(): readonly MetricPoint[];
  tell(error: MillraceError): void;
  readonly formats: ScopeFormats;
}

/** How long the end waits for last reports, and for reporters to close. */
const CLOSE_MS = 2000;

/** The reporters of a job or a server. */
export class Reporting {
  readonly #runs: readonly ReporterRun[];

  constructor(setups: readonly ReporterSetup[], world: ReportingWorld) {
    this.#runs = setups.map(
      (setup) => new ReporterRun(setup, { ...world, measure: () => this.points(world) }),
    );
  }

  /** Begins to report. Settles when every reporter is open or has failed to. */
  async open(): Promise<void> {
    await Promise.all(this.#runs.map((run) => run.open()));
  }

  /** Reports a last time, and ends. Takes no longer than a few seconds, and never rejects. */
  async close(): Promise<void> {
    await Promise.all(this.#runs.map((run) => run.close()));
  }

  /** What is measured, and what became of the reports. */
  points(world: Pick<ReportingWorld, 'measure'>): readonly MetricPoint[] {
    const measured = world.measure();
    const host = measured[0]?.variables['host'] ?? '';
    return [...measured, ...this.#runs.flatMap((run) => run.points(host))];
  }
}

class ReporterRun {
  readonly #setup: ReporterSetup;
  readonly #world: ReportingWorld;
  #timer: NodeJS.Timeout | null = null;
  /** The report under way. */
  #current: Promise<void> | null = null;
  #abort: AbortController | null = null;
  #isOpen = false;
  /** Whether the newest report failed, which was told then. */
  #isFailing = false;
  #isCut = false;
  #reports = 0;
  #failures = 0;
  #dropped = 0;

  constructor(setup: ReporterSetup, world: ReportingWorld) {
    this.#setup = setup;
    this.#world = world;
  }

  async open(): Promise<void> {
    const { reporter, delimiter, intervalMs, timeoutMs } = this.#setup;
    const context = {
      points: () => this.#points(),
      identifier: (point: MetricPoint, clean = (part: string) => part) =>
        identifierOf(point, this.#world.formats, delimiter, clean),
      delimiter,
    };
    try {
      await within(timeoutMs, async () => reporter.open?.(context));
      this.#isOpen = true;
    } catch (error) {
      this.#failed(error, 'cannot begin');
      return;
    }
    if (reporter.report === undefined) return;
    this.#timer = setInterval(() => this.#tick(), intervalMs);
    this.#timer.unref();
  }

  #tick(): void {
    if (this.#current === null) void this.#report(this.#setup.timeoutMs);
    else this.#dropped++;
  }

  #report(timeoutMs: number): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    const call = async (): Promise<void> => {
      const { reporter } = this.#setup;
      await reporter.report?.(this.#points(), {
        atMs: systemClock.epochMs(),
        signal: abort.signal,
      });
    };
    const current = within(timeoutMs, call, abort)
      .then(
        () => {
          this.#reports++;
          this.#isFailing = false;
        },
        (error: unknown) => this.#failed(error, 'cannot report'),
      )
      .finally(() => {
        if (this.#current === current) this.#current = null;
      });
    this.#current = current;
    return current;
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const { reporter, timeoutMs } = this.#setup;
    const patienceMs = Math.min(CLOSE_MS, timeoutMs);
    // Whoever is slow has had its chance.
    if (this.#current !== null) this.#cut();
    else if (this.#isOpen && reporter.report !== undefined) await this.#report(patienceMs);
    try {
      await within(patienceMs, async () => reporter.close?.());
    } catch (error) {
      this.#failed(error, 'cannot end');
    }
  }

  /** Ends the report under way, which is no failure to tell of. */
  #cut(): void {
    this.#isCut = true;
    this.#abort?.abort();
  }

  #points(): readonly MetricPoint[] {
    const { filter, withoutVariables, variables } = this.#setup;
    const isSame = withoutVariables.length === 0 && Object.keys(variables).length === 0;
    const points = this.#world.measure().filter(filter);
    if (isSame) return points;
    return points.map((point) => {
      const kept = Object.entries(point.variables).filter(
        ([name]) => !withoutVariables.includes(name),
      );
      return { ...point, variables: { ...Object.fromEntries(kept), ...variables } };
    });
  }

  #failed(cause: unknown, what: string): void {
    this.#failures++;
    if (this.#isFailing || this.#isCut) return;
    this.#isFailing = true;
    const { name, secrets } = this.#setup;
    const reason = secrets.reduce(
      (text, secret) => text.replaceAll(secret, '******'),
      reasonOf(cause),
    );
    this.#world.tell(
      new MillraceError('REPORTER_FAILED', `The metric reporter "${name}" ${what}: ${reason}`, {
        advice: 'The job goes on, and so do reports; this is not told again before one succeeds.',
      }),
    );
  }

  /** What became of its reports. */
  points(host: string): readonly MetricPoint[] {
    const counts = { numReports: this.#reports, numReportsFailed: this.#failures };
    return Object.entries({ ...counts, numReportsDropped: this.#dropped }).map(([name, value]) => ({
      scope: 'jm',
      groups: [{ name: 'reporter', value: this.#setup.name }],
      name,
      variables: { host, reporter: this.#setup.name },
      value: { type: 'counter', value },
    }));
  }
}

/** Rejects when it takes longer, or is aborted; whatever is over is aborted. */
async function within(
  timeoutMs: number,
  work: () => Promise<void>,
  abort = new AbortController(),
): Promise<void> {
  const { signal } = abort;
  const late = new Error(`no answer within ${timeoutMs} ms`);
  const timer = setTimeout(() => abort.abort(late), timeoutMs);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(asError(signal.reason)), { once: true });
  });
  const working = work();
  // Of the two, nobody waits for the one that comes later.
  for (const promise of [working, aborted]) promise.catch(() => {});
  try {
    await Promise.race([working, aborted]);
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** The message with those of its causes, which alone say why a connection failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  const code = (error as NodeJS.ErrnoException).code;
  const own = message === '' ? (code ?? error.name) : message;
  return cause === undefined || cause === null ? own : `${own}: ${reasonOf(cause)}`;
}
