/**
 * Keeps the queue of a ring short in time: a slow consumer is given at most what it consumes within
 * `exchange.targetDrain`, as Flink's buffer debloating does, so that barriers and watermarks do not wait behind
 * seconds of rows. Callers: the ring port, after each frame. Runs on: the slot's thread of the producer.
 */
import type { Clock } from '../base/clock.js';
import type { RingWriter } from '../ring/contract.js';

/** How often the limit is looked at. */
const ADJUST_MS = 200;
/** A limit moves only by more than this share, so that it does not dance. */
const CHANGE_MIN = 0.25;

/** The limit of one ring. */
export class QueueLimit {
  readonly #ring: RingWriter;
  readonly #clock: Clock;
  readonly #targetMs: number;
  #limitBytes: number;
  #sentBytes = 0;
  #consumedBytes = 0;
  #lastMs: number;

  constructor(ring: RingWriter, clock: Clock, targetMs: number) {
    this.#ring = ring;
    this.#clock = clock;
    this.#targetMs = targetMs;
    this.#limitBytes = ring.capacityBytes;
    this.#lastMs = clock.monotonicMs();
  }

  /** The most that may wait now. */
  get bytes(): number {
    return this.#limitBytes;
  }

  /** Counts a frame and adjusts the limit when it is time. */
  sent(bytes: number): void {
    this.#sentBytes += bytes;
    const nowMs = this.#clock.monotonicMs();
    const elapsedMs = nowMs - this.#lastMs;
    if (elapsedMs < ADJUST_MS) return;
    const queuedBytes = this.#ring.queuedBytes();
    const consumedBytes = Math.max(0, this.#sentBytes - queuedBytes);
    const bytesPerMs = (consumedBytes - this.#consumedBytes) / elapsedMs;
    this.#consumedBytes = consumedBytes;
    this.#lastMs = nowMs;
    // A queue that is not even half full says that the producer is the slow side; then nothing is limited.
    const isHeldUp = queuedBytes * 2 >= this.#limitBytes;
    const wanted = isHeldUp ? bytesPerMs * this.#targetMs : this.#ring.capacityBytes;
    this.#limit(Math.min(this.#ring.capacityBytes, wanted));
  }

  #limit(bytes: number): void {
    if (Math.abs(bytes - this.#limitBytes) < this.#limitBytes * CHANGE_MIN) return;
    this.#limitBytes = bytes;
    this.#ring.limitQueue(bytes);
  }
}
