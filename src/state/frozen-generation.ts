/**
 * The frozen generation of a hot table: what a snapshot sees while the table goes on changing. Entries stay where
 * they are until they are drained or about to change; before a change their frozen content is appended to a delta
 * of pages of the same layout. Callers: hot-table.ts. Runs on: worker. Invariant: every entry that was alive at the
 * freeze, and every tombstone, is drained exactly once: from its place when nothing touched it, else from the delta.
 *
 * An entry of a page that was rolled since the freeze has been touched exactly when its dirty bit is set, so
 * draining skips those; touching an entry below `#position`, which is drained already, preserves nothing.
 */
import { assert } from '../base/assert.js';
import type { FrozenVisit, TablePage } from './contract.js';
import { frozenBytes } from './heap-value.js';
import type { Generations, PageMarks } from './page-marks.js';
import { hasBit } from './page-marks.js';
import type { TableCode } from './table-code.js';
import type { TableShape } from './table-shape.js';

/** What a preserved entry is: unchanged since the confirmed generation, changed, or removed. */
const UNCHANGED = 0;
const CHANGED = 1;
const TOMBSTONE = 2;
type Kind = typeof UNCHANGED | typeof CHANGED | typeof TOMBSTONE;

/** A page with nothing to drain still costs a look, which counts as this many entries. */
const PAGE_COST = 8;

/** The table as its frozen generation sees it. */
export interface FrozenOwner extends Generations {
  readonly nowMs: number;
  readonly pages: readonly TablePage[];
  readonly marks: readonly PageMarks[];
  /** The tombstone of an entry has been drained. */
  drained(entry: number): void;
}

/** A page of preserved entries. */
class DeltaPage {
  readonly page: TablePage;
  readonly kinds: Uint8Array;
  readonly hashes: Int32Array;
  readonly keyGroups: Uint16Array;
  readonly stamps: Float64Array;

  constructor(page: TablePage, entries: number) {
    this.page = page;
    this.hashes = new Int32Array(entries);
    this.kinds = new Uint8Array(entries);
    this.keyGroups = new Uint16Array(entries);
    this.stamps = new Float64Array(entries);
  }
}

/** At most one generation, frozen and not drained yet. */
export class FrozenGeneration {
  isFrozen = false;
  /** Whether removed entries are drained with all others too, since they hide what is older of them elsewhere. */
  keepsRemoved = false;
  readonly #owner: FrozenOwner;
  readonly #shape: TableShape;
  readonly #code: TableCode;
  readonly #mask: number;
  readonly #heapNames: readonly string[];
  /** Time of the freeze, by which entries count as expired. */
  #nowMs = 0;
  /** Every entry below is drained. */
  #position = 0;
  /** Ids that existed at the freeze end here. */
  #end = 0;
  /** Whether everything is drained or only changes; unknown until the first call of `drain`. */
  #full: boolean | null = null;
  readonly #delta: DeltaPage[] = [];
  #deltaEntries = 0;
  #deltaPosition = 0;
  /** Bytes of the heap values among them. */
  #heapBytes = 0;

  constructor(owner: FrozenOwner, shape: TableShape, code: TableCode) {
    this.#owner = owner;
    this.#shape = shape;
    this.#code = code;
    this.#mask = (1 << shape.pageShift) - 1;
    this.#heapNames = shape.spec.columns.flatMap((column, index) =>
      column.form === 'js' ? [`c${index}`] : [],
    );
  }

  /** Bytes of preserved entries. */
  get bytes(): number {
    const pageBytes = this.#shape.pageBytes + (this.#mask + 1) * (15 + 8 * this.#heapNames.length);
    return this.#delta.length * pageBytes + this.#heapBytes;
  }

  /** Freezes what there is. The caller has just opened the next generation. */
  begin(): void {
    assert(!this.isFrozen, 'A generation is drained before the next one is frozen.');
    this.isFrozen = true;
    this.#nowMs = this.#owner.nowMs;
    this.#position = 0;
    this.#end = this.#owner.pages.length << this.#shape.pageShift;
    this.#full = null;
  }

  /** Keeps the frozen content of an entry that is about to change for the first time since the freeze. */
  preserve(entry: number): void {
    if (entry < this.#position || entry >= this.#end) return;
    const at = entry >>> this.#shape.pageShift;
    const offset = entry & this.#mask;
    const marks = this.#owner.marks[at];
    if (!hasBit(marks.used, offset)) return;
    const kind = this.#kindOf(marks, offset, hasBit(marks.frozenDirty, offset));
    if (kind === null || !this.#isWanted(kind)) return;
    const to = this.#deltaEntries & this.#mask;
    if (to === 0) this.#delta.push(new DeltaPage(this.#code.makePage(), this.#mask + 1));
    const target = this.#delta[this.#delta.length - 1];
    this.#code.copy(this.#owner.pages[at], offset, target.page, to);
    target.kinds[to] = kind;
    target.hashes[to] = marks.hashes[offset];
    target.keyGroups[to] = marks.keyGroups[offset];
    if (marks.stamps.length > 0) target.stamps[to] = marks.stamps[offset];
    for (const name of this.#heapNames) this.#heapBytes += frozenBytes(target.page[name][to]);
    this.#deltaEntries++;
  }

  /** What an id in use is to the snapshot; null when it is nothing. */
  #kindOf(marks: PageMarks, offset: number, changed: boolean): Kind | null {
    const alive = hasBit(marks.alive, offset) && !this.#isExpired(marks, offset);
    if (alive) return changed ? CHANGED : UNCHANGED;
    return changed || this.keepsRemoved ? TOMBSTONE : null;
  }

  /** A full drain has no use for tombstones, one of changes none for what did not change. */
  #isWanted(kind: Kind): boolean {
    if (this.#full === null) return true;
    return this.#full ? kind !== TOMBSTONE || this.keepsRemoved : kind !== UNCHANGED;
  }

  #isExpired(marks: PageMarks, offset: number): boolean {
    const { ttlMs } = this.#shape.spec;
    return ttlMs !== null && marks.stamps[offset] + ttlMs <= this.#nowMs;
  }

  /** Visits at most `entriesMax` entries; true when there are no more. */
  drain(entriesMax: number, full: boolean, visit: FrozenVisit): boolean {
    if (!this.isFrozen) return true;
    assert(
      this.#full === null || this.#full === full,
      'All slices of a drain are of the same kind, full or changes.',
    );
    this.#full = full;
    let left = entriesMax;
    while (left > 0 && this.#position < this.#end) left = this.#drainPage(left, visit);
    if (this.#position < this.#end) return false;
    left = this.#drainDelta(left, visit);
    if (this.#deltaPosition < this.#deltaEntries) return false;
    this.reset();
    return true;
  }

  /** Drains entries of the page at the position; gives how many may still be visited. */
  #drainPage(entriesMax: number, visit: FrozenVisit): number {
    const at = this.#position >>> this.#shape.pageShift;
    const marks = this.#owner.marks[at];
    let left = entriesMax;
    let offset = this.#position & this.#mask;
    while (offset <= this.#mask) {
      const bits = this.#candidates(marks, offset >>> 5) & (-1 << (offset & 31));
      if (bits === 0) {
        offset = ((offset >>> 5) + 1) << 5;
        continue;
      }
      if (left <= 0) {
        this.#position = (at << this.#shape.pageShift) | offset;
        return left;
      }
      offset = (offset & ~31) | lowestBit(bits);
      this.#position = ((at << this.#shape.pageShift) | offset) + 1;
      if (this.#drainPlace(at, offset, visit)) left--;
      offset++;
    }
    this.#position = (at + 1) << this.#shape.pageShift;
    return left - PAGE_COST;
  }

  /** Bits of ids whose frozen content is still in its place and may be wanted. */
  #candidates(marks: PageMarks, word: number): number {
    const { generation, confirmed } = this.#owner;
    const used = marks.used[word];
    const isTouched = marks.generation === generation;
    const untouched = isTouched ? used & ~marks.dirty[word] : used;
    return this.#full ? untouched : untouched & marks.changedBefore(word, generation, confirmed);
  }

  #drainPlace(at: number, offset: number, visit: FrozenVisit): boolean {
    const marks = this.#owner.marks[at];
    const page = this.#owner.pages[at];
    // Candidates of a drain of changes have changed; a full one does not ask, but removed ids have, too.
    const wasRemoved = !hasBit(marks.alive, offset);
    const kind = this.#kindOf(marks, offset, !this.#full || wasRemoved);
    const isVisited = kind !== null && this.#isWanted(kind);
    if (isVisited) {
      const isRemoved = kind === TOMBSTONE;
      const stampMs = isRemoved || marks.stamps.length === 0 ? 0 : marks.stamps[offset];
      visit(page, offset, marks.keyGroups[offset], stampMs, isRemoved, marks.hashes[offset]);
    }
    if (wasRemoved) this.#owner.drained((at << this.#shape.pageShift) | offset);
    return isVisited;
  }

  #drainDelta(entriesMax: number, visit: FrozenVisit): number {
    let left = entriesMax;
    while (left > 0 && this.#deltaPosition < this.#deltaEntries) {
      const position = this.#deltaPosition++;
      const { page, kinds, hashes, keyGroups, stamps } =
        this.#delta[position >>> this.#shape.pageShift];
      const offset = position & this.#mask;
      const kind = kinds[offset] as Kind;
      if (!this.#isWanted(kind)) continue;
      left--;
      const isRemoved = kind === TOMBSTONE;
      const stampMs = isRemoved ? 0 : stamps[offset];
      visit(page, offset, keyGroups[offset], stampMs, isRemoved, hashes[offset]);
    }
    return left;
  }

  /** Forgets the frozen generation. */
  reset(): void {
    this.isFrozen = false;
    this.#position = 0;
    this.#end = 0;
    this.#delta.length = 0;
    this.#deltaEntries = 0;
    this.#deltaPosition = 0;
    this.#heapBytes = 0;
  }
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
