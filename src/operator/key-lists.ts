/**
 * Tables whose entries are linked by key: panes and sessions, each with a second table that has an entry per key. At
 * restore the links are made anew. Callers: chain-panes.ts, chain-sessions.ts. Runs on: the slot's thread.
 */
import { assert } from '../base/assert.js';
import type { StateTable } from '../state/contract.js';
import { pushKeyArguments, tableKeyHash } from '../state/table-key.js';

/** Entries looked at in one go. */
const SCAN_ENTRIES = 4096;

/** A page of which only columns of numbers are used. */
export type Links = Record<string, Int32Array | Float64Array | Uint8Array>;

/** Calls `visit` for all entries of a table. */
export function eachEntry(table: StateTable, visit: (entry: number) => void): void {
  for (let at = 0; at >= 0; table.makeRoom?.()) at = table.scan(at, SCAN_ENTRIES, visit);
}

/** The entry, in a table of keys, of the key of an entry in a table whose keys begin with it. */
export function keyEntryOf(
  table: StateTable,
  entry: number,
  keys: StateTable,
  groupOf: (hash: number) => number,
): number {
  const types = keys.spec.keys;
  const tuple = table.keyOf(entry).slice(0, types.length);
  const hash = tableKeyHash(types, tuple);
  const flat: unknown[] = [];
  for (const [index, type] of types.entries()) pushKeyArguments(flat, type, tuple[index]);
  const key = keys.find(groupOf(hash), hash, ...(flat as never[]));
  assert(key >= 0, 'A key that has something has an entry.');
  return key;
}
