/**
 * A Bloom filter over the keys of a run of the cold tier, each of whose look-ups reads one line of the cache. Callers:
 * `cold-run.ts`. Runs on: worker. Invariant: a key that was added is always found; of those that were not, about one in
 * a hundred is found too, or with the fewest bits three in ten.
 */

/** Bits for each key where there is room for them, and the fewest with which a filter is worth its memory. */
export const BITS_MAX = 12;
export const BITS_MIN = 3;
/** Words of a block, all bits of a key are in one. */
const BLOCK_WORDS = 8;
const FIRST_FACTOR = 0x9e3779b1;
const SECOND_FACTOR = 0x85ebca77;

/** The keys of one run, by their mixed hashes. */
export class ColdFilter {
  readonly #words: Uint32Array;
  readonly #blocks: number;

  constructor(entries: number, bitsPerKey: number) {
    this.#blocks = Math.max(1, Math.ceil((entries * bitsPerKey) / (BLOCK_WORDS * 32)));
    this.#words = new Uint32Array(this.#blocks * BLOCK_WORDS);
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  add(mixed: number): void {
    const spread = Math.imul(mixed, FIRST_FACTOR) >>> 0;
    const block = (spread % this.#blocks) * BLOCK_WORDS;
    // A byte of the second hash for each bit: three for the word, five for the bit in it.
    let probes = Math.imul(spread ^ (spread >>> 15), SECOND_FACTOR);
    for (let probe = 0; probe < 4; probe++, probes >>>= 8) {
      this.#words[block + ((probes >>> 5) & 7)] |= 1 << (probes & 31);
    }
  }

  mayContain(mixed: number): boolean {
    const spread = Math.imul(mixed, FIRST_FACTOR) >>> 0;
    const block = (spread % this.#blocks) * BLOCK_WORDS;
    let probes = Math.imul(spread ^ (spread >>> 15), SECOND_FACTOR);
    for (let probe = 0; probe < 4; probe++, probes >>>= 8) {
      if ((this.#words[block + ((probes >>> 5) & 7)] & (1 << (probes & 31))) === 0) return false;
    }
    return true;
  }
}
