/**
 * The reference model of a state table: a Map from the printed key to its values, and generations as copies. Used by
 * the contract suite and the property tests; slow and obvious on purpose.
 */
import { keyGroupOf } from '../../src/record/key-group.js';
import { expect } from 'vitest';
import type { DataType } from '../../src/record/schema.js';
import { SHORT_TEXT_BYTES_MAX, wordAt } from '../../src/record/short-text.js';
import type { StateTable, TableEntry, TableSpec } from '../../src/state/contract.js';
import { pushKeyArguments, tableKeyHash } from '../../src/state/table-key.js';
import { rowPlace } from '../../src/state/row-place.js';
import { columnPlace } from '../../src/state/table-shape.js';

export type Row = { readonly keyGroup: number; readonly key: readonly unknown[] } & {
  values: unknown[];
  stampMs: number;
};
export type Rows = Map<string, Row>;

/** Both clocks of a table. */
export function setClock(table: StateTable, nowMs: number): void {
  table.nowMs = nowMs;
  table.stampMs = nowMs;
}

/** A key as text, equal exactly when tables must take keys for equal. */
export function printKey(key: readonly unknown[]): string {
  return key.map(printValue).join('|');
}

function printValue(value: unknown): string {
  if (value instanceof Uint8Array) return `b${[...value].join(',')}`;
  if (value instanceof Date) return `d${value.getTime()}`;
  if (typeof value === 'number') return `n${value === 0 ? 0 : value}`;
  if (typeof value === 'string') return `s${JSON.stringify(value)}`;
  return `${typeof value}${String(value)}`;
}

/** What a snapshot should hold, for comparing: sorted by key. */
export function printRows(rows: Iterable<Row>, ttl: boolean): readonly string[] {
  return [...rows]
    .map(({ keyGroup, key, values, stampMs }) =>
      [keyGroup, printKey(key), JSON.stringify(values, jsonSafe), ttl ? stampMs : 0].join(' '),
    )
    .sort();
}

function jsonSafe(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value === undefined) return 'undefined';
  return Object.is(value, -0) ? '-0' : value;
}

/** Copies rows deeply enough that later changes do not reach the copy. */
export function copyRows(rows: Rows): Rows {
  return new Map(
    [...rows].map(([name, row]) => [name, { ...row, values: structuredClone(row.values) }]),
  );
}

/** Applies drained entries to what was known before, as restoring a base and its deltas does. */
export function applyEntries(rows: Rows, entries: readonly TableEntry[]): Rows {
  const result = copyRows(rows);
  for (const { keyGroup, key, values, stampMs } of entries) {
    const name = printKey(key);
    if (values === null) result.delete(name);
    else result.set(name, { keyGroup, key, values: structuredClone([...values]), stampMs });
  }
  return result;
}

type Lookup = (keyGroup: number, hash: number, ...key: unknown[]) => number;

/** A table addressed by keys as JavaScript values. */
export class TableDriver {
  readonly table: StateTable;
  readonly spec: TableSpec;
  readonly #keyGroups: number;
  /** Whether the last `upsert` created its entry. */
  created = false;
  #byWords = false;
  #upserts = 0;
  readonly #hashOf: (key: readonly unknown[]) => number;

  constructor(
    table: StateTable,
    keyGroups: number,
    hashOf: (key: readonly unknown[]) => number = (key) => tableKeyHash(table.spec.keys, key),
  ) {
    this.table = table;
    this.spec = table.spec;
    this.#keyGroups = keyGroups;
    this.#hashOf = hashOf;
  }

  keyGroupOf(key: readonly unknown[]): number {
    return keyGroupOf(this.#hashOf(key), this.#keyGroups);
  }

  /** In any of the ways that the table offers, in turn; all must come to the same. */
  upsert(key: readonly unknown[]): number {
    const written = this.#upserts++ % 3 === 0 ? this.findWritten(key) : -1;
    this.created = false;
    if (written >= 0) return written;
    const entry = this.#upsert(key);
    this.created = this.table.created;
    return entry;
  }

  /** The entry as it is found among those of other rows; -1 where the table has no such look-up. */
  findWritten(key: readonly unknown[]): number {
    const { findWritten } = this.table;
    const [, , value, division] = this.#arguments(key) as number[];
    if (findWritten === null || typeof value !== 'number') return -1;
    const found = new Int32Array(5).fill(-2);
    if (this.#upserts % 2 === 0) {
      const values = Float64Array.of(0, 0.5, value, Number.NaN, value);
      findWritten(values, null, 1, 4, found, division);
    } else {
      const rows = Int32Array.of(0, 1, 0, 1, 0);
      findWritten(Float64Array.of(value, 0.5), rows, 1, 4, found, division);
    }
    // Nothing but the places of the rows is written.
    expect([found[0], found[4]]).toEqual([-2, -2]);
    return found[2];
  }

  #upsert(key: readonly unknown[]): number {
    const [keyGroup, hash, bytes, start, end] = this.#arguments(key);
    const { upsertShort, findShort } = this.table;
    this.#byWords = !this.#byWords;
    if (upsertShort !== null && this.#byWords && bytes instanceof Uint8Array) {
      const [from, to] = [Number(start), Number(end)];
      if (to - from <= SHORT_TEXT_BYTES_MAX) {
        const [first, second, third] = [0, 4, 8].map((at) => wordAt(bytes, from + at, to));
        const args = [hash, to - from, first, second, third] as const;
        const written = findShort?.(...args) ?? -1;
        const entry = upsertShort(keyGroup, ...args);
        // What has been written in this generation is found without a change.
        if (written >= 0) expect([entry, this.table.created]).toEqual([written, false]);
        // Keys of one hash stand before each other.
        if (findShort !== null) expect([entry, -1]).toContain(findShort(...args));
        return entry;
      }
    }
    return (this.table.upsert as Lookup)(...this.#arguments(key));
  }

  find(key: readonly unknown[]): number {
    return (this.table.find as Lookup)(...this.#arguments(key));
  }

  #arguments(key: readonly unknown[]): [number, number, ...unknown[]] {
    const flat: unknown[] = [];
    this.spec.keys.forEach((type: DataType, index) => pushKeyArguments(flat, type, key[index]));
    return [this.keyGroupOf(key), this.#hashOf(key), ...flat];
  }

  /** Writes the values of an entry that are not undefined, as an operator would. */
  write(entry: number, values: readonly unknown[], pageShift: number): void {
    const page = this.table.pages[entry >>> pageShift] as Record<string, any>;
    this.spec.columns.forEach(({ form }, index) => {
      if (values[index] === undefined) return;
      if (form === 'js') this.table.setValue(entry, index, values[index]);
      else if (form === 'utf8') this.#writeText(entry, index, String(values[index]));
      else if (form === 'rows') this.#writeRows(entry, index, values[index] as Uint8Array[]);
      else {
        const { array, width, at } = columnPlace(this.spec, index);
        page[array][(entry & ((1 << pageShift) - 1)) * width + at] = values[index];
      }
    });
  }

  #writeText(entry: number, index: number, text: string): void {
    const bytes = new TextEncoder().encode(`<${text}>`);
    this.table.setText(entry, index, bytes, 1, bytes.length - 1);
  }

  /** Adds what is new to the rows that there are; what is no continuation of them replaces them. */
  #writeRows(entry: number, index: number, rows: readonly Uint8Array[]): void {
    const { table } = this;
    const known = this.#readRows(entry, index).length;
    if (rows.length <= known) table.dropRows(entry, index);
    for (const row of rows.slice(rows.length <= known ? 0 : known)) {
      const { chunk, offset } = rowPlace(table.addRow(entry, index, row.length));
      table.rows.chunks[chunk]?.set(row, offset);
    }
  }

  /** Copies of the rows, oldest first. Each begins with its length. */
  #readRows(entry: number, index: number): Uint8Array[] {
    const { table } = this;
    const rows: Uint8Array[] = [];
    for (let at = table.newestRow(entry, index); at !== 0; at = table.olderRow(at)) {
      const { chunk, offset } = rowPlace(at);
      const bytes = table.rows.chunks[chunk] ?? new Uint8Array(0);
      rows.push(bytes.slice(offset, offset + (bytes[offset] ?? 0)));
    }
    return rows.reverse();
  }

  /** The values of an entry. */
  read(entry: number, pageShift: number): unknown[] {
    const page = this.table.pages[entry >>> pageShift] as Record<string, any>;
    return this.spec.columns.map(({ form }, index) => {
      if (form === 'js') return this.table.getValue(entry, index);
      if (form === 'utf8') return this.table.getText(entry, index);
      if (form === 'rows') return this.#readRows(entry, index);
      const { array, width, at } = columnPlace(this.spec, index);
      return page[array][(entry & ((1 << pageShift) - 1)) * width + at];
    });
  }

  /** Everything the frozen generation gives, in slices of the size given. */
  drainAll(full: boolean, entriesMax: number): TableEntry[] {
    const entries: TableEntry[] = [];
    while (!this.table.drain(entriesMax, full, (entry) => entries.push(copyEntry(entry))));
    return entries;
  }
}

/** A copy that owns its values. */
export function copyEntry(entry: TableEntry): TableEntry {
  return { ...entry, values: entry.values === null ? null : structuredClone([...entry.values]) };
}
