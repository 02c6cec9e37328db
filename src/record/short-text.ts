/**
 * Texts of up to 12 bytes as three words, so that hashing and comparing one takes no loop: what state tables keep of
 * a short key, and what generated code loads from where the text is. Callers: generated loops, state tables. Runs
 * on: any thread; pure. Invariant: the words hold the bytes in the order of memory and zeros behind them, so equal
 * texts have equal words, wherever they were loaded from.
 */

/** The longest text that fits. */
export const SHORT_TEXT_BYTES_MAX = 12;

/** Whether words in memory have their lowest byte first: what DataView has to be told. */
export const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** By length times 4 and word: the bits of a word that belong to a text. */
export const SHORT_TEXT_MASKS: Int32Array = masks();

function masks(): Int32Array {
  const bytes = new Uint8Array((SHORT_TEXT_BYTES_MAX + 1) * 16);
  for (let length = 0; length <= SHORT_TEXT_BYTES_MAX; length++) {
    bytes.fill(255, length * 16, length * 16 + length);
  }
  return new Int32Array(bytes.buffer);
}

/**
 * A hash of a text by its words and length, several times faster than Java's. It decides nothing but the place in a
 * table of one subtask: key groups go by `hashText`.
 */
export function hashWords(first: number, second: number, third: number, length: number): number {
  // A product carries bits upward only, so each is turned its own way: else the last bytes of words would meet.
  const a = Math.imul(first, 0x9e3779b1);
  const b = Math.imul(second, 0x85ebca6b);
  const c = Math.imul(third ^ (length << 24), 0xc2b2ae35);
  return a ^ ((b << 11) | (b >>> 21)) ^ ((c << 22) | (c >>> 10));
}

/** The same hash of bytes of any number; longer ones are hashed twelve at a time. */
export function hashAnyBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  let at = start;
  do {
    const length = Math.min(end - at, SHORT_TEXT_BYTES_MAX);
    const first = wordAt(bytes, at, end) ^ hash ^ (hash >>> 15);
    hash = hashWords(first, wordAt(bytes, at + 4, end), wordAt(bytes, at + 8, end), length);
    at += SHORT_TEXT_BYTES_MAX;
  } while (at < end);
  return hash;
}

/** The word at `at`, with zeros from `end` on. */
export function wordAt(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let index = 0; index < 4 && at + index < end; index++) {
    word |= bytes[at + index] << (LITTLE_ENDIAN ? index * 8 : 24 - index * 8);
  }
  return word;
}
