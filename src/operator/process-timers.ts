/**
 * Timers of a keyed process function: those of both clocks, with a queue over them. Most keys have one timer at a time,
 * so the first one of a key is a part of the entry that has the values of its states: whoever registers it again, or
 * moves it, has it at hand. Further ones, and those with numbers beside the time, are in a table by key and all that
 * tells them apart. Callers: `chain-process.ts`. Runs on: the slot's thread. Invariant: state says which timers exist,
 * so that what is snapshotted is what will fire; a timer is known by key, numbers beside the time, time and clock, and
 * exists once.
 */
import type { DataType } from '../record/schema.js';
import { PAGE_MASK, PAGE_SHIFT, type StateTable, type TableSpec } from '../state/contract.js';
import type { CurrentKey } from '../state/key-context.js';
import { KeyedTable } from '../state/keyed-table.js';
import type { KeyedStateStore } from '../state/keyed-state.js';
import type { SharedPart } from '../state/shared-entries.js';
import { stateColumn } from '../state/state-column.js';
import type { SnapshotScope, StateWriter } from '../state/state-writer.js';
import { loadTable, TableWriter } from '../state/table-snapshot.js';
import type { StateSource } from '../state/table-snapshot.js';
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
  readonly states: KeyedStateStore;
  /** Numbers beside the time. */
  readonly spaces: number;
  readonly openTable: (spec: TableSpec) => StateTable;
}

/** The timers of one clock. The queue knows those of `#first` by twice their entry, the others by one more. */
export class Timers {
  readonly #parts: TimersParts;
  readonly domain: TimeDomain;
  /** Null where numbers beside the time tell timers apart. One whose time is deleted waits to be dropped. */
  readonly #first: SharedPart | null;
  /** By key, numbers and time. */
  readonly #others: KeyedTable;
  readonly #queue = new TimerQueue();

  constructor(parts: TimersParts) {
    this.#parts = parts;
    this.domain = parts.domain;
    const { name, domain, spaces, states } = parts;
    const column = stateColumn(name, NUMBER);
    this.#first = spaces === 0 ? states.part(`${name}.${domain}.first`, column, true) : null;
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
    const numbers = Array.from({ length: spaces + 1 }, () => NUMBER);
    const keys = [...types, ...numbers];
    const spec = { name: `${name}.${domain}.more`, keys, columns: COLUMNS, ttlMs: null };
    this.#others.bind(openTable(spec), context, 'numbers', { numbers: spaces + 1 });
  }

  /** Whether the first timer of the current key is known to be at this time. */
  isFirst(timeMs: number): boolean {
    return this.#first?.holds(timeMs) === true;
  }

  /** Registers a timer of the current key, unless there is one. Throws OPTION_INVALID for what is no time. */
  register(timeMs: number, space: readonly number[]): void {
    this.#check(timeMs, space);
    if (this.#first !== null && this.#registerFirst(this.#first, timeMs)) return;
    const entry = this.#others.upsert(timeMs, space);
    if (!this.#others.created) return;
    this.#setOtherTime(entry, timeMs);
    this.#queue.add(timeMs, 2 * entry + 1);
  }

  /** False when the key has another timer already. */
  #registerFirst(first: SharedPart, timeMs: number): boolean {
    const others = this.#others;
    if (!others.isBound) others.upsert(timeMs, NO_SPACE);
    // What is among the others stays there, also when the first one has fired.
    if (others.table.entries > 0 && others.find(timeMs, NO_SPACE) >= 0) return true;
    const entry = first.upsert();
    const known = first.created ? DELETED : firstTime(first, entry);
    if (known === timeMs) return true;
    if (!Number.isNaN(known)) return false;
    first.column.load(first.table, entry, timeMs);
    this.#queue.add(timeMs, 2 * entry);
    return true;
  }

  /** Deletes a timer of the current key, if there is one. */
  delete(timeMs: number, space: readonly number[]): void {
    this.#check(timeMs, space);
    if (!this.#deleteFirst(timeMs)) {
      const entry = this.#others.find(timeMs, space);
      if (entry < 0) return;
      this.#remove(entry);
    }
    if (this.#queue.deleted()) this.#queue.compact((time, id) => this.#isAlive(time, id));
  }

  /** Its part stays until its place in the queue comes up: most who delete a timer then register another one. */
  #deleteFirst(timeMs: number): boolean {
    const first = this.#first;
    const entry = first?.find() ?? -1;
    if (first === null || entry < 0 || firstTime(first, entry) !== timeMs) return false;
    first.upsert();
    first.column.load(first.table, entry, DELETED);
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
    const entry = id >> 1;
    const { context, domain } = this.#parts;
    if (this.#first !== null && (id & 1) === 0) {
      this.#first.enter(entry);
      this.#first.remove(entry);
      return { timeMs, domain, space: NO_SPACE };
    }
    const { key, space } = this.#timer(entry);
    context.set(key);
    this.#remove(entry);
    return { timeMs, domain, space };
  }

  /** All timers, in no order. */
  all(): readonly WaitingTimer[] {
    const timers: WaitingTimer[] = [];
    const { domain } = this.#parts;
    this.#eachFirst((first, entry) => {
      const timeMs = firstTime(first, entry);
      if (Number.isNaN(timeMs)) return;
      timers.push({ key: first.table.keyOf(entry), space: NO_SPACE, timeMs, domain });
    });
    this.#eachOther((entry) => timers.push(this.#timer(entry)));
    return timers;
  }

  /** One of the others. */
  #timer(entry: number): WaitingTimer {
    const tuple = this.#others.table.keyOf(entry);
    const { spaces, domain } = this.#parts;
    const keys = tuple.length - spaces - 1;
    return {
      key: tuple.slice(0, keys),
      space: tuple.slice(keys, keys + spaces) as readonly number[],
      timeMs: tuple[keys + spaces] as number,
      domain,
    };
  }

  /** Freezes the timers that are no parts of shared entries; null when there can be none. */
  beginSnapshot(scope: SnapshotScope): StateWriter | null {
    if (!this.#others.isBound) return null;
    return new TableWriter(this.#parts.uid, this.#others.table, scope);
  }

  /** Brings the timers back; when the shared entries are. */
  restore(source: StateSource): void {
    if (!this.#others.isBound) return;
    const { table } = this.#others;
    loadTable(table, source.get(this.#parts.uid, table.spec.name));
    this.#queue.clear();
    this.#eachFirst((first, entry) => {
      const timeMs = firstTime(first, entry);
      if (Number.isNaN(timeMs)) first.remove(entry);
      else this.#queue.add(timeMs, 2 * entry);
    });
    this.#eachOther((entry) => this.#queue.add(this.#otherTime(entry), 2 * entry + 1));
  }

  close(): void {
    this.#queue.clear();
    if (this.#others.isBound) this.#others.table.clear();
  }

  #eachFirst(visit: (first: SharedPart, entry: number) => void): void {
    const first = this.#first;
    if (first === null || !first.isBound) return;
    eachEntry(first.table, (entry) => {
      if (first.has(entry)) visit(first, entry);
    });
  }

  #eachOther(visit: (entry: number) => void): void {
    if (this.#others.isBound) eachEntry(this.#others.table, visit);
  }

  #otherTime(entry: number): number {
    return this.#others.table.pages[entry >>> PAGE_SHIFT].c0[entry & PAGE_MASK];
  }

  #setOtherTime(entry: number, timeMs: number): void {
    const times: Float64Array = this.#others.table.pages[entry >>> PAGE_SHIFT].c0;
    times[entry & PAGE_MASK] = timeMs;
  }

  /** Removing clears the columns, so the time that says that there is no timer is set behind it. */
  #remove(entry: number): void {
    this.#others.table.remove(entry);
    this.#setOtherTime(entry, DELETED);
  }

  /**
   * An entry that was deleted may have become another timer's since; that one is in the queue by itself. A part whose
   * time is deleted is dropped with its place in the queue.
   */
  #isAlive(timeMs: number, id: number): boolean {
    const entry = id >> 1;
    const first = this.#first;
    if (first === null || (id & 1) === 1) return this.#otherTime(entry) === timeMs;
    if (!first.has(entry)) return false;
    const known = firstTime(first, entry);
    if (Number.isNaN(known)) first.remove(entry);
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
      // A function that registers the same timer with every record is told so before anything else is asked.
      register: (timeMs, extra) => {
        if (extra === undefined && timers.isFirst(timeMs)) return;
        timers.register(timeMs, extra === undefined ? NO_SPACE : [extra]);
      },
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

function firstTime({ column, table }: SharedPart, entry: number): number {
  return column.read(table, entry) as number;
}

function eachEntry(table: StateTable, visit: (entry: number) => void): void {
  for (let at = 0; at >= 0; table.makeRoom?.()) at = table.scan(at, SCAN_ENTRIES, visit);
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
