/**
 * The contract of a frame channel: single producer, single consumer, bounded, in order. `spsc-ring.ts` is the
 * implementation in shared memory, used between threads and inside a slot alike. Free space is the credit;
 * consuming returns it. Callers: runtime (exchange), the stress and interleaving tests. Runs on: writer and
 * reader each on one thread.
 */

/** Kinds of message in a ring. Control frames share the ring with data, in order. */
export const FRAME_DATA = 0;
export const FRAME_BARRIER = 1;
export const FRAME_CANCEL_BARRIER = 2;
export const FRAME_WATERMARK = 3;
export const FRAME_IDLE = 4;
export const FRAME_ACTIVE = 5;
export const FRAME_SCHEMA = 6;
export const FRAME_LATENCY_MARKER = 7;
/** The producer will send no more rows, but may still send barriers. */
export const FRAME_END_OF_DATA = 8;
/** The producer has finished; nothing follows. */
export const FRAME_FINISHED = 9;
export type FrameKind = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** The producing end. */
export interface RingWriter {
  /** The ring's memory; a claimed message is written at the offset that `claim` returned (8-byte aligned). */
  readonly memory: Uint8Array;
  /** Largest message that `claim` can ever grant; a larger one goes through `writeLarge`. */
  readonly claimBytesMax: number;
  /** Largest message at all; a larger one is refused by the caller with RECORD_TOO_LARGE. */
  readonly messageBytesMax: number;
  /** Reserves `bytes` contiguous bytes: their offset in `memory`, or -1 while there is no credit. */
  claim(bytes: number): number;
  /** Publishes the claimed message, shortened to `bytes`, and wakes the consumer if it has parked. */
  commit(kind: FrameKind, bytes: number): void;
  /** Gives a claim back unused. */
  abort(): void;
  /** Sends a message of any size in segments; false until all of it is in: call again with the same bytes. */
  writeLarge(kind: FrameKind, message: Uint8Array): boolean;
  /** Sends a small control message; false while there is no credit. */
  tryWriteControl(kind: FrameKind, payload: Uint8Array): boolean;
  /**
   * Tells of a barrier that needs no room: `poll` gives it behind all that is published now, even in the middle of a
   * message in segments, and `ahead` before that. A newer one takes the place of one that nobody has come to. The
   * payload has 24 bytes.
   */
  announce(payload: Uint8Array): void;
  /** True while a message is partly sent by `writeLarge`: nothing else can be written before its rest. */
  readonly writingLarge: boolean;
  /** Bytes published and not yet released by the consumer: the queue. */
  queuedBytes(): number;
  /**
   * Grants no more claims while `bytes` or more are queued, so that a slow consumer's queue stays short in time;
   * raised to the least that keeps the ring moving. `capacityBytes` lifts the limit.
   */
  limitQueue(bytes: number): void;
  readonly capacityBytes: number;
}

/** The consuming end. */
export interface RingReader {
  /** Makes the next message current; false when there is none. The current one must be released first. */
  poll(): boolean;
  /** The current message; for a message sent in segments a private copy. Valid until `release`. */
  readonly kind: FrameKind;
  readonly memory: Uint8Array;
  readonly offset: number;
  readonly bytes: number;
  /** Returns the current message's credit and wakes the producer if it has parked. */
  release(): void;
  /** Bytes published and not yet released, the current message included. */
  queuedBytes(): number;
  /** Begins to look at what comes behind the current message, without taking it, as `look` does. */
  ahead(look: (from: RingLookParts) => RingAhead): RingAhead;
}

/** Where a look begins, and what it needs of the reader. */
export interface RingLookParts {
  readonly ring: Uint8Array;
  readonly words: Int32Array;
  readonly position: number;
  readonly offset: number;
  /** A message in segments that the reader has begun to put together, as a copy of its size; null for none. */
  readonly large: Uint8Array | null;
  readonly largeTaken: number;
  readonly reader: LookedAt;
}

/** What the reader tells of the producer. */
export interface LookedAt {
  /** The position behind the newest message; looks for an announced barrier afterwards. */
  publishedByNow(): number;
  /** The announced barrier, if it comes at a position. */
  barrierAt(position: number): Uint8Array | null;
}

/** A message that was looked at before its turn, as a copy. */
export interface AheadMessage {
  readonly kind: FrameKind;
  readonly bytes: Uint8Array;
}

/** Looks at the messages of a ring before their turn; to be asked until it has none before each `poll`. */
export interface RingAhead {
  /** The next message that is whole; null when there is none now. */
  next(): AheadMessage | null;
}

/**
 * Wakes one slot. `wake` is cheap when the slot is awake: one atomic load. A slot parks by
 * `const ticket = parker.announce()`, then looks at all its rings once more, then `parker.park(ticket, ms)`.
 */
export interface Waker {
  wake(): void;
}

/** How a slot waits. Implementations: blocking (`Atomics.wait`), asynchronous (`waitAsync`), stepped (tests). */
export interface Parker extends Waker {
  /** Declares that the slot is about to park; a wake from now on makes `park` return at once. */
  announce(): number;
  /** Withdraws the declaration, because work was found. */
  withdraw(): void;
  /** Parks until woken or `timeoutMs` is over. A promise in the asynchronous implementation. */
  park(ticket: number, timeoutMs: number): void | Promise<void>;
}
