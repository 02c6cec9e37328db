/**
 * States of one entry per key: value, reducing and aggregating state. Callers: keyed-state.ts. Runs on: worker.
 * Invariant: an entry exists exactly when there is a value.
 */
import type { SharedPart } from './shared-entries.js';
import type { KeyedTable } from './keyed-table.js';
import type { StateColumn } from './state-column.js';
import type {
  AggregatingState,
  ReducingState,
  StateAggregator,
  ValueState,
} from './state-handles.js';

/** The value of the current key, in a part of its entry. */
export class PartValueState<T> implements ValueState<T> {
  readonly #part: SharedPart;

  constructor(part: SharedPart) {
    this.#part = part;
  }

  value(): T | undefined {
    return this.#part.value() as T | undefined;
  }

  update(value: T | null | undefined): void {
    if (value === null || value === undefined) return this.clear();
    this.#part.update(value);
  }

  clear(): void {
    const entry = this.#part.find();
    if (entry >= 0) this.#part.remove(entry);
  }
}

/** The value of the current key, in an entry of its own. */
export class TableValueState<T> implements ValueState<T> {
  readonly #keyed: KeyedTable;
  readonly #column: StateColumn;

  constructor(keyed: KeyedTable, column: StateColumn) {
    this.#keyed = keyed;
    this.#column = column;
  }

  value(): T | undefined {
    const entry = this.#keyed.read();
    return entry < 0 ? undefined : (this.#column.read(this.#keyed.table, entry) as T);
  }

  update(value: T | null | undefined): void {
    if (value === null || value === undefined) return this.clear();
    // First, because the first look-up of all says where the column is.
    const entry = this.#keyed.upsert();
    this.#column.write(this.#keyed.table, entry, value);
  }

  clear(): void {
    const entry = this.#keyed.find();
    if (entry >= 0) this.#keyed.remove(entry);
  }
}

/** Folds values of one type into one of the same type. */
export class FoldedReducingState<T> implements ReducingState<T> {
  readonly #value: ValueState<T>;
  readonly #reduce: (left: T, right: T) => T;

  constructor(value: ValueState<T>, reduce: (left: T, right: T) => T) {
    this.#value = value;
    this.#reduce = reduce;
  }

  get(): T | undefined {
    return this.#value.value();
  }

  add(value: T): void {
    const before = this.#value.value();
    this.#value.update(before === undefined ? value : this.#reduce(before, value));
  }

  clear(): void {
    this.#value.clear();
  }
}

/** Folds values into an accumulator. */
export class FoldedAggregatingState<In, Acc, Out> implements AggregatingState<In, Out> {
  readonly #keyed: KeyedTable | SharedPart;
  readonly #column: StateColumn;
  readonly #aggregator: StateAggregator<In, Acc, Out>;

  constructor(
    keyed: KeyedTable | SharedPart,
    column: StateColumn,
    aggregator: StateAggregator<In, Acc, Out>,
  ) {
    this.#keyed = keyed;
    this.#column = column;
    this.#aggregator = aggregator;
  }

  get(): Out | undefined {
    const entry = this.#keyed.read();
    if (entry < 0) return undefined;
    return this.#aggregator.result(this.#column.read(this.#keyed.table, entry) as Acc);
  }

  /** The entry is upserted before the accumulator changes in place, so that a frozen one is kept as it was. */
  add(value: In): void {
    const entry = this.#keyed.upsert();
    const accumulator = this.#keyed.created
      ? this.#aggregator.create()
      : (this.#column.read(this.#keyed.table, entry) as Acc);
    const changed = this.#aggregator.add(accumulator, value);
    this.#column.write(this.#keyed.table, entry, changed === undefined ? accumulator : changed);
  }

  clear(): void {
    const entry = this.#keyed.find();
    if (entry >= 0) this.#keyed.remove(entry);
  }
}
