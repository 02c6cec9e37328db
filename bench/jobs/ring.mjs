/** Millrace's ring by itself: no job, but the part of the engine that carries frames between threads. */
import { engineBundle } from '../lib/engine-bundle.mjs';
import { playRing, serveRing } from '../lib/ring-game.mjs';

const FRAME_DATA = 0;
const WORD_BYTES = 128;
const RING_BYTES = 256 * 1024 + 384;
const RINGS_AT = 2 * WORD_BYTES;
const PARK_MS_MAX = 1000;

/** Two rings, one each way, and a word for each side to park on. */
const transport = {
  create: () => new SharedArrayBuffer(RINGS_AT + 2 * RING_BYTES),

  async open(shared, side, bundle) {
    const ring = await import(bundle);
    const words = [0, 1].map((index) => ring.createParkerWord(shared, index * WORD_BYTES));
    const places = [RINGS_AT, RINGS_AT + RING_BYTES];
    if (side === 1) for (const place of places) ring.createRing(shared, place, RING_BYTES);
    const peer = ring.wakerFor(words[1 - side]);
    return new RingEnd({
      writer: ring.openRingWriter(shared, places[side], RING_BYTES, peer),
      reader: ring.openRingReader(shared, places[1 - side], RING_BYTES, peer),
      parker: new ring.BlockingParker(words[side]),
    });
  },
};

class RingEnd {
  offset = 0;
  length = 0;

  constructor({ writer, reader, parker }) {
    this.writer = writer;
    this.reader = reader;
    this.parker = parker;
    const { buffer } = writer.memory;
    // One array over both rings, so that the places of both sides count from the same start.
    this.numbers = new Float64Array(buffer);
    this.writeBase = writer.memory.byteOffset / 8;
  }

  claim(numbers) {
    const at = this.writer.claim(numbers * 8);
    return at < 0 ? -1 : this.writeBase + at / 8;
  }

  commit(numbers) {
    this.writer.commit(FRAME_DATA, numbers * 8);
  }

  poll() {
    if (!this.reader.poll()) return false;
    this.offset = (this.reader.memory.byteOffset + this.reader.offset) / 8;
    this.length = this.reader.bytes / 8;
    return true;
  }

  release() {
    this.reader.release();
  }

  waitForRoom(numbers) {
    const ticket = this.parker.announce();
    const at = this.writer.claim(numbers * 8);
    if (at < 0) return this.parker.park(ticket, PARK_MS_MAX);
    this.writer.abort();
    this.parker.withdraw();
  }

  waitForMessage() {
    this.parkForMessage();
  }

  parkForMessage() {
    const ticket = this.parker.announce();
    if (this.reader.queuedBytes() > 0) return this.parker.withdraw();
    this.parker.park(ticket, PARK_MS_MAX);
  }
}

let bundle = '';

/** Bundles the ring. */
export async function prepare() {
  bundle = await engineBundle(['ring/make-ring.ts', 'ring/spsc-ring.ts', 'ring/parker.ts']);
}

/** @param {import('../child.mjs').Request} request */
export function run({ rows }) {
  return playRing(import.meta.url, transport, { rows, bundle });
}

await serveRing(transport);
