/**
 * Entries of states as JSON data, as commands print them and take them back. Callers: commands, comparisons. Runs on:
 * any thread; pure. Invariant: what is read of a printed entry is that entry.
 */
import type { DataType } from '../record/schema.js';
import { keyToJson } from './key-types.js';
import { isKeyed, type ReadKeyedStateOptions, type SavepointReader } from './savepoint-reader.js';
import { valueToJson } from './value-json.js';

/** An entry of any state: items of lists have neither key nor key group, those of broadcast maps have no key group. */
export interface AnyEntry {
  readonly keyGroup?: number;
  readonly key?: unknown;
  readonly more?: readonly unknown[];
  readonly value: unknown;
}

/** The same as JSON data. */
export type EntryJson = AnyEntry;

/** An entry as JSON data; `types` are those of the parts of its key. */
export function entryToJson(entry: AnyEntry, types: readonly DataType[]): EntryJson {
  const { keyGroup, key, more = [] } = entry;
  const value = valueToJson(entry.value);
  if (keyGroup === undefined) {
    return key === undefined ? { value } : { key: valueToJson(key), value };
  }
  const parts = types.length === 1 ? [key] : (key as readonly unknown[]);
  const shown = types.map((type, at) => keyToJson(type, parts[at]));
  return {
    keyGroup,
    key: types.length === 1 ? shown[0] : shown,
    ...(more.length === 0 ? {} : { more: more.map(valueToJson) }),
    value,
  };
}

/** The entries of a state of any kind. */
export function* entriesOf(
  reader: SavepointReader,
  uid: string,
  state: string,
  options: ReadKeyedStateOptions = {},
): Generator<AnyEntry> {
  const { kind } = reader.find(uid, state).state;
  if (isKeyed(kind)) yield* reader.readKeyedState(uid, state, options);
  else if (kind !== 'broadcast') {
    for (const value of reader.readListState(uid, state)) yield { value };
  } else {
    for (const [key, value] of reader.readBroadcastState(uid, state)) yield { key, value };
  }
}

/** The key that a text stands for: a key of one part is the text itself, so that nobody has to quote it twice. */
export function keyOfText(
  reader: SavepointReader,
  uid: string,
  state: string,
  text: string,
): unknown {
  const { operator, state: found } = reader.find(uid, state);
  if (reader.keyTypes(operator, found).length < 2) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
