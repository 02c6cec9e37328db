/**
 * The windows of one aggregation of a chain: which of them take records, which are over, and the entries of each.
 * Callers: generated code asks for the window of a record, the chain task fires and clears what is over. Runs on:
 * the slot's thread. Invariant: what exists of a window is in the state tables; the lists of its entries are links
 * between them, made anew at restore, so that firing walks the entries of a window and needs no timers. Entries of
 * tables that may leave memory cannot be linked; there a window scans the table for its own, one scan at a time.
 */
import { PAGE_MASK, PAGE_SHIFT, type StateTable, type TablePage } from '../state/contract.js';
import { type ColumnPlace, columnPlace } from '../state/table-shape.js';
import { AlignedRun, NO_ENTRY, NO_PANE, Pane } from './chain-aligned.js';

/** Entries removed in one go. */
const CLEAR_ENTRIES = 256;
/** Entries looked at in one go. */
const SCAN_ENTRIES = 4096;

/** A table whose entries are linked by window. */
interface LinkedTable {
  readonly table: StateTable;
  /** Indices of the column of the next entry and of the key that is the window's start. */
  readonly nextColumn: number;
  readonly startKey: number;
  /** Where pages have the next entry. */
  readonly next: ColumnPlace;
  /** Name of the column that holds the window's start. */
  readonly start: string;
  /** Of the table of results: where pages say whether one is to be given. */
  readonly isDue: ColumnPlace | null;
  /** Whether the entries of a window are found by a scan, since they may leave memory. */
  readonly isScanned: boolean;
}

/** The windows of one aggregation. */
export class WindowRun extends AlignedRun {
  readonly #panes = new Map<number, Pane>();
  /** Windows that have not fired, and those that have and still take records, each by start. */
  readonly #open: Pane[] = [];
  readonly #kept: Pane[] = [];
  readonly #tables: LinkedTable[] = [];
  readonly #refired: number[] = [];
  /** Windows whose entries are being looked for, to be fired and to be cleared; at most one at a time. */
  #firing: Pane | null = null;
  #clearing: Pane | null = null;

  /** Links the entries of a table from now on; gives its number. */
  link(table: StateTable, nextColumn: number, startKey: number): number {
    const known = this.#tables.findIndex((linked) => linked.table === table);
    if (known >= 0) return known;
    this.#tables.push(linkedTable(table, nextColumn, startKey));
    for (const pane of this.#panes.values()) pane.heads.push(NO_ENTRY);
    return this.#tables.length - 1;
  }

  /** The window that starts there. */
  at(startMs: number): Pane {
    const endMs = startMs + this.grid.sizeMs;
    if (endMs - 1 + this.latenessMs <= this.passedMs) return new Pane(startMs, endMs, true);
    return this.#panes.get(startMs) ?? this.#add(startMs, endMs);
  }

  override get removesEmitted(): boolean {
    // With lateness they stay for late records.
    return this.spec.allowedLatenessMs === null;
  }

  get nextProcessingTimer(): number {
    if (this.spec.time !== 'processing' || this.#open.length === 0) return Number.POSITIVE_INFINITY;
    return this.instant(this.#open[0].endMs);
  }

  /** The entries of a table are in another one now, under other numbers. */
  moved(from: StateTable, to: StateTable): void {
    const index = this.#tables.findIndex((linked) => linked.table === from);
    if (index < 0) return;
    const { nextColumn, startKey } = this.#tables[index];
    this.#tables[index] = linkedTable(to, nextColumn, startKey);
    for (const pane of this.#panes.values()) pane.heads[index] = NO_ENTRY;
    for (const pane of [this.#firing, this.#clearing]) if (pane !== null) pane.scan = 0;
    this.#relink(index);
  }

  /** Makes the lists of entries anew, from what the tables hold. */
  rebuild(): void {
    for (let index = 0; index < this.#tables.length; index++) this.#relink(index);
  }

  #relink(index: number): void {
    const { table, next, start, isScanned } = this.#tables[index];
    for (let at = 0; at >= 0; table.makeRoom?.()) {
      at = table.scan(at, SCAN_ENTRIES, (entry) => {
        const page = table.pages[entry >>> PAGE_SHIFT];
        const startMs = page[start][entry & PAGE_MASK];
        const pane = this.#panes.get(startMs) ?? this.#add(startMs, startMs + this.grid.sizeMs);
        if (isScanned) return;
        const links: Int32Array = page[next.array];
        links[elementOf(next, entry)] = pane.heads[index];
        pane.heads[index] = entry;
      });
    }
  }

  /** Takes entries of the first window that is over, or clears one; false when none is over. */
  protected fire(passedMs: number): boolean {
    for (;;) {
      // First, so that work that is done stays done when the state moves to a new instance in between.
      if (this.#firing === null && this.#clearKept(passedMs)) return true;
      const pane = this.#firing ?? this.#open.at(0);
      if (pane === undefined || pane.endMs - 1 > passedMs) return false;
      if (!pane.isFired) {
        pane.isFired = true;
        pane.firesAtOnce = true;
        pane.next = pane.heads[0] ?? NO_ENTRY;
        if (this.spec.allowedLatenessMs === null) this.#leave(pane);
      }
      if (this.#tables[0]?.isScanned === true) {
        if (this.#findOf(pane)) return true;
      } else if (pane.next !== NO_ENTRY) {
        this.#takeFrom(pane);
        if (this.parts.taken.count > 0 || pane.next !== NO_ENTRY) return true;
      }
      this.#open.splice(this.#open.indexOf(pane), 1);
      // Without lateness, entries are gone with their results.
      if (this.spec.allowedLatenessMs === null) pane.heads[0] = NO_ENTRY;
      insert(this.#kept, pane);
    }
  }

  /** Nobody adds to a window any more. */
  #leave(pane: Pane): void {
    if (this.pane === pane) this.pane = NO_PANE;
    this.#tables[0]?.table.leave(pane.startMs);
  }

  /** Has an entry give its result again. */
  refire(entry: number): void {
    this.#refired.push(entry);
  }

  /** Takes entries that are to give their result again; false when there are none. */
  override takeRefired(): boolean {
    const { taken } = this.parts;
    const entries = this.#refired.splice(0, taken.ids.length);
    taken.ids.set(entries);
    taken.at = 0;
    taken.count = entries.length;
    return entries.length > 0;
  }

  /** Takes the next entries of a window that are found in a scan; false when there are no more. */
  #findOf(pane: Pane): boolean {
    const [linked] = this.#tables;
    const { isDue } = linked;
    const { taken } = this.parts;
    const firesOnce = this.spec.allowedLatenessMs === null;
    taken.at = 0;
    taken.count = 0;
    this.#firing = pane;
    if (pane.scan >= 0) {
      pane.scan = scanFor(linked, pane, taken.ids.length, (entry, page) => {
        const hasResult =
          firesOnce || isDue === null || page[isDue.array][elementOf(isDue, entry)] !== 0;
        if (hasResult) taken.ids[taken.count++] = entry;
      });
      if (taken.count > 0 || pane.scan >= 0) return true;
    }
    this.#firing = null;
    pane.scan = 0;
    // Without lateness, entries are gone with their results.
    pane.scanned = firesOnce ? 1 : 0;
    return false;
  }

  #takeFrom(pane: Pane): void {
    const { table, next, isDue } = this.#tables[0];
    const { taken } = this.parts;
    const firesOnce = this.spec.allowedLatenessMs === null;
    let entry = pane.next;
    taken.at = 0;
    taken.count = 0;
    for (let seen = 0; entry !== NO_ENTRY && seen < SCAN_ENTRIES; seen++) {
      if (taken.count === taken.ids.length) break;
      const page = table.pages[entry >>> PAGE_SHIFT];
      // One that gave its result before a restore has none to give.
      const hasResult =
        firesOnce || isDue === null || page[isDue.array][elementOf(isDue, entry)] !== 0;
      if (hasResult) taken.ids[taken.count++] = entry;
      entry = page[next.array][elementOf(next, entry)];
    }
    pane.next = entry;
  }

  /** Clears windows that have fired and take no more records; true while there is more to do. */
  #clearKept(passedMs: number): boolean {
    for (;;) {
      const pane = this.#clearing ?? this.#kept.at(0);
      if (pane === undefined || pane.endMs - 1 + this.latenessMs > passedMs) return false;
      if (this.#clearScanned(pane)) return true;
      const linked = pane.heads.findIndex((head) => head !== NO_ENTRY);
      if (linked >= 0) {
        this.#clear(pane, linked);
        return true;
      }
      this.#clearing = null;
      this.#kept.splice(this.#kept.indexOf(pane), 1);
      this.#panes.delete(pane.startMs);
    }
  }

  /** Removes the next entries of a window that are found in a scan; false when there are no more. */
  #clearScanned(pane: Pane): boolean {
    for (; pane.scanned < this.#tables.length; pane.scanned++, pane.scan = 0) {
      const linked = this.#tables[pane.scanned];
      if (!linked.isScanned || pane.scan < 0) continue;
      this.#clearing = pane;
      pane.scan = scanFor(linked, pane, CLEAR_ENTRIES, (entry) => linked.table.remove(entry));
      return true;
    }
    // What was written into rows that are scanned for are no lists.
    this.#tables.forEach(({ isScanned }, index) => {
      if (isScanned) pane.heads[index] = NO_ENTRY;
    });
    return false;
  }

  #clear(pane: Pane, index: number): void {
    const { table, next } = this.#tables[index];
    let entry = pane.heads[index];
    for (let count = 0; entry !== NO_ENTRY && count < CLEAR_ENTRIES; count++) {
      const page = table.pages[entry >>> PAGE_SHIFT];
      const following = page[next.array][elementOf(next, entry)];
      table.remove(entry);
      entry = following;
    }
    pane.heads[index] = entry;
  }

  #add(startMs: number, endMs: number): Pane {
    const pane = new Pane(startMs, endMs, false);
    for (let count = 0; count < this.#tables.length; count++) pane.heads.push(NO_ENTRY);
    this.#panes.set(startMs, pane);
    // One that is over already, but takes records still, has nothing to give by itself.
    if (endMs - 1 <= this.passedMs) {
      pane.isFired = true;
      pane.firesAtOnce = true;
      insert(this.#kept, pane);
    } else {
      insert(this.#open, pane);
    }
    return pane;
  }
}

function linkedTable(table: StateTable, nextColumn: number, startKey: number): LinkedTable {
  const { spec } = table;
  const hasDue = nextColumn + 1 < spec.columns.length;
  return {
    table,
    nextColumn,
    startKey,
    next: columnPlace(spec, nextColumn),
    start: `k${startKey}`,
    isDue: hasDue ? columnPlace(spec, nextColumn + 1) : null,
    isScanned: table.makeRoom !== undefined,
  };
}

/** Visits entries of a window from its position in a scan on; gives the next one. */
function scanFor(
  { table, start, startKey }: LinkedTable,
  { scan, startMs }: Pane,
  entriesMax: number,
  visit: (entry: number, page: TablePage) => void,
): number {
  const found = (entry: number): void => {
    const page = table.pages[entry >>> PAGE_SHIFT];
    if (page[start][entry & PAGE_MASK] === startMs) visit(entry, page);
  };
  return table.scan(scan, entriesMax, found, { key: startKey, value: startMs });
}

/** The element of a column's array that is that of an entry. */
function elementOf({ width, at }: ColumnPlace, entry: number): number {
  return (entry & PAGE_MASK) * width + at;
}

/** Puts a window into a list by start; it mostly is the last one. */
function insert(panes: Pane[], pane: Pane): void {
  let at = panes.length;
  while (at > 0 && panes[at - 1].startMs > pane.startMs) at--;
  panes.splice(at, 0, pane);
}
