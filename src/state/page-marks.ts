/**
 * What a hot table knows of the entries of one page besides their columns: which ids are in use, which are
 * alive, which changed in the open generation, and the hash, key group and time stamp of each. Callers:
 * hot-table.ts, frozen-generation.ts, generated look-ups. Runs on: worker. Invariant: `dirty` and `base` speak
 * of `generation`; a page whose generation is older than the table's has not been touched since the freeze.
 */

/** Marks of one page. Bitmaps hold bit o of word o >>> 5 for the entry at offset o. */
export class PageMarks {
  /** The generation of which `dirty` and `base` speak. */
  generation: number;
  /** Entries that changed in `generation`. */
  dirty: Int32Array;
  /** Entries that changed in the frozen generation; kept while the page is touched before it is drained. */
  frozenDirty: Int32Array;
  /** Entries that were alive when `generation` began: removing one leaves a tombstone. */
  readonly base: Int32Array;
  /** Entries that exist. */
  readonly alive: Int32Array;
  /** Ids that are in the index: those alive, and the removed ones whose tombstones are still to be drained. */
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

  /**
   * Opens `generation` on this page, on its first touch since the freeze: what is alive now was alive then.
   * The changes of the generation before stay readable in `frozenDirty`.
   */
  roll(generation: number): void {
    const wasFrozen = this.generation === generation - 1;
    const before = this.dirty;
    this.dirty = this.frozenDirty;
    this.frozenDirty = before;
    this.dirty.fill(0);
    if (!wasFrozen) this.frozenDirty.fill(0);
    this.base.set(this.alive);
    this.generation = generation;
  }
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
