/**
 * The world of a simulated run: a clock that moves when it is looked at, an event loop stepped by hand, and one
 * seeded source of every decision. Nothing in it waits for real time, so a run repeats exactly from its seed, and a
 * slot that parks while nothing is left that could wake it is found at once. Runs on: the test's thread.
 */
import type { Clock } from '../../src/base/clock.js';
import { nodeDisk } from '../../src/base/node-disk.js';
import { type Random, SeededRandom } from '../../src/base/random.js';
import type { Parker } from '../../src/ring/contract.js';
import { AsyncParker } from '../../src/ring/parker.js';
import type { InThreadEvents, InThreadWorld } from '../../src/runtime/in-thread-run.js';

/** Simulated time in which a slot may park again and again without anything that could wake it but the time itself. */
const QUIET_MS_MAX = 3_600_000;
/** Looks at the clock after which a run is taken for one that goes in circles. */
const LOOKS_MAX = 6_000_000;

/** What a run did to its world. */
export interface WorldCounters {
  parks: number;
  wakesWhileAnnounced: number;
  clockJumps: number;
}

/** A simulated world. */
export class SimWorld implements InThreadWorld {
  readonly random: Random;
  readonly shuffle: Random | null;
  readonly disk = nodeDisk;
  readonly clock: Clock;
  readonly events: InThreadEvents;
  readonly counters: WorldCounters = { parks: 0, wakesWhileAnnounced: 0, clockJumps: 0 };
  /** Looks at the clock so far: the time line of the run. */
  looks = 0;
  /** Called at every look; the place where commands come from outside at any instant. */
  onLook: (looks: number) => void = () => {};
  readonly #queue: (() => void)[] = [];
  /** Callbacks for later, in order of time. */
  readonly #timers: { readonly atMs: number; readonly callback: () => void }[] = [];
  #nowMs = 0;
  /** When somebody last woke a parked slot, or a callback was called. */
  #stirredMs = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.shuffle = this.random.below(4) === 0 ? null : new SeededRandom(this.random.nextUint32());
    this.clock = { epochMs: () => 1.7e12 + this.#look(), monotonicMs: () => this.#look() };
    this.events = {
      parker: (word) => new SimParker(word, this),
      yieldToEvents: () => {
        this.fireSome();
        return Promise.resolve();
      },
    };
  }

  /** The time, without a look at the clock. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get pendingEvents(): number {
    return this.#queue.length;
  }

  /** Has a callback called by the event loop, some time. */
  later(callback: () => void): void {
    this.#queue.push(callback);
  }

  /** Has a callback called when so much time has passed. */
  after(delayMs: number, callback: () => void): void {
    const atMs = this.#nowMs + delayMs;
    const behind = this.#timers.findIndex((timer) => timer.atMs > atMs);
    this.#timers.splice(behind < 0 ? this.#timers.length : behind, 0, { atMs, callback });
  }

  /**
   * Nothing happens before the next callback, or the end of `timeoutMs`; false when it is the latter. Fails when
   * nothing but time has passed for so long that nothing else ever will.
   */
  sleep(timeoutMs: number): boolean {
    if (this.fireOne()) return true;
    const [timer] = this.#timers;
    if (timer !== undefined && timer.atMs <= this.#nowMs + timeoutMs) {
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      return this.fireOne();
    }
    this.#nowMs += timeoutMs;
    if (this.#nowMs - this.#stirredMs > QUIET_MS_MAX && timer === undefined) {
      throw new Error('Deadlock: the slot parks and nothing is left that could wake it.');
    }
    return false;
  }

  /** One turn of the event loop: any number of the callbacks, in any order. */
  fireSome(): void {
    this.#due();
    for (let left = this.random.below(this.#queue.length + 1); left > 0; left--) this.fireOne();
  }

  fireOne(): boolean {
    this.#due();
    if (this.#queue.length === 0) return false;
    this.#stirredMs = this.#nowMs;
    const [callback] = this.#queue.splice(this.random.below(this.#queue.length), 1);
    callback();
    return true;
  }

  /** Timers whose time has come go to the event loop. */
  #due(): void {
    const due = this.#timers.findIndex(({ atMs }) => atMs > this.#nowMs);
    const timers = this.#timers.splice(0, due < 0 ? this.#timers.length : due);
    this.#queue.push(...timers.map(({ callback }) => callback));
  }

  #look(): number {
    this.looks++;
    if (this.looks > LOOKS_MAX) throw new Error('The simulated run does not end.');
    const dice = this.random.below(4000);
    if (dice < 8) {
      this.counters.clockJumps++;
      this.#nowMs += dice === 0 ? 250 : 6;
    } else {
      this.#nowMs += dice / 400_000;
    }
    this.onLook(this.looks);
    return this.#nowMs;
  }
}

/** Parks by stepping the event loop until somebody wakes the slot, or its time is over. */
class SimParker implements Parker {
  readonly #word: Int32Array;
  readonly #world: SimWorld;
  readonly #real: AsyncParker;

  constructor(word: Int32Array, world: SimWorld) {
    this.#word = word;
    this.#world = world;
    this.#real = new AsyncParker(word);
  }

  announce(): number {
    const ticket = this.#real.announce();
    // The instant in which wake-ups get lost when the order of announcing and looking is wrong.
    if (this.#world.random.below(3) === 0) {
      this.#world.fireSome();
      if (Atomics.load(this.#word, 0) !== ticket) this.#world.counters.wakesWhileAnnounced++;
    }
    return ticket;
  }

  withdraw(): void {
    this.#real.withdraw();
  }

  park(ticket: number, timeoutMs: number): Promise<void> {
    this.#world.counters.parks++;
    const untilMs = this.#world.nowMs + timeoutMs;
    while (Atomics.load(this.#word, 0) === ticket) {
      if (!this.#world.sleep(Math.max(0, untilMs - this.#world.nowMs))) break;
    }
    this.#real.withdraw();
    return Promise.resolve();
  }

  wake(): void {
    this.#real.wake();
  }
}
