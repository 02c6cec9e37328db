/**
 * The hot table: one keyed state of one subtask in pages of typed arrays, with an index over all of them. Callers:
 * the runtime opens it; generated loops, state handles and snapshots use it through contract.ts. Runs on: worker.
 *
 * Invariants. Pages are added, never copied or moved, and an id names the same entry until it is removed. Whatever
 * changes an entry calls `touch` first, so the frozen generation sees what was there. A removed entry that an earlier
 * snapshot may contain keeps its id and key until a snapshot that holds its tombstone is confirmed; any other is free
 * at once.
 */
import { assert } from '../base/assert.js';
import { ByteArena } from './byte-arena.js';
import type {
  AppendCode,
  EntryLoader,
  FrozenVisit,
  Projection,
  RowMemory,
  StateTable,
  TableEntry,
  TablePage,
  TableSpec,
} from './contract.js';
import { PAGE_SHIFT } from './contract.js';
import { DividedIndex } from './divided-index.js';
import { compileAppend, compilePlace, type EntryParts } from './entry-code.js';
import { ColumnLoader } from './entry-loader.js';
import { FrozenGeneration } from './frozen-generation.js';
import { HeapSizes } from './heap-sizes.js';
import { thawHeapValue } from './heap-value.js';
import { HotIndex, WORD_REMOVED, WORD_TOUCHED } from './hot-index.js';
import { KeyTexts } from './key-texts.js';
import { clearBit, hasBit, marksBytes, PageMarks, setBit } from './page-marks.js';
import type { LookupOwner, TableCode } from './table-code.js';
import { compileTable } from './table-code.js';
import { pushKeyArguments, tableKeyHash } from './table-key.js';
import type { TableShape } from './table-shape.js';
import { type ColumnPlace, columnPlace, tableShape } from './table-shape.js';
import { rowPlace } from './row-place.js';
import { encodeText } from '../record/text.js';

/** What a hot table needs to know besides its specification. */
export interface HotTableOptions {
  /** The key groups of the subtask, `end` exclusive. */
  readonly keyGroups: { readonly start: number; readonly end: number };
  /** Entries per page as shift. Generated loops rely on the default; tests make pages tiny. */
  readonly pageShift?: number;
  /** The hash of a key that is loaded; by default `tableKeyHash`. Must be the one that callers pass. */
  readonly hashOf?: (key: readonly unknown[]) => number;
  /** Whether what is not found in memory is looked for by `fetch`. */
  readonly isTiered?: boolean;
}

/** Opens an empty table. */
export function createHotTable(spec: TableSpec, options: HotTableOptions): StateTable {
  return new HotTable(spec, options);
}

/** Ids that fit the words of the index. */
const ENTRIES_MAX = 2 ** 29 - 2;
/** A table that is emptied keeps its pages when it had an entry for so many that they have room for. */
const EMPTY_SHARE = 16;
/** Units of text moved by a call that does housekeeping anyway. */
const COMPACT_UNITS = 4096;

/** A table in memory; `cold/tiered-table.ts` makes one of it that has a part of its entries on disk. */
export class HotTable implements StateTable {
  readonly spec: TableSpec;
  readonly pages: TablePage[] = [];
  readonly marks: PageMarks[] = [];
  readonly upsert: StateTable['upsert'];
  readonly find: StateTable['find'];
  readonly upsertShort: StateTable['upsertShort'];
  readonly findShort: StateTable['findShort'];
  readonly findWritten: StateTable['findWritten'];
  readonly rows: RowMemory;
  fetch: LookupOwner['fetch'];
  created = false;
  removals = 0;
  nowMs = 0;
  stampMs = 0;
  entries = 0;
  generation = 1;
  confirmed = 0;
  confirmable = 0;
  readonly #keyGroups: HotTableOptions['keyGroups'];
  readonly #hashOf: (key: readonly unknown[]) => number;
  protected readonly shape: TableShape;
  protected readonly code: TableCode;
  protected readonly parts: EntryParts;
  /** That of an undivided table. */
  protected readonly index = new HotIndex();
  /** Those of a divided one, whose last key is in the column of that name. */
  readonly #divided: DividedIndex | null;
  readonly #divisionName: string;
  protected readonly arena: ByteArena;
  protected readonly frozen: FrozenGeneration;
  readonly #heap: HeapSizes;
  /** Names of the value columns in pages. */
  readonly #names: readonly string[];
  /** Where the columns with fixed places are in pages. */
  readonly #places: readonly ColumnPlace[];
  protected readonly mask: number;
  protected readonly ttlMs: number;
  /** First of the free ids, which are linked through `hashes`; -1: none. */
  #free = -1;
  /** Ids handed out so far. */
  protected top = 0;
  #expirePosition = 0;
  /** Removed entries with a tombstone in the newest confirmable snapshot, and those whose is kept for good. */
  #drained: number[] = [];
  readonly #dead: number[][] = [];
  readonly #appendCode = new Map<string, AppendCode>();
  /** A generation that was confirmed while a later one is being drained. */
  #confirmedMeanwhile = 0;

  constructor(spec: TableSpec, options: HotTableOptions) {
    const shape = tableShape(spec, options.pageShift ?? PAGE_SHIFT);
    this.spec = spec;
    this.fetch = options.isTiered === true ? () => -1 : null;
    this.#keyGroups = options.keyGroups;
    const hashed = spec.isDivided === true ? spec.keys.slice(0, -1) : spec.keys;
    this.#hashOf = options.hashOf ?? ((key) => tableKeyHash(hashed, key.slice(0, hashed.length)));
    this.shape = shape;
    this.mask = (1 << shape.pageShift) - 1;
    this.#names = spec.columns.map((_, index) => `c${index}`);
    this.#places = spec.columns.map((_, index) => columnPlace(spec, index));
    this.ttlMs = spec.ttlMs ?? Number.POSITIVE_INFINITY;
    this.#heap = new HeapSizes(spec, shape.pageShift);
    this.#divided = spec.isDivided === true ? new DividedIndex() : null;
    this.#divisionName = `k${spec.keys.length - 1}`;
    this.arena = new ByteArena(
      (owner, position) => this.code.ownsText(this.pageOf(owner), owner & this.mask, position),
      (owner, from, to) => this.code.moveText(this.pageOf(owner), owner & this.mask, from, to),
    );
    const parts = {
      table: this,
      pages: this.pages,
      arena: this.arena,
      keyTexts: new KeyTexts(this.arena),
    };
    this.code = compileTable(shape, {
      ...parts,
      marks: this.marks,
      index: this.index,
      divided: this.#divided,
    });
    this.parts = { ...parts, hashOf: options.hashOf ?? null };
    this.rows = this.arena.rows;
    this.frozen = new FrozenGeneration(this, shape, this.code);
    this.upsert = this.code.upsert;
    this.find = this.code.find;
    this.upsertShort = this.code.upsertShort;
    this.findShort = this.code.findShort;
    this.findWritten = this.code.findWritten;
  }

  protected pageOf(entry: number): TablePage {
    return this.pages[entry >>> this.shape.pageShift];
  }

  protected marksOf(entry: number): PageMarks {
    return this.marks[entry >>> this.shape.pageShift];
  }

  // What generated look-ups call off their fast way.

  /** Makes an entry writable in the open generation. */
  touch(entry: number): void {
    const marks = this.marksOf(entry);
    const offset = entry & this.mask;
    if (marks.generation !== this.generation) marks.roll(this);
    if (hasBit(marks.dirty, offset)) return;
    if (this.frozen.isFrozen) this.frozen.preserve(entry);
    setBit(marks.dirty, offset);
  }

  /** A fresh, zeroed entry; the caller sets its key and puts it in the index. */
  take(keyGroup: number, hash: number): number {
    const entry = this.#takeId();
    this.touch(entry);
    const marks = this.marksOf(entry);
    const offset = entry & this.mask;
    setBit(marks.used, offset);
    setBit(marks.alive, offset);
    marks.hashes[offset] = hash;
    marks.keyGroups[offset] = keyGroup;
    if (marks.stamps.length > 0) marks.stamps[offset] = this.stampMs;
    this.entries++;
    this.created = true;
    return entry;
  }

  #takeId(): number {
    while (this.#free < 0 && this.#dead.length > 0) this.#bury();
    const entry = this.#free;
    if (entry >= 0) {
      this.#free = this.marksOf(entry).hashes[entry & this.mask];
      return entry;
    }
    if (this.top === this.pages.length << this.shape.pageShift) this.#addPage();
    return this.top++;
  }

  #addPage(): void {
    assert(this.top < ENTRIES_MAX, 'A state table holds less than 2^29 entries per subtask.');
    const entries = this.mask + 1;
    this.pages.push(this.code.makePage());
    this.marks.push(new PageMarks(entries, this.generation, this.spec.ttlMs !== null));
    this.#heap.addPage();
  }

  /** The first upsert of an entry in a generation, or of a removed one whose key is still in the index. */
  open(entry: number, segment: Int32Array, slot: number): void {
    (this.#divided?.index ?? this.index).openGeneration(segment, this.generation);
    this.touch(entry);
    const isRemoved = (segment[slot + 1] & WORD_REMOVED) !== 0;
    segment[slot + 1] = (segment[slot + 1] & ~WORD_REMOVED) | WORD_TOUCHED;
    if (!isRemoved) return;
    const marks = this.marksOf(entry);
    const offset = entry & this.mask;
    setBit(marks.alive, offset);
    if (marks.stamps.length > 0) marks.stamps[offset] = this.stampMs;
    this.entries++;
    this.created = true;
  }

  /** Starts an expired entry afresh. */
  reset(entry: number): number {
    this.touch(entry);
    this.clearValues(entry);
    this.marksOf(entry).stamps[entry & this.mask] = this.stampMs;
    this.created = true;
    return entry;
  }

  protected clearValues(entry: number): void {
    const offset = entry & this.mask;
    this.code.clearValues(this.pageOf(entry), offset);
    this.#heap.drop(entry);
  }

  remove(entry: number): void {
    const marks = this.marksOf(entry);
    const offset = entry & this.mask;
    if (!hasBit(marks.alive, offset)) return;
    this.touch(entry);
    this.clearValues(entry);
    clearBit(marks.alive, offset);
    this.entries--;
    this.removals++;
    if (hasBit(marks.base, offset) || this.isHiding(entry)) {
      this.flag(entry, WORD_REMOVED, 0);
    } else {
      this.release(entry);
    }
  }

  /** Whether a removed entry is needed because something older of it is elsewhere. */
  protected isHiding(_entry: number): boolean {
    return false;
  }

  /** Sets and clears flags of an entry where it is found by its key. */
  protected flag(entry: number, set: number, clear: number): void {
    const hash = this.hashOf(entry);
    if (this.#divided === null) this.index.flag(hash, entry, set, clear);
    else this.#divided.flag(this.#divisionOf(entry), hash, entry, set, clear);
  }

  #divisionOf(entry: number): number {
    return this.pageOf(entry)[this.#divisionName][entry & this.mask];
  }

  leave(division: number): void {
    this.#divided?.leave(division);
  }

  /** Frees the id of a removed entry whose tombstone nobody needs any more, unless it lives again. */
  #bury(): void {
    const dead = this.#dead[this.#dead.length - 1];
    const entry = dead.pop();
    if (dead.length === 0) this.#dead.pop();
    if (entry === undefined) return;
    const marks = this.marksOf(entry);
    const offset = entry & this.mask;
    if (!hasBit(marks.used, offset) || hasBit(marks.alive, offset)) return;
    if (!marks.isChanged(offset, this.confirmed) && !this.isHiding(entry)) this.release(entry);
  }

  /** Frees the id of an entry that is not alive. */
  protected release(entry: number): void {
    const marks = this.marksOf(entry);
    const offset = entry & this.mask;
    const hash = marks.hashes[offset];
    if (this.#divided === null) this.index.remove(hash, entry);
    else this.#divided.remove(this.#divisionOf(entry), hash, entry);
    this.code.clearKey(this.pageOf(entry), offset);
    clearBit(marks.used, offset);
    clearBit(marks.base, offset);
    marks.hashes[offset] = this.#free;
    this.#free = entry;
  }

  // Values.

  refresh(entry: number): void {
    this.touch(entry);
    const { stamps } = this.marksOf(entry);
    if (stamps.length > 0 && !(stamps[entry & this.mask] >= this.stampMs)) {
      stamps[entry & this.mask] = this.stampMs;
    }
  }

  setText(entry: number, index: number, bytes: Uint8Array, start: number, end: number): void {
    this.refresh(entry);
    const positions: Int32Array = this.pageOf(entry)[this.#names[index]];
    const offset = entry & this.mask;
    this.arena.free(positions[offset]);
    // The place is emptied first, so that compaction does not take the old text for a living one.
    positions[offset] = 0;
    if (end > start) positions[offset] = this.arena.append(bytes, start, end, entry);
  }

  getText(entry: number, index: number): string {
    return this.arena.text(this.pageOf(entry)[this.#names[index]][entry & this.mask]);
  }

  addRow(entry: number, index: number, bytes: number): number {
    this.refresh(entry);
    this.arena.pace(bytes);
    const { array, width, at } = this.#places[index];
    const newest: Int32Array = this.pageOf(entry)[array];
    const place = (entry & this.mask) * width + at;
    const position = this.arena.addRow(bytes, entry, newest[place]);
    newest[place] = position;
    return position;
  }

  dropRows(entry: number, index: number): void {
    this.refresh(entry);
    const { array, width, at } = this.#places[index];
    const newest: Int32Array = this.pageOf(entry)[array];
    const place = (entry & this.mask) * width + at;
    this.arena.freeRows(newest[place]);
    newest[place] = 0;
  }

  newestRow(entry: number, index: number): number {
    const { array, width, at } = this.#places[index];
    return this.pageOf(entry)[array][(entry & this.mask) * width + at];
  }

  olderRow(position: number): number {
    return this.arena.olderRow(position);
  }

  rowsOf(entry: number, index: number): readonly Uint8Array[] {
    return this.arena.copyRows(this.newestRow(entry, index));
  }

  setValue(entry: number, index: number, value: unknown): void {
    this.refresh(entry);
    const values: unknown[] = this.pageOf(entry)[this.#names[index]];
    const offset = entry & this.mask;
    values[offset] = value;
    this.#heap.put(entry, index, value);
  }

  measure(entry: number, index: number): void {
    this.#heap.measure(entry, index, this.getValue(entry, index));
  }

  getValue(entry: number, index: number): unknown {
    // What is given out may be changed in place before it is put back: a snapshot under way keeps it as it was.
    if (this.frozen.isFrozen) this.touch(entry);
    return this.pageOf(entry)[this.#names[index]][entry & this.mask];
  }

  keyOf(entry: number): readonly unknown[] {
    return this.code.readKey(this.pageOf(entry), entry & this.mask);
  }

  keyGroupOf(entry: number): number {
    return this.marksOf(entry).keyGroups[entry & this.mask];
  }

  hashOf(entry: number): number {
    return this.marksOf(entry).hashes[entry & this.mask];
  }

  get bytes(): number {
    const entries = this.mask + 1;
    const pageBytes =
      this.shape.pageBytes +
      marksBytes(entries, this.spec.ttlMs !== null) +
      12 * entries * this.#heap.count;
    return (
      this.pages.length * pageBytes +
      (this.#divided ?? this.index).bytes +
      this.arena.heldBytes +
      this.#heap.bytes +
      this.frozen.bytes
    );
  }

  // Iteration.

  /** Whether an id is an entry that can be seen. */
  protected isVisible(marks: PageMarks, offset: number, nowMs = this.nowMs): boolean {
    if (!hasBit(marks.alive, offset)) return false;
    return marks.stamps.length === 0 || !(marks.stamps[offset] + this.ttlMs <= nowMs);
  }

  scan(position: number, entriesMax: number, visit: (entry: number) => void): number {
    let left = entriesMax;
    for (let entry = position; entry < this.top; entry++) {
      if (!this.isVisible(this.marksOf(entry), entry & this.mask)) continue;
      if (left-- <= 0) return entry;
      visit(entry);
    }
    return -1;
  }

  *entriesOf(keyGroup: number): Generator<TableEntry> {
    for (let entry = 0; entry < this.top; entry++) {
      const marks = this.marksOf(entry);
      const offset = entry & this.mask;
      if (!this.isVisible(marks, offset) || marks.keyGroups[offset] !== keyGroup) continue;
      const page = this.pageOf(entry);
      yield {
        keyGroup,
        key: this.code.readKey(page, offset),
        values: this.code.readValues(page, offset),
        stampMs: marks.stamps.length > 0 ? marks.stamps[offset] : 0,
      };
    }
  }

  expire(entriesMax: number, nowMs: number): number {
    if (this.spec.ttlMs === null) return 0;
    let removed = 0;
    const looks = Math.min(entriesMax, this.top);
    for (let look = 0; look < looks; look++) {
      if (this.#expirePosition >= this.top) this.#expirePosition = 0;
      const entry = this.#expirePosition++;
      const marks = this.marksOf(entry);
      const offset = entry & this.mask;
      if (!hasBit(marks.alive, offset) || this.isVisible(marks, offset, nowMs)) continue;
      this.remove(entry);
      removed++;
    }
    this.arena.compact(COMPACT_UNITS);
    return removed;
  }

  // Snapshots.

  freeze(isConfirmable = true): number {
    assert(!this.isFrozen, 'A generation is drained before the next one is frozen.');
    const frozen = this.generation++;
    if (isConfirmable) {
      this.confirmable = frozen;
      this.#drained = [];
    }
    this.frozen.begin();
    this.arena.hold(true);
    return frozen;
  }

  get isFrozen(): boolean {
    return this.frozen.isFrozen;
  }

  drain(entriesMax: number, full: boolean, visit: (entry: TableEntry) => void): boolean {
    return this.drainPlaces(entriesMax, full, (page, o, keyGroup, stampMs, isRemoved) => {
      const { readKey, readValues } = this.drainedCode;
      const values = isRemoved ? null : readValues(page, o).map(thawHeapValue);
      visit({ keyGroup, key: readKey(page, o), values, stampMs });
    });
  }

  /** What reads the page that is being visited. */
  protected get drainedCode(): TableCode {
    return this.code;
  }

  drainPlaces(entriesMax: number, full: boolean, visit: FrozenVisit): boolean {
    for (let left = entriesMax; left > 0 && this.#dead.length > 0; left--) this.#bury();
    const isDrained = this.frozen.drain(entriesMax, full, visit);
    if (isDrained) this.thawed();
    return isDrained;
  }

  appendCode(projection: Projection): AppendCode {
    const { name } = projection.spec;
    const known = this.#appendCode.get(name);
    const code = known ?? compileAppend(this.shape, this.parts, projection);
    this.#appendCode.set(name, code);
    return code;
  }

  drained(entry: number): void {
    if (this.confirmable === this.generation - 1) this.#drained.push(entry);
  }

  abandon(): void {
    if (!this.isFrozen) return;
    if (this.confirmable === this.generation - 1) this.#drained = [];
    this.frozen.reset();
    this.thawed();
  }

  protected thawed(): void {
    this.arena.hold(false);
    this.confirm(this.#confirmedMeanwhile);
  }

  confirm(generation: number): void {
    // What is being drained was frozen when another generation was the confirmed one.
    if (this.isFrozen) this.#confirmedMeanwhile = Math.max(this.#confirmedMeanwhile, generation);
    if (this.isFrozen || generation <= this.confirmed) return;
    assert(generation <= this.confirmable, 'A generation is confirmed that was frozen for that.');
    this.confirmed = generation;
    // Those of a newer snapshot wait for that one.
    if (generation < this.confirmable) return;
    if (this.#drained.length > 0) this.#dead.push(this.#drained);
    this.#drained = [];
  }

  eachRemoved(visit: (entry: TableEntry) => void): void {
    for (let entry = 0; entry < this.top; entry++) {
      const marks = this.marksOf(entry);
      const offset = entry & this.mask;
      if (!hasBit(marks.used, offset) || hasBit(marks.alive, offset)) continue;
      const key = this.code.readKey(this.pageOf(entry), offset);
      visit({ keyGroup: marks.keyGroups[offset], key, values: null, stampMs: 0 });
    }
  }

  load(entry: TableEntry): void {
    const { values, stampMs } = entry;
    const id = this.#locate(entry, values !== null);
    if (id < 0) return;
    if (values === null) return this.unload(id);
    this.#loadValues(id, values);
    this.loaded(id, stampMs);
  }

  loaded(entry: number, stampMs: number): void {
    const marks = this.marksOf(entry);
    const offset = entry & this.mask;
    if (marks.stamps.length > 0) marks.stamps[offset] = stampMs;
    clearBit(marks.dirty, offset);
    setBit(marks.base, offset);
    this.flag(entry, 0, WORD_TOUCHED);
  }

  unload(entry: number): void {
    clearBit(this.marksOf(entry).base, entry & this.mask);
    this.remove(entry);
  }

  loader(projection: Projection, written: ReadonlySet<string>): EntryLoader {
    const code = compilePlace(this.shape, this.parts, projection, written);
    return new ColumnLoader(this, code, this.#divided === null ? this.index : null);
  }

  claim(entriesMax: number): { readonly entry: number; readonly count: number } {
    if (this.top === this.pages.length << this.shape.pageShift) this.#addPage();
    const entry = this.top;
    const count = Math.min(entriesMax, this.mask + 1 - (entry & this.mask));
    this.top += count;
    this.entries += count;
    return { entry, count };
  }

  checkKeyGroup(keyGroup: number): void {
    const { start, end } = this.#keyGroups;
    assert(
      keyGroup >= start && keyGroup < end,
      'Only entries of the key groups of the subtask are loaded.',
    );
  }

  loadRemoved(entry: TableEntry): void {
    const id = this.#locate(entry, true);
    setBit(this.marksOf(id).base, id & this.mask);
    this.remove(id);
  }

  /** The entry of a key; made when missing if `isWanted`, else -1. */
  #locate({ keyGroup, key }: TableEntry, isWanted: boolean): number {
    assert(!this.isFrozen, 'Entries are loaded before the first freeze.');
    this.checkKeyGroup(keyGroup);
    const flat: unknown[] = [];
    this.spec.keys.forEach((type, index) => pushKeyArguments(flat, type, key[index]));
    const locate = (isWanted ? this.upsert : this.find) as (
      keyGroup: number,
      hash: number,
      ...key: unknown[]
    ) => number;
    // An entry that is past its time already is found and loaded all the same: the clock may not be set yet.
    const { nowMs } = this;
    this.nowMs = Number.NEGATIVE_INFINITY;
    const id = locate(keyGroup, this.#hashOf(key), ...flat);
    this.nowMs = nowMs;
    return id;
  }

  #loadValues(entry: number, values: readonly unknown[]): void {
    this.code.writeFixed(this.pageOf(entry), entry & this.mask, values);
    this.spec.columns.forEach(({ form }, index) => {
      if (form === 'js') this.setValue(entry, index, values[index]);
      if (form === 'rows') this.#loadRows(entry, index, values[index] as readonly Uint8Array[]);
      if (form !== 'utf8') return;
      const bytes = encodeText(String(values[index]));
      this.setText(entry, index, bytes, 0, bytes.length);
    });
  }

  #loadRows(entry: number, index: number, rows: readonly Uint8Array[]): void {
    this.dropRows(entry, index);
    for (const row of rows) {
      const { chunk, offset } = rowPlace(this.addRow(entry, index, row.length));
      this.rows.chunks[chunk].set(row, offset);
    }
  }

  empty(): void {
    assert(this.generation === 1, 'Entries that a snapshot may hold are removed one by one.');
    // What is next to empty was made for many more than there will be, it seems.
    const isWorthKeeping = this.top * EMPTY_SHARE >= this.pages.length << this.shape.pageShift;
    if (!isWorthKeeping) return this.clear();
    for (const page of this.pages) this.#emptyPage(page);
    for (const marks of this.marks) marks.empty();
    this.index.empty();
    this.#divided?.empty();
    this.#heap.empty();
    this.#forgetEntries();
  }

  #emptyPage(page: TablePage): void {
    const [first] = this.shape.arrays;
    if (first !== undefined) {
      const { buffer }: Int32Array = page[first.name];
      new Uint8Array(buffer).fill(0);
    }
    this.spec.columns.forEach(({ form }, index) => {
      const values: unknown[] = page[this.#names[index]];
      if (form === 'js') values.fill(undefined);
    });
  }

  clear(): void {
    this.pages.length = 0;
    this.marks.length = 0;
    this.index.clear();
    this.#divided?.clear();
    this.#heap.clear();
    this.#forgetEntries();
  }

  #forgetEntries(): void {
    this.arena.clear();
    this.frozen.reset();
    this.entries = 0;
    this.created = false;
    this.#free = -1;
    this.top = 0;
    this.#expirePosition = 0;
    this.#drained = [];
    this.#dead.length = 0;
  }
}
