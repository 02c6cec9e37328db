/**
 * Finds the entry of a short text among the entries of a column: open addressing by a hash of all its
 * bytes. Callers: the appender of text. Runs on: worker. Invariant: the index only predicts; an entry
 * is told by its bytes, so that places of entries that were given up may stay.
 */

const SLOTS_FIRST = 1024;

/** Where entries are, by the bytes of their texts. */
export class EntryIndex {
  /** Entry plus one at the place of its hash or behind it; 0 is free. */
  slots = new Int32Array(SLOTS_FIRST);
  mask = SLOTS_FIRST - 1;
  #used = 0;

  /** The entry below `entries` that equals the bytes of `source`, or -1. */
  find(
    source: DataView,
    start: number,
    end: number,
    own: DataView,
    offsets: Int32Array,
    entries: number,
  ): number {
    const { slots, mask } = this;
    let slot = hashOfBytes(source, start, end) & mask;
    let word = 0;
    while ((word = slots[slot]) !== 0) {
      const at = offsets[word - 1];
      if (word <= entries && offsets[word] - at === end - start) {
        if (sameBytes(source, start, end, own, at)) return word - 1;
      }
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  /** Adds an entry that is not there, the last of all. */
  add(entry: number, own: DataView, offsets: Int32Array): void {
    if (this.#used * 2 >= this.slots.length) this.#grow(entry, own, offsets);
    this.#put(entry, own, offsets);
  }

  clear(): void {
    if (this.#used > 0) this.slots.fill(0);
    this.#used = 0;
  }

  #put(entry: number, own: DataView, offsets: Int32Array): void {
    let slot = hashOfBytes(own, offsets[entry], offsets[entry + 1]) & this.mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & this.mask;
    this.slots[slot] = entry + 1;
    this.#used++;
  }

  /** Entries that have been given up are left out. */
  #grow(entries: number, own: DataView, offsets: Int32Array): void {
    const known = this.slots;
    this.slots = new Int32Array(known.length * 2);
    this.mask = this.slots.length - 1;
    this.#used = 0;
    const seen = new Uint8Array(entries);
    for (const word of known) {
      if (word === 0 || word > entries || seen[word - 1] === 1) continue;
      seen[word - 1] = 1;
      this.#put(word - 1, own, offsets);
    }
  }
}

/** A hash of all bytes, well spread in its lower bits. */
export function hashOfBytes(source: DataView, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ source.getInt32(at, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ source.getUint8(at), 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash;
}

/** Whether the bytes are those at `at` in `own`, as many. */
export function sameBytes(
  source: DataView,
  start: number,
  end: number,
  own: DataView,
  at: number,
): boolean {
  const shift = at - start;
  let from = start;
  for (; from + 4 <= end; from += 4) {
    if (source.getInt32(from, true) !== own.getInt32(from + shift, true)) return false;
  }
  for (; from < end; from++) {
    if (source.getUint8(from) !== own.getUint8(from + shift)) return false;
  }
  return true;
}
