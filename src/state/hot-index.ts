/**
 * The index of a hot table: per key group open addressing from hashes to stable entry ids. A key group starts with
 * no memory, doubles its one segment up to 128 K slots, and from then on splits segments by extendible hashing, so
 * that no insert ever moves more than one segment (about a millisecond). Callers: hot-table.ts; generated look-ups
 * read `directory` and `segments` directly. Runs on: worker. Invariant: probing from the slot of a hash reaches
 * its entries before an empty slot.
 *
 * A segment is an Int32Array of pairs (hash as the caller gave it, word), then its number of entries, its depth and
 * the generation of its WORD_TOUCHED flags. A word is entry id + 1 and flags; 0 is an empty slot. Key group g (counted from the first one) has its
 * segments at `directory[2g] + (slotHash >>> 1 >>> directory[2g + 1])`.
 */

/** Flag of a word: the key is the number that its hash is, so comparing hashes compares keys. */
export const WORD_DIRECT = 0x80000000 | 0;
/** Flag of a word: the entry is removed and waits for its tombstone to be drained. */
export const WORD_REMOVED = 0x40000000;
/**
 * Flag of a word: the entry has been touched in the generation of its segment, so that an upsert need not look at
 * the marks of its page. Without the flag it may have been touched as well.
 */
export const WORD_TOUCHED = 0x20000000;
/** Mask of entry id + 1 in a word. */
export const WORD_ENTRY = 0x1fffffff;
/** Words of a segment behind its slots. */
const TRAILER = 4;
/** What to subtract from a segment's length for its words behind the slots. */
const COUNT = 4;
const DEPTH = 3;
export const SEGMENT_GENERATION = 2;
/** What to subtract from a segment's length for the mask of (even) slot positions. */
export const SEGMENT_MASK_OFFSET = TRAILER + 2;

const FIRST_SLOTS = 16;
const SLOTS_MAX = 1 << 17;
/** Beyond this depth hashes are so alike that splitting does not help, and the segment doubles instead. */
const DEPTH_MAX = 14;
/** The segment of key groups without entries: one look finds an empty slot. */
const EMPTY_SEGMENT = new Int32Array(2 * 2 + TRAILER);

/** Spreads the caller's hash: Java's hashes of small integers are sequential. */
export function slotHash(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  return mixed ^ (mixed >>> 15);
}

/** Hashes to entry ids, one index per key group. */
export class HotIndex {
  /** Per key group: where its segments start, and by how much to shift. */
  readonly directory: Int32Array;
  readonly segments: Int32Array[] = [];
  readonly #start: number;
  #bytes = 0;

  constructor(keyGroups: { readonly start: number; readonly end: number }) {
    this.#start = keyGroups.start;
    this.directory = new Int32Array(2 * (keyGroups.end - keyGroups.start));
    this.clear();
  }

  /** Bytes of all segments and of the directory. */
  get bytes(): number {
    return this.#bytes + this.directory.byteLength + 8 * this.segments.length;
  }

  /** Adds an entry whose key is not in the index yet. */
  insert(keyGroup: number, hash: number, word: number): void {
    const mixed = slotHash(hash);
    let segment = this.segments[this.#place(keyGroup, mixed)];
    while (isFull(segment)) {
      this.#grow(keyGroup, mixed, segment);
      segment = this.segments[this.#place(keyGroup, mixed)];
    }
    put(segment, mixed, hash, word);
  }

  /** Takes an entry out; entries behind it move up, so no tombstones slow down later look-ups. */
  remove(keyGroup: number, hash: number, entry: number): void {
    const segment = this.segments[this.#place(keyGroup, slotHash(hash))];
    const mask = segment.length - SEGMENT_MASK_OFFSET;
    let hole = slotOf(segment, hash, entry);
    if (hole < 0) return;
    for (let slot = (hole + 2) & mask; segment[slot + 1] !== 0; slot = (slot + 2) & mask) {
      const home = (slotHash(segment[slot]) << 1) & mask;
      // The entry may move up unless its home lies behind the hole on the way to it.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      segment[hole] = segment[slot];
      segment[hole + 1] = segment[slot + 1];
      hole = slot;
    }
    segment[hole] = 0;
    segment[hole + 1] = 0;
    segment[segment.length - COUNT]--;
  }

  /** Sets and clears flags of an entry that is in the index. */
  flag(keyGroup: number, hash: number, entry: number, set: number, clear: number): void {
    const segment = this.segments[this.#place(keyGroup, slotHash(hash))];
    const slot = slotOf(segment, hash, entry);
    if (slot >= 0) segment[slot + 1] = (segment[slot + 1] & ~clear) | set;
  }

  /** Ids of the entries of a key group, without the removed ones. */
  entriesOf(keyGroup: number): number[] {
    const entries: number[] = [];
    const group = keyGroup - this.#start;
    const first = this.directory[2 * group];
    const end = first + 2 ** (31 - this.directory[2 * group + 1]);
    for (let at = first; at < end; at++) {
      const segment = this.segments[at];
      if (at > first && segment === this.segments[at - 1]) continue;
      for (let slot = 0; slot < segment.length - TRAILER; slot += 2) {
        const word = segment[slot + 1];
        if (word !== 0 && (word & WORD_REMOVED) === 0) entries.push((word & WORD_ENTRY) - 1);
      }
    }
    return entries;
  }

  /** Frees all segments. */
  clear(): void {
    const groups = this.directory.length / 2;
    this.segments.length = 0;
    this.#bytes = 0;
    for (let group = 0; group < groups; group++) {
      this.segments.push(EMPTY_SEGMENT);
      this.directory[2 * group] = group;
      this.directory[2 * group + 1] = 31;
    }
  }

  #place(keyGroup: number, mixed: number): number {
    const at = 2 * (keyGroup - this.#start);
    return this.directory[at] + ((mixed >>> 1) >>> this.directory[at + 1]);
  }

  #grow(keyGroup: number, mixed: number, segment: Int32Array): void {
    const slots = slotsOf(segment);
    const depth = segment[segment.length - DEPTH];
    if (segment === EMPTY_SEGMENT)
      this.#replace(keyGroup, mixed, 0, [this.#open(FIRST_SLOTS, 0, 0)]);
    else if (slots >= SLOTS_MAX && depth < DEPTH_MAX) this.#split(keyGroup, mixed, segment);
    else {
      const larger = this.#open(slots * 2, depth, generationOf(segment));
      for (let slot = 0; slot < segment.length - TRAILER; slot += 2) {
        if (segment[slot + 1] === 0) continue;
        put(larger, slotHash(segment[slot]), segment[slot], segment[slot + 1]);
      }
      this.#replace(keyGroup, mixed, depth, [larger]);
      this.#bytes -= segment.byteLength;
    }
  }

  /** Deals the entries of a full segment to two by the next bit of their hashes. */
  #split(keyGroup: number, mixed: number, segment: Int32Array): void {
    const at = 2 * (keyGroup - this.#start);
    const depth = segment[segment.length - DEPTH];
    const slots = slotsOf(segment);
    if (31 - this.directory[at + 1] === depth) this.#doubleDirectory(at);
    const low = this.#open(slots, depth + 1, generationOf(segment));
    const high = this.#open(slots, depth + 1, generationOf(segment));
    for (let slot = 0; slot < segment.length - TRAILER; slot += 2) {
      const word = segment[slot + 1];
      if (word === 0) continue;
      const hash = segment[slot];
      const spread = slotHash(hash);
      put(((spread >>> (31 - depth)) & 1) === 0 ? low : high, spread, hash, word);
    }
    this.#replace(keyGroup, mixed, depth, [low, high]);
    this.#bytes -= segment.byteLength;
  }

  /** Puts the halves (or the one successor) of the segment of depth `depth` where `mixed` belongs. */
  #replace(
    keyGroup: number,
    mixed: number,
    depth: number,
    successors: readonly Int32Array[],
  ): void {
    const at = 2 * (keyGroup - this.#start);
    const width = 2 ** (31 - this.directory[at + 1] - depth);
    const place = this.#place(keyGroup, mixed) - this.directory[at];
    const first = this.directory[at] + place - (place % width);
    for (let index = 0; index < width; index++) {
      const successor = successors[Math.floor((index * successors.length) / width)];
      this.segments[first + index] = successor;
    }
  }

  /** Gives a key group twice as many places, each segment at two of them. The old places are left behind. */
  #doubleDirectory(at: number): void {
    const first = this.directory[at];
    const width = 2 ** (31 - this.directory[at + 1]);
    this.directory[at] = this.segments.length;
    this.directory[at + 1] -= 1;
    for (let index = 0; index < width; index++) {
      const segment = this.segments[first + index];
      this.segments.push(segment, segment);
      this.segments[first + index] = EMPTY_SEGMENT;
    }
  }

  #open(slots: number, depth: number, generation: number): Int32Array {
    const segment = new Int32Array(2 * slots + TRAILER);
    segment[segment.length - DEPTH] = depth;
    segment[segment.length - SEGMENT_GENERATION] = generation;
    this.#bytes += segment.byteLength;
    return segment;
  }
}

/** Makes a segment's flags speak of `generation`, in which nothing has been touched yet. */
export function openSegmentGeneration(segment: Int32Array, generation: number): void {
  const end = segment.length - TRAILER;
  for (let slot = 1; slot < end; slot += 2) segment[slot] &= ~WORD_TOUCHED;
  segment[segment.length - SEGMENT_GENERATION] = generation;
}

function generationOf(segment: Int32Array): number {
  return segment[segment.length - SEGMENT_GENERATION];
}

function slotsOf(segment: Int32Array): number {
  return (segment.length - TRAILER) / 2;
}

/** At three quarters probes are still short, and one doubling leaves room for as many entries again. */
function isFull(segment: Int32Array): boolean {
  if (segment === EMPTY_SEGMENT) return true;
  return segment[segment.length - COUNT] * 4 >= slotsOf(segment) * 3;
}

function put(segment: Int32Array, mixed: number, hash: number, word: number): void {
  const mask = segment.length - SEGMENT_MASK_OFFSET;
  let slot = (mixed << 1) & mask;
  while (segment[slot + 1] !== 0) slot = (slot + 2) & mask;
  segment[slot] = hash;
  segment[slot + 1] = word;
  segment[segment.length - COUNT]++;
}

function slotOf(segment: Int32Array, hash: number, entry: number): number {
  const mask = segment.length - SEGMENT_MASK_OFFSET;
  let slot = (slotHash(hash) << 1) & mask;
  for (let word = segment[slot + 1]; word !== 0; word = segment[slot + 1]) {
    if ((word & WORD_ENTRY) === entry + 1) return slot;
    slot = (slot + 2) & mask;
  }
  return -1;
}
