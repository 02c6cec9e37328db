/**
 * The contract of keyed state tables: what generated loops call per record and what snapshots read. One table
 * belongs to one state of one subtask and lives on one thread. Entries are addressed by stable ids; their fixed
 * columns are plain typed arrays in pages, so that generated code reads and writes accumulators in place:
 *
 *   const e = table.upsert(keyGroup, hash, ...key);            // stamps the generation, preserves if frozen
 *   const page = table.pages[e >>> PAGE_SHIFT], o = e & PAGE_MASK;
 *   page.c0[o] += value;
 *
 * Keys are flattened into arguments: one number per column of form f64, f32, i32, u32, u8; one bigint per i64;
 * three arguments (bytes, start, end) per utf8 or bytes column. Keys are equal by value (-0 = 0, NaN = NaN).
 * Callers: the chain compiler, typed state handles, snapshots. Runs on: worker.
 */
import type { FixedArray } from '../record/column.js';
import type { DataType } from '../record/schema.js';

/** Entries per page, as shift and mask. */
export const PAGE_SHIFT = 12;
export const PAGE_MASK = (1 << PAGE_SHIFT) - 1;

/**
 * Form of a value column: fixed forms live in typed arrays, `utf8` as bytes, `js` as heap values, `rows` as a list of
 * encoded rows whose bytes only their owner understands. `none` is a column whose type is not known yet; it takes no
 * memory and is neither read nor written.
 */
export type ValueForm = 'f64' | 'i32' | 'u8' | 'i64' | 'utf8' | 'js' | 'rows' | 'none';

/** A value column. */
export interface TableColumn {
  readonly name: string;
  readonly form: ValueForm;
  /** Of a state whose type is declared: what snapshots tell it by when the declaration changes. */
  readonly type?: DataType;
}

/** The layout of a table. */
export interface TableSpec {
  /** Unique within the operator. */
  readonly name: string;
  readonly keys: readonly DataType[];
  readonly columns: readonly TableColumn[];
  /** Time to live of an entry since its last write, in ms; null for ever. */
  readonly ttlMs: number | null;
  /**
   * Whether the fixed columns of an entry lie side by side, because all of them are touched together. They are then
   * reached by `columnCode` of `table-shape.ts` only.
   */
  readonly isPacked?: boolean;
  /**
   * Whether the last key, a number that is the same for many keys in a row, divides the table: it has an index of its
   * own for each value. Hashes that a divided table is given are of the other keys only. One that may leave memory is
   * never divided, as its specification tells then.
   */
  readonly isDivided?: boolean;
  /** Whether nobody keeps ids of its entries from one batch to the next, so that in between they may leave memory. */
  readonly isEvictable?: boolean;
  /**
   * Which of the keys, a number, `scan` is asked for one value of, as windows are for what is theirs: entries that have
   * left memory are beside each other by it.
   */
  readonly groupKey?: number;
  /** How many of the keys, the first ones, are those of another table whose entries these belong to. */
  readonly ownerKeys?: number;
  /** Bits of the last column, a number: entries that have one of them stay in memory. */
  readonly pinnedBits?: number;
}

/**
 * A page of entries: arrays `c0`, `c1`, … of the value columns and `k0`, `k1`, … of the fixed key columns. Columns of
 * packed tables share one array per form instead: `f64`, `i64`, `i32`, `u8`, all over the same memory.
 */
export type TablePage = Readonly<
  Record<string, Float64Array & Int32Array & Uint8Array & unknown[]>
>;

/** A key as JavaScript values, for everything that is not per record. */
export type KeyTuple = readonly unknown[];

/**
 * Where the bytes of `rows` columns are. A position is that of a row in its table; `row-place.ts` tells the chunk and
 * the offset that it stands for. Good until a row is added or removed.
 */
export interface RowMemory {
  readonly chunks: readonly Uint8Array[];
  /** The same memory, for numbers. */
  readonly views: readonly DataView[];
}

/** The entries of a table that have a number in one of their key columns. */
export interface WantedKey {
  /** Which of the keys it is. */
  readonly key: number;
  readonly value: number;
}

/** The frozen or live content of one entry, for snapshots and iteration. */
export interface TableEntry {
  readonly keyGroup: number;
  readonly key: KeyTuple;
  /** Values of the columns in order, of `rows` the bytes of each, oldest first; null when the entry is a tombstone. */
  readonly values: readonly unknown[] | null;
  /** Time of the last write in ms for TTL; 0 when the table has none. */
  readonly stampMs: number;
}

/** Which columns of a table a piece of a snapshot has. */
export interface Projection {
  /** The table that the piece is of, to those who read it; keys are those of the table. */
  readonly spec: TableSpec;
  /** By column of `spec`: the column of the table that it is. */
  readonly columns: readonly number[];
  /** A bit that is set in the last column of the table for entries that have these columns; 0: none. */
  readonly bit: number;
}

/** Entries by column, in the form in which tables hold them; `entry-block.ts` makes them. */
export interface EntryColumns {
  readonly rows: number;
  readonly columns: Readonly<Record<string, unknown>>;
}

/** Entries by column, to which generated code adds. */
export interface GrowingColumns extends EntryColumns {
  rows: number;
  /** Makes room for so many more. */
  reserve(rows: number): void;
}

/** Generated code that adds entries of a page to columns: those at `os[from]` to `os[to - 1]`. */
export interface AppendCode {
  append(
    entries: GrowingColumns,
    page: TablePage,
    os: Int32Array,
    from: number,
    to: number,
    stamps: Float64Array,
  ): void;
  /** The keys alone. */
  appendKeys(
    entries: GrowingColumns,
    page: TablePage,
    os: Int32Array,
    from: number,
    to: number,
  ): void;
}

/** Is told of a frozen entry where it lies, or of one that was removed, of which there is the key. */
export type FrozenVisit = (
  page: TablePage,
  o: number,
  keyGroup: number,
  stampMs: number,
  isRemoved: boolean,
  hash: number,
) => void;

/** Loads entries by column; before first use, all of a key group and table in the order in which they were written. */
export interface EntryLoader {
  /** `isNew`: none of the keys is in the table. `stamps` are all `stampMs` where the entries have none. */
  load(entries: EntryColumns, keyGroup: number, isNew: boolean): void;
  /** Takes the columns out of the entries of these keys, and entries away that have no others. */
  remove(keys: EntryColumns, keyGroup: number): void;
  /** Has look-ups find all that was loaded. */
  finish(): void;
}

/** The entries of another table that belong to those of one, and are reached from there by links between ids. */
export interface MemberLinks {
  /** That table; its specification has `ownerKeys`. */
  readonly table: StateTable;
  /** Calls for each that belongs to an entry. */
  each(entry: number, visit: (member: number) => void): void;
  /** An entry has come back into memory, with all that belong to it. */
  cameBack(entry: number, members: readonly number[]): void;
}

/** Keys with the time when each is to be looked at, of entries that leave memory. */
export interface KeyLog {
  /** The earliest of the times; -Infinity while keys are being taken. */
  readonly firstMs: number;
  add(entry: number, atMs: number): void;
  /** Takes so many of the keys whose time has come, at most, and visits their entries, which are in memory then. */
  take(upToMs: number, keysMax: number, visit: (entry: number) => void): void;
  close(): void;
}

/** One keyed state table. */
export interface StateTable {
  readonly spec: TableSpec;
  readonly pages: readonly TablePage[];
  /** Entry of the key, created with zeroed columns when missing; `created` tells which. Counts as a write. */
  readonly upsert: (keyGroup: number, hash: number, ...key: never[]) => number;
  /**
   * The same for a key of one text or bytes value of at most 12 bytes, given as length and words (`short-text.ts`);
   * null for other tables. A table is given hashes of one kind only.
   */
  readonly upsertShort:
    | ((
        keyGroup: number,
        hash: number,
        length: number,
        w0: number,
        w1: number,
        w2: number,
      ) => number)
    | null;
  /**
   * The entry that `upsertShort` would give where it is known that the key has been written in this generation, so
   * that calling that would change nothing, else -1: little code, which V8 puts into the loop that calls it. Null for
   * other tables, and for those with a time to live.
   */
  readonly findShort:
    | ((hash: number, length: number, w0: number, w1: number, w2: number) => number)
    | null;
  /**
   * Looks up the keys of many rows at once, each of which is one number: writes into `found`, at the place of each
   * row, the entry that `upsert` would give where it is known that the key has been written in this generation, so
   * that calling `upsert` would change nothing; else -1, for it to be called when the row's turn has come. The rows are
   * those at `from` up to `to` of `values`, or those that `selection` numbers there. Null for tables with other keys
   * or a time to live.
   */
  readonly findWritten:
    | ((
        values: FixedArray,
        selection: Int32Array | null,
        from: number,
        to: number,
        found: Int32Array,
        division?: number,
      ) => void)
    | null;
  /** Entry of the key, or -1. Counts as a read. */
  readonly find: (keyGroup: number, hash: number, ...key: never[]) => number;
  /** Whether the last `upsert` created its entry. */
  readonly created: boolean;
  /** How often entries have been removed: as long as it stays the same, an entry that was found is that of its key. */
  readonly removals: number;
  /** Begins the time to live of an entry anew, as a write does. */
  refresh(entry: number): void;
  /** Announces a write to fixed columns that is no write for TTL. `upsert`, `setText` and `setValue` imply it. */
  touch(entry: number): void;
  /** Removes an entry (leaves a tombstone for the next snapshot). */
  remove(entry: number): void;
  /**
   * None of the keys of a division will be looked up any more, so that its entries, which stay until they are removed,
   * need not be found by them.
   */
  leave(division: number): void;
  /** Variable-length column values. `index` is the index in `spec.columns`. */
  setText(entry: number, index: number, bytes: Uint8Array, start: number, end: number): void;
  getText(entry: number, index: number): string;
  setValue(entry: number, index: number, value: unknown): void;
  getValue(entry: number, index: number): unknown;
  /**
   * Adds a row of `bytes` bytes to a `rows` column, and gives its position, where the caller writes all of them before
   * it calls anything else.
   */
  addRow(entry: number, index: number, bytes: number): number;
  /** Empties a `rows` column. */
  dropRows(entry: number, index: number): void;
  /** Position of the newest row of a column, 0 when there is none; and of the one before it. */
  newestRow(entry: number, index: number): number;
  olderRow(position: number): number;
  /** Copies of the rows of a column, oldest first. */
  rowsOf(entry: number, index: number): readonly Uint8Array[];
  readonly rows: RowMemory;
  /** Estimates the size of a heap value anew, which has been changed in place. */
  measure(entry: number, index: number): void;
  /** The key of an entry as JavaScript values, in the order of `spec.keys`. */
  keyOf(entry: number): KeyTuple;
  /** Key group and hash of an entry's key, as they were given when it was made. */
  keyGroupOf(entry: number): number;
  hashOf(entry: number): number;
  /** Number of live entries, and bytes held (typed memory exactly, heap values as estimated). */
  readonly entries: number;
  readonly bytes: number;
  /**
   * Visits live entry ids, resumable: returns the position to continue from, or -1 at the end. Entries changed
   * meanwhile may be seen or not; none is seen twice. May return before it has visited as many as it may. Where the
   * caller wants those alone that have a number in a key column, others may be left out.
   */
  scan(
    position: number,
    entriesMax: number,
    visit: (entry: number) => void,
    wanted?: WantedKey,
  ): number;
  /** Live entries of one key group as plain values. */
  entriesOf(keyGroup: number): Iterable<TableEntry>;
  /**
   * What times to live are judged by, in ms since the epoch, set by the operator before each batch; -Infinity shows
   * what is past its time until it is removed.
   */
  nowMs: number;
  /** When writes happen; set by the operator too. */
  stampMs: number;
  /**
   * Looks at up to `entriesMax` entries, going round, and removes those past their time to live at `nowMs`; gives how
   * many. Called a little per batch by owners of tables that have one.
   */
  expire?(entriesMax: number, nowMs: number): number;

  /**
   * Freezes the current generation in O(1) and gives its number. At most one frozen generation may be undrained.
   * One that is not confirmable, such as that of a savepoint, leaves no traces: removed entries need no tombstones
   * because of it. `isFull` tells what will be drained, where that is known.
   */
  freeze(isConfirmable?: boolean, isFull?: boolean): number;
  /** Whether a frozen generation is not drained yet. */
  readonly isFrozen: boolean;
  /**
   * Visits entries of the frozen generation that changed since the one that was confirmed when it was frozen (all when
   * `full`, or when none was), tombstones included, at most `entriesMax`; true when drained. The live table may change
   * in between.
   */
  drain(entriesMax: number, full: boolean, visit: (entry: TableEntry) => void): boolean;
  /** The same without objects, for those who copy entries with `appendCode`. */
  drainPlaces(entriesMax: number, full: boolean, visit: FrozenVisit): boolean;
  /** Compiles what copies entries into columns. */
  appendCode(projection: Projection): AppendCode;
  /** Compiles what loads columns; `written` are the names of those that there are. */
  loader(projection: Projection, written: ReadonlySet<string>): EntryLoader;
  /** Gives a frozen generation up before it is drained. */
  abandon(): void;
  /**
   * A frozen generation is kept for good, in a snapshot that can be restored: changes are told from it from now on.
   * Until then changes add up, so that nothing is missing when a snapshot comes to nothing after it was drained.
   * Should come before the next freeze: when it comes later, the changes after the next one may be more than needed.
   */
  confirm(generation: number): void;
  /** Visits removed entries whose tombstones may not have been written yet, as tombstones. */
  eachRemoved(visit: (entry: TableEntry) => void): void;
  /** Puts an entry as it was drained; for restore, before first use. */
  load(entry: TableEntry): void;
  /** Puts a tombstone that is still to be written. */
  loadRemoved(entry: TableEntry): void;
  /**
   * Has entries leave memory where there are too many, of a table that can do so. Called between two batches, when
   * nobody holds an id of an entry.
   */
  makeRoom?(): void;
  /**
   * Of such a table: has entries leave memory and come back with those that belong to them, from now on, when none of
   * either is in memory. Links are made where one comes back.
   */
  adopt?(members: MemberLinks): void;
  /** Of such a table: somewhere to note keys. */
  keyLog?(): KeyLog;
  /** Frees everything. */
  clear(): void;
  /** Takes all entries out of a table that is in no snapshot, and keeps memory for about as many again. */
  empty(): void;
}
