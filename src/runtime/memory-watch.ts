/**
 * Notices when a run takes most: looks at the process now and then, and keeps what it and the threads of the run held
 * at the moment when it was largest. Callers: `start-run.ts` before anything is started, `execution.ts`. Runs on: the
 * caller's thread. Invariant: threads are not asked; what they hold they have said in shared memory.
 */
import { type HeapSample, threadHeapProbe } from '../memory/heap-probe.js';
import type { Deployment } from './deployment.js';

/** So often the process is looked at. */
const LOOK_EVERY_MS = 50;

/** The process and the thread that looks at it, at one moment. */
export interface MemoryMoment {
  readonly residentBytes: number;
  readonly own: HeapSample;
}

/** The moment at which the process was largest, with the memory in which threads say what they hold as it was then. */
export interface LargestMoment extends MemoryMoment {
  readonly metrics: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
}

const probe = threadHeapProbe();

/** The process as it is now. */
export function memoryNow(): MemoryMoment {
  return { residentBytes: process.memoryUsage.rss(), own: probe.sample() };
}

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

  /** It has ended. */
  end(): void {
    clearInterval(this.#timer);
  }

  /** The largest moment of the attempt so far. */
  largest({ metrics, control }: Deployment): LargestMoment {
    const residentBytes = process.memoryUsage.rss();
    const before = this.#largest;
    if (before !== null && residentBytes <= before.residentBytes) return before;
    const own = probe.sample();
    const copies = { metrics: metrics.slice(0), control: control.slice(0) };
    this.#largest = { residentBytes, own, ...copies };
    return this.#largest;
  }
}
