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
  EntryLoader,
  FrozenVisit,
  KeyLog,
  MemberLinks,
  Projection,
  StateTable,
  TableEntry,
  TablePage,
  TableSpec,
  WantedKey,
} from '../contract.js';
import { finishedAtOnce } from '../entry-loader.js';
import { HotTable, type HotTableOptions } from '../hot-table.js';
import { WORD_TOUCHED } from '../hot-index.js';
import { changeOf, clearBit, hasBit, type PageMarks, setBit } from '../page-marks.js';
import type { TableCode } from '../table-code.js';
import { columnPlace } from '../table-shape.js';
import {
  groupedHash,
  mixedHash,
  partOfGroup,
  RECORD_GENERATION,
  RECORD_HEADER,
  RECORD_KEY_BYTES,
  type RecordBuffer,
} from './cold-record.js';
import type { MergedRuns } from './cold-merge.js';
import { ColdRound } from './cold-round.js';
import { type ColdSpace, ColdStore } from './cold-store.js';
import {
  compileRecords,
  keyStartOf,
  ownerHash,
  type RecordCode,
  type RecordFacts,
  type RecordPlace,
} from './record-code.js';
import { DueKeys } from './key-log.js';
import {
  entryAt,
  firstSlice,
  isInSlice,
  nextSlice,
  positionOf,
  rangeOf,
  type Slice,
  sliceAt,
  sliceOfPart,
  WHOLE,
} from './scan-slice.js';
import { type Snapshot, Stage } from './stage.js';

/** Share of the budget for entries in memory; the rest is for what finds the others, and for snapshots under way. */
const HOT_SHARE = 0.5;
/** Entries that leave at a time: a share of those in memory, within bounds. */
const LEAVING_SHARE = 1 / 8;
const LEAVING_MIN = 256;
const LEAVING_MAX = 1 << 16;
/**
 * Entries of a slice of all hashes, in which a scan goes through both tiers: at least, and as a share of those in
 * memory, all of which it looks at for each slice.
 */
const SLICE_ENTRIES = 1 << 14;
const SLICE_SHARE = 1 / 8;
/** Entries in memory that one call of a scan looks at for some that it visits. */
const LOOKS_MAX = 1 << 16;
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
    keyHash: 0,
    keyGroup: 0,
    generation: 0,
    stampMs: 0,
    isRemoved: false,
  };
  readonly #isPinned: ((entry: number) => boolean) | null;
  /** The entries of another table that leave and come back with those of this one. */
  #members: { readonly table: TieredTable; readonly links: MemberLinks } | null = null;
  /** Those that leave with the one at hand. */
  readonly #leaving: number[] = [];
  /** Whether entries leave and come back with those of another table. */
  #isMember = false;
  /** The hash of the entry with which some leave. */
  #ownerHash: number | null = null;
  /** The entry that is looked at next when some have to leave. */
  #hand = 0;
  #snapshot: Snapshot | null = null;
  /** Whether what is visited is on the stage, not in pages of the table. */
  #isStaged = false;
  /** The slice that a scan is in, whose entries stay. */
  #slice: Slice | null = null;
  /** The same, where nothing else was left that could leave. */
  #crowdedBy: Slice | null = null;
  /** Looks for what is past its time. */
  readonly #swept: ColdRound;
  #loaded = 0;

  constructor(spec: TableSpec, options: TieredTableOptions) {
    // Windows come and go as a whole in memory only.
    super({ ...spec, isDivided: false }, { ...options, isTiered: true });
    this.#store = new ColdStore(options.space, this, keyStartOf(this.shape));
    this.#records = compileRecords(this.shape, this.parts, this.code, this.#store);
    this.fetch = this.#records.fetch;
    this.#swept = new ColdRound(this.#store);
    this.#stage = new Stage(this.spec, options);
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
    if (!this.frozen.isFrozen) {
      clearBit(marks.dirty, offset);
      this.flag(entry, 0, WORD_TOUCHED);
      setBit(this.#bitsOf(this.#same, entry), offset);
    }
    if (this.#members !== null) this.#bringMembers(entry, place);
    return entry;
  }

  /** What the record of an entry is ordered by. */
  #orderHash(page: TablePage, offset: number, hash: number): number {
    const { groupKey, ownerKeys } = this.spec;
    if (groupKey !== undefined) return groupedHash(hash, page[`k${groupKey}`][offset]);
    if (ownerKeys === undefined) return hash;
    return this.#ownerHash ?? ownerHash(this.spec, this.code.readKey(page, offset));
  }

  #isInSlice(slice: Slice, entry: number, marks: PageMarks): boolean {
    if (slice.shift === 0) return true;
    const offset = entry & this.mask;
    const hash = this.#orderHash(this.pageOf(entry), offset, marks.hashes[offset]);
    return isInSlice(slice, mixedHash(hash));
  }

  // Leaving memory.

  makeRoom(): void {
    if (this.#snapshot === null && this.#stage.pages.length > 0) this.#stage.clear();
    this.#store.work();
    const members = this.#members === null ? null : this.#members.table;
    const isCrowded = this.#isCrowded() || (members !== null && members.#isCrowded());
    if (this.#isMember || !isCrowded) return;
    // Nothing but what a scan is in, which stays: another look would find the same.
    if (this.#slice !== null && this.#slice === this.#crowdedBy) return;
    if (!this.#mayLeave() || (members !== null && !members.#mayLeave())) return;
    const used = this.index.entries;
    const wanted = Math.min(LEAVING_MAX, Math.max(LEAVING_MIN, Math.ceil(used * LEAVING_SHARE)));
    this.putAside(wanted);
  }

  /** Has what is to be drained put aside first; false where it is not known yet what that is, as it soon is. */
  #mayLeave(): boolean {
    if (!this.frozen.isFrozen) return true;
    if (this.#snapshot?.isFull === undefined) return false;
    this.#drainHot(Number.MAX_SAFE_INTEGER);
    return true;
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
    const members = this.#members === null ? null : this.#members.table;
    if (members !== null) members.#leaveAll(true);
    for (const isAny of [false, true]) {
      for (let looked = 0; left > 0 && looked < this.top; looked += this.#wordEntries) {
        left -= this.#leaveWord(isAny);
      }
    }
    this.#crowdedBy = left > 0 ? this.#slice : null;
    this.#store.putAside();
    if (members !== null) members.#store.putAside();
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
    if (this.#slice !== null && this.#isInSlice(this.#slice, entry, marks)) return false;
    if (!hasBit(this.#bitsOf(this.#same, entry), offset)) {
      const facts = this.#facts;
      facts.keyHash = marks.hashes[offset];
      facts.keyGroup = marks.keyGroups[offset];
      facts.generation = changeOf(marks, offset, this.confirmed);
      facts.stampMs = marks.stamps.length > 0 ? marks.stamps[offset] : 0;
      facts.isRemoved = !isAlive;
      this.#collect(this.pageOf(entry), offset);
      if (this.#store.isFull) this.#store.putAside();
    }
    if (isAlive && this.#members !== null) this.#leaveWith(entry, marks.hashes[offset]);
    if (isAlive) this.clearValues(entry);
    clearBit(marks.alive, offset);
    clearBit(marks.dirty, offset);
    this.removals++;
    this.release(entry);
    return true;
  }

  // Entries that leave and come back with those of another table.

  adopt(links: MemberLinks): void {
    const { table } = links;
    assert(table instanceof TieredTable, 'What belongs to entries that may leave may leave, too.');
    table.#isMember = true;
    // Nothing is looked for that has not come back with what it belongs to.
    table.fetch = () => -1;
    this.#members = null;
    for (const each of [this, table]) {
      assert(!each.frozen.isFrozen, 'What is frozen is drained before entries leave.');
      each.#leaveAll(false);
      each.#store.putAside();
    }
    this.#members = { table, links };
  }

  /** Has all entries leave, or those that have been removed, which belong to nothing any more. */
  #leaveAll(isRemovedOnly: boolean): void {
    for (let entry = 0; entry < this.top; entry++) {
      const marks = this.marksOf(entry);
      const offset = entry & this.mask;
      if (!hasBit(marks.used, offset) || (isRemovedOnly && hasBit(marks.alive, offset))) continue;
      this.#leave(entry, marks);
    }
  }

  #leaveWith(entry: number, hash: number): void {
    if (this.#members === null) return;
    const { table, links } = this.#members;
    const leaving = this.#leaving;
    leaving.length = 0;
    links.each(entry, (member) => leaving.push(member));
    table.#ownerHash = hash;
    for (const member of leaving) table.#leave(member, table.marksOf(member));
    table.#ownerHash = null;
  }

  /** Brings in all that belongs to an entry whose record is at hand. */
  #bringMembers(entry: number, { bytes, view, at }: RecordPlace): void {
    if (this.#members === null) return;
    const { table, links } = this.#members;
    const start = at + keyStartOf(this.shape);
    const end = start + view.getUint32(at + RECORD_KEY_BYTES, true);
    const found: number[] = [];
    const store = table.#store;
    store.eachOf(this.hashOf(entry), bytes.subarray(start, end), () => {
      if (table.#records.locate(store) < 0) found.push(store.bringIn());
    });
    links.cameBack(entry, found);
  }

  keyLog(): KeyLog {
    const write = (entry: number, out: RecordBuffer): void => {
      const [hash, keyGroup] = [this.hashOf(entry), this.keyGroupOf(entry)];
      const facts = { hash, keyHash: hash, keyGroup, generation: 0, stampMs: 0, isRemoved: true };
      this.#records.encode(out, this.pageOf(entry), entry & this.mask, facts);
    };
    return new DueKeys({ ...this.#space, write, find: this.#records.find });
  }

  /** Has the entry of which the facts tell collected for the next run. */
  #collect(page: TablePage, offset: number): void {
    const { buffer } = this.#store;
    const start = buffer.length;
    this.#facts.hash = this.#orderHash(page, offset, this.#facts.keyHash);
    this.#records.encode(buffer, page, offset, this.#facts);
    this.#store.collected(start, this.#facts.hash);
  }

  /** Looks at as many entries of either tier. */
  override expire(entriesMax: number, nowMs: number): number {
    return super.expire(entriesMax, nowMs) + this.#sweep(entriesMax, nowMs);
  }

  /** Removes what is past its time of what is cold, unless it has been written since. */
  #sweep(entriesMax: number, nowMs: number): number {
    if (this.spec.ttlMs === null) return 0;
    let removed = 0;
    this.#swept.step(entriesMax, (record) => {
      if (record.isTombstone || !this.#isPast(record, nowMs)) return;
      const judgedMs = this.nowMs;
      this.nowMs = Number.NEGATIVE_INFINITY;
      const entry = this.#records.find(record);
      this.nowMs = judgedMs;
      if (entry < 0 || this.isVisible(this.marksOf(entry), entry & this.mask, nowMs)) return;
      this.remove(entry);
      removed++;
    });
    return removed;
  }

  // Going through both tiers.

  override scan(
    position: number,
    entriesMax: number,
    visit: (entry: number) => void,
    wanted?: WantedKey,
  ): number {
    const part = this.#partOf(wanted);
    const slice = position > 0 ? sliceAt(position) : this.#firstSlice(part);
    let at = entryAt(position);
    if (at === 0) this.#bringInSlice(slice, wanted);
    let left = entriesMax;
    const column = wanted === undefined ? '' : `k${wanted.key}`;
    const end = wanted === undefined ? this.top : Math.min(this.top, at + LOOKS_MAX);
    for (; at < end; at++) {
      const offset = at & this.mask;
      if (wanted !== undefined && this.pageOf(at)[column][offset] !== wanted.value) continue;
      const marks = this.marksOf(at);
      if (!this.isVisible(marks, offset) || !this.#isInSlice(slice, at, marks)) continue;
      if (left-- <= 0) return positionOf(slice, at);
      visit(at);
    }
    if (at < this.top) return positionOf(slice, at);
    this.#slice = null;
    const next = nextSlice(slice, part);
    return next === null ? -1 : positionOf(next, 0);
  }

  /** Where all is that is wanted. */
  #partOf(wanted: WantedKey | undefined): Slice {
    const isGroup = wanted !== undefined && wanted.key === this.spec.groupKey;
    return sliceOfPart(isGroup ? partOfGroup(wanted.value) : null);
  }

  #firstSlice(part: Slice): Slice {
    if (this.#store.isEmpty) return WHOLE;
    const entries = Math.max(SLICE_ENTRIES, this.index.entries * SLICE_SHARE);
    const whole = this.entries + (this.#members?.table.entries ?? 0);
    const all = part.shift === 0 ? whole : this.#store.entriesIn(rangeOf(part));
    return firstSlice(part, Math.ceil(all / entries));
  }

  #bringInSlice(slice: Slice, wanted: WantedKey | undefined): void {
    this.#slice = slice;
    if (this.#store.isEmpty) return;
    const merged = this.#store.mergedIn(rangeOf(slice));
    while (merged.next()) {
      const { record } = merged;
      if (!isInSlice(slice, record.mixed)) return;
      if (wanted !== undefined && this.#records.numberOf(record, wanted.key) !== wanted.value) {
        continue;
      }
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
    return this.#isStaged ? this.#stage.code : this.code;
  }

  override appendCode(projection: Projection): AppendCode {
    const own = super.appendCode(projection);
    let staged: AppendCode | null = null;
    const shown = (): AppendCode =>
      this.#isStaged ? (staged ??= this.#stage.appendCode(projection)) : own;
    return {
      append: (out, page, os, from, to, stamps) => shown().append(out, page, os, from, to, stamps),
      appendKeys: (out, page, os, from, to) => shown().appendKeys(out, page, os, from, to),
    };
  }

  override drainPlaces(entriesMax: number, full: boolean, visit: FrozenVisit): boolean {
    const snapshot = this.#snapshot;
    if (snapshot === null) return true;
    snapshot.isFull = full;
    // Where nothing cold is drained, there is nothing to merge: what is in memory is shown where it is.
    const cold = full ? snapshot.all : snapshot.changed;
    this.#isStaged = snapshot.merged !== null || snapshot.hot.length > 0 || cold.length > 0;
    if (!this.#isStaged) return this.#drainAlone(entriesMax, full, visit);
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

  #drainAlone(entriesMax: number, full: boolean, visit: FrozenVisit): boolean {
    const shown: FrozenVisit = full
      ? (page, o, keyGroup, stampMs, isRemoved, hash) => {
          if (!isRemoved) visit(page, o, keyGroup, stampMs, false, hash);
        }
      : visit;
    return this.frozen.drain(entriesMax, full, shown) && this.#endSnapshot();
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
        facts.keyHash = hash;
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
    const run = this.#store.takeRun();
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
    this.#store.takeRun()?.discard();
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
    return finishedAtOnce(super.loader(projection, written), ({ rows }) => this.#hasLoaded(rows));
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
    this.#swept.end();
    this.#store.clear();
    this.#stage.clear();
    this.#hiding.length = 0;
    this.#same.length = 0;
    this.#slice = null;
    this.#hand = 0;
  }
}
