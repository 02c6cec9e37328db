/**
 * Makes rings, and makes them empty again; apart from what slots do with them. Callers: runtime (deploy, regions that
 * begin again). Runs on: the caller's thread, while neither end is open.
 */
import { assert } from '../base/assert.js';
import { headerWords } from './ring-header.js';
import { RING_MAGIC, RING_WORDS, ringLayout } from './ring-layout.js';

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

/** Makes a ring as empty as it was when it was made, after both ends have been given up. */
export function clearRing(memory: SharedArrayBuffer, byteOffset: number): void {
  const header = headerWords(memory, byteOffset);
  const { dataBytes, messageBytesMax } = RING_WORDS;
  const kept = [dataBytes, messageBytesMax].map((word) => [word, header[word]] as const);
  header.fill(0);
  for (const [word, value] of kept) header[word] = value;
  Atomics.store(header, RING_WORDS.magic, RING_MAGIC);
}
