/**
 * Clocks of tests. Callers: the harness moves one by hand; runs on arrays have one that goes on by itself, a little at
 * every look. Runs on: the test's thread. Invariant: neither ever looks at the clock of the machine.
 */
import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';

/** How far a clock without a seed goes on at a look. */
const LOOK_MS = 0.01;
/** One of so many looks of a seeded run is a jump, which lets ticks and timers come due. */
const LOOKS_PER_JUMP = 200;
const JUMP_MS = 250;

/** A clock that stands still unless it is moved. */
export class ManualClock implements Clock {
  readonly #startMs: number;
  #nowMs: number;

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  epochMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  set(nowMs: number): void {
    this.#nowMs = nowMs;
  }
}

/** A clock that goes on whenever somebody looks at it: evenly, or as a seed says. */
export class LookedAtClock implements Clock {
  readonly #random: Random | null;
  #elapsedMs = 0;
  /** Asked before each jump whether there is none for now. */
  isSteady: () => boolean = () => false;

  constructor(random: Random | null) {
    this.#random = random;
  }

  epochMs(): number {
    return Math.floor(this.#look());
  }

  monotonicMs(): number {
    return this.#look();
  }

  /** Nobody does anything for so long. */
  pass(forMs: number): void {
    this.#elapsedMs += forMs;
  }

  #look(): number {
    const isJump = this.#random !== null && this.#random.below(LOOKS_PER_JUMP) === 0;
    this.#elapsedMs += isJump && !this.isSteady() ? JUMP_MS : LOOK_MS;
    return this.#elapsedMs;
  }
}
