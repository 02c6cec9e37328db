/**
 * A hot table that may have more entries than memory: those that have not been written for long are put aside into a
 * cold tier on disk, and brought in again when they are looked up. Loaded only where `state.backend` is `lsm`. Callers:
 * the runtime opens it; operators and snapshots use it through `contract.ts`. Runs on: worker.
 *
 * Invariants. Entries leave memory in `makeRoom` only, when nobody holds their ids. What is in memory of a key is newer
 * than what the cold tier has of it, also when it is a removed entry, which therefore stays until its tombstone is put
 * aside. A snapshot reads runs, which never change, so that it sees the state as it was whatever is put aside since.
 */
import { assert } from '../../base/assert.js';
import type {
  AppendCode,
  EntryColumns,
  EntryLoader,
  FrozenVisit,
  Projection,
  StateTable,
  TableEntry,
  TablePage,
  TableSpec,
} from '../contract.js';
import { HotTable, type HotTableOptions } from '../hot-table.js';
import { WORD_TOUCHED } from '../hot-index.js';
import { clearBit, hasBit, type PageMarks, setBit } from '../page-marks.js';
import type { TableCode } from '../table-code.js';
import { columnPlace } from '../table-shape.js';
import { mixedHash, RECORD_GENERATION, RECORD_HEADER } from './cold-record.js';
import type { MergedRuns } from './cold-merge.js';
import type { ColdRun } from './cold-run.js';
import { type ColdSpace, ColdStore } from './cold-store.js';
import {
  compileRecords,
  keyStartOf,
  type RecordCode,
  type RecordFacts,
  type RecordPlace,
} from './record-code.js';

/** Share of the budget for entries in memory; the rest is for what finds the others, and for snapshots under way. */
const HOT_SHARE = 0.5;
/** Entries that leave at a time: a share of those in memory, within bounds. */
const LEAVING_SHARE = 1 / 8;
const LEAVING_MIN = 256;
const LEAVING_MAX = 1 << 16;
/** Entries of a slice of all hashes, in which a scan goes through both tiers. */
const SLICE_ENTRIES = 1 << 14;
const SLICES_SHIFT_MAX = 16;
/** A position of a scan: entry, slice, and how many slices there are, as shift. */
const ENTRY_FACTOR = 2 ** 29;
const SLICE_FACTOR = 2 ** 16;
/** Entries that are looked at together. */
const WORD_ENTRIES = 32;
/** Entries that are loaded between two looks at memory. */
const LOADED_BETWEEN = 1024;

/** What a tiered table needs to know besides its specification. */
export interface TieredTableOptions extends HotTableOptions {
  readonly space: ColdSpace;
}

/** Opens an empty table. */
export function createTieredTable(spec: TableSpec, options: TieredTableOptions): StateTable {
  return new TieredTable(spec, options);
}

/** A snapshot under way. */
interface Snapshot {
  /** What changes are told from. */
  readonly since: number;
  readonly nowMs: number;
  /** What is drained, once that is known. */
  isFull: boolean | undefined;
  /** What was cold: all of it, and what of it may have changed. */
  readonly all: readonly ColdRun[];
  readonly changed: readonly ColdRun[];
  /** What was in memory, newest first. */
  readonly hot: ColdRun[];
  /** Null as long as what was in memory is being put aside. */
  merged: MergedRuns | null;
}

/** Hands records to whoever drains, as entries of pages. */
class Stage extends HotTable {
  declare readonly code: TableCode;
  readonly records: RecordCode;

  constructor(spec: TableSpec, options: HotTableOptions) {
    super(spec, { ...options, isTiered: true });
    this.records = compileRecords(this.shape, this.parts, this.code, null);
  }

  show(entry: number, stampMs: number, isRemoved: boolean, visit: FrozenVisit): void {
    const { keyGroups, hashes } = this.marksOf(entry);
    const o = entry & this.mask;
    visit(this.pageOf(entry), o, keyGroups[o], stampMs, isRemoved, hashes[o]);
  }
}

class TieredTable extends HotTable {
  readonly #store: ColdStore;
  readonly #records: RecordCode;
  readonly #stage: Stage;
  readonly #space: ColdSpace;
  readonly #wordEntries = Math.min(WORD_ENTRIES, this.mask + 1);
  /** By page: entries of which the cold tier may have something older, and those of which it has the same. */
  readonly #hiding: Int32Array[] = [];
  readonly #same: Int32Array[] = [];
  readonly #facts: RecordFacts = {
    hash: 0,
    keyGroup: 0,
    generation: 0,
    stampMs: 0,
    isRemoved: false,
  };
  readonly #isPinned: ((entry: number) => boolean) | null;
  /** The entry that is looked at next when some have to leave. */
  #hand = 0;
  #snapshot: Snapshot | null = null;
  /** The slice that a scan is in, whose entries stay. */
  #slice: Slice | null = null;
  /** A round through the cold tier that looks for what is past its time. */
  #swept: { readonly runs: readonly ColdRun[]; readonly merged: MergedRuns } | null = null;
  #loaded = 0;

  constructor(spec: TableSpec, options: TieredTableOptions) {
    super(spec, { ...options, isTiered: true });
    assert(
      spec.isDivided !== true && spec.columns.every(({ form }) => form !== 'rows'),
      'Tables of windows and of rows have no cold tier.',
    );
    this.#store = new ColdStore(options.space, this, keyStartOf(this.shape));
    this.#records = compileRecords(this.shape, this.parts, this.code, this.#store);
    this.fetch = this.#records.fetch;
    this.#stage = new Stage(spec, options);
    this.#space = options.space;
    this.#isPinned = this.#pinned();
    this.frozen.keepsRemoved = true;
  }

  /** Tells the entries that stay in memory; null where all may leave. */
  #pinned(): ((entry: number) => boolean) | null {
    const { pinnedBits = 0, columns } = this.spec;
    if (pinnedBits === 0) return null;
    const { array, width, at } = columnPlace(this.spec, columns.length - 1);
    return (entry) =>
      (this.pageOf(entry)[array][(entry & this.mask) * width + at] & pinnedBits) !== 0;
  }

  /** What changes are told from, or will be once it is confirmed; 0 for nothing yet. */
  get base(): number {
    return this.confirmed > 0 ? this.confirmed : this.confirmable;
  }

  override get bytes(): number {
    return super.bytes + this.#store.bytesHeld + this.#stage.bytes;
  }

  // Entries in memory.

  #bitsOf(bitmaps: Int32Array[], entry: number): Int32Array {
    const page = entry >>> this.shape.pageShift;
    return (bitmaps[page] ??= new Int32Array((this.mask + 32) >>> 5));
  }

  protected override isHiding(entry: number): boolean {
    return hasBit(this.#bitsOf(this.#hiding, entry), entry & this.mask);
  }

  override touch(entry: number): void {
    clearBit(this.#bitsOf(this.#same, entry), entry & this.mask);
    super.touch(entry);
  }

  protected override release(entry: number): void {
    super.release(entry);
    clearBit(this.#bitsOf(this.#hiding, entry), entry & this.mask);
    clearBit(this.#bitsOf(this.#same, entry), entry & this.mask);
  }

  /** Takes what the cold tier has found into memory. */
  bringIn(place: RecordPlace = this.#store): number {
    const stampMs =
      this.spec.ttlMs === null ? 0 : place.view.getFloat64(place.at + RECORD_HEADER, true);
    const entry = this.#records.insert(place);
    const marks = this.marksOf(entry);
    const offset = entry & this.mask;
    // It has been there all the time.
    this.entries--;
    this.created = false;
    if (marks.stamps.length > 0) marks.stamps[offset] = stampMs;
    setBit(this.#bitsOf(this.#hiding, entry), offset);
    // While entries are drained, one that comes in between counts as changed: so it is not drained twice.
    if (this.frozen.isFrozen) return entry;
    clearBit(marks.dirty, offset);
    this.flag(entry, 0, WORD_TOUCHED);
    setBit(this.#bitsOf(this.#same, entry), offset);
    return entry;
  }

  // Leaving memory.

  makeRoom(): void {
    if (this.#snapshot === null && this.#stage.pages.length > 0) this.#stage.clear();
    this.#store.work();
    if (!this.#isCrowded()) return;
    const { isFrozen } = this.frozen;
    // What is to be drained is put aside first; where that is not known yet, it soon is.
    if (isFrozen && this.#snapshot?.isFull === undefined) return;
    if (isFrozen) this.#drainHot(Number.MAX_SAFE_INTEGER);
    const used = this.index.entries;
    const wanted = Math.min(LEAVING_MAX, Math.max(LEAVING_MIN, Math.ceil(used * LEAVING_SHARE)));
    this.putAside(wanted);
  }

  /** Whether what is in use in memory is more than entries may have; free places of pages are not in use. */
  #isCrowded(): boolean {
    const places = this.pages.length << this.shape.pageShift;
    const free = places - this.index.entries;
    const freeBytes = free * (this.shape.pageBytes / (this.mask + 1));
    return super.bytes - freeBytes - this.arena.deadBytes > this.#space.budgetBytes * HOT_SHARE;
  }

  /** Has so many entries leave, those first that have not been written since the last time. */
  putAside(wanted: number): void {
    assert(!this.frozen.isFrozen, 'What is frozen is drained before entries leave.');
    let left = wanted;
    for (const isAny of [false, true]) {
      for (let looked = 0; left > 0 && looked < this.top; looked += this.#wordEntries) {
        left -= this.#leaveWord(isAny);
      }
    }
    this.#store.putAside();
    // From now on a write is one since then. Not between a freeze and its end, so that changes are told exactly.
    if (this.#snapshot === null && this.confirmable <= this.confirmed) this.generation++;
  }

  /** Looks at entries of one word of marks; gives how many have left. */
  #leaveWord(isAny: boolean): number {
    if (this.#hand >= this.top) this.#hand = 0;
    const first = this.#hand;
    const marks = this.marksOf(first);
    const offset = first & this.mask;
    this.#hand += this.#wordEntries;
    let bits = marks.used[offset >>> 5];
    if (!isAny && marks.generation === this.generation) bits &= ~marks.dirty[offset >>> 5];
    let count = 0;
    for (let bit = 0; bits !== 0; bit++, bits >>>= 1) {
      if ((bits & 1) !== 0 && this.#leave(first + bit, marks)) count++;
    }
    return count;
  }

  /** Puts an entry aside, unless it has to stay. */
  #leave(entry: number, marks: PageMarks): boolean {
    const offset = entry & this.mask;
    const isAlive = hasBit(marks.alive, offset);
    if (isAlive && this.#isPinned?.(entry) === true) return false;
    if (this.#slice !== null && isIn(this.#slice, mixedHash(marks.hashes[offset]))) return false;
    if (!hasBit(this.#bitsOf(this.#same, entry), offset)) {
      const facts = this.#facts;
      facts.hash = marks.hashes[offset];
      facts.keyGroup = marks.keyGroups[offset];
      facts.generation = changeOf(marks, offset, this.confirmed);
      facts.stampMs = marks.stamps.length > 0 ? marks.stamps[offset] : 0;
      facts.isRemoved = !isAlive;
      this.#collect(this.pageOf(entry), offset);
      if (this.#store.isFull) this.#store.putAside();
    }
    if (isAlive) this.clearValues(entry);
    clearBit(marks.alive, offset);
    clearBit(marks.dirty, offset);
    this.removals++;
    this.release(entry);
    return true;
  }

  /** Has the entry of which the facts tell collected for the next run. */
  #collect(page: TablePage, offset: number): void {
    const { buffer } = this.#store;
    const start = buffer.length;
    this.#records.encode(buffer, page, offset, this.#facts);
    this.#store.collected(start, this.#facts.hash);
  }

  /** Looks at as many entries of either tier. */
  override expire(entriesMax: number, nowMs: number): number {
    return super.expire(entriesMax, nowMs) + this.#sweep(entriesMax, nowMs);
  }

  /** Goes on through what was cold when the round began, and removes what is past its time. */
  #sweep(entriesMax: number, nowMs: number): number {
    if (this.spec.ttlMs === null || (this.#swept === null && this.#store.isEmpty)) return 0;
    if (this.#swept === null) {
      const runs = this.#store.pin(true);
      this.#swept = { runs, merged: this.#store.merged(runs) };
    }
    const { merged } = this.#swept;
    let removed = 0;
    for (let left = entriesMax; left > 0; left--) {
      if (!merged.next()) {
        this.#endSweep();
        break;
      }
      const { record } = merged;
      if (record.isTombstone || !this.#isPast(record, nowMs)) continue;
      // It may have been written since.
      const judgedMs = this.nowMs;
      this.nowMs = Number.NEGATIVE_INFINITY;
      const entry = this.#records.find(record);
      this.nowMs = judgedMs;
      if (entry < 0 || this.isVisible(this.marksOf(entry), entry & this.mask, nowMs)) continue;
      this.remove(entry);
      removed++;
    }
    return removed;
  }

  #endSweep(): void {
    if (this.#swept !== null) this.#store.release(this.#swept.runs);
    this.#swept = null;
  }

  // Going through both tiers.

  override scan(position: number, entriesMax: number, visit: (entry: number) => void): number {
    const slice = this.#sliceOf(position);
    let at = position % ENTRY_FACTOR;
    if (at === 0) this.#bringInSlice(slice);
    let left = entriesMax;
    for (; at < this.top; at++) {
      const marks = this.marksOf(at);
      const offset = at & this.mask;
      if (!this.isVisible(marks, offset) || !isIn(slice, mixedHash(marks.hashes[offset]))) continue;
      if (left-- <= 0) return positionOf(slice, at);
      visit(at);
    }
    this.#slice = null;
    return slice.slice + 1 === 2 ** slice.shift
      ? -1
      : positionOf({ shift: slice.shift, slice: slice.slice + 1 }, 0);
  }

  #sliceOf(position: number): Slice {
    const place = Math.floor(position / ENTRY_FACTOR);
    if (position > 0) {
      return { shift: Math.floor(place / SLICE_FACTOR), slice: place % SLICE_FACTOR };
    }
    const slices = this.#store.isEmpty ? 1 : Math.ceil(this.entries / SLICE_ENTRIES);
    const shift = Math.min(SLICES_SHIFT_MAX, Math.ceil(Math.log2(Math.max(1, slices))));
    return { shift, slice: 0 };
  }

  #bringInSlice(slice: Slice): void {
    this.#slice = slice;
    if (this.#store.isEmpty) return;
    const merged = this.#store.merged(undefined, slice.slice * 2 ** (32 - slice.shift));
    while (merged.next()) {
      const { record } = merged;
      if (!isIn(slice, record.mixed)) return;
      if (!record.isTombstone && this.#records.locate(record) < 0) this.bringIn(record);
    }
  }

  override *entriesOf(keyGroup: number): Generator<TableEntry> {
    for (let position = 0; position >= 0; ) {
      const ids: number[] = [];
      position = this.scan(position, SLICE_ENTRIES, (entry) => ids.push(entry));
      for (const entry of ids) {
        const marks = this.marksOf(entry);
        const offset = entry & this.mask;
        if (marks.keyGroups[offset] !== keyGroup) continue;
        yield {
          keyGroup,
          key: this.keyOf(entry),
          values: this.code.readValues(this.pageOf(entry), offset),
          stampMs: marks.stamps.length > 0 ? marks.stamps[offset] : 0,
        };
      }
    }
  }

  // Snapshots.

  override freeze(isConfirmable = true, isFull?: boolean): number {
    const since = this.confirmed;
    // What is collected of a snapshot must not meet what leaves.
    const [all, changed] = [true, since === 0].map((isAll) => this.#store.pin(isAll));
    const generation = super.freeze(isConfirmable);
    this.#snapshot = {
      since,
      nowMs: this.nowMs,
      isFull,
      all: all ?? [],
      changed: changed ?? [],
      hot: [],
      merged: null,
    };
    return generation;
  }

  override get isFrozen(): boolean {
    return this.#snapshot !== null;
  }

  protected override get drainedCode(): TableCode {
    return this.#stage.code;
  }

  override appendCode(projection: Projection): AppendCode {
    return this.#stage.appendCode(projection);
  }

  override drainPlaces(entriesMax: number, full: boolean, visit: FrozenVisit): boolean {
    const snapshot = this.#snapshot;
    if (snapshot === null) return true;
    snapshot.isFull = full;
    let left = entriesMax;
    if (snapshot.merged === null) left = this.#drainHot(left);
    const { merged } = snapshot;
    if (merged === null) return false;
    // What was visited last has been read by now, but not what is visited now when this returns.
    this.#stage.empty();
    for (; left > 0; left--) {
      if (!this.#nextOf(snapshot, merged)) return this.#endSnapshot();
      this.#show(snapshot, merged.record, visit);
    }
    return false;
  }

  /** Steps to the next record that is drained. */
  #nextOf({ isFull, since, hot, nowMs }: Snapshot, merged: MergedRuns): boolean {
    while (merged.next()) {
      const { record, run } = merged;
      const isGone = record.isTombstone || this.#isPast(record, nowMs);
      if (isFull === true) {
        if (!isGone) return true;
      } else if (
        hot.includes(run) ||
        record.view.getUint32(record.at + RECORD_GENERATION, true) > since
      ) {
        return true;
      }
    }
    return false;
  }

  #isPast({ view, at }: RecordPlace, nowMs: number): boolean {
    const { ttlMs } = this.spec;
    return ttlMs !== null && view.getFloat64(at + RECORD_HEADER, true) + ttlMs <= nowMs;
  }

  #show(
    { nowMs }: Snapshot,
    record: RecordPlace & { readonly isTombstone: boolean },
    visit: FrozenVisit,
  ): void {
    const stage = this.#stage;
    const entry = stage.records.insert(record);
    const isRemoved = record.isTombstone || this.#isPast(record, nowMs);
    const isStamped = this.spec.ttlMs !== null && !isRemoved;
    const stampMs = isStamped ? record.view.getFloat64(record.at + RECORD_HEADER, true) : 0;
    stage.show(entry, stampMs, isRemoved, visit);
  }

  /** Puts aside what a snapshot has to hold of what is in memory; gives how many more may be drained. */
  #drainHot(entriesMax: number): number {
    const snapshot = this.#snapshot;
    assert(snapshot?.isFull !== undefined, 'It is known what is drained.');
    const facts = this.#facts;
    const store = this.#store;
    let left = entriesMax;
    const isDrained = this.frozen.drain(
      entriesMax,
      snapshot.isFull,
      (page, o, keyGroup, stampMs, isRemoved, hash) => {
        left--;
        facts.hash = hash;
        facts.keyGroup = keyGroup;
        facts.generation = 0;
        facts.stampMs = stampMs;
        facts.isRemoved = isRemoved;
        this.#collect(page, o);
        if (store.isFull) this.#endHotRun(snapshot);
      },
    );
    if (!isDrained) return 0;
    this.#endHotRun(snapshot);
    this.arena.hold(false);
    const cold = snapshot.isFull ? snapshot.all : snapshot.changed;
    snapshot.merged = this.#store.merged([...snapshot.hot, ...cold]);
    return left;
  }

  #endHotRun({ hot }: Snapshot): void {
    const run = this.#store.takeRun({ since: 0, until: 0 });
    if (run === null) return;
    run.use();
    hot.push(run);
  }

  #endSnapshot(): true {
    const snapshot = this.#snapshot;
    if (snapshot === null) return true;
    this.#snapshot = null;
    for (const runs of [snapshot.all, snapshot.changed, snapshot.hot]) this.#store.release(runs);
    this.thawed();
    return true;
  }

  override abandon(): void {
    if (this.#snapshot === null) return;
    super.abandon();
    this.#store.takeRun({ since: 0, until: 0 })?.discard();
    this.#endSnapshot();
  }

  override confirm(generation: number): void {
    super.confirm(generation);
    this.#store.confirmed(this.confirmed);
  }

  override eachRemoved(visit: (entry: TableEntry) => void): void {
    super.eachRemoved(visit);
    const runs = this.#store.pin(this.confirmed === 0);
    const merged = this.#store.merged(runs);
    while (merged.next()) {
      const { record } = merged;
      if (!record.isTombstone || this.#records.locate(record) >= 0) continue;
      this.#stage.empty();
      const entry = this.#stage.records.insert(record);
      const [key, keyGroup] = [this.#stage.keyOf(entry), this.#stage.keyGroupOf(entry)];
      visit({ keyGroup, key, values: null, stampMs: 0 });
    }
    this.#store.release(runs);
  }

  // Loading.

  #hasLoaded(entries: number): void {
    this.#loaded += entries;
    if (this.#loaded < LOADED_BETWEEN) return;
    this.#loaded = 0;
    this.makeRoom();
  }

  override load(entry: TableEntry): void {
    super.load(entry);
    this.#hasLoaded(1);
  }

  override loadRemoved(entry: TableEntry): void {
    super.loadRemoved(entry);
    this.#hasLoaded(1);
  }

  override loader(projection: Projection, written: ReadonlySet<string>): EntryLoader {
    const loader = super.loader(projection, written);
    const finish = (entries: EntryColumns): void => {
      loader.finish();
      this.#hasLoaded(entries.rows);
    };
    return {
      load: (entries, keyGroup, isNew) => {
        loader.load(entries, keyGroup, isNew);
        finish(entries);
      },
      remove: (keys, keyGroup) => {
        loader.remove(keys, keyGroup);
        finish(keys);
      },
      finish: () => loader.finish(),
    };
  }

  override empty(): void {
    const isFresh = this.confirmable === 0 && this.#snapshot === null;
    assert(isFresh, 'Entries that a snapshot may hold are removed one by one.');
    this.clear();
  }

  override clear(): void {
    this.#forget();
    super.clear();
  }

  #forget(): void {
    this.#endSnapshot();
    this.#endSweep();
    this.#store.clear();
    this.#stage.clear();
    this.#hiding.length = 0;
    this.#same.length = 0;
    this.#slice = null;
    this.#hand = 0;
  }
}

/** One of 2^shift ranges of mixed hashes. */
interface Slice {
  readonly shift: number;
  readonly slice: number;
}

function isIn({ shift, slice }: Slice, mixed: number): boolean {
  return shift === 0 || mixed >>> (32 - shift) === slice;
}

function positionOf({ shift, slice }: Slice, entry: number): number {
  return (shift * SLICE_FACTOR + slice) * ENTRY_FACTOR + entry;
}

/** The generation in which an entry has changed, as far as it matters to what changed since the confirmed one. */
function changeOf(marks: PageMarks, offset: number, confirmed: number): number {
  if (hasBit(marks.dirty, offset)) return marks.generation;
  const isChanged = marks.frozenGeneration > confirmed && hasBit(marks.frozenDirty, offset);
  return isChanged ? marks.frozenGeneration : 0;
}
