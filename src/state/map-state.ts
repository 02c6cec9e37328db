/**
 * Map state: entries keyed by (key, map key); so that they can be listed, a second table keyed by (key, ordinal) names
 * the map key of each ordinal, and a third keeps the next ordinal per key. Callers: keyed-state.ts. Runs on: worker.
 * Invariant: every entry has an ordinal below `next` that names it; ordinals without an entry are holes, and once
 * `limit` ordinals are given out the living ones are numbered anew, so holes never outnumber entries for long.
 */
import type { StateTable } from './contract.js';
import { PAGE_MASK, PAGE_SHIFT } from './contract.js';
import type { KeyContext } from './key-context.js';
import {
  findCurrent,
  findNamed,
  findNumbered,
  NamedKey,
  upsertCurrent,
  upsertNamed,
  upsertNumbered,
} from './key-context.js';
import { decodeMapKey, encodeMapKey } from './map-key.js';
import type { StateColumn } from './state-column.js';
import type { MapState, MapStateKey } from './state-handles.js';

/** The ordinal of an entry that is not listed yet. */
const NO_ORDINAL = -1;
/** Ordinals of small maps are not numbered anew before this many. */
const LIMIT_MIN = 16;

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
  readonly entries: StateTable;
  readonly order: StateTable;
  readonly ranges: StateTable;
}

/** A map per key. */
export class TableMapState<K extends MapStateKey, V> implements MapState<K, V> {
  readonly #name: string;
  readonly #entries: StateTable;
  readonly #order: StateTable;
  readonly #ranges: StateTable;
  readonly #context: KeyContext;
  readonly #column: StateColumn;

  constructor(name: string, tables: MapTables, context: KeyContext, column: StateColumn) {
    this.#name = name;
    this.#entries = tables.entries;
    this.#order = tables.order;
    this.#ranges = tables.ranges;
    this.#context = context;
    this.#column = column;
  }

  get(key: K): V | undefined {
    return this.#valueOf(encodeMapKey(this.#name, key));
  }

  contains(key: K): boolean {
    return this.#find(encodeMapKey(this.#name, key)) >= 0;
  }

  #find(text: string): number {
    return findNamed(this.#entries, this.#context, new NamedKey(text));
  }

  #valueOf(text: string): V | undefined {
    const entry = this.#find(text);
    return entry < 0 ? undefined : (this.#column.read(this.#entries, entry) as V);
  }

  put(key: K, value: V): void {
    const text = encodeMapKey(this.#name, key);
    const name = new NamedKey(text);
    const entry = upsertNamed(this.#entries, this.#context, name);
    if (this.#entries.created) {
      this.#setOrdinal(entry, NO_ORDINAL);
      this.#setOrdinal(entry, this.#number(name));
    } else if (this.#entries.spec.ttlMs !== null) {
      // What lists an entry must live as long as the entry.
      upsertNumbered(this.#order, this.#context, this.#ordinalOf(entry));
      upsertCurrent(this.#ranges, this.#context);
    }
    this.#column.write(this.#entries, entry, value);
  }

  /** The column behind the value holds the ordinal. */
  #ordinals(entry: number): Float64Array {
    return this.#entries.pages[entry >>> PAGE_SHIFT].c1;
  }

  #ordinalOf(entry: number): number {
    return this.#ordinals(entry)[entry & PAGE_MASK];
  }

  #setOrdinal(entry: number, ordinal: number): void {
    this.#ordinals(entry)[entry & PAGE_MASK] = ordinal;
  }

  /** Gives a new map key the next ordinal. */
  #number(name: NamedKey): number {
    const range = upsertCurrent(this.#ranges, this.#context);
    const page = this.#ranges.pages[range >>> PAGE_SHIFT];
    const nexts: Float64Array = page.c0;
    const limits: Float64Array = page.c1;
    const offset = range & PAGE_MASK;
    if (this.#ranges.created) limits[offset] = LIMIT_MIN;
    if (nexts[offset] >= limits[offset]) {
      nexts[offset] = this.#numberAnew(nexts[offset]);
      limits[offset] = Math.max(LIMIT_MIN, 2 * nexts[offset]);
    }
    const ordinal = nexts[offset]++;
    const order = upsertNumbered(this.#order, this.#context, ordinal);
    this.#order.setText(order, 0, name.bytes, 0, name.bytes.length);
    return ordinal;
  }

  /** Closes the holes among the ordinals below `end` and gives the number of entries. */
  #numberAnew(end: number): number {
    let living = 0;
    for (let ordinal = 0; ordinal < end; ordinal++) {
      const place = findNumbered(this.#order, this.#context, ordinal);
      if (place < 0) continue;
      const name = new NamedKey(this.#order.getText(place, 0));
      const found = findNamed(this.#entries, this.#context, name);
      const isListed = found >= 0 && this.#ordinalOf(found) === ordinal;
      if (isListed && living === ordinal) {
        living++;
        continue;
      }
      this.#order.remove(place);
      if (isListed) this.#moveTo(found, name, living++);
    }
    return living;
  }

  /**
   * Renumbering changes two tables without being a write of the user's, so the entry's own time to live must not
   * begin anew; an ordinal that lives too long is only a hole.
   */
  #moveTo(entry: number, name: NamedKey, ordinal: number): void {
    this.#entries.touch(entry);
    this.#setOrdinal(entry, ordinal);
    const place = upsertNumbered(this.#order, this.#context, ordinal);
    this.#order.setText(place, 0, name.bytes, 0, name.bytes.length);
  }

  putAll(entries: Iterable<readonly [K, V]>): void {
    for (const [key, value] of entries) this.put(key, value);
  }

  remove(key: K): void {
    const entry = this.#find(encodeMapKey(this.#name, key));
    if (entry < 0) return;
    const place = findNumbered(this.#order, this.#context, this.#ordinalOf(entry));
    if (place >= 0) this.#order.remove(place);
    this.#entries.remove(entry);
  }

  /** Texts of the keys there are, in order. */
  #texts(): readonly string[] {
    const texts: string[] = [];
    const range = findCurrent(this.#ranges, this.#context);
    if (range < 0) return texts;
    const next = this.#ranges.pages[range >>> PAGE_SHIFT].c0[range & PAGE_MASK];
    for (let ordinal = 0; ordinal < next; ordinal++) {
      const place = findNumbered(this.#order, this.#context, ordinal);
      if (place < 0) continue;
      const text = this.#order.getText(place, 0);
      const entry = this.#find(text);
      if (entry >= 0 && this.#ordinalOf(entry) === ordinal) texts.push(text);
    }
    return texts;
  }

  *entries(): Generator<[K, V]> {
    for (const text of this.#texts()) {
      const entry = this.#find(text);
      if (entry < 0) continue;
      yield [decodeMapKey(text) as K, this.#column.read(this.#entries, entry) as V];
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
    const range = findCurrent(this.#ranges, this.#context);
    if (range < 0) return;
    const next = this.#ranges.pages[range >>> PAGE_SHIFT].c0[range & PAGE_MASK];
    for (let ordinal = 0; ordinal < next; ordinal++) {
      const place = findNumbered(this.#order, this.#context, ordinal);
      if (place < 0) continue;
      const entry = this.#find(this.#order.getText(place, 0));
      if (entry >= 0) this.#entries.remove(entry);
      this.#order.remove(place);
    }
    this.#ranges.remove(range);
  }
}
