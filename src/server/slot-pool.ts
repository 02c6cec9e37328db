/**
 * The slots of the host, and which job has how many. Jobs that wait get theirs in the order in which they asked, so
 * that many small ones never starve a large one. Callers: `served-job.ts`. Runs on: the server's thread. Invariant:
 * never more slots are given than there are.
 */
import { assert } from '../base/assert.js';

interface Waiting {
  readonly job: string;
  readonly slots: number;
  readonly resolve: (isGranted: boolean) => void;
}

/** The pool. */
export class SlotPool {
  readonly total: number;
  readonly #held = new Map<string, number>();
  #queue: Waiting[] = [];

  constructor(total: number) {
    this.total = total;
  }

  get free(): number {
    let held = 0;
    for (const slots of this.#held.values()) held += slots;
    return this.total - held;
  }

  /** Jobs that wait, first come first. */
  get waiting(): readonly string[] {
    return this.#queue.map(({ job }) => job);
  }

  /** What a job that asks now may have at once; nothing while others wait. */
  get available(): number {
    return this.#queue.length === 0 ? this.free : 0;
  }

  /** Whether the job has its slots. */
  has(job: string): boolean {
    return this.#held.has(job);
  }

  /** Takes the slots if they are to be had at once. */
  take(job: string, slots: number): boolean {
    assert(!this.#held.has(job), 'A job asks for its slots once.');
    if (slots > this.available) return false;
    this.#held.set(job, slots);
    return true;
  }

  /** Waits for the slots; false when the job has left meanwhile. */
  wait(job: string, slots: number): Promise<boolean> {
    assert(slots <= this.total, 'A job waits for slots that there can be.');
    if (this.take(job, slots)) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.#queue.push({ job, slots, resolve });
    });
  }

  /**
   * Has a job that has slots hold another number of them; false when there are not enough more to be had at once. One
   * that has none is left as it is.
   */
  resize(job: string, slots: number): boolean {
    const held = this.#held.get(job);
    if (held === undefined) return true;
    if (slots - held > Math.max(0, this.available)) return false;
    this.#held.set(job, slots);
    this.#serve();
    return true;
  }

  /** Gives back what the job has, or its place in the queue. */
  leave(job: string): void {
    this.#held.delete(job);
    const left = this.#queue.filter((waiting) => waiting.job === job);
    this.#queue = this.#queue.filter((waiting) => waiting.job !== job);
    for (const { resolve } of left) resolve(false);
    this.#serve();
  }

  #serve(): void {
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || next.slots > this.free) return;
      this.#queue.shift();
      this.#held.set(next.job, next.slots);
      next.resolve(true);
    }
  }
}
