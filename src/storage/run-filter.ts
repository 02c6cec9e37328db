/**
 * A Bloom filter over the keys of a run file, so that looking for a key that is not there reads no block. Callers: run
 * writer and reader. Runs on: any thread; pure. Invariant: a key that was added is always found; one in a hundred that
 * was not is found too. The hash never changes, since files contain what it gives.
 */

const BITS_PER_KEY = 10;
const PROBES = 7;
const FIRST_FACTOR = 0x9e3779b1;
const SECOND_FACTOR = 0x85ebca77;

/** Collects keys. */
export class FilterBuilder {
  #hashes = new Uint32Array(2048);
  #count = 0;

  add(key: Uint8Array, length: number): void {
    if (this.#count === this.#hashes.length) {
      const larger = new Uint32Array(2 * this.#count);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#count++] = hashOf(key, length);
  }

  finish(): Uint8Array {
    const bits = new Uint8Array(Math.max(8, Math.ceil((this.#count * BITS_PER_KEY) / 8)));
    for (let at = 0; at < this.#count; at++) {
      eachProbe(this.#hashes[at] ?? 0, 8 * bits.length, (bit) => {
        bits[bit >>> 3] = (bits[bit >>> 3] ?? 0) | (1 << (bit & 7));
        return true;
      });
    }
    return bits;
  }
}

/** Whether the key may be among those of the filter. */
export function mayContain(bits: Uint8Array, key: Uint8Array): boolean {
  return eachProbe(
    hashOf(key, key.length),
    8 * bits.length,
    (bit) => ((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0,
  );
}

/** Whether `probe` is true for every bit of a hash. */
function eachProbe(hash: number, bits: number, probe: (bit: number) => boolean): boolean {
  const step = (Math.imul(hash, SECOND_FACTOR) ^ (hash >>> 15)) | 1;
  let at = hash;
  for (let probes = 0; probes < PROBES; probes++) {
    if (!probe((at >>> 0) % bits)) return false;
    at = (at + step) | 0;
  }
  return true;
}

function hashOf(key: Uint8Array, length: number): number {
  let hash = FIRST_FACTOR ^ length;
  for (let at = 0; at < length; at++) {
    hash = Math.imul(hash ^ (key[at] ?? 0), FIRST_FACTOR);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), SECOND_FACTOR);
  return (hash ^ (hash >>> 13)) >>> 0;
}
