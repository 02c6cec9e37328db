/**
 * Notices when a run takes most: looks at the process now and then, and keeps what it and the threads of the run held
 * at the moment when it was largest. Callers: `start-run.ts` before anything is started, `execution.ts`. Runs on: the
 * caller's thread. Invariant: threads are not asked; what they hold they have said in shared memory.
 */
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { type MemoryMoment, memoryNow } from '../memory/heap-probe.js';
import type { Deployment } from './deployment.js';
import type { JobResult } from './execution.js';

/** So often the process is looked at. */
const LOOK_EVERY_MS = 50;

/** The moment at which the process was largest, with the memory in which threads say what they hold as it was then. */
export interface LargestMoment extends MemoryMoment {
  readonly metrics: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
}

/** As results of jobs have it. */
export type MemoryAccount = Pick<JobResult, 'ledger' | 'resident'>;

/** Watches the attempts of a run, one after the other; the largest moment is that of the newest. */
export class MemoryWatch {
  readonly before: MemoryMoment;
  #largest: LargestMoment | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** `before` is the process as it was before anything was started. */
  constructor(before: MemoryMoment) {
    this.before = before;
  }

  /** An attempt begins. */
  begin(deployment: Deployment): void {
    this.end();
    this.#largest = null;
    this.#timer = setInterval(() => this.largest(deployment), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** What it has come to, for the result of the run. */
  async account(plan: PhysicalPlan, deployment: Deployment): Promise<MemoryAccount> {
    const moment = this.largest(deployment);
    const { runLedger } = await import('./run-ledger.js');
    return {
      ledger: runLedger(plan, deployment, moment, this.before),
      resident: { beforeBytes: this.before.residentBytes, mostBytes: moment.residentBytes },
    };
  }

  /** It has ended. */
  end(): void {
    clearInterval(this.#timer);
  }

  /** The largest moment of the attempt so far. */
  largest({ metrics, control }: Deployment): LargestMoment {
    const now = memoryNow();
    const before = this.#largest;
    if (before !== null && now.residentBytes <= before.residentBytes) return before;
    this.#largest = { ...now, metrics: metrics.slice(0), control: control.slice(0) };
    return this.#largest;
  }
}
