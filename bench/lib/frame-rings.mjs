/**
 * Frames of columns from one thread to another through shared memory, for limits of two threads: the sender writes into
 * the next frame and publishes it, the receiver takes all that are there and releases them. Callers: the limits. Runs on:
 * the limits' threads. A frame is what `makeFrame(memory, byteOffset)` gives; `head[0]` of it are its rows, or FINISHED.
 */

/** Frames in flight in each direction; few enough to fit into the second cache. */
const FRAMES = 8;
/** Words of the counters: published and released, far enough apart. */
const PUBLISHED = 0;
const RELEASED = 32;
const COUNTER_BYTES = 256;
/** Rows of the last frame. */
export const FINISHED = -1;

/** @param {number} frameBytes */
export function createFrameRing(frameBytes) {
  return new SharedArrayBuffer(COUNTER_BYTES + FRAMES * frameBytes);
}

function framesOf(memory, makeFrame) {
  const frameBytes = (memory.byteLength - COUNTER_BYTES) / FRAMES;
  return Array.from({ length: FRAMES }, (_, index) =>
    makeFrame(memory, COUNTER_BYTES + index * frameBytes),
  );
}

export class FrameSender {
  #counters;
  #frames;
  #published = 0;

  constructor(memory, makeFrame) {
    this.#counters = new Int32Array(memory, 0, COUNTER_BYTES / 4);
    this.#frames = framesOf(memory, makeFrame);
  }

  hasRoom() {
    return this.#published - Atomics.load(this.#counters, RELEASED) < FRAMES;
  }

  waitForRoom() {
    Atomics.wait(this.#counters, RELEASED, this.#published - FRAMES, 1);
  }

  /** The frame to write into; `publish` sends it. */
  get frame() {
    return this.#frames[this.#published % FRAMES];
  }

  publish(rows) {
    this.frame.head[0] = rows;
    Atomics.store(this.#counters, PUBLISHED, ++this.#published);
    Atomics.notify(this.#counters, PUBLISHED);
  }
}

export class FrameReceiver {
  isFinished = false;
  #counters;
  #frames;
  #taken = 0;

  constructor(memory, makeFrame) {
    this.#counters = new Int32Array(memory, 0, COUNTER_BYTES / 4);
    this.#frames = framesOf(memory, makeFrame);
  }

  waitForFrame() {
    Atomics.wait(this.#counters, PUBLISHED, this.#taken, 1);
  }

  /** Gives all frames that are there to `take`; false when there are none. */
  takeAll(take) {
    const published = Atomics.load(this.#counters, PUBLISHED);
    if (published === this.#taken) return false;
    for (; this.#taken < published; this.#taken++) {
      const frame = this.#frames[this.#taken % FRAMES];
      if (frame.head[0] === FINISHED) this.isFinished = true;
      else take(frame, frame.head[0]);
    }
    Atomics.store(this.#counters, RELEASED, this.#taken);
    Atomics.notify(this.#counters, RELEASED);
    return true;
  }
}
