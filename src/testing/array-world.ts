/**
 * The world of a run on arrays: the in-thread runtime with a clock of its own, subtasks stepped in an order that a
 * seed decides, and nobody to wait for but asynchronous functions. Callers: `run-on-arrays.ts`. Runs on: the test's
 * thread. Invariant: with sources that are arrays, and functions that do not wait, a run with a seed repeats exactly.
 */
import { systemClock } from '../base/clock.js';
import { nodeDisk } from '../base/node-disk.js';
import { SeededRandom } from '../base/random.js';
import type { Parker } from '../ring/contract.js';
import { AsyncParker } from '../ring/parker.js';
import { nextEventLoopTurn } from '../runtime/event-loop.js';
import type { InThreadWorld } from '../runtime/in-thread-run.js';
import { LookedAtClock } from './test-clock.js';

/** Sizes of frames that a seed picks from: the least, odd ones, and what a real run has. */
const FRAME_ROWS = [1, 2, 3, 7, 64, 1024] as const;

/** A world, and how large frames are in it. */
export interface ArrayWorld {
  readonly world: InThreadWorld;
  readonly batchRows: number;
}

/** The world of a seed; without one, subtasks are stepped in order and frames are large. */
export function arrayWorld(seed: number | undefined): ArrayWorld {
  const random = seed === undefined ? null : new SeededRandom(seed);
  const clock = new LookedAtClock(random);
  return {
    batchRows:
      FRAME_ROWS[random === null ? FRAME_ROWS.length - 1 : random.below(FRAME_ROWS.length)],
    world: {
      clock,
      disk: nodeDisk,
      shuffle: random === null ? null : new SeededRandom(random.nextUint32()),
      events: {
        parker: (word, awaitsAnswers) => new ImpatientParker(word, clock, awaitsAnswers),
        yieldToEvents: nextEventLoopTurn,
      },
    },
  };
}

/**
 * Lets the event loop run once, and the clock go on by all the time there was to wait; while calls of asynchronous
 * functions are under way, by the time that it waited for their answers.
 */
class ImpatientParker implements Parker {
  readonly #real: AsyncParker;
  readonly #word: Int32Array;
  readonly #clock: LookedAtClock;
  readonly #awaitsAnswers: () => boolean;

  constructor(word: Int32Array, clock: LookedAtClock, awaitsAnswers: () => boolean) {
    this.#real = new AsyncParker(word);
    this.#word = word;
    this.#clock = clock;
    this.#awaitsAnswers = awaitsAnswers;
    clock.isSteady = awaitsAnswers;
  }

  announce(): number {
    return this.#real.announce();
  }

  withdraw(): void {
    this.#real.withdraw();
  }

  async park(ticket: number, timeoutMs: number): Promise<void> {
    await nextEventLoopTurn();
    if (Atomics.load(this.#word, 0) === ticket) {
      if (this.#awaitsAnswers()) await this.#wait(ticket, timeoutMs);
      else this.#clock.pass(timeoutMs);
    }
    this.#real.withdraw();
  }

  /** Calls take their time, and so does giving them up. */
  async #wait(ticket: number, timeoutMs: number): Promise<void> {
    const startMs = systemClock.monotonicMs();
    await this.#real.park(ticket, timeoutMs);
    this.#clock.pass(systemClock.monotonicMs() - startMs);
  }

  wake(): void {
    this.#real.wake();
  }
}
