/**
 * State of an operator that belongs to no key: lists whose items are dealt among the subtasks, union lists of which
 * every subtask is given all items, and broadcast maps of which every subtask has a copy. Callers: operators with
 * such state. Runs on: worker. Invariant: at equal parallelism every subtask gets its own list back; restore plans
 * deal items with `dealListItems` when parallelism changes.
 */
import { MillraceError } from '../base/errors.js';
import { decodeMapKey, encodeMapKey } from './map-key.js';
import { ValuesColumn, ValuesReader } from './entry-block.js';
import { corruptPiece, PieceReader, PieceWriter } from './piece-bytes.js';
import type { ListState, MapState, MapStateKey } from './state-handles.js';
import type { Slice, StateSink, StateWriter } from './state-writer.js';
import type { StateSource } from './table-snapshot.js';

/** 'MLSO' */
const MAGIC = 0x4f534c4d;
const VERSION = 2;
/** The key group under which state without keys is kept. */
const NO_KEY_GROUP = -1;

/** What writing an item costs, in entries of a slice. */
const ITEM_COST = 4;

/** The kinds of state without keys. */
export type OperatorStateKind = 'list' | 'unionList' | 'broadcast';

/** A list of items. */
export class ItemsState<T> implements ListState<T> {
  #items: T[] = [];
  #writer: ItemsWriter | null = null;

  get(): readonly T[] {
    // What is given out may be changed in place.
    this.#writer?.complete();
    this.#writer = null;
    return this.#items;
  }

  /** Freezes the items: lists only grow, or become others, so that those of now stay where they are. */
  beginSnapshot(name: string, put: PutItems): StateWriter {
    this.#writer = new ItemsWriter(name, this.#items, put);
    return this.#writer;
  }

  add(value: T): void {
    this.#items.push(value);
  }

  addAll(values: Iterable<T>): void {
    for (const value of values) this.#items.push(value);
  }

  update(values: Iterable<T>): void {
    this.#items = [...values];
  }

  clear(): void {
    this.#items = [];
  }
}

/** A map of which every subtask has the same copy; user functions of the keyed side only read it. */
export class BroadcastState<K extends MapStateKey, V> implements MapState<K, V> {
  readonly #name: string;
  readonly #values = new Map<string, V>();
  readonly #mayWrite: () => boolean;

  constructor(name: string, mayWrite: () => boolean = () => true) {
    this.#name = name;
    this.#mayWrite = mayWrite;
  }

  get(key: K): V | undefined {
    return this.#values.get(encodeMapKey(this.#name, key));
  }

  put(key: K, value: V): void {
    if (!this.#mayWrite()) throw readOnly(this.#name);
    this.load(key, value);
  }

  /** Puts an entry of a snapshot. */
  load(key: K, value: V): void {
    this.#values.set(encodeMapKey(this.#name, key), value);
  }

  putAll(entries: Iterable<readonly [K, V]>): void {
    for (const [key, value] of entries) this.put(key, value);
  }

  remove(key: K): void {
    if (!this.#mayWrite()) throw readOnly(this.#name);
    this.#values.delete(encodeMapKey(this.#name, key));
  }

  contains(key: K): boolean {
    return this.#values.has(encodeMapKey(this.#name, key));
  }

  *entries(): Generator<[K, V]> {
    for (const [key, value] of this.#values) yield [decodeMapKey(key) as K, value];
  }

  *keys(): Generator<K> {
    for (const key of this.#values.keys()) yield decodeMapKey(key) as K;
  }

  values(): Iterable<V> {
    return this.#values.values();
  }

  isEmpty(): boolean {
    return this.#values.size === 0;
  }

  clear(): void {
    if (!this.#mayWrite()) throw readOnly(this.#name);
    this.#values.clear();
  }
}

type Declared =
  | { readonly kind: 'list' | 'unionList'; readonly state: ItemsState<unknown> }
  | { readonly kind: 'broadcast'; readonly state: BroadcastState<MapStateKey, unknown> };

/** The states without keys of one operator in one subtask. */
export class OperatorStateStore {
  readonly #uid: string;
  readonly #mayWriteBroadcast: () => boolean;
  readonly #declared = new Map<string, Declared>();
  #source: StateSource | null = null;

  /** `mayWriteBroadcast` tells whether all subtasks are at a place where they write broadcast state alike. */
  constructor(uid: string, mayWriteBroadcast: () => boolean = () => true) {
    this.#uid = uid;
    this.#mayWriteBroadcast = mayWriteBroadcast;
  }

  /** The list of this name, whose items are dealt evenly when parallelism changes. */
  list<T>(name: string): ListState<T> {
    return this.#declareList(name, 'list') as ItemsState<T>;
  }

  /** The list of this name, of which every subtask is given all items on restore. */
  unionList<T>(name: string): ListState<T> {
    return this.#declareList(name, 'unionList') as ItemsState<T>;
  }

  /** The broadcast map of this name. */
  broadcast<K extends MapStateKey, V>(name: string): BroadcastState<K, V> {
    const known = this.#known(name, 'broadcast');
    if (known?.kind === 'broadcast') return known.state as BroadcastState<K, V>;
    const state = new BroadcastState<K, V>(name, this.#mayWriteBroadcast);
    this.#add(name, {
      kind: 'broadcast',
      state: state as BroadcastState<MapStateKey, unknown>,
    });
    return state;
  }

  #declareList(name: string, kind: 'list' | 'unionList'): ItemsState<unknown> {
    const known = this.#known(name, kind);
    if (known !== null && known.kind !== 'broadcast') return known.state;
    const state = new ItemsState<unknown>();
    this.#add(name, { kind, state });
    return state;
  }

  #known(name: string, kind: OperatorStateKind): Declared | null {
    const known = this.#declared.get(name);
    if (known === undefined || known.kind === kind) return known ?? null;
    throw new MillraceError(
      'OPTION_INVALID',
      `Operator state ${JSON.stringify(name)} is declared as ${kind} and as ${known.kind}.`,
      { where: { uid: this.#uid }, advice: 'Give every state of an operator its own name.' },
    );
  }

  #add(name: string, declared: Declared): void {
    this.#declared.set(name, declared);
    if (this.#source !== null) this.#load(name, declared, this.#source);
  }

  #load(name: string, declared: Declared, source: StateSource): void {
    for (const { bytes } of source.get(this.#uid, pieceName(declared.kind, name))) {
      const items = readItems(bytes);
      if (declared.kind !== 'broadcast') declared.state.addAll(items);
      else {
        for (const [key, value] of items as readonly (readonly [MapStateKey, unknown])[]) {
          declared.state.load(key, value);
        }
      }
    }
  }

  /** Names of the states declared so far. */
  get names(): readonly string[] {
    return [...this.#declared.keys()];
  }

  /** What a state holds: an array, or a Map; undefined when there is none of that name. */
  read(name: string): unknown {
    const declared = this.#declared.get(name);
    if (declared === undefined) return undefined;
    return declared.kind === 'broadcast'
      ? new Map(declared.state.entries())
      : [...declared.state.get()];
  }

  /** Freezes all states; they are always written in full. Those that are broadcast are copied at once. */
  beginSnapshot(): readonly StateWriter[] {
    return [...this.#declared].map(([name, { kind, state }]) => {
      const put: PutItems = (sink, bytes) =>
        sink.put(this.#uid, pieceName(kind, name), NO_KEY_GROUP, bytes, false);
      if (kind !== 'broadcast') return state.beginSnapshot(name, put);
      const writer = new ItemsWriter(name, [...state.entries()], put);
      writer.complete();
      return writer;
    });
  }

  /** Fills the states, also those that are declared later. */
  restore(source: StateSource): void {
    this.#source = source;
    for (const [name, declared] of this.#declared) this.#load(name, declared, source);
  }
}

function readOnly(name: string): MillraceError {
  return new MillraceError(
    'STATE_READ_ONLY',
    `Broadcast state ${JSON.stringify(name)} is written by a call that not all subtasks make.`,
    {
      advice:
        'Write it in the call for records of the side that is broadcast, which all subtasks see; ' +
        'other calls only read it.',
    },
  );
}

const KINDS: readonly OperatorStateKind[] = ['list', 'unionList', 'broadcast'];

function pieceName(kind: OperatorStateKind, name: string): string {
  return `${kind}/${name}`;
}

/** What kind of state without keys a piece of this name holds; null when it holds something else. */
export function operatorStateKind(name: string): OperatorStateKind | null {
  return KINDS.find((kind) => name.startsWith(pieceName(kind, ''))) ?? null;
}

type PutItems = (sink: StateSink, bytes: Uint8Array) => void;

/** Writes the items of a list in slices. */
class ItemsWriter implements StateWriter {
  readonly #column: ValuesColumn;
  readonly #count: number;
  readonly #put: PutItems;
  #items: readonly unknown[];
  #at = 0;
  #isPut = false;

  constructor(name: string, items: readonly unknown[], put: PutItems) {
    this.#column = new ValuesColumn(name);
    this.#items = items;
    this.#count = items.length;
    this.#put = put;
  }

  step(sink: StateSink, slice: Slice): boolean {
    while (this.#at < this.#count && slice.left > 0) {
      this.#column.add(this.#items[this.#at++]);
      slice.left -= ITEM_COST;
    }
    if (this.#at < this.#count) return false;
    if (!this.#isPut) this.#put(sink, itemsPiece(this.#count, this.#column));
    this.#isPut = true;
    return true;
  }

  /** Writes the rest into memory. */
  complete(): void {
    while (this.#at < this.#count) this.#column.add(this.#items[this.#at++]);
  }

  confirm(): void {}

  abort(): void {
    this.#items = [];
    this.#at = this.#count;
    this.#isPut = true;
  }
}

function itemsPiece(count: number, column: ValuesColumn): Uint8Array {
  const values = column.take();
  const writer = new PieceWriter(values.length + 32);
  writer.uint32(MAGIC);
  writer.uint8(VERSION);
  writer.uint32(count);
  writer.bytes(values);
  return writer.seal();
}

/** Items as a piece. */
export function writeItems(items: readonly unknown[]): Uint8Array {
  const column = new ValuesColumn('items');
  for (const item of items) column.add(item);
  return itemsPiece(items.length, column);
}

/** The items of a piece. */
export function readItems(bytes: Uint8Array): readonly unknown[] {
  const reader = new PieceReader(bytes);
  if (reader.uint32() !== MAGIC) throw corruptPiece('It is no operator state.');
  const version = reader.uint8();
  if (version !== VERSION) throw corruptPiece(`Its version is ${version}, known is ${VERSION}.`);
  const count = reader.uint32();
  const values = new ValuesReader(reader.bytes());
  const items = Array.from({ length: count }, () => values.next());
  reader.finish();
  return items;
}

/**
 * Deals the items of a list state, one piece per old subtask, to `parallelism` new ones: concatenated and cut into
 * contiguous shares whose sizes differ by at most one, as Flink deals them.
 */
export function dealListItems(
  pieces: readonly Uint8Array[],
  parallelism: number,
): readonly Uint8Array[] {
  const items = pieces.flatMap(readItems);
  const share = Math.floor(items.length / parallelism);
  const larger = items.length % parallelism;
  let start = 0;
  return Array.from({ length: parallelism }, (_, subtask) => {
    const end = start + share + (subtask < larger ? 1 : 0);
    const piece = writeItems(items.slice(start, end));
    start = end;
    return piece;
  });
}
