/**
 * A change of the parallelism of a job while it runs: it is suspended with a checkpoint of its own, goes on from that
 * at the new parallelism, and at the one before when it does not come up. Callers: `execution.ts`. Runs on: the
 * caller's thread. Invariant: it is settled once, when the job runs again or has ended.
 */
import { systemClock } from '../base/clock.js';
import { fromWire, MillraceError, type WireError } from '../base/errors.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import type { PlannedAt } from './plan-further.js';

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

/** A job whose next attempt loads its state while it runs. */
export interface Followed {
  /** Whether the attempt still runs. */
  isLive(): boolean;
  checkpoint(): Promise<CheckpointReport>;
  /** Has the state of a checkpoint loaded, or what is new in one; settles when it is, or cannot be. */
  load(path: string): Promise<void>;
}

/** As many checkpoints are loaded at most. */
const ROUNDS_MAX = 12;
/** Another one is loaded where the last had no more than this of what the one before had. */
const WORTH_SHARE = 0.8;
/** So much is written and loaded faster than threads start. */
const LITTLE_BYTES = 4 * 1024 * 1024;
/** Tables take more than their pieces, and there is to be room for whatever else the machine does. */
const ROOM_PER_BYTE = 4;

/**
 * Takes a checkpoint, whose state is loaded while the job runs, and then others, each with what has changed while the
 * one before was loaded, until that is little or gets no less: so the job stands still for no longer than what has
 * changed since the last one takes to be written and loaded.
 */
export async function followCheckpoints({ isLive, checkpoint, load }: Followed): Promise<void> {
  let worthBytes = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    // Without one the job is suspended with all that it has.
    const report = await checkpoint().catch(() => null);
    if (report === null || report.path === null || !isLive()) return;
    const { path, bytes, fullBytes } = report;
    // The state of both attempts is in memory at once.
    if (round === 0 && fullBytes * ROOM_PER_BYTE > process.availableMemory()) return;
    await load(path);
    if (round === 0) continue;
    if (!isLive() || bytes <= LITTLE_BYTES || bytes > worthBytes) return;
    worthBytes = bytes * WORTH_SHARE;
  }
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
  /** Where the checkpoint is with which the job was suspended; null in memory, and before. */
  path: string | null = null;
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
      ({ id, path }) => {
        this.path = path;
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

/** The error of a change that cannot begin. */
export function notNow(job: string, parallelism: number, hasEnded: boolean): MillraceError {
  const why = hasEnded ? 'it has ended' : 'another change is under way';
  return new MillraceError(
    'RESCALE_FAILED',
    `The job was not rescaled to ${parallelism}: ${why}.`,
    hasEnded ? { where: { job } } : { where: { job }, advice: 'Wait for what rescale() gave.' },
  );
}
