/**
 * The keyed states of one operator in one subtask: opens the tables behind the handles that user functions declare,
 * snapshots and restores them. Callers: operators with keyed user functions. Runs on: worker. Invariant: a name
 * stands for one state of one kind; declaring it again gives the same handle.
 */
import { MillraceError } from '../base/errors.js';
import type { DataType } from '../record/schema.js';
import type { StateTable, TableSpec } from './contract.js';
import type { CurrentKey } from './key-context.js';
import { type EntryLives, KeyedTable, type MoreKeys } from './keyed-table.js';
import { LastingListState, LIST_RANGE_COLUMNS, TableListState } from './list-state.js';
import {
  MAP_ORDER_COLUMNS,
  MAP_ORDINAL_COLUMN,
  MAP_RANGE_COLUMNS,
  TableMapState,
} from './map-state.js';
import { SharedEntries, SharedPart } from './shared-entries.js';
import type { EvolvingColumn } from './migrated-entries.js';
import { columnOfState, stateColumn, type StateColumn } from './state-column.js';
import { checkEvolution } from './state-evolution.js';
import type {
  AggregatingState,
  ListState,
  MapState,
  MapStateKey,
  ReducingState,
  StateAggregator,
  StateDescriptor,
  ValueState,
} from './state-handles.js';
import type { SnapshotScope, StateWriter } from './state-writer.js';
import type { StateSource } from './table-snapshot.js';
import { loadTable, TableWriter, wholeOf } from './table-snapshot.js';
import { type TimeToLive, timeToLive } from './time-to-live.js';
import {
  FoldedAggregatingState,
  FoldedReducingState,
  PartValueState,
  TableValueState,
} from './value-state.js';

/** What the states of an operator are made of. */
export interface KeyedStateOptions {
  readonly uid: string;
  readonly context: CurrentKey;
  readonly openTable: (spec: TableSpec) => StateTable;
  /** Event time of the record or timer at hand; fails where it has none. */
  readonly eventTimeMs: () => number;
}

const NUMBER: DataType = Object.freeze({ kind: 'number' });
const TEXT: DataType = Object.freeze({ kind: 'utf8' });

/** Entries looked at per batch and table for their time to live. */
const EXPIRE_ENTRIES = 64;

/** A handle, and the table that has an entry for each key with state. */
interface Made<H extends object> {
  readonly handle: H;
  readonly keys: KeyedTable | SharedPart;
}

/** What has one value of each key. */
interface Single {
  readonly keys: KeyedTable | SharedPart;
  readonly column: StateColumn;
}

/** A state as it was declared. */
export interface DeclaredState {
  readonly kind: 'value' | 'list' | 'map' | 'reducing' | 'aggregating';
  readonly descriptor: StateDescriptor;
}

interface Declared extends Made<object>, DeclaredState {}

/** A table of a state; opened when the types of the keys are known. */
interface DeclaredTable {
  readonly keyed: KeyedTable;
  readonly name: string;
  readonly more: MoreKeys;
  readonly columns: TableSpec['columns'];
  readonly ttl: TimeToLive | null;
  /** The state whose values are the first column; null where these are the engine's. */
  readonly evolving: EvolvingColumn | null;
}

const MORE_TYPES: Readonly<Record<MoreKeys, readonly DataType[]>> = {
  nothing: [],
  numbers: [NUMBER],
  text: [TEXT],
};

/** Declares and keeps the keyed states of an operator. */
export class KeyedStateStore {
  readonly #options: KeyedStateOptions;
  readonly #declared = new Map<string, Declared>();
  readonly #tables: DeclaredTable[] = [];
  readonly #shared: SharedEntries;
  #source: StateSource | null = null;
  #nowMs = 0;
  #watermarkMs = Number.NEGATIVE_INFINITY;
  #isLookedAt = false;

  constructor(options: KeyedStateOptions) {
    this.#options = options;
    this.#shared = new SharedEntries(options);
  }

  /** The value state of this name. */
  value<T>(descriptor: StateDescriptor): ValueState<T> {
    return this.#declare(descriptor, 'value', () => this.#newValue<T>(descriptor));
  }

  /** The list state of this name. */
  list<T>(descriptor: StateDescriptor): ListState<T> {
    return this.#declare<ListState<T>>(descriptor, 'list', () => {
      const evolving = this.#evolving(descriptor, descriptor.ttl === undefined);
      const { values: column } = evolving;
      const elements = this.#declareTable(
        descriptor,
        'elements',
        'numbers',
        [evolving.column],
        evolving,
      );
      if (descriptor.ttl === undefined) {
        const { keys, column: sizeColumn } = this.#newSize(descriptor);
        const parts = { size: keys, sizeColumn, elements, column };
        return { handle: new LastingListState<T>(parts), keys };
      }
      const ranges = this.#declareTable(descriptor, 'ranges', 'nothing', LIST_RANGE_COLUMNS);
      return { handle: new TableListState<T>(elements, ranges, column), keys: ranges };
    });
  }

  /** The map state of this name. */
  map<K extends MapStateKey, V>(descriptor: StateDescriptor): MapState<K, V> {
    return this.#declare(descriptor, 'map', () => {
      const evolving = this.#evolving(descriptor);
      const { values: column } = evolving;
      const columns = [evolving.column, MAP_ORDINAL_COLUMN];
      const tables = {
        entries: this.#declareTable(descriptor, 'entries', 'text', columns, evolving),
        order: this.#declareTable(descriptor, 'order', 'numbers', MAP_ORDER_COLUMNS),
        ranges: this.#declareTable(descriptor, 'ranges', 'nothing', MAP_RANGE_COLUMNS),
      };
      const handle = new TableMapState<K, V>(descriptor.name, tables, column);
      return { handle, keys: tables.ranges };
    });
  }

  /** The reducing state of this name; `reduce` folds a new value (right) into the kept one (left). */
  reducing<T>(descriptor: StateDescriptor, reduce: (left: T, right: T) => T): ReducingState<T> {
    return this.#declare(descriptor, 'reducing', () => {
      const { handle, keys } = this.#newValue<T>(descriptor);
      return { handle: new FoldedReducingState<T>(handle, reduce), keys };
    });
  }

  /** The aggregating state of this name; the descriptor's type is that of the accumulator. */
  aggregating<In, Acc, Out>(
    descriptor: StateDescriptor,
    aggregator: StateAggregator<In, Acc, Out>,
  ): AggregatingState<In, Out> {
    return this.#declare(descriptor, 'aggregating', () => {
      const { keys, column } = this.#newSingle(descriptor);
      return { handle: new FoldedAggregatingState(keys, column, aggregator), keys };
    });
  }

  #newValue<T>(descriptor: StateDescriptor): Made<ValueState<T>> {
    const { keys, column } = this.#newSingle(descriptor);
    const isPart = keys instanceof SharedPart;
    const handle = isPart ? new PartValueState<T>(keys) : new TableValueState<T>(keys, column);
    return { handle, keys };
  }

  /** What holds one value of each key: a part of the shared entries, or a table where its entries come and go alone. */
  #newSingle(descriptor: StateDescriptor): Single {
    const evolving = this.#evolving(descriptor);
    return this.#newEntry(descriptor, 'value', evolving.values, evolving);
  }

  /** The number of elements of a list. */
  #newSize(descriptor: StateDescriptor): Single {
    return this.#newEntry(descriptor, 'size', stateColumn(descriptor.name, NUMBER), null);
  }

  #newEntry(
    descriptor: StateDescriptor,
    name: string,
    column: StateColumn,
    evolving: EvolvingColumn | null,
  ): Single {
    const isShared = descriptor.ttl === undefined;
    const spec = { name: `${descriptor.name}.${name}`, column, evolving };
    const part = isShared ? this.#shared.part(spec) : null;
    if (part !== null) return { keys: part, column };
    const columns = [evolving?.column ?? columnOfState(column, undefined)];
    return { keys: this.#declareTable(descriptor, name, 'nothing', columns, evolving), column };
  }

  #evolving(
    descriptor: StateDescriptor,
    isChunked = false,
  ): EvolvingColumn & { readonly values: StateColumn } {
    checkEvolution(descriptor);
    const values = stateColumn(descriptor.name, descriptor.type);
    return {
      uid: this.#options.uid,
      state: descriptor,
      isChunked,
      column: columnOfState(values, descriptor.type),
      check: (value) => values.check(value),
      values,
    };
  }

  /** The table of the entries that have parts; null when there is none, or not yet. */
  get sharedTable(): StateTable | null {
    return this.#shared.table;
  }

  /**
   * A part of the entry that all have of a key; null once a key has been looked up. Entries with one that is pinned
   * keep their ids.
   */
  part(name: string, column: StateColumn, isPinned = false): SharedPart | null {
    return this.#shared.part({ name, column, isPinned });
  }

  #declare<H extends object>(
    descriptor: StateDescriptor,
    kind: DeclaredState['kind'],
    create: () => Made<H>,
  ): H {
    const { name } = descriptor;
    const known = this.#declared.get(name);
    if (known === undefined) {
      const made = create();
      this.#refuseOther({ kind, descriptor });
      this.#declared.set(name, { kind, descriptor, ...made });
      return made.handle;
    }
    if (known.kind === kind) return known.handle as H;
    throw new MillraceError(
      'OPTION_INVALID',
      `State ${JSON.stringify(name)} is declared as ${kind} state and as ${known.kind} state.`,
      {
        where: { uid: this.#options.uid },
        advice: 'Give every state of an operator its own name.',
      },
    );
  }

  /** Refuses what was written of a state when it was of another kind. */
  #refuseOther(state: DeclaredState): void {
    const source = this.#source;
    if (source === null) return;
    const { uid } = this.#options;
    const isThere = (table: string): boolean => {
      for (const _ of source.get(uid, table)) return true;
      return false;
    };
    const other = otherKindOfState(uid, state, isThere);
    if (other !== null) throw other;
  }

  /** The table that has an entry for each key with this state. Throws OPTION_INVALID for what is no state here. */
  keysOf(handle: unknown): KeyedTable | SharedPart {
    for (const declared of this.#declared.values()) {
      if (declared.handle === handle) return declared.keys;
    }
    throw new MillraceError('OPTION_INVALID', 'What was given is no keyed state of the operator.', {
      where: { uid: this.#options.uid },
      advice: 'Give a handle that context.state made in open, such as context.state.value(...).',
    });
  }

  #declareTable(
    descriptor: StateDescriptor,
    part: string,
    more: MoreKeys,
    columns: TableSpec['columns'],
    evolving: EvolvingColumn | null = null,
  ): KeyedTable {
    const { context } = this.#options;
    const { name, ttl } = descriptor;
    const what = `State ${JSON.stringify(name)}: time to live`;
    const declared: DeclaredTable = {
      keyed: new KeyedTable(context),
      name: `${name}.${part}`,
      more,
      columns,
      ttl: ttl === undefined ? null : timeToLive(ttl, what),
      evolving,
    };
    this.#tables.push(declared);
    if (context.types !== null) this.#open(declared, context.types);
    return declared.keyed;
  }

  /** Opens the tables of all states that were declared before the types of the keys were known. */
  bind(): void {
    const { types } = this.#options.context;
    if (types === null) return;
    this.#shared.open();
    for (const declared of this.#tables) {
      if (!declared.keyed.isBound) this.#open(declared, types);
    }
  }

  #open(declared: DeclaredTable, types: readonly DataType[]): void {
    const { keyed, name, more, columns, ttl } = declared;
    const keys = [...types, ...MORE_TYPES[more]];
    const ttlMs = ttl?.afterMs ?? null;
    const table = this.#options.openTable({ name, keys, columns, ttlMs, isEvictable: true });
    // What was written without a time to live begins to live now, or by event time when it is used next.
    table.stampMs = ttl?.isEventTime === true ? Number.NaN : this.#nowMs;
    table.nowMs = ttl === null ? this.#nowMs : this.#judgeMs(ttl);
    keyed.bind(table, this.#options.context, more, { lives: this.#livesOf(ttl) });
    if (this.#source !== null) this.#load(declared, this.#source);
  }

  #livesOf(ttl: TimeToLive | null): EntryLives {
    return {
      refreshesOnRead: ttl?.refreshesOnRead === true,
      useMs: ttl?.isEventTime === true ? () => this.#eventTimeMs() : null,
    };
  }

  #eventTimeMs(): number {
    return this.#isLookedAt ? Number.NEGATIVE_INFINITY : this.#options.eventTimeMs();
  }

  /** What reading judges times to live by. */
  #judgeMs(ttl: TimeToLive): number {
    return ttl.showsExpired ? Number.NEGATIVE_INFINITY : this.#clockOf(ttl);
  }

  #clockOf({ isEventTime }: TimeToLive): number {
    return isEventTime ? this.#watermarkMs : this.#nowMs;
  }

  #load({ keyed: { table }, evolving }: DeclaredTable, source: StateSource): void {
    const pieces = source.get(this.#options.uid, table.spec.name);
    loadTable(table, pieces, wholeOf(table), evolving);
  }

  /** The states declared so far. */
  get declarations(): readonly DeclaredState[] {
    return [...this.#declared.values()];
  }

  /** Their names. */
  get names(): readonly string[] {
    return [...this.#declared.keys()];
  }

  /** What a state holds of the current key: a value, an array or a Map; undefined for nothing. Counts as no use. */
  read(name: string): unknown {
    this.#isLookedAt = true;
    this.#stampAll();
    try {
      return contentOf(this.#declared.get(name));
    } finally {
      this.#isLookedAt = false;
      this.#stampAll();
    }
  }

  /** Says when uses by the wall clock happen; those of somebody who only looks never do. */
  #stampAll(): void {
    const stampMs = this.#isLookedAt ? Number.NEGATIVE_INFINITY : this.#nowMs;
    for (const { keyed, ttl } of this.#tables) {
      if (ttl !== null && !ttl.isEventTime && keyed.isBound) keyed.table.stampMs = stampMs;
    }
  }

  /** Sets the clocks of all states before a batch, and lets a few entries go that are past their time. */
  advanceTo(nowMs: number, watermarkMs: number): void {
    this.#nowMs = nowMs;
    this.#watermarkMs = watermarkMs;
    this.#stampAll();
    for (const { keyed, ttl } of this.#tables) {
      if (ttl === null || !keyed.isBound) continue;
      const { table } = keyed;
      table.nowMs = this.#judgeMs(ttl);
      table.expire?.(EXPIRE_ENTRIES, this.#clockOf(ttl));
    }
  }

  /** Freezes all states. */
  beginSnapshot(scope: SnapshotScope): readonly StateWriter[] {
    const { uid } = this.#options;
    const shared = this.#shared.beginSnapshot(scope);
    const tables = this.#opened().map((table) => new TableWriter(uid, table, scope));
    return shared === null ? tables : [shared, ...tables];
  }

  /** Fills the states, also those that are declared later. */
  restore(source: StateSource): void {
    this.#source = source;
    this.#shared.restore(source);
    for (const declared of this.#tables) if (declared.keyed.isBound) this.#load(declared, source);
  }

  /** Frees everything. */
  close(): void {
    this.#shared.close();
    for (const table of this.#opened()) table.clear();
  }

  #opened(): readonly StateTable[] {
    return this.#tables.filter(({ keyed }) => keyed.isBound).map(({ keyed }) => keyed.table);
  }
}

/** What writes a part of a state that others do not have. */
const WRITTEN_BY: Readonly<Record<string, string>> = {
  value: 'value state',
  entries: 'map state',
  size: 'list state without a time to live',
  elements: 'list state',
  ranges: 'list state with a time to live, or map state',
};

/** The parts that a state of a kind is written in. */
function partsOf({ kind, descriptor }: DeclaredState): readonly string[] {
  if (kind === 'list') return ['elements', descriptor.ttl === undefined ? 'size' : 'ranges'];
  return kind === 'map' ? ['entries', 'ranges'] : ['value'];
}

/** The error for a state of which tables are there that only one of another kind writes; null when there are none. */
export function otherKindOfState(
  uid: string,
  state: DeclaredState,
  isThere: (table: string) => boolean,
): MillraceError | null {
  const { name, ttl } = state.descriptor;
  const own = partsOf(state);
  const other = Object.keys(WRITTEN_BY).find(
    (part) => !own.includes(part) && isThere(`${name}.${part}`),
  );
  if (other === undefined) return null;
  const lives = `, ${ttl === undefined ? 'without' : 'with'} a time to live`;
  return new MillraceError(
    'STATE_INCOMPATIBLE',
    `State ${JSON.stringify(name)} was written as ${WRITTEN_BY[other]}, and is now declared as ` +
      `${state.kind} state${state.kind === 'list' ? lives : ''}.`,
    {
      where: { uid },
      advice: 'Give the state another name, with which it begins empty, or declare what it was.',
    },
  );
}

/** What a handle holds of the current key. */
function contentOf(declared: Declared | undefined): unknown {
  switch (declared?.kind) {
    case 'value':
      return (declared.handle as ValueState<unknown>).value();
    case 'list':
      return [...(declared.handle as ListState<unknown>).get()];
    case 'map':
      return new Map((declared.handle as MapState<MapStateKey, unknown>).entries());
    default:
      return (declared?.handle as ReducingState<unknown> | undefined)?.get();
  }
}
