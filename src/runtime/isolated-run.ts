/**
 * Runs a whole job of an embedding program in a child process: a job process with the plan that the program has made.
 * Callers: `launch-run.ts` for `isolate: 'process'`. Runs on: the caller's thread.
 */
import { systemClock } from '../base/clock.js';
import type { ErrorWhere } from '../base/errors.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { StartedJob } from './execution.js';
import { JobProcess, type ProcessRun } from './job-process.js';
import { ForkedLink } from './process-link.js';
import type { RescaleReport } from './rescaling.js';
import { type TimeReport, timeReports } from './time-report.js';

/** A job in a child process. */
export class IsolatedRun extends JobProcess implements StartedJob {
  plan: PhysicalPlan;
  readonly #planWide: (parallelism: number) => PhysicalPlan;

  /** `planWide` gives the plan at another parallelism, as the child makes it. */
  constructor(
    plan: PhysicalPlan,
    request: ProcessRun,
    signal: AbortSignal | null,
    planWide: (parallelism: number) => PhysicalPlan,
  ) {
    super(request, new ForkedLink(request, process));
    this.plan = plan;
    this.#planWide = planWide;
    const onAbort = (): void => this.cancel();
    signal?.addEventListener('abort', onAbort, { once: true });
    void this.finished.catch(() => {}).then(() => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted === true) this.cancel();
  }

  whyNoOutput(): readonly TimeReport[] {
    return timeReports(this.plan, this.metrics(), systemClock.epochMs());
  }

  override async rescale(parallelism: number): Promise<RescaleReport> {
    const plan = this.#planWide(parallelism);
    const report = await super.rescale(parallelism);
    this.plan = plan;
    return report;
  }

  protected override operatorAt(vertex: number, operator: number): ErrorWhere {
    const spec = this.plan.vertices[vertex]?.operators[operator]?.spec;
    return spec === undefined ? {} : { operator: spec.name, uid: spec.uid };
  }
}
