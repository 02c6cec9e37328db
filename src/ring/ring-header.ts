/**
 * Access to the header of a ring. Callers: the two ends of a ring and `createRing`. Runs on: any thread.
 * Invariant: each end of a ring is taken once, so there is one producer and one consumer.
 */
import { assert } from '../base/assert.js';
import { RING_HEADER_BYTES, RING_MAGIC, RING_WORDS } from './ring-layout.js';

/** The int32 words of a ring's header. */
export function headerWords(memory: SharedArrayBuffer, byteOffset: number): Int32Array {
  assert(byteOffset % 8 === 0, 'A ring is aligned to eight bytes.');
  return new Int32Array(memory, byteOffset, RING_HEADER_BYTES / 4);
}

/** Checks the header and takes one end of the ring, which nobody may have taken before. */
export function openHeader(
  memory: SharedArrayBuffer,
  byteOffset: number,
  dataBytes: number,
  end: number,
): Int32Array {
  const header = headerWords(memory, byteOffset);
  assert(Atomics.load(header, RING_WORDS.magic) === RING_MAGIC, 'A ring is made before opening.');
  assert(
    header[RING_WORDS.dataBytes] === dataBytes,
    'A ring is opened with the size it was made with.',
  );
  assert(Atomics.exchange(header, end, 1) === 0, 'Each end of a ring is opened once.');
  return header;
}

/** Typed arrays are typed as possibly undefined at any index; the callers' indices are inside. */
export function wordAt(words: Int32Array, index: number): number {
  return words[index] ?? 0;
}
