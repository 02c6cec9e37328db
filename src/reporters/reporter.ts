/**
 * What a reporter is: something that shows metrics to another program. Those of the engine and those of users are
 * alike. Callers: `reporting.ts` calls reporters, users write their own. Runs on: the thread that embeds the job, or
 * the server's; never in a slot.
 */
import type { MetricPoint } from '../metrics/metric-point.js';

/** Given to `open`. */
export interface ReporterContext {
  /** The metrics as they are now, those left out that the filter leaves out: for reporters that are asked. */
  points(): readonly MetricPoint[];
  /**
   * The name of a metric with everything that tells it apart from others of its kind, by the formats of
   * `metrics.scope.*`: for systems that know no labels. `clean` makes its parts fit for the system.
   */
  identifier(point: MetricPoint, clean?: (part: string) => string): string;
  /** What stands between the parts of such a name. */
  readonly delimiter: string;
}

/** Given to `report`. */
export interface ReportCall {
  /** Wall clock, in milliseconds. */
  readonly atMs: number;
  /** Aborted when the report takes too long, or the job has ended: nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/**
 * Shows metrics to another program, by telling it in intervals or by answering it. Whatever it throws is told once and
 * counted, and touches no job.
 *
 * @example
 * const totals: MetricReporter = {
 *   report: (points) => {
 *     const rows = points.filter(({ scope, name }) => scope === 'task' && name === 'numRecordsIn');
 *     console.log(rows.map(({ variables, value }) => [variables['task_name'], value]));
 *   },
 * };
 */
export interface MetricReporter {
  /** Called once, before the first report. */
  open?(context: ReporterContext): void | Promise<void>;
  /** Called in intervals, and once at the end; never again before it has settled. */
  report?(points: readonly MetricPoint[], call: ReportCall): void | Promise<void>;
  /** Called once, also when opening failed. */
  close?(): void | Promise<void>;
}
