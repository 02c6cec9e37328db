/** One frame through the ring and back out, on one thread: what the protocol costs without the way between cores. */

const RING_BYTES = 64 * 1024 + 384;
const FRAMES = 64;
const FRAME_BYTES = 64;
const FRAME_DATA = 0;

/** @type {import('../lib/micro-runner.mjs').Micro} */
export const micro = {
  name: 'ring-latency',
  title: 'frames of 64 bytes through the ring, both ends on one thread',
  modules: ['ring/make-ring.ts', 'ring/spsc-ring.ts', 'ring/parker.ts'],
  unit: 'frame',
  perCall: FRAMES,
  setup(engine) {
    const memory = new SharedArrayBuffer(RING_BYTES);
    engine.createRing(memory, 0, RING_BYTES);
    const writer = engine.openRingWriter(memory, 0, RING_BYTES, engine.silentWaker);
    const reader = engine.openRingReader(memory, 0, RING_BYTES, engine.silentWaker);
    const words = new Int32Array(memory);
    const base = writer.memory.byteOffset;
    return {
      'write one, read one': () => {
        for (let frame = 0; frame < FRAMES; frame++) {
          put(writer, words, base, frame);
          take(reader, words, base);
        }
      },
      'write all, read all': () => {
        for (let frame = 0; frame < FRAMES; frame++) put(writer, words, base, frame);
        for (let frame = 0; frame < FRAMES; frame++) take(reader, words, base);
      },
    };
  },
};

function put(writer, words, base, frame) {
  const at = (base + writer.claim(FRAME_BYTES)) >> 2;
  words[at] = frame;
  words[at + 15] = frame;
  writer.commit(FRAME_DATA, FRAME_BYTES);
}

function take(reader, words, base) {
  if (!reader.poll()) throw new Error('A frame is missing.');
  const at = (base + reader.offset) >> 2;
  const sum = words[at] + words[at + 15];
  reader.release();
  return sum;
}
