/**
 * When calls are given up and when they are made again, by the wall clock. Callers: `async-run.ts`. Runs on: the
 * slot's thread; pure. Invariant: a timer fires once, unless it was canceled; those of one time fire in the order in
 * which they were set.
 */
import { TimerQueue } from '../../time/timer-queue.js';

/** The number of no timer. */
export const NO_TIMER = -1;

/** Numbers of timers start over after this one. */
const ID_MAX = 2 ** 31 - 1;

/** A timer that has come due. */
export interface DueCall<C> {
  readonly call: C;
  readonly id: number;
}

/** The timers of one operator. */
export class CallTimers<C> {
  readonly #queue = new TimerQueue();
  readonly #calls = new Map<number, C>();
  #nextId = 0;

  /** Sets a timer and gives its number. */
  set(call: C, timeMs: number): number {
    const id = this.#nextId;
    this.#nextId = id === ID_MAX ? 0 : id + 1;
    this.#calls.set(id, call);
    this.#queue.add(timeMs, id);
    return id;
  }

  /** Cancels a timer, if it is still set. */
  cancel(id: number): void {
    if (!this.#calls.delete(id)) return;
    if (this.#queue.deleted()) this.#queue.compact((_, each) => this.#calls.has(each));
  }

  /** When the next timer is due; `Infinity` for never. */
  get nextMs(): number {
    const queue = this.#queue;
    while (queue.size > 0 && !this.#calls.has(queue.firstId)) {
      queue.pop();
      queue.forgotten();
    }
    return queue.firstTimeMs;
  }

  /** Takes out the first timer that is due by now; null when there is none. */
  take(nowMs: number): DueCall<C> | null {
    if (this.nextMs > nowMs) return null;
    const id = this.#queue.firstId;
    const call = this.#calls.get(id);
    if (call === undefined) return null;
    this.#queue.pop();
    this.#calls.delete(id);
    return { call, id };
  }
}
