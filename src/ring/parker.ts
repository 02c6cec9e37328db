/**
 * Parking and waking of slots over one shared word. The word's lowest bit says "about to park", the bits above
 * are a ticket that every wake changes. Callers: the scheduler of each slot parks; its peers' rings wake it.
 * Runs on: the word's owner parks on its own thread, wakers run on any thread.
 *
 * Invariant: no wake-up is lost. The parker announces, then looks at its rings; a peer publishes, then looks at
 * the word. All four steps are sequentially consistent atomics, so either the parker sees the publication, or
 * the peer sees the announcement. In the second case the peer's exchange changes the word: if that happens
 * before the parker waits, the wait finds another value than its ticket and returns; if it happens after, the
 * notification that follows ends the wait. The interleaving test runs this very file through all schedules.
 */
import { assert } from '../base/assert.js';
import type { Parker, Waker } from './contract.js';

/** Bytes to reserve per parker word: two cache lines, so that parkers of different slots stay apart. */
export const PARKER_BYTES = 128;

const ANNOUNCED = 1;

/** What `Atomics.waitAsync` returns; TypeScript's ES2023 library does not know it yet, Node.js does. */
interface WaitAsyncResult {
  readonly async: boolean;
  readonly value: string | Promise<string>;
}
declare global {
  interface Atomics {
    waitAsync(words: Int32Array, index: number, value: number, timeoutMs: number): WaitAsyncResult;
  }
}

/** The view of a parker's word. The bytes start as zero, "not announced". */
export function createParkerWord(memory: SharedArrayBuffer, byteOffset: number): Int32Array {
  assert(byteOffset % 4 === 0, 'A parker word is aligned to four bytes.');
  return new Int32Array(memory, byteOffset, 1);
}

/** The waker of the slot that parks on `word`; any number of them, on any thread. */
export function wakerFor(word: Int32Array): Waker {
  return new WordWaker(word);
}

/** For rings whose ends are stepped by one thread: whoever publishes there is awake already. */
export const silentWaker: Waker = { wake() {} };

/** Wakes through the word; one atomic load when nobody has announced. */
class WordWaker implements Waker {
  readonly #word: Int32Array;

  constructor(word: Int32Array) {
    this.#word = word;
  }

  wake(): void {
    wakeWord(this.#word);
  }
}

/** Of several wakers one changes the word and notifies; the others find it changed and need not. */
function wakeWord(word: Int32Array): void {
  const seen = Atomics.load(word, 0);
  if ((seen & ANNOUNCED) === 0) return;
  const awake = (seen + 1) | 0;
  if (Atomics.compareExchange(word, 0, seen, awake) === seen) Atomics.notify(word, 0);
}

function announceOn(word: Int32Array): number {
  return Atomics.or(word, 0, ANNOUNCED) | ANNOUNCED;
}

/** Keeps the ticket: a waker that acts on the old announcement ends a later wait early, which is harmless. */
function withdrawFrom(word: Int32Array): void {
  Atomics.and(word, 0, ~ANNOUNCED);
}

/** Blocks the thread: for slots in which nothing is asynchronous. */
export class BlockingParker implements Parker {
  readonly #word: Int32Array;

  constructor(word: Int32Array) {
    this.#word = word;
  }

  announce(): number {
    return announceOn(this.#word);
  }

  withdraw(): void {
    withdrawFrom(this.#word);
  }

  /** `timeoutMs` may be `Infinity`. */
  park(ticket: number, timeoutMs: number): void {
    Atomics.wait(this.#word, 0, ticket, timeoutMs);
    withdrawFrom(this.#word);
  }

  wake(): void {
    wakeWord(this.#word);
  }
}

/** Starts to hold the event loop open and returns the function that stops it. */
export type KeepAlive = () => () => void;

/**
 * Leaves the thread to its event loop while it waits: for slots with asynchronous work, and for the caller's
 * thread. Callbacks of that thread wake it through `wake`.
 *
 * `Atomics.waitAsync` keeps no process alive: when nothing else does, Node.js ends in the middle of a wait.
 * `keepAlive` is called when a wait begins and its result when the wait is over; the owner of timers passes a
 * function that starts and stops a referenced interval. Without it the caller must hold the loop open itself.
 */
export class AsyncParker implements Parker {
  readonly #word: Int32Array;
  readonly #keepAlive: KeepAlive | null;

  constructor(word: Int32Array, keepAlive: KeepAlive | null = null) {
    this.#word = word;
    this.#keepAlive = keepAlive;
  }

  announce(): number {
    return announceOn(this.#word);
  }

  withdraw(): void {
    withdrawFrom(this.#word);
  }

  /** `timeoutMs` may be `Infinity`. */
  async park(ticket: number, timeoutMs: number): Promise<void> {
    const wait = Atomics.waitAsync(this.#word, 0, ticket, timeoutMs);
    if (wait.async) {
      const letGo = this.#keepAlive?.();
      await wait.value;
      letGo?.();
    }
    withdrawFrom(this.#word);
  }

  wake(): void {
    wakeWord(this.#word);
  }
}
