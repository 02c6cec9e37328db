/**
 * The part of a hot table's index for whole numbers that lie close together, such as ids that were counted up: blocks
 * of words, one for each number of a range, so that a look-up reads one word and hashes and compares nothing. Callers:
 * hot-index.ts, which decides by what is counted here which ranges have a block; generated look-ups read `blocks`.
 * Runs on: worker. Invariant: a key whose range has a block is in there or nowhere.
 *
 * A block is laid out as a segment of the index is, with a word in place of every pair.
 */

/** Numbers that a block is for, as shift and mask. */
export const BLOCK_SHIFT = 12;
export const BLOCK_MASK = (1 << BLOCK_SHIFT) - 1;
/** In place of the block of a range that has none. */
export const NO_BLOCK = new Int32Array(0);

/** Keys that are worth a block: it then takes about as many bytes as segments would. */
const KEYS_MIN = 1024;
/** The first blocks take next to nothing, and are worth it for few keys. */
const SMALL_BLOCKS_MAX = 4;
const SMALL_KEYS_MIN = 128;
/**
 * Up to so many, which are four megabytes, blocks are worth it for fewer keys than pay for them: ids mostly come on,
 * and what has to move into a block later was added to segments for nothing.
 */
const EARLY_BLOCKS_MAX = 256;
const EARLY_KEYS_MIN = 256;
/** A block of fewer keys is given up. */
export const BLOCK_KEYS_MIN = 32;
/** Ranges that are counted whatever the number of entries; another one for each entry is. */
const RANGES_MIN = 64;
const RANGES_MAX = 1 << 16;

/** Which ranges of keys have a block. */
export class KeyBlocks {
  /** By the number of their range; `NO_BLOCK` where there is none. Never another array. */
  readonly blocks: Int32Array[] = [];
  /** Keys of ranges without a block, as far as they have been counted. */
  #counts = new Uint16Array(0);
  #blocks = 0;

  /** Bytes of what finds the blocks. */
  get bytes(): number {
    return this.#counts.byteLength + 8 * this.blocks.length;
  }

  /** The block of a key, or `NO_BLOCK`. */
  of(key: number): Int32Array {
    const range = key >>> BLOCK_SHIFT;
    return range < this.blocks.length ? this.blocks[range] : NO_BLOCK;
  }

  /** Counts a key of a range that has no block; whether it is worth one now. */
  count(key: number, entries: number): boolean {
    const range = key >>> BLOCK_SHIFT;
    if (range >= this.#counts.length && !this.#reach(range, entries)) return false;
    return ++this.#counts[range] >= this.#keysMin;
  }

  /** Keys that the next block is worth it for. */
  get #keysMin(): number {
    if (this.#blocks < SMALL_BLOCKS_MAX) return SMALL_KEYS_MIN;
    return this.#blocks < EARLY_BLOCKS_MAX ? EARLY_KEYS_MIN : KEYS_MIN;
  }

  /** A key of a range that has no block is gone. */
  uncount(key: number): void {
    const range = key >>> BLOCK_SHIFT;
    if (range < this.#counts.length && this.#counts[range] > 0) this.#counts[range]--;
  }

  /** All keys are gone, and the blocks stay. */
  uncountAll(): void {
    this.#counts.fill(0);
  }

  /** Gives the range of a key its block. */
  open(key: number, block: Int32Array): void {
    const range = key >>> BLOCK_SHIFT;
    while (this.blocks.length <= range) this.blocks.push(NO_BLOCK);
    this.blocks[range] = block;
    this.#counts[range] = 0;
    this.#blocks++;
  }

  /** Takes it away again. */
  close(key: number): void {
    this.blocks[key >>> BLOCK_SHIFT] = NO_BLOCK;
    this.#blocks--;
  }

  /** Forgets all. */
  clear(): void {
    this.blocks.length = 0;
    this.#counts = new Uint16Array(0);
    this.#blocks = 0;
  }

  /** Whether a range is counted: large numbers are only where there are many entries. */
  #reach(range: number, entries: number): boolean {
    if (range >= Math.min(RANGES_MIN + entries, RANGES_MAX)) return false;
    const counts = new Uint16Array(Math.max(RANGES_MIN, 2 ** Math.ceil(Math.log2(range + 1))));
    counts.set(this.#counts);
    this.#counts = counts;
    return true;
  }
}
