/**
 * The state of one keyed operator of a chain: its tables, the schema of the records they were made for, and how
 * far the entries have been emitted. Callers: generated code and the chain task. Runs on: worker. Invariant: an
 * entry that was emitted at the end of input is gone from the table, so a snapshot taken in between emits each
 * key exactly once.
 */
import { assert } from '../base/assert.js';
import type { Clock } from '../base/clock.js';
import type { MillraceError } from '../base/errors.js';
import type { Batch } from '../record/batch.js';
import { type BinaryColumn, FixedColumn } from '../record/column.js';
import { fieldIndex, type Schema } from '../record/schema.js';
import { mergeSchemas } from '../record/schema-merge.js';
import type { StateTable, TableSpec } from '../state/contract.js';
import { layoutOf, layoutText, mergeSpecs, moveEntries } from '../state/table-layout.js';
import type { TableWriter } from '../state/table-snapshot.js';
import { PANE_FIELD } from './aggregate-fields.js';
import type { AggregatePlan } from './aggregate-tables.js';
import type { ChainErrors } from './chain-errors.js';
import type { TimedWindows } from './chain-aligned.js';
import { PaneRun } from './chain-panes.js';
import { PartialRun } from './chain-partial.js';
import { SessionRun } from './chain-sessions.js';
import { WindowRun } from './chain-window.js';
import type { SpillSpace } from './chain-options.js';
import type { KeyedOperator } from './operator-spec.js';
import { keptConflict, keptSchema, planKept } from './kept-schema.js';
import { withoutKey } from './operator-schema.js';
import { Overflow } from './overflow.js';
import { hasPanes } from './pre-aggregate.js';
import { RowLayouts } from './row-layouts.js';

/** Entries taken from a table at a time while they are emitted. */
const EMIT_ENTRIES = 256;

/** Share of its space from which on state is full: it grows with the keys that are there, too. */
const FULL_SHARE = 0.8;

/** Rows that a partial aggregation takes before it hands on: so many an entry counts, and those of another batch. */
const PARTIAL_ROWS_MAX = 2 ** 30;
/** Rows after which a partial aggregation of windows is judged. */
const JUDGED_ROWS = 4096;

/** Names of the tables that hold one entry per key. */
const MAIN_TABLES: Readonly<Record<KeyedOperator['kind'], string>> = {
  aggregate: 'accumulators',
  reduce: 'reduced',
  top: 'ranked',
  distinct: 'seen',
};

/** What a keyed operator needs from the task. */
export interface KeyedRunParts {
  readonly operator: number;
  readonly spec: KeyedOperator;
  readonly openTable: (uid: string, spec: TableSpec) => StateTable;
  readonly errors: ChainErrors;
  readonly clock: Clock;
  readonly countLate: (records: number) => void;
  readonly preAggregateKeysMax: number;
  /** Where it puts what its state does not hold; null for an operator that cannot. */
  readonly space: SpillSpace | null;
  /** The key group of the hash of a key. */
  readonly groupOf: (hash: number) => number;
}

/** A running keyed operator. */
export class KeyedRun {
  readonly operator: number;
  readonly spec: KeyedOperator;
  /** The windows whose results an aggregation gives; null without them. */
  readonly windows: TimedWindows | null;
  /** Merged schema of all records so far; null before the first. */
  input: Schema | null = null;
  /** What describes what is kept, of records before a restore too; null as long as nothing is. */
  kept: Schema | null = null;
  readonly tables = new Map<string, StateTable>();
  /** How rows are kept; null for operators that keep none. */
  readonly layouts: RowLayouts | null;
  /** What writes the tables for the newest snapshot. */
  writers: readonly TableWriter[] = [];
  /** Whether a partial aggregation has found that it does not pay, and passes rows on one by one. */
  passesThrough = false;
  /** Rows a partial aggregation has taken since it was last emptied. */
  rows = 0;
  /** Whether entries are to be emitted before the next row: a partial aggregation is full, a window fires again. */
  mustEmit = false;
  /** Entries being emitted: `ids` from `at` to `count`. */
  readonly ids = new Int32Array(EMIT_ENTRIES);
  at = 0;
  count = 0;
  /** End of the entries that this call may emit. */
  limit = 0;
  readonly keysMax: number;
  /** What its state does not hold; null as long as it holds everything. */
  overflow: Overflow | null = null;
  readonly #space: SpillSpace | null;
  #scan = 0;
  #entryOfCode = new Int32Array(64);
  #entryOfRow = new Int32Array(0);
  /** The dictionary whose codes are remembered, and how many of them. */
  #dictionary: object | null = null;
  #codesKnown = 0;
  readonly #numberOfCode: Float64Array[] = [];
  readonly #openTable: (uid: string, spec: TableSpec) => StateTable;
  readonly #errors: ChainErrors;
  #isRestored = false;

  constructor(parts: KeyedRunParts) {
    this.operator = parts.operator;
    this.spec = parts.spec;
    this.keysMax = parts.preAggregateKeysMax;
    this.#openTable = parts.openTable;
    this.#errors = parts.errors;
    this.#space = parts.space;
    this.windows = this.#windowRun(parts);
    this.layouts = parts.spec.kind === 'top' ? new RowLayouts() : null;
  }

  #windowRun({
    spec,
    operator,
    errors,
    clock,
    countLate,
    groupOf,
  }: KeyedRunParts): TimedWindows | null {
    if (spec.kind !== 'aggregate' || spec.window === null) return null;
    const parts = {
      spec: spec.window,
      taken: this,
      clock,
      countLate,
      timeMissing: () => errors.timestampMissing(operator, null, 'none'),
    };
    const { window } = spec;
    if (window.grid === undefined) return new SessionRun(parts, window, groupOf);
    if (this.isPartial) return new PartialRun(parts, window.grid, this.keysMax);
    if (hasPanes(spec)) return new PaneRun(parts, window.grid, groupOf);
    return new WindowRun(parts, window.grid);
  }

  /**
   * Whether the rows of a batch may be added while windows fire: what comes of them is what would have come of them
   * after all had been fired that is due at the newest watermark.
   */
  admits(batch: Batch, watermarkMs: number): boolean {
    const { spec, windows } = this;
    if (spec.kind !== 'aggregate' || windows === null || this.isPartial) return false;
    const { rows: count, selection: rows = null } = batch;
    const pane =
      spec.phase === 'merge' ? batch.columns[fieldIndex(batch.schema, PANE_FIELD)] : null;
    const values = pane instanceof FixedColumn ? pane.values : batch.times;
    return windows.admits({ values, count, rows, isLocal: pane !== null }, watermarkMs);
  }

  /** Whether the operator emits its entries rather than a row per record. */
  get emitsEntries(): boolean {
    return this.spec.kind !== 'distinct' && this.spec.emit === 'final';
  }

  /** Whether no row is handed on before the entries are emitted. */
  get emitsOnlyEntries(): boolean {
    return this.emitsEntries && !this.isPartial;
  }

  /** Whether a late record makes its window give a result at once. */
  get refires(): boolean {
    return this.windows !== null && this.windows.spec.allowedLatenessMs !== null;
  }

  /** Whether an entry is gone when it was emitted, so that a snapshot taken then does not emit it again. */
  get removesEmitted(): boolean {
    if (this.isPartial || this.clearsEmitted) return false;
    return this.windows === null || this.windows.removesEmitted;
  }

  /** Whether the tables are cleared as a whole behind the last entry instead, because no snapshot can come. */
  get clearsEmitted(): boolean {
    return this.#space !== null;
  }

  /** After the last entry has left. */
  endOfEntries(): void {
    if (this.isPartial) this.#endOfFlush();
    else if (this.clearsEmitted) this.#clearTables();
  }

  #clearTables(): void {
    for (const table of this.tables.values()) table.clear();
    this.#dictionary = null;
    this.#scan = 0;
  }

  /** Whether the entries are emitted because the input has ended, rather than because their windows are over. */
  get emitsAtEnd(): boolean {
    return this.emitsEntries && (this.windows === null || this.isPartial);
  }

  /** Whether this is a partial aggregation. */
  get isPartial(): boolean {
    return this.spec.kind === 'aggregate' && this.spec.phase === 'partial';
  }

  /**
   * Memory for the entry of each code of a dictionary, -1 where it is not known. Entries stay where they are while
   * rows of one batch are added, so within a call the look-up of a code is done once. Those of a partial
   * aggregation, which are in no snapshot, stay until it is emptied, and are remembered as long as the dictionary.
   */
  entryMemory({ dictionary, entries }: BinaryColumn): Int32Array {
    const known = dictionary !== null && dictionary === this.#dictionary ? this.#codesKnown : 0;
    if (this.#entryOfCode.length < entries) {
      const grown = new Int32Array(entries * 2);
      grown.set(this.#entryOfCode);
      this.#entryOfCode = grown;
    }
    if (known < entries) this.#entryOfCode.fill(-1, known, entries);
    this.#dictionary = this.isPartial ? dictionary : null;
    this.#codesKnown = Math.max(known, entries);
    return this.#entryOfCode;
  }

  /** Memory for the entry of each row of a batch, up to row `to`. */
  rowEntries(to: number): Int32Array {
    if (this.#entryOfRow.length < to) this.#entryOfRow = new Int32Array(to);
    return this.#entryOfRow;
  }

  /**
   * Memory for a number of the key beside each code, which means something where the entry is known. Asked for after
   * `entryMemory`.
   */
  numberMemory(index: number): Float64Array {
    const known = this.#numberOfCode[index];
    if (known !== undefined && known.length >= this.#entryOfCode.length) return known;
    const grown = new Float64Array(this.#entryOfCode.length);
    if (known !== undefined) grown.set(known);
    this.#numberOfCode[index] = grown;
    return grown;
  }

  /** Whether records of a schema are what the plans are made for. */
  knows(schema: Schema): boolean {
    return this.input !== null && mergeSchemas(this.input, schema) === this.input;
  }

  /** Takes the schema of the records to come; true when plans made for the one before are outdated. */
  adopt(input: Schema): boolean {
    const merged = this.input === null ? input : mergeSchemas(this.input, input);
    if (merged === this.input) return false;
    this.keep(keptSchema(this.spec, merged));
    this.input = merged;
    this.layouts?.adopt(withoutKey(merged));
    this.overflow?.layouts.adopt(merged);
    return true;
  }

  /** Has what is described by a schema kept, too. */
  keep(kept: Schema): void {
    const { kept: known, spec } = this;
    if (known === null) {
      this.kept = kept;
      return;
    }
    const conflict = keptConflict(spec, known, kept);
    if (conflict !== null) throw this.#conflict(conflict.was, conflict.is);
    this.kept = mergeSchemas(known, kept);
  }

  /** Goes on with what a snapshot describes. */
  restore(kept: Schema): void {
    this.#isRestored = true;
    // What an aggregation in one phase adds to what it keeps are records, which it has yet to see.
    if (this.spec.kind === 'aggregate') this.keep(kept);
    else this.adopt(kept);
  }

  #conflict(was: string, is: string): MillraceError {
    return this.#errors.stateConflict(this.operator, was, is, this.#isRestored);
  }

  /** The plan of an aggregation over all that it keeps. */
  plan(): AggregatePlan {
    const { spec, kept } = this;
    assert(spec.kind === 'aggregate' && kept !== null, 'An aggregation knows what it keeps.');
    return planKept(spec, kept);
  }

  /**
   * Looks whether its state is full, from when on records of other keys are put aside; true when code made before is
   * outdated by that. Records with event times are not put aside where they are handed on with them, since they would
   * come too late then.
   */
  overflows(hasTimes: boolean): boolean {
    const { input } = this;
    if (this.#space === null || input === null || (hasTimes && !this.emitsOnlyEntries))
      return false;
    let bytes = 0;
    for (const table of this.tables.values()) bytes += table.bytes;
    if (bytes < this.#space.budgetBytes * FULL_SHARE) return false;
    if (this.overflow !== null) {
      this.overflow.isFull = true;
      return false;
    }
    this.overflow = new Overflow(this.#space);
    this.overflow.layouts.adopt(input);
    return true;
  }

  /** Begins with the next partition of records that were put aside, with empty tables; false when there is none. */
  nextPartition(): boolean {
    if (this.overflow?.next() !== true) return false;
    this.#clearTables();
    return true;
  }

  /**
   * The table of a spec. One that exists already is replaced when it has keys or columns whose type was not known
   * until now; its entries move.
   */
  table(spec: TableSpec): StateTable {
    const known = this.tables.get(spec.name);
    if (known === undefined) return this.#open(spec);
    const [was, is] = [known.spec, spec].map((each) => layoutText(layoutOf(each)));
    if (was === is) return known;
    const merged = mergeSpecs(known.spec, spec);
    if (merged === null) throw this.#conflict(was, is);
    if (layoutText(layoutOf(merged)) === was) return known;
    assert(
      this.at >= this.count && this.#scan === 0,
      'No entries are on their way out of the table.',
    );
    // The snapshot under way is of the table as it was.
    for (const writer of this.writers) writer.complete();
    const table = this.#open(merged);
    moveEntries(known, table);
    this.windows?.moved(known, table);
    return table;
  }

  #open(spec: TableSpec): StateTable {
    const { spec: operator, windows } = this;
    // What goes to disk as records need not go there as entries too.
    const isEvictable = !this.isPartial && this.#space === null;
    const isLinked = windows instanceof PaneRun || windows instanceof SessionRun;
    const isOwned = isLinked && spec.name === MAIN_TABLES[operator.kind];
    const table = this.#openTable(operator.uid, {
      ...spec,
      isEvictable,
      // Behind the keys of the operator there is the window that an entry is of.
      ...(windows instanceof WindowRun ? { groupKey: operator.keys.length } : {}),
      ...(isOwned ? { ownerKeys: operator.keys.length } : {}),
    });
    this.tables.set(spec.name, table);
    return table;
  }

  /** Has the windows keep lists of the entries of all tables of a plan. */
  linkWindows({ keys, table, window, panes, sessions, aggregates }: AggregatePlan): void {
    if (this.windows === null || window === null || this.isPartial) return;
    if (this.windows instanceof PaneRun) {
      assert(panes !== null, 'Windows of panes are planned with them.');
      this.windows.bind(this.table(table), this.table(panes.keys), panes.columns);
      return;
    }
    if (this.windows instanceof SessionRun) {
      assert(sessions !== null, 'Sessions are planned as such.');
      this.windows.bind(this.table(table), this.table(sessions.keys), sessions.columns);
      return;
    }
    assert(this.windows instanceof WindowRun, 'Windows are made of panes or are entries.');
    this.windows.link(this.table(table), window.next, keys.length);
    for (const { distinct } of aggregates) {
      if (distinct !== null) this.windows.link(this.table(distinct), 0, keys.length);
    }
  }

  /** The table whose entries are emitted. */
  mainTable(): StateTable {
    const table = this.tables.get(MAIN_TABLES[this.spec.kind]);
    assert(table !== undefined, 'A keyed operator that has seen records has a table.');
    return table;
  }

  /** Whether there are entries to emit. */
  get hasEntries(): boolean {
    const table = this.tables.get(MAIN_TABLES[this.spec.kind]);
    return this.at < this.count || (table !== undefined && table.entries > 0);
  }

  /** Takes the next entries into `ids`; false when all have been taken, and the pass is over. */
  fill(): boolean {
    // Entries of windows are taken when their window is over.
    if (this.windows !== null && !this.isPartial) return this.windows.takeRefired();
    const table = this.mainTable();
    table.makeRoom?.();
    const { ids } = this;
    this.at = 0;
    this.count = 0;
    while (this.count === 0 && this.#scan >= 0) {
      this.#scan = table.scan(this.#scan, ids.length, (entry) => {
        ids[this.count++] = entry;
      });
    }
    if (this.count > 0) return true;
    this.#scan = 0;
    return false;
  }

  /** Whether a partial aggregation has entries to hand on before a watermark, or before what follows it is idle. */
  isDue(watermarkMs: number, isIdle: boolean): boolean {
    if (!this.isPartial || !this.hasEntries) return false;
    if (isIdle || this.at < this.count || this.#scan > 0) return true;
    return !(this.windows instanceof PartialRun) || this.windows.isDue(watermarkMs);
  }

  /** Whether entries are to be emitted before more rows come. */
  get isFull(): boolean {
    return this.mustEmit || this.rows >= PARTIAL_ROWS_MAX;
  }

  /** Of a partial aggregation: judges whether it pays, and starts anew. */
  #endOfFlush(): void {
    const table = this.mainTable();
    // Panes are handed on when they are over, mostly long before there is no room for more of them.
    const isJudged = this.mustEmit || (this.windows !== null && this.rows >= JUDGED_ROWS);
    // Without a key there is one entry for each window, however many rows.
    const isKeyed = this.spec.kind !== 'aggregate' || this.spec.keys.length > 0;
    const pays = table.entries <= this.rows * this.#sharePaid;
    if (isJudged && isKeyed && !pays) this.passesThrough = true;
    table.empty();
    if (this.windows instanceof PartialRun) this.windows.emptied();
    this.#dictionary = null;
    this.rows = 0;
  }

  /** The share of keys among rows up to which a partial aggregation pays. */
  get #sharePaid(): number {
    const { spec, windows } = this;
    if (windows === null || spec.kind !== 'aggregate') return 0.5;
    if (hasPanes({ ...spec, phase: 'merge' })) return 0.5;
    assert(windows.spec.grid !== undefined, 'Sessions have no partial phase.');
    const { sizeMs, slideMs } = windows.spec.grid;
    // A row that is handed on alone is added once for each of its windows, behind the exchange.
    return Math.max(0.5, 1 - slideMs / sizeMs);
  }

  /** Frees the tables. */
  close(): void {
    this.windows?.close();
    for (const table of this.tables.values()) table.clear();
    this.tables.clear();
    this.overflow?.close();
  }
}
