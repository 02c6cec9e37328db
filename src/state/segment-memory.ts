/**
 * Memory of the segments of an index. The key groups of a table double their segments at about the same time, and as
 * many bytes as the index ends with would be left behind as small holes between pages, of no use to anybody and
 * resident for good. So segments are pieces of slabs: two neighbours that were given back become one of twice the
 * size, which the next segment to double takes. Callers: hot-index.ts. Runs on: worker. Invariant: a piece belongs to
 * one segment or is in one list of free pieces, and two free neighbours that can be one are one.
 */

/** Words of a segment behind its slots. */
export const SEGMENT_TRAILER = 4;
/** Segments of fewer slots have a buffer of their own: all of them together are next to nothing. */
const PIECE_SLOTS_MIN = 256;
/** Segments of more slots do too: they are rare, and as large as a slab. */
const PIECE_SLOTS_MAX = 1 << 16;
/** Words of the smallest piece. Two of them are a little more than a segment of twice the slots needs. */
const UNIT_WORDS = 2 * PIECE_SLOTS_MIN + SEGMENT_TRAILER;
const LEVEL_MAX = Math.log2(PIECE_SLOTS_MAX / PIECE_SLOTS_MIN);
/** The address of a piece is its slab times this and its first unit. */
const SLAB_UNITS_MAX = 1 << LEVEL_MAX;

/** A buffer of `1 << level` units. */
interface Slab {
  readonly words: Int32Array;
  readonly level: number;
}

/** Gives segments out and takes them back. */
export class SegmentMemory {
  readonly #slabs: Slab[] = [];
  readonly #slabOf = new Map<ArrayBufferLike, number>();
  /** Addresses of the free pieces of `1 << level` units, by level. */
  readonly #free = Array.from({ length: LEVEL_MAX + 1 }, () => new Set<number>());
  #heldBytes = 0;

  /** Bytes of all slabs and of the segments with a buffer of their own. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** A segment of zeros. */
  take(slots: number): Int32Array {
    const words = 2 * slots + SEGMENT_TRAILER;
    if (slots < PIECE_SLOTS_MIN || slots > PIECE_SLOTS_MAX) {
      this.#heldBytes += words * 4;
      return new Int32Array(words);
    }
    const address = this.#takePiece(Math.log2(slots / PIECE_SLOTS_MIN));
    const first = (address % SLAB_UNITS_MAX) * UNIT_WORDS;
    const slab = this.#slabs[Math.floor(address / SLAB_UNITS_MAX)];
    return slab.words.subarray(first, first + words).fill(0);
  }

  /** Takes a segment back; nobody may look at it any more. */
  give(segment: Int32Array): void {
    const slab = this.#slabOf.get(segment.buffer);
    if (slab === undefined) {
      this.#heldBytes -= segment.byteLength;
      return;
    }
    let unit = segment.byteOffset / 4 / UNIT_WORDS;
    let level = Math.log2((segment.length - SEGMENT_TRAILER) / 2 / PIECE_SLOTS_MIN);
    while (level < this.#slabs[slab].level) {
      const neighbour = unit ^ (1 << level);
      if (!this.#free[level].delete(slab * SLAB_UNITS_MAX + neighbour)) break;
      unit = Math.min(unit, neighbour);
      level++;
    }
    this.#free[level].add(slab * SLAB_UNITS_MAX + unit);
  }

  /** Forgets all segments. */
  clear(): void {
    this.#slabs.length = 0;
    this.#slabOf.clear();
    for (const pieces of this.#free) pieces.clear();
    this.#heldBytes = 0;
  }

  /** The smallest free piece that is large enough; what it has too much is free in halves. */
  #takePiece(level: number): number {
    let from = level;
    while (from <= LEVEL_MAX && this.#free[from].size === 0) from++;
    if (from > LEVEL_MAX) from = this.#addSlab(level);
    const [address] = this.#free[from];
    this.#free[from].delete(address);
    while (from > level) {
      from--;
      this.#free[from].add(address + (1 << from));
    }
    return address;
  }

  /** Adds a slab of about as many bytes as there are already, so that small tables stay small: its level. */
  #addSlab(levelMin: number): number {
    const units = Math.max(1, this.#heldBytes / (UNIT_WORDS * 4));
    const level = Math.min(LEVEL_MAX, Math.max(levelMin, Math.floor(Math.log2(units))));
    const words = new Int32Array(UNIT_WORDS << level);
    const index = this.#slabs.length;
    this.#slabs.push({ words, level });
    this.#slabOf.set(words.buffer, index);
    this.#free[level].add(index * SLAB_UNITS_MAX);
    this.#heldBytes += words.byteLength;
    return level;
  }
}
