/**
 * The limit of `ring`: an array of records of 64 bytes in shared memory, two counters and nothing else. No lengths, no
 * kinds, no barriers; the reader takes all records that are there, however they were published.
 */
import { playRing, serveRing } from '../lib/ring-game.mjs';

/** Numbers of a record. */
const RECORD = 8;
/** A multiple of every batch, so that none wraps. */
const RECORDS = 4096;
/** Counters as int32 words, two cache lines apart: published, released, and whether each side is parked. */
const PUBLISHED = 0;
const RELEASED = 32;
const CONSUMER_PARKED = 64;
const PRODUCER_PARKED = 96;
const COUNTER_BYTES = 512;
const RING_BYTES = COUNTER_BYTES + RECORDS * RECORD * 8;
const WAIT_MS_MAX = 1000;
const LOOKS = 1000;

const transport = {
  create: () => new SharedArrayBuffer(2 * RING_BYTES),
  open: (shared, side) => new RecordEnd(shared, side * RING_BYTES, (1 - side) * RING_BYTES),
};

class RecordEnd {
  offset = 0;
  length = 0;
  #out;
  #in;
  #outAt;
  #inAt;
  #published = 0;
  #releasedSeen = 0;
  #taken = 0;
  #returned = 0;
  #publishedSeen = 0;

  constructor(shared, outBytes, inBytes) {
    this.numbers = new Float64Array(shared);
    this.#out = new Int32Array(shared, outBytes, COUNTER_BYTES / 4);
    this.#in = new Int32Array(shared, inBytes, COUNTER_BYTES / 4);
    this.#outAt = (outBytes + COUNTER_BYTES) / 8;
    this.#inAt = (inBytes + COUNTER_BYTES) / 8;
  }

  claim(numbers) {
    const used = this.#published + numbers / RECORD - RECORDS;
    if (used > this.#releasedSeen) {
      this.#releasedSeen = Atomics.load(this.#out, RELEASED);
      if (used > this.#releasedSeen) return -1;
    }
    return this.#outAt + (this.#published % RECORDS) * RECORD;
  }

  commit(numbers) {
    this.#published += numbers / RECORD;
    Atomics.store(this.#out, PUBLISHED, this.#published);
    if (Atomics.load(this.#out, CONSUMER_PARKED) === 1) Atomics.notify(this.#out, PUBLISHED);
  }

  /** All records that are there, up to the end of the array. */
  poll() {
    if (this.#taken === this.#publishedSeen) {
      this.#publishedSeen = Atomics.load(this.#in, PUBLISHED);
      if (this.#taken === this.#publishedSeen) return false;
    }
    const first = this.#taken % RECORDS;
    const records = Math.min(this.#publishedSeen - this.#taken, RECORDS - first);
    this.offset = this.#inAt + first * RECORD;
    this.length = records * RECORD;
    return true;
  }

  /** Room goes back by eighths, so that the producer's counter line seldom travels. */
  release() {
    this.#taken += this.length / RECORD;
    if (this.#taken - this.#returned >= RECORDS / 8) this.#returnRoom();
  }

  #returnRoom() {
    this.#returned = this.#taken;
    Atomics.store(this.#in, RELEASED, this.#taken);
    if (Atomics.load(this.#in, PRODUCER_PARKED) === 1) Atomics.notify(this.#in, RELEASED);
  }

  /** Whether there is room is known from the counter, which the peer changes before it looks for who is parked. */
  waitForRoom() {
    Atomics.store(this.#out, PRODUCER_PARKED, 1);
    Atomics.wait(this.#out, RELEASED, this.#releasedSeen, WAIT_MS_MAX);
    Atomics.store(this.#out, PRODUCER_PARKED, 0);
  }

  /** In a stream the next record is nanoseconds away, so looking on costs less than parking. */
  waitForMessage() {
    for (let look = 0; look < LOOKS; look++) {
      if (Atomics.load(this.#in, PUBLISHED) !== this.#taken) return;
    }
    this.parkForMessage();
  }

  parkForMessage() {
    if (this.#returned !== this.#taken) this.#returnRoom();
    Atomics.store(this.#in, CONSUMER_PARKED, 1);
    Atomics.wait(this.#in, PUBLISHED, this.#taken, WAIT_MS_MAX);
    Atomics.store(this.#in, CONSUMER_PARKED, 0);
  }
}

/** @param {import('../child.mjs').Request} request */
export function run({ rows }) {
  return playRing(import.meta.url, transport, { rows, bundle: null });
}

await serveRing(transport);
