/**
 * The frame ring in shared memory: one producer, one consumer, messages of any size, in order. Callers: runtime
 * (exchange wiring opens the two ends). Runs on: the writer on the producer's thread, the reader on the
 * consumer's; both may be the same thread.
 *
 * Positions count bytes, wrap in int32 and are compared by difference only. `published` is stored by the
 * producer alone, `released` by the consumer alone, each after plain accesses to the data it covers.
 * Invariants: 0 <= published - released <= dataBytes; the consumer touches only bytes between the two, the
 * producer only the others; a message is contiguous. Each side works on a cached copy of the other's counter
 * and looks at the shared one only when the copy says "full" or "empty", so that in steady flow the cache
 * lines rarely travel.
 */
import type { RingReader, RingWriter, Waker } from './contract.js';
import { SpscRingReader } from './spsc-ring-reader.js';
import { SpscRingWriter } from './spsc-ring-writer.js';

/** Opens the producing end; once per ring. `consumer` is woken when messages arrive. */
export function openRingWriter(
  memory: SharedArrayBuffer,
  byteOffset: number,
  byteLength: number,
  consumer: Waker,
): RingWriter {
  return new SpscRingWriter(memory, byteOffset, byteLength, consumer);
}

/** Opens the consuming end; once per ring. `producer` is woken when credit returns. */
export function openRingReader(
  memory: SharedArrayBuffer,
  byteOffset: number,
  byteLength: number,
  producer: Waker,
): RingReader {
  return new SpscRingReader(memory, byteOffset, byteLength, producer);
}
