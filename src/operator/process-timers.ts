/**
 * Timers of a keyed process function: those of both clocks, in state tables with a queue over each. Callers:
 * `chain-process.ts`. Runs on: the slot's thread. Invariant: the table says which timers exist, so that what is
 * snapshotted is what will fire; a timer is known by key, numbers beside the time, time and clock, and exists once.
 */
import type { DataType } from '../record/schema.js';
import { PAGE_MASK, PAGE_SHIFT, type StateTable, type TableSpec } from '../state/contract.js';
import type { KeyContext } from '../state/key-context.js';
import { KeyedTable } from '../state/keyed-table.js';
import { loadTable, snapshotTable } from '../state/table-snapshot.js';
import type { StateSink, StateSource } from '../state/table-snapshot.js';
import { MillraceError } from '../base/errors.js';
import { TimerQueue } from '../time/timer-queue.js';
import type { FiredTimer, TimeDomain } from './process-function.js';

const NUMBER: DataType = Object.freeze({ kind: 'number' });
/** The time once more, beside the key, where it can be read and overwritten without unpacking a key. */
const COLUMNS: TableSpec['columns'] = Object.freeze([{ name: 'time', form: 'f64' }]);
/** What a deleted timer's time reads as, so that the queue knows it for dead. */
const DELETED = Number.NaN;
/** Entries looked at in one go when the queue is filled from the table. */
const SCAN_ENTRIES = 4096;

/** A timer that has come up, with its key. */
export interface DueTimer extends FiredTimer {
  readonly key: readonly unknown[];
}

/** What the timers of one clock are made of. */
export interface TimersParts {
  readonly uid: string;
  readonly name: string;
  readonly domain: TimeDomain;
  readonly context: KeyContext;
  /** Numbers beside the time. */
  readonly spaces: number;
  readonly openTable: (spec: TableSpec) => StateTable;
}

/** The timers of one clock. */
export class Timers {
  readonly #parts: TimersParts;
  readonly domain: TimeDomain;
  readonly #keyed: KeyedTable;
  readonly #queue = new TimerQueue();
  #table: StateTable | null = null;

  constructor(parts: TimersParts) {
    this.#parts = parts;
    this.domain = parts.domain;
    this.#keyed = new KeyedTable(parts.context);
    this.bind();
  }

  /** Opens the table, once the types of the keys are known; until then no key can have timers. */
  bind(): void {
    const { name, domain, context, spaces, openTable } = this.#parts;
    const { types } = context;
    if (types === null || this.#table !== null) return;
    const numbers = Array.from({ length: spaces + 1 }, () => NUMBER);
    this.#table = openTable({
      name: `${name}.${domain}`,
      keys: [...types, ...numbers],
      columns: COLUMNS,
      ttlMs: null,
    });
    this.#keyed.bind(this.#table, context, 'numbers', spaces + 1);
  }

  /** Registers a timer of the current key, unless there is one. Throws OPTION_INVALID for what is no time. */
  register(timeMs: number, space: readonly number[]): void {
    this.#check(timeMs, space);
    const entry = this.#keyed.upsert(timeMs, space);
    if (!this.#keyed.table.created) return;
    this.#times(entry)[entry & PAGE_MASK] = timeMs;
    this.#queue.add(timeMs, entry);
  }

  /** Deletes a timer of the current key, if there is one. */
  delete(timeMs: number, space: readonly number[]): void {
    this.#check(timeMs, space);
    const entry = this.#keyed.find(timeMs, space);
    if (entry < 0) return;
    this.#remove(entry);
    if (this.#queue.deleted()) this.#queue.compact((time, id) => this.#isAlive(time, id));
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

  /** Takes the first timer out; after `firstTimeMs` only. */
  take(): DueTimer {
    const entry = this.#queue.firstId;
    this.#queue.pop();
    const timer = this.#timer(entry);
    this.#remove(entry);
    return timer;
  }

  /** All timers, in no order. */
  all(): readonly DueTimer[] {
    const timers: DueTimer[] = [];
    for (let at = 0; at >= 0; ) {
      at = this.#keyed.table.scan(at, SCAN_ENTRIES, (entry) => {
        timers.push(this.#timer(entry));
      });
    }
    return timers;
  }

  #timer(entry: number): DueTimer {
    const tuple = this.#keyed.table.keyOf(entry);
    const { spaces, domain } = this.#parts;
    const keys = tuple.length - spaces - 1;
    return {
      key: tuple.slice(0, keys),
      space: tuple.slice(keys, keys + spaces) as readonly number[],
      timeMs: tuple[keys + spaces] as number,
      domain,
    };
  }

  snapshot(sink: StateSink): void {
    const table = this.#table;
    if (table === null) return;
    const { uid } = this.#parts;
    const { name } = table.spec;
    snapshotTable(table, true, (keyGroup, bytes) => sink.put(uid, name, keyGroup, bytes));
  }

  restore(source: StateSource): void {
    const table = this.#table;
    if (table === null) return;
    const { uid } = this.#parts;
    const { name } = table.spec;
    for (const { bytes } of source.get(uid, name)) loadTable(table, bytes);
    this.#queue.clear();
    for (let at = 0; at >= 0; ) {
      at = table.scan(at, SCAN_ENTRIES, (entry) => {
        this.#queue.add(this.#timeOf(entry), entry);
      });
    }
  }

  close(): void {
    this.#queue.clear();
    this.#table?.clear();
  }

  #remove(entry: number): void {
    const { table } = this.#keyed;
    table.touch(entry);
    this.#times(entry)[entry & PAGE_MASK] = DELETED;
    table.remove(entry);
  }

  #timeOf(entry: number): number {
    return this.#times(entry)[entry & PAGE_MASK];
  }

  #times(entry: number): Float64Array {
    return this.#keyed.table.pages[entry >>> PAGE_SHIFT].c0;
  }

  /** An entry that was deleted may have become another timer's since; that one is in the queue by itself. */
  #isAlive(timeMs: number, entry: number): boolean {
    return this.#timeOf(entry) === timeMs;
  }
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
