/**
 * The index of a hot table: open addressing from hashes to stable entry ids. It starts with no memory, doubles its one
 * segment up to 64 K slots, and from then on splits segments by extendible hashing, so that no insert ever moves more
 * than one segment (one or two milliseconds). Callers: hot-table.ts; generated look-ups read `segments` and `shift`
 * directly. Runs on: worker. Invariant: probing from the slot of a hash reaches its entries before an empty slot.
 *
 * A segment is an Int32Array of pairs (hash as the caller gave it, word), then its number of entries, its depth and
 * the generation of its WORD_TOUCHED flags. A word is entry id + 1 and flags; 0 is an empty slot. The segment of a slot
 * hash is at `slotHash >>> 1 >>> shift` of the segments, where one that has not been split as often as others is at
 * several places in a row. Keys that are their own hash and lie close together are in blocks instead (key-blocks.ts),
 * which are looked at first. Key groups have no part in it: finding one costs as much as all the rest of a look-up, and
 * the entries know theirs.
 */
import { BLOCK_KEYS_MIN, BLOCK_MASK, BLOCK_SHIFT, KeyBlocks, NO_BLOCK } from './key-blocks.js';
import { SegmentMemory, SEGMENT_TRAILER as TRAILER } from './segment-memory.js';

/** Flag of a word: the entry's hash is its key. */
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
/** What to subtract from a segment's length for its words behind the slots. */
const COUNT = 4;
const DEPTH = 3;
export const SEGMENT_GENERATION = 2;
/** What to subtract from a segment's length for the mask of (even) slot positions. */
export const SEGMENT_MASK_OFFSET = TRAILER + 2;

const FIRST_SLOTS = 16;
const SLOTS_MAX = 1 << 16;
const SPARSE_SLOTS_MAX = 1 << 14;
/** Beyond this depth hashes are so alike that splitting does not help, and the segment doubles instead. */
const DEPTH_MAX = 14;
/** The segment of an index without entries: one look finds an empty slot. */
const EMPTY_SEGMENT = new Int32Array(2 * 2 + TRAILER);
/** Words whose flags are cleared for each time that a segment of an older generation is met. */
const CREDIT = 128;
/** An index that is emptied keeps its memory up to so many bytes for each entry that it had, or for so many entries. */
const KEPT_BYTES_MAX = 128;
const KEPT_ENTRIES_MIN = 1024;
/** What a block has for its depth. */
const DEPTH_OF_BLOCK = -1;
/** Where the one segment is that an index starts with: no bit of a hash is left to choose by. */
const SHIFT_OF_ONE = 31;

/** Spreads the caller's hash: Java's hashes of small integers are sequential. */
export function slotHash(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  return mixed ^ (mixed >>> 15);
}

/** Entries that are to be inserted together. */
export class StagedEntries {
  readonly hashes: Int32Array;
  readonly words: Int32Array;
  count = 0;

  constructor(capacity: number) {
    this.hashes = new Int32Array(capacity);
    this.words = new Int32Array(capacity);
  }
}

/** Hashes to entry ids. */
export class HotIndex {
  /** The segments by the highest bits of slot hashes; their number is a power of two. Never another array. */
  readonly segments: Int32Array[] = [EMPTY_SEGMENT];
  /** What to shift half a slot hash by to have the place of its segment. */
  shift = 0;
  /** How many entries it has. */
  entries = 0;
  readonly #memory = new SegmentMemory();
  readonly #keyed = new KeyBlocks();
  /** The blocks of keys that are their own hash, by the number of their range. Never another array. */
  readonly blocks = this.#keyed.blocks;
  /** Words whose flags may be cleared by now. */
  #credit = 0;

  constructor() {
    // Set a second time: V8 builds what was set but once into code, and throws that away when it changes after all.
    this.shift = SHIFT_OF_ONE;
  }

  /** Bytes of all segments and of what finds them. */
  get bytes(): number {
    return this.#memory.heldBytes + 8 * this.segments.length + this.#keyed.bytes;
  }

  /** Adds an entry whose key is not in the index yet, and which has just been touched in `generation`. */
  insert(hash: number, word: number, generation: number): void {
    const isKeyed = word < 0 && this.#isKeyed(hash, generation);
    const mixed = slotHash(hash);
    const target = isKeyed ? this.#keyed.of(hash) : this.#segmentWithRoom(mixed);
    this.openGeneration(target, generation);
    const isOpen = generationOf(target) === generation;
    const opened = isOpen ? word | WORD_TOUCHED : word;
    if (isKeyed) putKey(target, hash, opened);
    else put(target, mixed, hash, opened);
    this.entries++;
  }

  /** Adds entries whose keys are not in the index yet. Room for all is made first, in few large steps. */
  insertAll({ hashes, words, count }: StagedEntries): void {
    for (let at = 0; at < count; at++) if (words[at] < 0) this.#isKeyed(hashes[at], 0);
    let others = 0;
    for (let at = 0; at < count; at++)
      if (this.#blockOf(hashes[at], words[at]) === NO_BLOCK) others++;
    this.#reserve(others);
    for (let at = 0; at < count; at++) {
      const block = this.#blockOf(hashes[at], words[at]);
      if (block !== NO_BLOCK) {
        putKey(block, hashes[at], words[at]);
        continue;
      }
      const mixed = slotHash(hashes[at]);
      put(this.#segmentWithRoom(mixed), mixed, hashes[at], words[at]);
    }
    this.entries += count;
  }

  /** The block that an entry belongs to, or `NO_BLOCK`. */
  #blockOf(hash: number, word: number): Int32Array {
    return word < 0 ? this.#keyed.of(hash) : NO_BLOCK;
  }

  /** Whether a new key that is its own hash goes into a block, which it may be the last one to be worth. */
  #isKeyed(key: number, generation: number): boolean {
    if (this.#keyed.of(key) !== NO_BLOCK) return true;
    if (!this.#keyed.count(key, this.entries)) return false;
    const block = this.#memory.take((1 << BLOCK_SHIFT) / 2);
    block[block.length - DEPTH] = DEPTH_OF_BLOCK;
    block[block.length - SEGMENT_GENERATION] = generation;
    const first = key & ~BLOCK_MASK;
    for (let other = first; other <= first + BLOCK_MASK; other++) {
      const segment = this.#segmentOf(slotHash(other));
      const slot = slotOfKey(segment, other);
      if (slot < 0) continue;
      const isOpen = generationOf(segment) === generation;
      putKey(block, other, isOpen ? segment[slot + 1] : segment[slot + 1] & ~WORD_TOUCHED);
      takeOut(segment, slot);
    }
    this.#keyed.open(key, block);
    return true;
  }

  /** Gives up a block that has few keys left. */
  #closeBlock(key: number, block: Int32Array): void {
    this.#keyed.close(key);
    const first = key & ~BLOCK_MASK;
    for (let at = 0; at <= BLOCK_MASK; at++) {
      if (block[at] === 0) continue;
      const mixed = slotHash(first + at);
      const segment = this.#segmentWithRoom(mixed);
      const isOpen = generationOf(segment) === generationOf(block);
      put(segment, mixed, first + at, isOpen ? block[at] : block[at] & ~WORD_TOUCHED);
      this.#keyed.count(first + at, this.entries);
    }
    this.#memory.give(block);
  }

  #segmentWithRoom(mixed: number): Int32Array {
    for (;;) {
      const segment = this.#segmentOf(mixed);
      if (!isFull(segment)) return segment;
      this.#grow(mixed, segment);
    }
  }

  /** Has every segment take its share of so many more entries. */
  #reserve(count: number): void {
    for (let place = 0; place < this.segments.length; ) {
      const segment = this.segments[place];
      const depth = segment[segment.length - DEPTH];
      const entries = segment[segment.length - COUNT] + count / 2 ** depth;
      if (entries <= slotsOf(segment) * RESERVED_LOAD) {
        place += this.segments.length / 2 ** depth;
        continue;
      }
      const before = this.segments.length;
      this.#grow((place << this.shift) << 1, segment);
      place *= this.segments.length / before;
    }
  }

  /**
   * Makes the flags of a segment speak of `generation`, in which next to nothing has been touched yet; a large segment
   * when it has been asked for often enough, because the first rows behind a barrier meet all segments of a table.
   */
  openGeneration(segment: Int32Array, generation: number): void {
    if (generationOf(segment) === generation) return;
    if (segment[segment.length - DEPTH] === DEPTH_OF_BLOCK) {
      for (let at = 0; at <= BLOCK_MASK; at++) segment[at] &= ~WORD_TOUCHED;
    } else if (segment[segment.length - COUNT] > 0) {
      this.#credit += CREDIT;
      if (slotsOf(segment) > SPARSE_SLOTS_MAX && this.#credit < segment.length) return;
      this.#credit = 0;
      const end = segment.length - TRAILER;
      for (let slot = 1; slot < end; slot += 2) segment[slot] &= ~WORD_TOUCHED;
    }
    segment[segment.length - SEGMENT_GENERATION] = generation;
  }

  /** Takes an entry out. */
  remove(hash: number, entry: number): void {
    const block = this.#keyed.of(hash);
    if (block !== NO_BLOCK && isEntry(block[hash & BLOCK_MASK], entry)) {
      block[hash & BLOCK_MASK] = 0;
      this.entries--;
      if (--block[block.length - COUNT] < BLOCK_KEYS_MIN) this.#closeBlock(hash, block);
      return;
    }
    const segment = this.#segmentOf(slotHash(hash));
    const slot = slotOf(segment, hash, entry);
    if (slot < 0) return;
    if (segment[slot + 1] < 0) this.#keyed.uncount(hash);
    takeOut(segment, slot);
    this.entries--;
  }

  /** Sets and clears flags of an entry that is in the index. */
  flag(hash: number, entry: number, set: number, clear: number): void {
    const block = this.#keyed.of(hash);
    if (block !== NO_BLOCK && isEntry(block[hash & BLOCK_MASK], entry)) {
      block[hash & BLOCK_MASK] = (block[hash & BLOCK_MASK] & ~clear) | set;
      return;
    }
    const segment = this.#segmentOf(slotHash(hash));
    const slot = slotOf(segment, hash, entry);
    if (slot >= 0) segment[slot + 1] = (segment[slot + 1] & ~clear) | set;
  }

  /**
   * Takes all entries out, and keeps the segments and blocks for as many again; frees them when they are next to empty.
   */
  empty(): void {
    if (this.bytes > KEPT_BYTES_MAX * Math.max(this.entries, KEPT_ENTRIES_MIN)) return this.clear();
    for (const segment of [...this.segments, ...this.blocks]) {
      // One that has not been split as often as others is met again.
      if (segment === NO_BLOCK || segment[segment.length - COUNT] === 0) continue;
      segment.fill(0, 0, segment.length - TRAILER);
      segment[segment.length - COUNT] = 0;
    }
    this.#keyed.uncountAll();
    this.entries = 0;
  }

  /** Frees all segments. */
  clear(): void {
    this.segments.length = 0;
    this.segments.push(EMPTY_SEGMENT);
    this.shift = SHIFT_OF_ONE;
    this.entries = 0;
    this.#keyed.clear();
    this.#memory.clear();
  }

  #segmentOf(mixed: number): Int32Array {
    return this.segments[(mixed >>> 1) >>> this.shift];
  }

  #grow(mixed: number, segment: Int32Array): void {
    const slots = slotsOf(segment);
    const depth = segment[segment.length - DEPTH];
    if (segment === EMPTY_SEGMENT) this.segments[0] = this.#open(FIRST_SLOTS, 0, 0);
    else if (slots >= SLOTS_MAX && depth < DEPTH_MAX) this.#split(mixed, segment);
    else {
      const larger = this.#open(slots * 2, depth, generationOf(segment));
      putAll(segment, larger);
      this.#replace(mixed, depth, [larger]);
      this.#memory.give(segment);
    }
  }

  /** Deals the entries of a full segment to two by the next bit of their hashes. */
  #split(mixed: number, segment: Int32Array): void {
    const depth = segment[segment.length - DEPTH];
    const slots = slotsOf(segment);
    if (this.segments.length === 2 ** depth) this.#doublePlaces();
    const low = this.#open(slots, depth + 1, generationOf(segment));
    const high = this.#open(slots, depth + 1, generationOf(segment));
    deal(segment, depth, low, high);
    this.#replace(mixed, depth, [low, high]);
    this.#memory.give(segment);
  }

  /** Puts the halves (or the one successor) of the segment of depth `depth` where `mixed` belongs. */
  #replace(mixed: number, depth: number, successors: readonly Int32Array[]): void {
    const width = this.segments.length / 2 ** depth;
    const place = (mixed >>> 1) >>> this.shift;
    const first = place - (place % width);
    for (let index = 0; index < width; index++) {
      const successor = successors[Math.floor((index * successors.length) / width)];
      this.segments[first + index] = successor;
    }
  }

  /** Makes twice as many places, each segment at two of those that it was at one. */
  #doublePlaces(): void {
    const before = this.segments.length;
    for (let place = 0; place < before; place++) this.segments.push(EMPTY_SEGMENT);
    for (let place = before - 1; place >= 0; place--) {
      const segment = this.segments[place];
      this.segments[place * 2] = segment;
      this.segments[place * 2 + 1] = segment;
    }
    this.shift--;
  }

  #open(slots: number, depth: number, generation: number): Int32Array {
    const segment = this.#memory.take(slots);
    segment[segment.length - DEPTH] = depth;
    segment[segment.length - SEGMENT_GENERATION] = generation;
    return segment;
  }
}

/** How full segments are to be when many entries are added at once; hashes do not spread evenly. */
const RESERVED_LOAD = 0.65;
function generationOf(segment: Int32Array): number {
  return segment[segment.length - SEGMENT_GENERATION];
}

function slotsOf(segment: Int32Array): number {
  return (segment.length - TRAILER) / 2;
}

/**
 * Segments that fit into the second cache stay half empty: every probe beyond the first is a branch mispredicted. In
 * large ones a cache line holds several probes, so three quarters cost little and save memory.
 */
function isFull(segment: Int32Array): boolean {
  if (segment === EMPTY_SEGMENT) return true;
  const slots = slotsOf(segment);
  // The shift is chosen, not the way: V8 throws code away at the first step on a way that it has not seen taken.
  const spare = slots >> (slots <= SPARSE_SLOTS_MAX ? 1 : 2);
  return segment[segment.length - COUNT] >= slots - spare;
}

function put(segment: Int32Array, mixed: number, hash: number, word: number): void {
  const mask = segment.length - SEGMENT_MASK_OFFSET;
  let slot = (mixed << 1) & mask;
  while (segment[slot + 1] !== 0) slot = (slot + 2) & mask;
  segment[slot] = hash;
  segment[slot + 1] = word;
  segment[segment.length - COUNT]++;
}

/** Puts the entries of a segment into another one. A loop with nothing behind it, which V8 compiles once. */
function putAll(segment: Int32Array, larger: Int32Array): void {
  for (let slot = 0; slot < segment.length - TRAILER; slot += 2) {
    if (segment[slot + 1] === 0) continue;
    put(larger, slotHash(segment[slot]), segment[slot], segment[slot + 1]);
  }
}

/** Deals the entries of a segment to two by the bit of their hashes behind the first `depth` ones. */
function deal(segment: Int32Array, depth: number, low: Int32Array, high: Int32Array): void {
  for (let slot = 0; slot < segment.length - TRAILER; slot += 2) {
    const word = segment[slot + 1];
    if (word === 0) continue;
    const hash = segment[slot];
    const spread = slotHash(hash);
    put(((spread >>> (31 - depth)) & 1) === 0 ? low : high, spread, hash, word);
  }
}

/** Adds a key to its block. */
function putKey(block: Int32Array, key: number, word: number): void {
  block[key & BLOCK_MASK] = word;
  block[block.length - COUNT]++;
}

/** Takes a pair out; those behind it move up, so no tombstones slow down later look-ups. */
function takeOut(segment: Int32Array, from: number): void {
  const mask = segment.length - SEGMENT_MASK_OFFSET;
  let hole = from;
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

function isEntry(word: number, entry: number): boolean {
  return (word & WORD_ENTRY) === entry + 1;
}

function slotOf(segment: Int32Array, hash: number, entry: number): number {
  const mask = segment.length - SEGMENT_MASK_OFFSET;
  let slot = (slotHash(hash) << 1) & mask;
  for (let word = segment[slot + 1]; word !== 0; word = segment[slot + 1]) {
    if (isEntry(word, entry)) return slot;
    slot = (slot + 2) & mask;
  }
  return -1;
}

/** The slot of the key that is this hash, or -1. */
function slotOfKey(segment: Int32Array, hash: number): number {
  const mask = segment.length - SEGMENT_MASK_OFFSET;
  let slot = (slotHash(hash) << 1) & mask;
  for (let word = segment[slot + 1]; word !== 0; word = segment[slot + 1]) {
    if (word < 0 && segment[slot] === hash) return slot;
    slot = (slot + 2) & mask;
  }
  return -1;
}
