/**
 * Runs a whole job of an embedding program in a child process: a job process with the plan that the program has made.
 * Callers: `launch-run.ts` for `isolate: 'process'`. Runs on: the caller's thread.
 */
import { systemClock } from '../base/clock.js';
import { type ErrorWhere, MillraceError } from '../base/errors.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { StartedJob } from './execution.js';
import { JobProcess, type ProcessRun } from './job-process.js';
import type { RescaleReport } from './rescaling.js';
import { type TimeReport, timeReports } from './time-report.js';

/** A job in a child process. */
export class IsolatedRun extends JobProcess implements StartedJob {
  readonly plan: PhysicalPlan;

  constructor(plan: PhysicalPlan, request: ProcessRun, signal: AbortSignal | null) {
    super(request, process);
    this.plan = plan;
    const onAbort = (): void => this.cancel();
    signal?.addEventListener('abort', onAbort, { once: true });
    void this.finished.catch(() => {}).then(() => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted === true) this.cancel();
  }

  whyNoOutput(): readonly TimeReport[] {
    return timeReports(this.plan, this.metrics(), systemClock.epochMs());
  }

  rescale(): Promise<RescaleReport> {
    return Promise.reject(
      new MillraceError(
        'FEATURE_UNSUPPORTED',
        'A job in a process of its own is not rescaled while it runs.',
        {
          where: { job: this.plan.jobName },
          advice: "Stop it with savepoint({ stop: 'suspend' }), and go on from that with -p.",
        },
      ),
    );
  }

  protected override operatorAt(vertex: number, operator: number): ErrorWhere {
    const spec = this.plan.vertices[vertex]?.operators[operator]?.spec;
    return spec === undefined ? {} : { operator: spec.name, uid: spec.uid };
  }
}
