/**
 * Timers in order of time: a heap over typed arrays, of pairs of a time and a number by which the caller knows the
 * timer. Each place has four below it, side by side: a large heap then costs half as many cache misses. Which timers
 * exist is the caller's table; the queue only orders them, so that a deleted timer may stay until it comes up or
 * `compact` drops it. Callers: operators with timers. Runs on: the slot's thread. Invariant: timers of equal time come
 * in order of their numbers, so that a run repeats exactly.
 */
import { assert } from '../base/assert.js';

const CAPACITY_MIN = 64;
const CHILDREN_SHIFT = 2;
const CHILDREN = 1 << CHILDREN_SHIFT;

/** A priority queue of timers. */
export class TimerQueue {
  #times = new Float64Array(CAPACITY_MIN);
  #ids = new Int32Array(CAPACITY_MIN);
  #size = 0;
  #stale = 0;

  /** Timers in the queue, deleted ones too. */
  get size(): number {
    return this.#size;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#times.byteLength + this.#ids.byteLength;
  }

  /** Time of the first timer, deleted or not; `Infinity` when there is none. */
  get firstTimeMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#times[0];
  }

  /** Number of the first timer. */
  get firstId(): number {
    assert(this.#size > 0, 'Only a queue with timers has a first one.');
    return this.#ids[0];
  }

  /** Adds a timer; the caller sees to it that there is one of each. */
  add(timeMs: number, id: number): void {
    if (this.#size === this.#times.length) this.#resize(this.#size * 2);
    this.#up(this.#size++, timeMs, id);
  }

  /** Takes the first timer out. */
  pop(): void {
    assert(this.#size > 0, 'A timer is taken out of a queue that has one.');
    const last = --this.#size;
    if (last > 0) this.#down(0, this.#times[last], this.#ids[last]);
    if (this.#size < this.#times.length / 4 && this.#times.length > CAPACITY_MIN) {
      this.#resize(this.#times.length / 2);
    }
  }

  /**
   * A timer was deleted from the caller's table and stays here as long as most are alive; true when `compact` is
   * worth calling.
   */
  deleted(): boolean {
    this.#stale++;
    return this.#stale > CAPACITY_MIN && this.#stale * 2 > this.#size;
  }

  /** A deleted timer came up and was taken out. */
  forgotten(): void {
    if (this.#stale > 0) this.#stale--;
  }

  /** Drops the timers that are not alive. */
  compact(isAlive: (timeMs: number, id: number) => boolean): void {
    let kept = 0;
    for (let at = 0; at < this.#size; at++) {
      if (!isAlive(this.#times[at], this.#ids[at])) continue;
      this.#times[kept] = this.#times[at];
      this.#ids[kept++] = this.#ids[at];
    }
    this.#size = kept;
    this.#stale = 0;
    for (let at = (kept - 2) >> CHILDREN_SHIFT; at >= 0; at--)
      this.#down(at, this.#times[at], this.#ids[at]);
  }

  /** Forgets all timers. */
  clear(): void {
    this.#size = 0;
    this.#stale = 0;
    this.#resize(CAPACITY_MIN);
  }

  /** Puts a timer into the free place `at`, or above it. */
  #up(at: number, timeMs: number, id: number): void {
    const times = this.#times;
    const ids = this.#ids;
    let place = at;
    while (place > 0) {
      const parent = (place - 1) >> CHILDREN_SHIFT;
      if (!isBefore(timeMs, id, times[parent], ids[parent])) break;
      times[place] = times[parent];
      ids[place] = ids[parent];
      place = parent;
    }
    times[place] = timeMs;
    ids[place] = id;
  }

  /** Puts a timer into the free place `at`, or below it. */
  #down(at: number, timeMs: number, id: number): void {
    const times = this.#times;
    const ids = this.#ids;
    const size = this.#size;
    let place = at;
    for (;;) {
      const first = (place << CHILDREN_SHIFT) + 1;
      if (first >= size) break;
      const end = Math.min(first + CHILDREN, size);
      let child = first;
      for (let other = first + 1; other < end; other++) {
        if (isBefore(times[other], ids[other], times[child], ids[child])) child = other;
      }
      if (!isBefore(times[child], ids[child], timeMs, id)) break;
      times[place] = times[child];
      ids[place] = ids[child];
      place = child;
    }
    times[place] = timeMs;
    ids[place] = id;
  }

  #resize(capacity: number): void {
    const times = new Float64Array(capacity);
    const ids = new Int32Array(capacity);
    times.set(this.#times.subarray(0, this.#size));
    ids.set(this.#ids.subarray(0, this.#size));
    this.#times = times;
    this.#ids = ids;
  }
}

function isBefore(timeA: number, idA: number, timeB: number, idB: number): boolean {
  return timeA < timeB || (timeA === timeB && idA < idB);
}
