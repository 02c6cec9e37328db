/**
 * States of keys as users see them, over the tables that they are kept in: what a key has of a
 * state. Callers: readers of savepoints. Runs on: any thread; pure. Invariant: a value is what the handle of the state
 * gives to a function when the key is current.
 */
import { storedRowReader } from '../operator/stored-row-value.js';
import type { Schema } from '../record/schema.js';
import type { KeyTuple } from '../state/contract.js';
import { decodeMapKey } from '../state/map-key.js';
import type { MapStateKey } from '../state/state-handles.js';
import { keyText } from './key-types.js';
import type { CataloguedState } from './state-catalog.js';
import type { GroupRows, RowLayout } from './table-rows.js';

/** What a key has of a state. */
export interface ViewedEntry {
  readonly key: KeyTuple;
  /** What the entry is known by beside the key, such as the start of its window; nothing for states of functions. */
  readonly more: readonly unknown[];
  readonly value: unknown;
}

/** The tables of a state in one key group, by what they are of it. */
export type StateGroup = Readonly<Record<string, GroupRows>>;

/** What reading needs to know of the operator. */
export interface ViewContext {
  /** Key columns of the operator; null when it is not known, so that all are taken for those. */
  readonly keys: number | null;
  readonly rows: readonly (readonly Schema[])[];
}

/** A waiting timer. */
export interface ViewedTimer {
  readonly timeMs: number;
  /** Numbers by which it was registered beside its time. */
  readonly space: readonly number[];
}

const NO_GROUP: GroupRows = { layout: null, rows: [] };

/** The entries of a state in one key group; the rows of the tables are used up. */
export function viewState(
  { kind }: Pick<CataloguedState, 'kind'>,
  group: StateGroup,
  context: ViewContext,
): Iterable<ViewedEntry> {
  switch (kind) {
    case 'value':
      return singles(group['value'] ?? NO_GROUP);
    case 'list':
      return lists(group);
    case 'map':
      return maps(group, context);
    case 'timers':
      return timers(group, context);
    default:
      return entries(group['table'] ?? NO_GROUP, context);
  }
}

/** Booleans are bytes in tables. */
function plain(layout: RowLayout | null, value: unknown): unknown {
  return layout?.columns[0]?.form === 'u8' ? value === 1 : value;
}

function* singles({ layout, rows }: GroupRows): Generator<ViewedEntry> {
  for (const { key, values } of rows) {
    yield { key, more: [], value: plain(layout, values[0]) };
  }
}

/** Elements by key, in the order of their indices. */
function* lists(group: StateGroup): Generator<ViewedEntry> {
  const { layout, rows } = group['elements'] ?? NO_GROUP;
  const isChunked = group['ranges'] === undefined && layout?.columns[0]?.form === 'js';
  const found = new Map<string, { readonly key: KeyTuple; readonly items: Item[] }>();
  for (const { key, values } of rows) {
    const own = key.slice(0, -1);
    const text = keyText(own);
    const list = found.get(text) ?? { key: own, items: [] };
    found.set(text, list);
    list.items.push({ at: key.at(-1) as number, value: values[0] });
  }
  for (const { key, items } of found.values()) {
    const value = items
      .toSorted((a, b) => a.at - b.at)
      .flatMap((item) => (isChunked ? (item.value as unknown[]) : [plain(layout, item.value)]));
    yield { key, more: [], value };
  }
}

interface Item {
  readonly at: number;
  readonly value: unknown;
}

/** Maps in the order in which their keys were put. */
function* maps(group: StateGroup, { keys }: ViewContext): Generator<ViewedEntry> {
  const { layout, rows } = group['entries'] ?? NO_GROUP;
  const found = new Map<string, { readonly key: KeyTuple; readonly items: Item[] }>();
  for (const { key, values } of rows) {
    const own = key.slice(0, keys ?? -1);
    const text = keyText(own);
    const map = found.get(text) ?? { key: own, items: [] };
    found.set(text, map);
    const item = [decodeMapKey(key.at(-1) as string), plain(layout, values[0])];
    map.items.push({ at: values[1] as number, value: item });
  }
  for (const { key, items } of found.values()) {
    const pairs = items.toSorted((a, b) => a.at - b.at).map(({ value }) => value);
    yield { key, more: [], value: new Map(pairs as [MapStateKey, unknown][]) };
  }
}

/** One entry for each key, with its timers by time. A first timer whose time is no number was deleted. */
function* timers(group: StateGroup, { keys }: ViewContext): Generator<ViewedEntry> {
  const found = new Map<string, { readonly key: KeyTuple; readonly timers: ViewedTimer[] }>();
  const push = (key: KeyTuple, timer: ViewedTimer): void => {
    const text = keyText(key);
    const known = found.get(text) ?? { key, timers: [] };
    found.set(text, known);
    known.timers.push(timer);
  };
  for (const { key, values } of group['first']?.rows ?? []) {
    const timeMs = values[0] as number;
    if (!Number.isNaN(timeMs)) push(key, { timeMs, space: [] });
  }
  for (const { key } of group['more']?.rows ?? []) {
    const own = keys ?? key.length - 1;
    const space = key.slice(own, -1) as readonly number[];
    push(key.slice(0, own), { timeMs: key.at(-1) as number, space });
  }
  for (const { key, timers: waiting } of found.values()) {
    yield { key, more: [], value: waiting.toSorted((a, b) => a.timeMs - b.timeMs) };
  }
}

/** Columns that say where other entries of the table are, which a job makes anew when it is restored. */
function isLink({ name, form }: RowLayout['columns'][number]): boolean {
  return name.startsWith('$') && form === 'i32';
}

/** Entries of a table: the only column, or an object of all of them. */
function* entries({ layout, rows }: GroupRows, context: ViewContext): Generator<ViewedEntry> {
  const columns = layout?.columns ?? [];
  const sides = context.rows.map(storedRowReader);
  const record = (bytes: Uint8Array, column: string): unknown =>
    (sides[Number(column)] ?? sides[0])?.(bytes) ?? bytes;
  const shown = columns.flatMap((column, index) => (isLink(column) ? [] : [{ ...column, index }]));
  for (const { key, values } of rows) {
    const own = context.keys ?? key.length;
    const cells = shown.flatMap(({ name, form, index }): (readonly [string, unknown])[] => {
      const value = values[index];
      if (form !== 'rows') return [[name, value]];
      const records = (value as readonly Uint8Array[]).map((bytes) => record(bytes, name));
      return records.length === 0 ? [] : [[name, records]];
    });
    const [only] = cells;
    const isOne = columns.length === 1 && only?.[0] === 'value';
    const value = isOne ? only[1] : Object.fromEntries(cells);
    yield { key: key.slice(0, own), more: key.slice(own), value };
  }
}
