/**
 * Tables written in slices while they change, and loaded again: pieces of one key group each, so that snapshots of one
 * parallelism are dealt to another. Callers: operators with tables, keyed-state.ts, shared-entries.ts. Runs on: worker.
 * Invariant: what is loaded is what was frozen.
 */
import { MillraceError } from '../base/errors.js';
import type {
  AppendCode,
  EntryLoader,
  FrozenVisit,
  Projection,
  StateTable,
  TablePage,
  TableSpec,
} from './contract.js';
import { type BlockColumn, EntryBlock, keyColumns, valueColumns } from './entry-block.js';
import { encodeLayout, EntryPiece, writePiece } from './entry-piece.js';
import { type EvolvingColumn, migrationOf } from './migrated-entries.js';
import type { KeptTable, Slice, SnapshotScope, StateSink, StateWriter } from './state-writer.js';
import { layoutOf, layoutText, type TableLayout, takesLayout } from './table-layout.js';
import { columnPlace } from './table-shape.js';

/** Where it comes from; the runtime's `SnapshotSource` is one. */
export interface StateSource {
  get(
    uid: string,
    name: string,
  ): Iterable<{ readonly keyGroup: number; readonly bytes: Uint8Array }>;
}

/** Entries drained before complete pieces are put; those of a page are dealt to their key groups together. */
const DRAIN_ENTRIES = 4096;
const HAND_MAX = 4096;
/** Heap values are written so much slower than numbers. */
const HEAP_VALUE_COST = 4;
/** Copying an entry from a block into a piece costs so much less than taking it from the table. */
const ENTRIES_PIECED = 2;

/** All columns of a table. */
export function wholeOf({ spec }: StateTable): Projection {
  return { spec, columns: spec.columns.map((_, index) => index), bit: 0 };
}

/** Freezes a table and writes it in slices: as one, or each of several groups of columns as a table of its own. */
export class TableWriter implements StateWriter {
  readonly kept: KeptTable;
  readonly #uid: string;
  readonly #table: StateTable;
  readonly #full: boolean;
  readonly #generation: number;
  readonly #writers: readonly EntryWriter[];
  readonly #visit: FrozenVisit;
  readonly #entryCost: number;
  #isDrained = false;

  /**
   * Each of `parts` is written of the entries that have its bit. Of others changes say that they do not have it, unless
   * no entry ever had: `isUsed`.
   */
  constructor(
    uid: string,
    table: StateTable,
    scope: SnapshotScope,
    parts: readonly (Projection & { readonly isUsed: boolean })[] = [],
  ) {
    this.kept = {
      uid,
      spec: table.spec,
      parts: parts.map(({ spec, columns, bit }) => ({ spec, columns, bit })),
    };
    this.#uid = uid;
    this.#table = table;
    this.#full = scope.full;
    this.#generation = table.freeze(scope.isConfirmable, scope.full);
    const projections = parts.length === 0 ? [wholeOf(table)] : parts;
    this.#writers = projections.map((one) => new EntryWriter(table, one, scope.full));
    this.#visit = parts.length === 0 ? this.#writers[0].visit : this.#visitParts(parts);
    const values = table.spec.columns.filter(({ form }) => form === 'js').length;
    this.#entryCost = Math.max(1, parts.length) + HEAP_VALUE_COST * values;
  }

  #visitParts(parts: readonly (Projection & { readonly isUsed: boolean })[]): FrozenVisit {
    const { spec } = this.#table;
    const { array, width, at } = columnPlace(spec, spec.columns.length - 1);
    const writers = this.#writers;
    const full = this.#full;
    return (page, o, keyGroup, stampMs, isRemoved, hash) => {
      const bits: number = isRemoved ? 0 : page[array][o * width + at];
      for (let index = 0; index < parts.length; index++) {
        if ((bits & parts[index].bit) !== 0) {
          writers[index].visit(page, o, keyGroup, stampMs, false, hash);
        } else if (!full && parts[index].isUsed) {
          writers[index].visit(page, o, keyGroup, stampMs, true, hash);
        }
      }
    };
  }

  step(sink: StateSink, slice: Slice): boolean {
    for (;;) {
      // Key groups are filled evenly, so that their pieces are all complete at about the same time.
      for (const writer of this.#writers) writer.putTo(this.#uid, sink, slice);
      const isPut = this.#writers.every(({ isPut: isDone }) => isDone);
      if (slice.left <= 0 || (this.#isDrained && isPut)) return this.#isDrained && isPut;
      this.#drain(slice);
    }
  }

  #drain(slice: Slice): void {
    const cost = this.#entryCost;
    const entriesMax = Math.ceil(Math.min(slice.left, DRAIN_ENTRIES) / cost);
    this.#isDrained = this.#table.drainPlaces(entriesMax, this.#full, this.#visit);
    slice.left -= entriesMax * cost;
    // Before the table changes again.
    for (const writer of this.#writers) writer.deal();
    if (this.#isDrained) for (const writer of this.#writers) writer.finish();
  }

  /** Writes the rest into memory, because the table is about to be replaced. */
  complete(): void {
    const slice = { left: Number.POSITIVE_INFINITY };
    while (!this.#isDrained) this.#drain(slice);
  }

  confirm(): void {
    this.#table.confirm(this.#generation);
  }

  abort(): void {
    if (!this.#isDrained) this.#table.abandon();
    this.#isDrained = true;
  }
}

/** Entries of a key group that have not become a piece. */
interface OpenPiece {
  entries: EntryBlock | null;
  removed: EntryBlock | null;
}

/** Entries of one page in hand, sorted by key group when they are dealt. */
class Hand {
  readonly #os = new Int32Array(HAND_MAX);
  readonly #keyGroups = new Uint16Array(HAND_MAX);
  readonly #stamps = new Float64Array(HAND_MAX);
  #count = 0;
  readonly #sorted = { os: new Int32Array(HAND_MAX), stamps: new Float64Array(HAND_MAX) };
  /** By key group: how many there are, then where the next one goes. */
  #places = new Int32Array(128);

  get isFull(): boolean {
    return this.#count === HAND_MAX;
  }

  add(o: number, keyGroup: number, stampMs: number): void {
    const at = this.#count++;
    this.#os[at] = o;
    this.#keyGroups[at] = keyGroup;
    this.#stamps[at] = stampMs;
  }

  /** Takes them out, those of a key group together. */
  deal(take: (keyGroup: number, entries: SortedEntries, from: number, to: number) => void): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    const groups = this.#countGroups(count);
    const places = this.#places;
    let place = 0;
    for (const keyGroup of groups) {
      const next = place + places[keyGroup];
      places[keyGroup] = place;
      place = next;
    }
    const { os, stamps } = this.#sorted;
    for (let at = 0; at < count; at++) {
      const to = places[this.#keyGroups[at]]++;
      os[to] = this.#os[at];
      stamps[to] = this.#stamps[at];
    }
    let from = 0;
    for (const keyGroup of groups) {
      take(keyGroup, this.#sorted, from, places[keyGroup]);
      from = places[keyGroup];
      places[keyGroup] = 0;
    }
  }

  #countGroups(count: number): readonly number[] {
    const groups: number[] = [];
    for (let at = 0; at < count; at++) {
      const keyGroup = this.#keyGroups[at];
      if (keyGroup >= this.#places.length) {
        const grown = new Int32Array(2 * keyGroup);
        grown.set(this.#places);
        this.#places = grown;
      }
      if (this.#places[keyGroup]++ === 0) groups.push(keyGroup);
    }
    return groups;
  }
}

/** What a hand deals. */
interface SortedEntries {
  readonly os: Int32Array;
  readonly stamps: Float64Array;
}

/** Writes frozen entries, each into a piece of its key group. */
class EntryWriter {
  readonly #spec: TableSpec;
  readonly #full: boolean;
  readonly #code: AppendCode;
  readonly #keys: readonly BlockColumn[];
  readonly #all: readonly BlockColumn[];
  readonly #layout: Uint8Array;
  /** By key group. */
  readonly #open: (OpenPiece | undefined)[] = [];
  /** Key groups of which there is a piece already. */
  readonly #begun = new Set<number>();
  /** Those that are complete, in order. */
  readonly #complete: { readonly keyGroup: number; readonly piece: OpenPiece }[] = [];
  /** Emptied blocks, of entries and of keys. */
  readonly #spare: [EntryBlock[], EntryBlock[]] = [[], []];
  /** Entries of one page that are still to be dealt to the blocks of their key groups, and removed ones. */
  #page: TablePage | null = null;
  readonly #entries = new Hand();
  readonly #removed = new Hand();

  constructor(table: StateTable, projection: Projection, full: boolean) {
    const { spec } = projection;
    this.#spec = spec;
    this.#full = full;
    this.#code = table.appendCode(projection);
    this.#layout = encodeLayout(spec);
    this.#keys = keyColumns(spec);
    this.#all = [...this.#keys, ...valueColumns(spec)];
  }

  readonly visit: FrozenVisit = (page, o, keyGroup, stampMs, isRemoved) => {
    const hand = isRemoved ? this.#removed : this.#entries;
    if (page !== this.#page || hand.isFull) this.deal();
    this.#page = page;
    hand.add(o, keyGroup, stampMs);
  };

  /** Deals what was visited. */
  deal(): void {
    const page = this.#page;
    if (page === null) return;
    const { name } = this.#spec;
    const [spareEntries, spareKeys] = this.#spare;
    this.#entries.deal((keyGroup, { os, stamps }, from, to) => {
      const piece = (this.#open[keyGroup] ??= { entries: null, removed: null });
      piece.entries ??= spareEntries.pop() ?? new EntryBlock(this.#all, name);
      this.#code.append(piece.entries, page, os, from, to, stamps);
      if (piece.entries.isFull) this.#close(keyGroup);
    });
    this.#removed.deal((keyGroup, { os }, from, to) => {
      const piece = (this.#open[keyGroup] ??= { entries: null, removed: null });
      piece.removed ??= spareKeys.pop() ?? new EntryBlock(this.#keys, name);
      this.#code.appendKeys(piece.removed, page, os, from, to);
      if (piece.removed.isFull) this.#close(keyGroup);
    });
    this.#page = null;
  }

  /** Ends the pieces, in the order of their key groups. */
  finish(): void {
    for (let keyGroup = 0; keyGroup < this.#open.length; keyGroup++) this.#close(keyGroup);
  }

  #close(keyGroup: number): void {
    const piece = this.#open[keyGroup];
    if (piece === undefined) return;
    this.#open[keyGroup] = undefined;
    this.#complete.push({ keyGroup, piece });
  }

  /** Whether nothing is left to be put for now. */
  get isPut(): boolean {
    return this.#complete.length === 0;
  }

  /** Puts complete pieces while the slice lasts. */
  putTo(uid: string, sink: StateSink, slice: Slice): void {
    let count = 0;
    for (; count < this.#complete.length && slice.left > 0; count++) {
      const { keyGroup, piece } = this.#complete[count];
      const { entries, removed } = piece;
      slice.left -= 1 + ((entries?.rows ?? 0) + (removed?.rows ?? 0)) / ENTRIES_PIECED;
      // All but the first piece of a key group add to what is before them.
      const isMore = this.#full && this.#begun.has(keyGroup);
      const isChanges = !this.#full || isMore;
      this.#begun.add(keyGroup);
      const head = { keyGroup, isChanges, isMore, hasStamps: this.#spec.ttlMs !== null };
      const bytes = writePiece(head, this.#layout, entries, removed);
      sink.put(uid, this.#spec.name, keyGroup, bytes, isChanges);
      [entries, removed].forEach((block, kind) => {
        if (block === null) return;
        block.reset();
        this.#spare[kind].push(block);
      });
    }
    this.#complete.splice(0, count);
  }
}

/**
 * Loads the pieces of a table before its first use. A base is loaded before its changes. Stamps of a table that has no
 * time to live any more are dropped; entries of one that had none before count as written now. `evolving` is for values
 * whose declaration may have changed since. Gives how many pieces there were.
 */
export function loadTable(
  table: StateTable,
  pieces: Iterable<{ readonly bytes: Uint8Array }>,
  projection: Projection = wholeOf(table),
  evolving: EvolvingColumn | null = null,
): number {
  const loader = new TableLoader(table, projection, evolving);
  let count = 0;
  for (const { bytes } of pieces) {
    loader.load(new EntryPiece(bytes));
    count++;
  }
  loader.finish();
  return count;
}

class TableLoader {
  readonly #table: StateTable;
  readonly #projection: Projection;
  readonly #evolving: EvolvingColumn | null;
  /** By the text of a layout: what makes its entries fit. */
  readonly #migrations = new Map<string, ReturnType<typeof migrationOf>>();
  readonly #loaders = new Map<string, EntryLoader>();
  /** Key groups of which the table holds nothing but whole pieces; null: of none, since it was not empty. */
  readonly #whole: Set<number> | null;

  constructor(table: StateTable, projection: Projection, evolving: EvolvingColumn | null) {
    this.#table = table;
    this.#projection = projection;
    this.#evolving = evolving;
    this.#whole = table.entries === 0 ? new Set() : null;
  }

  finish(): void {
    for (const loader of this.#loaders.values()) loader.finish();
  }

  load(piece: EntryPiece): void {
    const { keyGroup } = piece;
    const migrate = this.#migrationOf(piece);
    const { entries: written, removed } = piece.read();
    const entries = migrate === null ? written : migrate(written);
    const names = [...piece.keyColumns, ...piece.valueColumns].map(({ name }) => name);
    const loader = this.#loader(names);
    if (entries.rows > 0) loader.load(entries, keyGroup, this.#isNew(piece));
    if (removed.rows > 0) loader.remove(removed, keyGroup);
  }

  #migrationOf({ layout, layoutBytes }: EntryPiece): ReturnType<typeof migrationOf> {
    const { spec } = this.#projection;
    const evolving = this.#evolving;
    const [column, ...others] = layout.columns;
    if (evolving === null || column === undefined) {
      checkLayout(spec, layout);
      return null;
    }
    const text = Buffer.from(layoutBytes).toString('latin1');
    const known = this.#migrations.get(text);
    if (known !== undefined) return known;
    checkLayout(spec, { ...layout, columns: [evolving.column, ...others] });
    const made = migrationOf(column, evolving);
    this.#migrations.set(text, made);
    return made;
  }

  /** Whether the keys of a piece are not in the table: it is whole, or goes on with a whole one. */
  #isNew({ keyGroup, isChanges, isMore }: EntryPiece): boolean {
    const whole = this.#whole;
    if (whole === null) return false;
    if (isChanges) {
      if (isMore && whole.has(keyGroup)) return true;
      whole.delete(keyGroup);
      return false;
    }
    const isFirst = !whole.has(keyGroup);
    whole.add(keyGroup);
    return isFirst;
  }

  #loader(names: readonly string[]): EntryLoader {
    const key = names.join();
    const known = this.#loaders.get(key);
    if (known !== undefined) return known;
    const loader = this.#table.loader(this.#projection, new Set(names));
    this.#loaders.set(key, loader);
    return loader;
  }
}

/** Refuses what was written for types that the table does not hold. */
function checkLayout(spec: TableSpec, written: TableLayout): void {
  if (takesLayout(written, spec)) return;
  const was = layoutText(written);
  const is = layoutText(layoutOf(spec));
  throw new MillraceError(
    'STATE_INCOMPATIBLE',
    `State ${JSON.stringify(spec.name)} was written as ${was}, and the job now declares ${is}.`,
    { advice: 'Keep key and value types of a state, or give the changed state a new name.' },
  );
}
