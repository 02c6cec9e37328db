/**
 * Timers of a keyed process function: those of both clocks, in state tables with a queue over them. Most keys have one
 * timer at a time, so the first one of a key lies in a table by key alone: whoever registers it again, or moves it,
 * finds it by one look at a table that is touched for this key only. Further ones, and those with numbers beside the
 * time, are in a table by key and all that tells them apart. Callers: `chain-process.ts`. Runs on: the slot's thread.
 * Invariant: the tables say which timers exist, so that what is snapshotted is what will fire; a timer is known by key,
 * numbers beside the time, time and clock, and exists once.
 */
import type { DataType } from '../record/schema.js';
import { PAGE_MASK, PAGE_SHIFT, type StateTable, type TableSpec } from '../state/contract.js';
import type { CurrentKey } from '../state/key-context.js';
import { KeyedTable } from '../state/keyed-table.js';
import { loadTable, snapshotTable } from '../state/table-snapshot.js';
import type { StateSink, StateSource } from '../state/table-snapshot.js';
import { MillraceError } from '../base/errors.js';
import { TimerQueue } from '../time/timer-queue.js';
import type { FiredTimer, TimeDomain, TimerService } from './process-function.js';

const NUMBER: DataType = Object.freeze({ kind: 'number' });
/** The time once more, beside the key, where it can be read and overwritten without unpacking a key. */
const COLUMNS: TableSpec['columns'] = Object.freeze([{ name: 'time', form: 'f64' }]);
/** What a deleted timer's time reads as, so that the queue knows it for dead. */
const DELETED = Number.NaN;
/** Entries looked at in one go when the queue is filled from the tables. */
const SCAN_ENTRIES = 4096;
const NO_SPACE: readonly number[] = Object.freeze([]);

/** A timer that waits, with its key. */
export interface WaitingTimer extends FiredTimer {
  readonly key: readonly unknown[];
}

/** What the timers of one clock are made of. */
export interface TimersParts {
  readonly uid: string;
  readonly name: string;
  readonly domain: TimeDomain;
  readonly context: CurrentKey;
  /** Numbers beside the time. */
  readonly spaces: number;
  readonly openTable: (spec: TableSpec) => StateTable;
}

/** The timers of one clock. The queue knows those of `#first` by twice their entry, the others by one more. */
export class Timers {
  readonly #parts: TimersParts;
  readonly domain: TimeDomain;
  /** By key; null where numbers beside the time tell timers apart. An entry without a time waits to be dropped. */
  readonly #first: KeyedTable | null;
  /** By key, numbers and time. */
  readonly #others: KeyedTable;
  readonly #queue = new TimerQueue();

  constructor(parts: TimersParts) {
    this.#parts = parts;
    this.domain = parts.domain;
    this.#first = parts.spaces === 0 ? new KeyedTable(parts.context) : null;
    this.#others = new KeyedTable(parts.context);
    this.bind();
  }

  /** Numbers beside the time. */
  get spaces(): number {
    return this.#parts.spaces;
  }

  /** Opens the tables, once the types of the keys are known; until then no key can have timers. */
  bind(): void {
    const { name, domain, context, spaces, openTable } = this.#parts;
    const { types } = context;
    if (types === null || this.#others.isBound) return;
    const open = (part: string, keys: readonly DataType[]): StateTable =>
      openTable({ name: `${name}.${domain}.${part}`, keys, columns: COLUMNS, ttlMs: null });
    this.#first?.bind(open('first', types), context, 'nothing');
    const numbers = Array.from({ length: spaces + 1 }, () => NUMBER);
    this.#others.bind(open('more', [...types, ...numbers]), context, 'numbers', spaces + 1);
  }

  /** Registers a timer of the current key, unless there is one. Throws OPTION_INVALID for what is no time. */
  register(timeMs: number, space: readonly number[]): void {
    this.#check(timeMs, space);
    if (this.#first !== null && this.#registerFirst(this.#first, timeMs)) return;
    const { table } = this.#others;
    const entry = this.#others.upsert(timeMs, space);
    if (!table.created) return;
    setTime(table, entry, timeMs);
    this.#queue.add(timeMs, 2 * entry + 1);
  }

  /** False when the key has another timer already. */
  #registerFirst(first: KeyedTable, timeMs: number): boolean {
    const others = this.#others;
    if (!others.isBound) others.upsert(timeMs, NO_SPACE);
    // What is among the others stays there, also when the first one has fired.
    if (others.table.entries > 0 && others.find(timeMs, NO_SPACE) >= 0) return true;
    const entry = first.upsert();
    const { table } = first;
    const known = table.created ? DELETED : timeOf(table, entry);
    if (known === timeMs) return true;
    if (!Number.isNaN(known)) return false;
    setTime(table, entry, timeMs);
    this.#queue.add(timeMs, 2 * entry);
    return true;
  }

  /** Deletes a timer of the current key, if there is one. */
  delete(timeMs: number, space: readonly number[]): void {
    this.#check(timeMs, space);
    if (!this.#deleteFirst(timeMs)) {
      const entry = this.#others.find(timeMs, space);
      if (entry < 0) return;
      remove(this.#others.table, entry);
    }
    if (this.#queue.deleted()) this.#queue.compact((time, id) => this.#isAlive(time, id));
  }

  /** The entry stays until its place in the queue comes up: most who delete a timer then register another one. */
  #deleteFirst(timeMs: number): boolean {
    const entry = this.#first?.find() ?? -1;
    if (this.#first === null || entry < 0) return false;
    const { table } = this.#first;
    if (timeOf(table, entry) !== timeMs) return false;
    table.touch(entry);
    setTime(table, entry, DELETED);
    return true;
  }

  #check(timeMs: number, space: readonly number[]): void {
    if (!Number.isSafeInteger(timeMs)) throw noTime(timeMs);
    if (space.length !== this.#parts.spaces) throw otherSpace(this.#parts, space);
  }

  /** Time of the first timer; `Infinity` when there is none. */
  firstTimeMs(): number {
    for (;;) {
      const timeMs = this.#queue.firstTimeMs;
      if (timeMs === Number.POSITIVE_INFINITY || this.#isAlive(timeMs, this.#queue.firstId)) {
        return timeMs;
      }
      this.#queue.pop();
      this.#queue.forgotten();
    }
  }

  /** Takes the first timer out and makes its key the current one; after `firstTimeMs` only. */
  take(): FiredTimer {
    const timeMs = this.#queue.firstTimeMs;
    const id = this.#queue.firstId;
    this.#queue.pop();
    const keyed = this.#keyedOf(id);
    const entry = id >> 1;
    const { spaces, domain } = this.#parts;
    const space = spaces === 0 ? NO_SPACE : this.#timer(keyed.table, entry).space;
    keyed.enter(entry);
    remove(keyed.table, entry);
    return { timeMs, domain, space };
  }

  /** All timers, in no order. */
  all(): readonly WaitingTimer[] {
    const timers: WaitingTimer[] = [];
    this.#eachEntry((table, entry) => {
      if (!Number.isNaN(timeOf(table, entry))) timers.push(this.#timer(table, entry));
    });
    return timers;
  }

  #timer(table: StateTable, entry: number): WaitingTimer {
    const tuple = table.keyOf(entry);
    const { spaces, domain, context } = this.#parts;
    const keys = context.types?.length ?? 0;
    return {
      key: tuple.slice(0, keys),
      space: tuple.slice(keys, keys + spaces) as readonly number[],
      timeMs: timeOf(table, entry),
      domain,
    };
  }

  snapshot(sink: StateSink): void {
    const { uid } = this.#parts;
    for (const { table } of this.#bound()) {
      const { name } = table.spec;
      snapshotTable(table, true, (keyGroup, bytes) => sink.put(uid, name, keyGroup, bytes));
    }
  }

  restore(source: StateSource): void {
    const { uid } = this.#parts;
    for (const { table } of this.#bound()) {
      for (const { bytes } of source.get(uid, table.spec.name)) loadTable(table, bytes);
    }
    this.#queue.clear();
    const last = this.#others.isBound ? this.#others.table : null;
    this.#eachEntry((table, entry) => {
      const timeMs = timeOf(table, entry);
      if (Number.isNaN(timeMs)) table.remove(entry);
      else this.#queue.add(timeMs, 2 * entry + (table === last ? 1 : 0));
    });
  }

  close(): void {
    this.#queue.clear();
    for (const { table } of this.#bound()) table.clear();
  }

  #bound(): readonly KeyedTable[] {
    if (!this.#others.isBound) return [];
    return this.#first === null ? [this.#others] : [this.#first, this.#others];
  }

  #eachEntry(visit: (table: StateTable, entry: number) => void): void {
    for (const { table } of this.#bound()) {
      for (let at = 0; at >= 0; ) {
        at = table.scan(at, SCAN_ENTRIES, (entry) => visit(table, entry));
      }
    }
  }

  #keyedOf(id: number): KeyedTable {
    return (id & 1) === 0 && this.#first !== null ? this.#first : this.#others;
  }

  /**
   * An entry that was deleted may have become another timer's since; that one is in the queue by itself. One without a
   * time is dropped with its place in the queue.
   */
  #isAlive(timeMs: number, id: number): boolean {
    const { table } = this.#keyedOf(id);
    const known = timeOf(table, id >> 1);
    if (Number.isNaN(known)) table.remove(id >> 1);
    return known === timeMs;
  }
}

/** What users call; without numbers beside the time no call makes an array for them. */
export function timerService(
  event: Timers,
  processing: Timers,
  clocks: Pick<TimerService, 'currentWatermark' | 'currentProcessingTime'>,
): TimerService {
  const callsOf = (timers: Timers): Record<'register' | 'delete', TimerCall> => {
    if (timers.spaces > 0) {
      return {
        register: (timeMs, ...space) => timers.register(timeMs, space),
        delete: (timeMs, ...space) => timers.delete(timeMs, space),
      };
    }
    return {
      register: (timeMs, extra) =>
        timers.register(timeMs, extra === undefined ? NO_SPACE : [extra]),
      delete: (timeMs, extra) => timers.delete(timeMs, extra === undefined ? NO_SPACE : [extra]),
    };
  };
  const onEvent = callsOf(event);
  const onProcessing = callsOf(processing);
  return {
    registerEventTime: onEvent.register,
    registerProcessingTime: onProcessing.register,
    deleteEventTime: onEvent.delete,
    deleteProcessingTime: onProcessing.delete,
    get currentWatermark() {
      return clocks.currentWatermark;
    },
    get currentProcessingTime() {
      return clocks.currentProcessingTime;
    },
  };
}

type TimerCall = (timeMs: number, ...space: number[]) => void;

function timeOf(table: StateTable, entry: number): number {
  return table.pages[entry >>> PAGE_SHIFT].c0[entry & PAGE_MASK];
}

function setTime(table: StateTable, entry: number, timeMs: number): void {
  const times: Float64Array = table.pages[entry >>> PAGE_SHIFT].c0;
  times[entry & PAGE_MASK] = timeMs;
}

/** Removing clears the columns, so the time that says that there is no timer is set behind it. */
function remove(table: StateTable, entry: number): void {
  table.remove(entry);
  setTime(table, entry, DELETED);
}

function noTime(timeMs: unknown): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    `A timer was registered at ${String(timeMs)}, which is no whole number of milliseconds.`,
    { advice: 'Give milliseconds since the epoch, such as context.timestamp + 60_000.' },
  );
}

function otherSpace({ name, spaces }: TimersParts, space: readonly number[]): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    `A timer of "${name}" is known by its time and ${spaces} numbers, ` +
      `but ${space.length} were given.`,
    { advice: 'Give as many numbers as the service was made with names, in their order.' },
  );
}
