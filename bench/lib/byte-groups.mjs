/**
 * Groups by a short text, in typed arrays: an index over entries, the bytes of each key, and numbers beside it.
 * Callers: the limits that group by a text. Runs on: the threads of the limit.
 */

const INDEX_BITS = 16;
const INDEX_MASK = 2 ** INDEX_BITS - 1;
const KEY_BYTES_MAX = 32;

export class ByteGroups {
  count = 0;
  /** `width` numbers per entry. */
  numbers;
  #width;
  #index = new Int32Array(INDEX_MASK + 1);
  #hashes;
  #lengths;
  #keys;

  /**
   * @param {number} entriesMax at most half of the index
   * @param {number} width numbers kept per key
   */
  constructor(entriesMax, width) {
    this.#width = width;
    this.numbers = new Float64Array(entriesMax * width);
    this.#hashes = new Int32Array(entriesMax);
    this.#lengths = new Uint8Array(entriesMax);
    this.#keys = new Uint8Array(entriesMax * KEY_BYTES_MAX);
  }

  /**
   * Where the numbers of a key start.
   *
   * @param {Uint8Array} bytes
   * @param {number} start
   * @param {number} end
   * @param {number} hash of these bytes, whatever hash it is
   */
  at(bytes, start, end, hash) {
    let slot = (Math.imul(hash, 0x9e3779b1) >>> (32 - INDEX_BITS)) & INDEX_MASK;
    for (;;) {
      const entry = this.#index[slot] - 1;
      if (entry < 0) return this.#add(bytes, start, end, hash, slot);
      if (this.#hashes[entry] === hash && this.#isKey(entry, bytes, start, end)) {
        return entry * this.#width;
      }
      slot = (slot + 1) & INDEX_MASK;
    }
  }

  #isKey(entry, bytes, start, end) {
    if (this.#lengths[entry] !== end - start) return false;
    const keys = this.#keys;
    for (let at = start, key = entry * KEY_BYTES_MAX; at < end; at++, key++) {
      if (bytes[at] !== keys[key]) return false;
    }
    return true;
  }

  #add(bytes, start, end, hash, slot) {
    const length = end - start;
    const entry = this.count++;
    if (entry === this.#hashes.length) throw new Error('There are more groups than expected.');
    if (length > KEY_BYTES_MAX) throw new Error('A key is longer than expected.');
    this.#index[slot] = entry + 1;
    this.#hashes[entry] = hash;
    this.#lengths[entry] = length;
    this.#keys.set(bytes.subarray(start, end), entry * KEY_BYTES_MAX);
    return entry * this.#width;
  }

  /** Rows of a key and its numbers. */
  rows() {
    const decoder = new TextDecoder();
    return Array.from({ length: this.count }, (_, entry) => {
      const start = entry * KEY_BYTES_MAX;
      const key = decoder.decode(this.#keys.subarray(start, start + this.#lengths[entry]));
      const from = entry * this.#width;
      return [key, ...this.numbers.subarray(from, from + this.#width)];
    });
  }
}

/**
 * Adds the rows of several threads up, key by key.
 *
 * @param {readonly (readonly [string, ...number[]])[][]} parts
 * @returns {(string | number)[][]}
 */
export function addedUp(parts) {
  const all = new Map();
  for (const [key, ...numbers] of parts.flat()) {
    const known = all.get(key);
    if (known === undefined) all.set(key, [key, ...numbers]);
    else for (const [index, number] of numbers.entries()) known[index + 1] += number;
  }
  return [...all.values()];
}
