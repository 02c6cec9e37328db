/**
 * How the heads of a loop, one in each subtask, agree that a round is over everywhere, and whether there is another
 * one. Callers: the loop gates of all slots. Runs on: the slot's thread; the words are shared between threads.
 * Invariant: no head learns of a decision before every head has arrived, so that all decide alike.
 */

/** Heads that have arrived, over all rounds. */
const ARRIVED = 0;
/** One more than the last round in which a head was fed records back. */
const FED = 1;
/** 1 when the loop is given up, because its input was stopped. */
const STOPPED = 2;

/** The rounds of one loop, as one head sees them. */
export class LoopRounds {
  readonly #words: Int32Array;
  readonly #heads: number;
  readonly #wakeAll: () => void;

  /** `wakeAll` wakes the slots of all heads. */
  constructor(words: Int32Array, heads: number, wakeAll: () => void) {
    this.#words = words;
    this.#heads = heads;
    this.#wakeAll = wakeAll;
  }

  /** All records of `round` have come back to this head; `isFed` when there were any. Once per round. */
  arrive(round: number, isFed: boolean): void {
    // All heads that write are in the same round, so they write the same.
    if (isFed) Atomics.store(this.#words, FED, round + 1);
    Atomics.add(this.#words, ARRIVED, 1);
    if (this.#hasAll(round)) this.#wakeAll();
  }

  /** Whether records were fed back in `round`; null as long as a head has not arrived. */
  isFed(round: number): boolean | null {
    return this.#hasAll(round) ? Atomics.load(this.#words, FED) === round + 1 : null;
  }

  /** Gives the loop up. */
  stop(): void {
    Atomics.store(this.#words, STOPPED, 1);
    this.#wakeAll();
  }

  get isStopped(): boolean {
    return Atomics.load(this.#words, STOPPED) === 1;
  }

  #hasAll(round: number): boolean {
    // The difference, since the sum wraps around in loops of very many rounds.
    const missing = (this.#heads * (round + 1) - Atomics.load(this.#words, ARRIVED)) | 0;
    return missing <= 0;
  }
}
