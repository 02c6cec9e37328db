/**
 * The keyed states of one operator in one subtask: opens the tables behind the handles that user functions declare,
 * snapshots and restores them. Callers: operators with keyed user functions. Runs on: worker. Invariant: a name
 * stands for one state of one kind; declaring it again gives the same handle.
 */
import { MillraceError } from '../base/errors.js';
import type { DataType } from '../record/schema.js';
import type { StateTable, TableSpec } from './contract.js';
import type { KeyContext } from './key-context.js';
import { LIST_RANGE_COLUMNS, TableListState } from './list-state.js';
import {
  MAP_ORDER_COLUMNS,
  MAP_ORDINAL_COLUMN,
  MAP_RANGE_COLUMNS,
  TableMapState,
} from './map-state.js';
import { stateColumn } from './state-column.js';
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
import type { StateSink, StateSource } from './table-snapshot.js';
import { loadTable, snapshotTable } from './table-snapshot.js';
import { FoldedAggregatingState, FoldedReducingState, TableValueState } from './value-state.js';

/** What the states of an operator are made of. */
export interface KeyedStateOptions {
  readonly uid: string;
  readonly context: KeyContext;
  readonly openTable: (spec: TableSpec) => StateTable;
}

const NUMBER: DataType = Object.freeze({ kind: 'number' });
const TEXT: DataType = Object.freeze({ kind: 'utf8' });

/** Entries looked at per batch and table for their time to live. */
const EXPIRE_ENTRIES = 64;

interface Declared {
  readonly kind: string;
  readonly handle: object;
}

/** Declares and keeps the keyed states of an operator. */
export class KeyedStateStore {
  readonly #options: KeyedStateOptions;
  readonly #declared = new Map<string, Declared>();
  readonly #tables: StateTable[] = [];
  #source: StateSource | null = null;
  #nowMs = 0;

  constructor(options: KeyedStateOptions) {
    this.#options = options;
  }

  /** The value state of this name. */
  value<T>(descriptor: StateDescriptor): ValueState<T> {
    return this.#declare(descriptor, 'value', () => this.#newValue<T>(descriptor));
  }

  /** The list state of this name. */
  list<T>(descriptor: StateDescriptor): ListState<T> {
    return this.#declare(descriptor, 'list', () => {
      const column = stateColumn(descriptor.name, descriptor.type, 0);
      const elements = this.#open(
        descriptor,
        'elements',
        [NUMBER],
        [{ name: 'value', form: column.form }],
      );
      const ranges = this.#open(descriptor, 'ranges', [], LIST_RANGE_COLUMNS);
      return new TableListState<T>(elements, ranges, this.#options.context, column);
    });
  }

  /** The map state of this name. */
  map<K extends MapStateKey, V>(descriptor: StateDescriptor): MapState<K, V> {
    return this.#declare(descriptor, 'map', () => {
      const column = stateColumn(descriptor.name, descriptor.type, 0);
      const value = { name: 'value', form: column.form };
      const tables = {
        entries: this.#open(descriptor, 'entries', [TEXT], [value, MAP_ORDINAL_COLUMN]),
        order: this.#open(descriptor, 'order', [NUMBER], MAP_ORDER_COLUMNS),
        ranges: this.#open(descriptor, 'ranges', [], MAP_RANGE_COLUMNS),
      };
      return new TableMapState<K, V>(descriptor.name, tables, this.#options.context, column);
    });
  }

  /** The reducing state of this name; `reduce` folds a new value (right) into the kept one (left). */
  reducing<T>(descriptor: StateDescriptor, reduce: (left: T, right: T) => T): ReducingState<T> {
    return this.#declare(
      descriptor,
      'reducing',
      () => new FoldedReducingState<T>(this.#newValue<T>(descriptor), reduce),
    );
  }

  /** The aggregating state of this name; the descriptor's type is that of the accumulator. */
  aggregating<In, Acc, Out>(
    descriptor: StateDescriptor,
    aggregator: StateAggregator<In, Acc, Out>,
  ): AggregatingState<In, Out> {
    return this.#declare(descriptor, 'aggregating', () => {
      const column = stateColumn(descriptor.name, descriptor.type, 0);
      const table = this.#open(descriptor, 'value', [], [{ name: 'value', form: column.form }]);
      return new FoldedAggregatingState(table, this.#options.context, column, aggregator);
    });
  }

  #newValue<T>(descriptor: StateDescriptor): ValueState<T> {
    const column = stateColumn(descriptor.name, descriptor.type, 0);
    const table = this.#open(descriptor, 'value', [], [{ name: 'value', form: column.form }]);
    return new TableValueState<T>(table, this.#options.context, column);
  }

  #declare<H extends object>(descriptor: StateDescriptor, kind: string, create: () => H): H {
    const { name } = descriptor;
    const known = this.#declared.get(name);
    if (known === undefined) {
      const handle = create();
      this.#declared.set(name, { kind, handle });
      return handle;
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

  #open(
    descriptor: StateDescriptor,
    part: string,
    moreKeys: readonly DataType[],
    columns: TableSpec['columns'],
  ): StateTable {
    const table = this.#options.openTable({
      name: `${descriptor.name}.${part}`,
      keys: [...this.#options.context.types, ...moreKeys],
      columns,
      ttlMs: descriptor.ttlMs ?? null,
    });
    table.nowMs = this.#nowMs;
    this.#tables.push(table);
    if (this.#source !== null) this.#load(table, this.#source);
    return table;
  }

  #load(table: StateTable, source: StateSource): void {
    for (const { bytes } of source.get(this.#options.uid, table.spec.name)) loadTable(table, bytes);
  }

  /** Sets the clock of all states before a batch, and lets a few entries go that are past their time. */
  advanceTo(nowMs: number): void {
    this.#nowMs = nowMs;
    for (const table of this.#tables) {
      table.nowMs = nowMs;
      if (table.spec.ttlMs !== null) table.expire?.(EXPIRE_ENTRIES);
    }
  }

  /** Writes all states in full. */
  snapshot(sink: StateSink): void {
    for (const table of this.#tables) {
      snapshotTable(table, true, (keyGroup, bytes) => {
        sink.put(this.#options.uid, table.spec.name, keyGroup, bytes);
      });
    }
  }

  /** Fills the states, also those that are declared later. */
  restore(source: StateSource): void {
    this.#source = source;
    for (const table of this.#tables) this.#load(table, source);
  }

  /** Frees everything. */
  close(): void {
    for (const table of this.#tables) table.clear();
  }
}
