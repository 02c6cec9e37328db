/**
 * Map state: entries keyed by (key, map key); so that they can be listed, a second table keyed by (key, ordinal) names
 * the map key of each ordinal, and a third keeps the next ordinal per key. Callers: keyed-state.ts. Runs on: worker.
 * Invariant: every entry has an ordinal below `next` that names it; ordinals without an entry are holes, and once
 * `limit` ordinals are given out the living ones are numbered anew, so holes never outnumber entries for long. Where
 * entries that are past their time can be seen, what lists one may be cleaned up before it: it is then found by its key
 * only, until it is put again.
 */
import { PAGE_MASK, PAGE_SHIFT } from './contract.js';
import { type KeyedTable, NamedKey } from './keyed-table.js';
import { decodeMapKey, encodeMapKey } from './map-key.js';
import type { StateColumn } from './state-column.js';
import type { MapState, MapStateKey } from './state-handles.js';

/** The ordinal of an entry that is not listed yet. */
const NO_ORDINAL = -1;
/** Ordinals of small maps are not numbered anew before this many. */
export const LIMIT_MIN = 16;

/** Columns of the table of next ordinals. */
export const MAP_RANGE_COLUMNS = [
  { name: 'next', form: 'f64' },
  { name: 'limit', form: 'f64' },
] as const;
/** Columns of the table of ordinals. */
export const MAP_ORDER_COLUMNS = [{ name: 'mapKey', form: 'utf8' }] as const;
/** Column of the table of entries behind the value. */
export const MAP_ORDINAL_COLUMN = { name: 'ordinal', form: 'f64' } as const;

/** The tables of a map state. */
export interface MapTables {
  readonly entries: KeyedTable;
  readonly order: KeyedTable;
  readonly ranges: KeyedTable;
}

/** A map per key. */
export class TableMapState<K extends MapStateKey, V> implements MapState<K, V> {
  readonly #name: string;
  readonly #entries: KeyedTable;
  readonly #order: KeyedTable;
  readonly #ranges: KeyedTable;
  readonly #column: StateColumn;

  constructor(name: string, tables: MapTables, column: StateColumn) {
    this.#name = name;
    this.#entries = tables.entries;
    this.#order = tables.order;
    this.#ranges = tables.ranges;
    this.#column = column;
  }

  get(key: K): V | undefined {
    return this.#valueOf(encodeMapKey(this.#name, key));
  }

  contains(key: K): boolean {
    return this.#read(encodeMapKey(this.#name, key)) >= 0;
  }

  #find(text: string): number {
    return this.#entries.find(new NamedKey(text));
  }

  /** The entry of a map key for the user, who thereby may use it. */
  #read(text: string): number {
    const entry = this.#entries.read(new NamedKey(text));
    if (entry < 0 || this.#entries.read === this.#entries.find) return entry;
    // What lists an entry must live as long as the entry.
    this.#order.read(this.#ordinalOf(entry));
    this.#ranges.read();
    return entry;
  }

  #valueOf(text: string): V | undefined {
    const entry = this.#read(text);
    return entry < 0 ? undefined : (this.#column.read(this.#entries.table, entry) as V);
  }

  put(key: K, value: V): void {
    const text = encodeMapKey(this.#name, key);
    const name = new NamedKey(text);
    const entry = this.#entries.upsert(name);
    if (this.#entries.table.created || !this.#isListed(entry, name)) {
      this.#setOrdinal(entry, NO_ORDINAL);
      this.#setOrdinal(entry, this.#number(name));
    } else if (this.#entries.table.spec.ttlMs !== null) {
      // What lists an entry must live as long as the entry.
      this.#order.upsert(this.#ordinalOf(entry));
      this.#ranges.upsert();
    }
    this.#column.write(this.#entries.table, entry, value);
  }

  /** Whether an entry's ordinal names it still, which is certain but where expired entries can be seen. */
  #isListed(entry: number, name: NamedKey): boolean {
    if (this.#entries.table.nowMs !== Number.NEGATIVE_INFINITY) return true;
    const place = this.#order.find(this.#ordinalOf(entry));
    return place >= 0 && this.#order.table.getText(place, 0) === name.text;
  }

  /** The column behind the value holds the ordinal. */
  #ordinals(entry: number): Float64Array {
    return this.#entries.table.pages[entry >>> PAGE_SHIFT].c1;
  }

  #ordinalOf(entry: number): number {
    return this.#ordinals(entry)[entry & PAGE_MASK];
  }

  #setOrdinal(entry: number, ordinal: number): void {
    this.#ordinals(entry)[entry & PAGE_MASK] = ordinal;
  }

  /** Gives a new map key the next ordinal. */
  #number(name: NamedKey): number {
    const range = this.#ranges.upsert();
    const page = this.#ranges.table.pages[range >>> PAGE_SHIFT];
    const nexts: Float64Array = page.c0;
    const limits: Float64Array = page.c1;
    const offset = range & PAGE_MASK;
    if (this.#ranges.table.created) limits[offset] = LIMIT_MIN;
    if (nexts[offset] >= limits[offset]) {
      nexts[offset] = this.#numberAnew(nexts[offset]);
      limits[offset] = Math.max(LIMIT_MIN, 2 * nexts[offset]);
    }
    const ordinal = nexts[offset]++;
    const order = this.#order.upsert(ordinal);
    this.#order.table.setText(order, 0, name.bytes, 0, name.bytes.length);
    return ordinal;
  }

  /** Closes the holes among the ordinals below `end` and gives the number of entries. */
  #numberAnew(end: number): number {
    let living = 0;
    for (let ordinal = 0; ordinal < end; ordinal++) {
      const place = this.#order.find(ordinal);
      if (place < 0) continue;
      const name = new NamedKey(this.#order.table.getText(place, 0));
      const found = this.#entries.find(name);
      const isListed = found >= 0 && this.#ordinalOf(found) === ordinal;
      if (isListed && living === ordinal) {
        living++;
        continue;
      }
      this.#order.table.remove(place);
      if (isListed) this.#moveTo(found, name, living++);
    }
    return living;
  }

  /**
   * Renumbering changes two tables without being a write of the user's, so the entry's own time to live must not
   * begin anew; an ordinal that lives too long is only a hole.
   */
  #moveTo(entry: number, name: NamedKey, ordinal: number): void {
    this.#entries.table.touch(entry);
    this.#setOrdinal(entry, ordinal);
    const place = this.#order.upsert(ordinal);
    this.#order.table.setText(place, 0, name.bytes, 0, name.bytes.length);
  }

  putAll(entries: Iterable<readonly [K, V]>): void {
    for (const [key, value] of entries) this.put(key, value);
  }

  remove(key: K): void {
    const entry = this.#find(encodeMapKey(this.#name, key));
    if (entry < 0) return;
    const place = this.#order.find(this.#ordinalOf(entry));
    if (place >= 0) this.#order.table.remove(place);
    this.#entries.table.remove(entry);
  }

  /** Texts of the keys there are, in order. */
  #texts(): readonly string[] {
    const texts: string[] = [];
    const range = this.#ranges.find();
    if (range < 0) return texts;
    const next = this.#ranges.table.pages[range >>> PAGE_SHIFT].c0[range & PAGE_MASK];
    for (let ordinal = 0; ordinal < next; ordinal++) {
      const place = this.#order.find(ordinal);
      if (place < 0) continue;
      const text = this.#order.table.getText(place, 0);
      const entry = this.#find(text);
      if (entry >= 0 && this.#ordinalOf(entry) === ordinal) texts.push(text);
    }
    return texts;
  }

  *entries(): Generator<[K, V]> {
    for (const text of this.#texts()) {
      const entry = this.#read(text);
      if (entry < 0) continue;
      yield [decodeMapKey(text) as K, this.#column.read(this.#entries.table, entry) as V];
    }
  }

  *keys(): Generator<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): Generator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  isEmpty(): boolean {
    return this.#texts().length === 0;
  }

  clear(): void {
    const range = this.#ranges.find();
    if (range < 0) return;
    const next = this.#ranges.table.pages[range >>> PAGE_SHIFT].c0[range & PAGE_MASK];
    for (let ordinal = 0; ordinal < next; ordinal++) {
      const place = this.#order.find(ordinal);
      if (place < 0) continue;
      const entry = this.#find(this.#order.table.getText(place, 0));
      if (entry >= 0) this.#entries.table.remove(entry);
      this.#order.table.remove(place);
    }
    this.#ranges.table.remove(range);
  }
}
