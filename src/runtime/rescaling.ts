/**
 * A change of the parallelism of a job while it runs: it is suspended with a checkpoint of its own, goes on from that
 * at the new parallelism, and at the one before when it does not come up. Callers: `execution.ts`. Runs on: the
 * caller's thread. Invariant: it is settled once, when the job runs again or has ended.
 */
import { systemClock } from '../base/clock.js';
import { fromWire, MillraceError, type WireError } from '../base/errors.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import type { PlannedAt } from './job-attempts.js';

/** How a job was rescaled. */
export interface RescaleReport {
  readonly from: number;
  readonly to: number;
  /** The checkpoint that it went on from; null when it had that parallelism already. */
  readonly checkpoint: number | null;
  /** From the request until all that was to be in the checkpoint was durable, in which the job still worked. */
  readonly checkpointMs: number;
  /** From then until all subtasks ran again. */
  readonly restartMs: number;
}

/** One that is under way. */
export class Rescaling {
  readonly planned: PlannedAt;
  /** Whether the job was suspended for it; false when it goes on, or has ended otherwise. */
  readonly suspended: Promise<boolean>;
  /** Rejects with RESCALE_FAILED. */
  readonly done: Promise<RescaleReport>;
  /** What the job goes on with if it does not come up; null as long as the new parallelism has not been tried. */
  before: PlannedAt | null = null;
  readonly #from: number;
  readonly #beganMs = systemClock.monotonicMs();
  #suspendedMs = 0;
  #checkpoint: number | null = null;
  #resolve: (report: RescaleReport) => void = () => {};
  #reject: (error: MillraceError) => void = () => {};

  constructor(from: number, planned: PlannedAt, suspending: Promise<CheckpointReport>) {
    this.#from = from;
    this.planned = planned;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.suspended = suspending.then(
      ({ id }) => {
        this.#suspendedMs = systemClock.monotonicMs();
        this.#checkpoint = id;
        return true;
      },
      (error: unknown) => {
        this.#reject(this.#failure(error, 'Its checkpoint was not taken.'));
        return false;
      },
    );
  }

  /** The job runs at the new parallelism. */
  succeed(): RescaleReport {
    const report = {
      from: this.#from,
      to: this.planned.parallelism,
      checkpoint: this.#checkpoint,
      checkpointMs: this.#suspendedMs - this.#beganMs,
      restartMs: systemClock.monotonicMs() - this.#suspendedMs,
    };
    this.#resolve(report);
    return report;
  }

  /** It does not; `error` is null when it was ended meanwhile. */
  fail(error: WireError | null): void {
    const isTried = this.before !== null;
    const what = isTried ? `It goes on at a parallelism of ${this.#from}.` : 'It ended before.';
    this.#reject(this.#failure(error === null ? undefined : fromWire(error), what));
  }

  #failure(cause: unknown, what: string): MillraceError {
    const to = this.planned.parallelism;
    return new MillraceError('RESCALE_FAILED', `The job was not rescaled to ${to}. ${what}`, {
      where: { job: this.planned.plan.jobName },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
