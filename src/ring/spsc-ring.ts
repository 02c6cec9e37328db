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
import { assert } from '../base/assert.js';
import type { RingReader, RingWriter, Waker } from './contract.js';
import { headerWords } from './ring-header.js';
import { RING_MAGIC, RING_WORDS, ringLayout } from './ring-layout.js';
import { SpscRingReader } from './spsc-ring-reader.js';
import { SpscRingWriter } from './spsc-ring-writer.js';

/** What a ring may be told when it is made. */
export interface RingOptions {
  /** Largest message at all, sent in segments; default 1 GiB. Wiring derives it from the network memory. */
  readonly messageBytesMax?: number;
  /** Where positions start; tests start shortly before they wrap. */
  readonly firstPosition?: number;
}

/** The largest message that any ring takes. */
export const MESSAGE_BYTES_MAX = 2 ** 30;

/** Makes an empty ring in a region of `memory`, before either end is opened. */
export function createRing(
  memory: SharedArrayBuffer,
  byteOffset: number,
  byteLength: number,
  options: RingOptions = {},
): void {
  const { dataBytes } = ringLayout(byteLength);
  const messageBytesMax = options.messageBytesMax ?? MESSAGE_BYTES_MAX;
  assert(
    messageBytesMax >= 0 && messageBytesMax <= MESSAGE_BYTES_MAX,
    'A message in a ring has at most 1 GiB.',
  );
  const header = headerWords(memory, byteOffset);
  header.fill(0);
  header[RING_WORDS.dataBytes] = dataBytes;
  header[RING_WORDS.messageBytesMax] = messageBytesMax;
  header[RING_WORDS.published] = options.firstPosition ?? 0;
  header[RING_WORDS.released] = options.firstPosition ?? 0;
  Atomics.store(header, RING_WORDS.magic, RING_MAGIC);
}

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
