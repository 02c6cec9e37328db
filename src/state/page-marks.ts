/**
 * What a hot table knows of the entries of one page besides their columns: which ids are in use, which are
 * alive, which changed, and the hash, key group and time stamp of each. Callers: hot-table.ts, frozen-generation.ts,
 * generated look-ups. Runs on: worker. Invariant: `dirty` speaks of `generation`, `frozenDirty` of those from the last
 * confirmed one on up to `frozenGeneration`; a page whose generation is older than the table's has not been touched
 * since the freeze.
 */

/** What the generations of a table are to a page. */
export interface Generations {
  /** The open one. */
  readonly generation: number;
  /** The newest frozen one that is kept for good; 0: none. What changed later is in the next changes. */
  readonly confirmed: number;
  /** The newest frozen one that may be confirmed, or was. */
  readonly confirmable: number;
}

/** Marks of one page. Bitmaps hold bit o of word o >>> 5 for the entry at offset o. */
export class PageMarks {
  /** The generation of which `dirty` speaks. */
  generation: number;
  /** The last one that `frozenDirty` speaks of. */
  frozenGeneration = 0;
  /** Entries that changed in `generation`. */
  dirty: Int32Array;
  /** Entries that changed before it and after the last confirmed generation, as far as the page knows. */
  frozenDirty: Int32Array;
  /** Entries that a snapshot may hold on which changes are based: removing one leaves a tombstone. */
  readonly base: Int32Array;
  /** Entries that exist. */
  readonly alive: Int32Array;
  /** Ids that are in the index: those alive, and the removed ones whose tombstones are still needed. */
  readonly used: Int32Array;
  /** Hash of each key as the caller gave it; of a free id, the next free id. */
  readonly hashes: Int32Array;
  readonly keyGroups: Uint16Array;
  /** Time of the last write in ms; empty when the table has no time to live. */
  readonly stamps: Float64Array;

  constructor(entries: number, generation: number, hasTtl: boolean) {
    const words = bitmapWords(entries);
    const buffer = new ArrayBuffer(marksBytes(entries, hasTtl));
    let offset = 0;
    const claim = (bytes: number): number => {
      offset += bytes;
      return offset - bytes;
    };
    this.stamps = new Float64Array(buffer, claim(hasTtl ? entries * 8 : 0), hasTtl ? entries : 0);
    this.hashes = new Int32Array(buffer, claim(entries * 4), entries);
    this.dirty = new Int32Array(buffer, claim(words * 4), words);
    this.frozenDirty = new Int32Array(buffer, claim(words * 4), words);
    this.base = new Int32Array(buffer, claim(words * 4), words);
    this.alive = new Int32Array(buffer, claim(words * 4), words);
    this.used = new Int32Array(buffer, claim(words * 4), words);
    this.keyGroups = new Uint16Array(buffer, claim(entries * 2), entries);
    this.generation = generation;
  }

  /** Forgets all entries. */
  empty(): void {
    new Uint8Array(this.hashes.buffer).fill(0);
  }

  /**
   * Opens the table's generation on this page, on its first touch since the freeze: what is alive now was alive then.
   * Changes that no confirmed generation holds add up in `frozenDirty`.
   */
  roll({ generation, confirmed, confirmable }: Generations): void {
    if (this.generation <= confirmed) {
      this.frozenDirty.fill(0);
      this.base.set(this.alive);
    } else {
      if (this.frozenGeneration <= confirmed) this.frozenDirty.set(this.dirty);
      else unite(this.frozenDirty, this.dirty);
      // What an earlier base holds and the next one does not is still to be told, should the next one come to nothing.
      if (this.generation <= confirmable) unite(this.base, this.alive);
    }
    this.dirty.fill(0);
    this.frozenGeneration = this.generation;
    this.generation = generation;
  }

  /** Bits of a word for entries that changed after the confirmed generation, up to the one before `open`. */
  changedBefore(word: number, open: number, confirmed: number): number {
    const before = this.frozenGeneration > confirmed ? this.frozenDirty[word] : 0;
    const isOpen = this.generation === open || this.generation <= confirmed;
    return isOpen ? before : before | this.dirty[word];
  }

  /** Whether an entry has changed after the confirmed generation. */
  isChanged(offset: number, confirmed: number): boolean {
    return (this.changedBefore(offset >>> 5, 0, confirmed) & (1 << (offset & 31))) !== 0;
  }
}

function unite(into: Int32Array, from: Int32Array): void {
  for (let word = 0; word < into.length; word++) into[word] |= from[word];
}

/** Bytes of the marks of one page. */
export function marksBytes(entries: number, hasTtl: boolean): number {
  return entries * (hasTtl ? 14 : 6) + 5 * 4 * bitmapWords(entries);
}

function bitmapWords(entries: number): number {
  return (entries + 31) >>> 5;
}

/** Whether the bit of an offset is set. */
export function hasBit(bitmap: Int32Array, offset: number): boolean {
  return (bitmap[offset >>> 5] & (1 << (offset & 31))) !== 0;
}

/** Sets the bit of an offset. */
export function setBit(bitmap: Int32Array, offset: number): void {
  bitmap[offset >>> 5] |= 1 << (offset & 31);
}

/** Clears the bit of an offset. */
export function clearBit(bitmap: Int32Array, offset: number): void {
  bitmap[offset >>> 5] &= ~(1 << (offset & 31));
}

/** Sets the bits of `count` offsets from one on. */
export function setBits(bitmap: Int32Array, from: number, count: number): void {
  const end = from + count;
  for (let offset = from; offset < end; ) {
    const isWord = (offset & 31) === 0 && offset + 32 <= end;
    if (isWord) bitmap[offset >>> 5] = -1;
    else setBit(bitmap, offset);
    offset += isWord ? 32 : 1;
  }
}

/** Clears the bits of `count` offsets from one on. */
export function clearBits(bitmap: Int32Array, from: number, count: number): void {
  for (let offset = from; offset < from + count; offset++) clearBit(bitmap, offset);
}

/** The generation in which an entry has changed, as far as it matters to what changed since the confirmed one. */
export function changeOf(marks: PageMarks, offset: number, confirmed: number): number {
  if (hasBit(marks.dirty, offset)) return marks.generation;
  const isChanged = marks.frozenGeneration > confirmed && hasBit(marks.frozenDirty, offset);
  return isChanged ? marks.frozenGeneration : 0;
}
