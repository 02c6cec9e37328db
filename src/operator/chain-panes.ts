/**
 * Sliding windows made of panes: what a record costs, and what a window costs, does not depend on how many windows
 * overlap. Each key has a list of its panes in order of time. Those of the window at hand are two stacks: the older
 * ones are the front, where each pane holds what it and those behind it in the front come to; what the others come
 * to is kept beside the key. So a window is the oldest pane of the front and that, and when the front is used up,
 * the others become it. Callers: generated code adds to panes and brings a key on to a window, the chain task
 * fires. Runs on: the slot's thread. Invariant: what exists is in the state tables; the links between entries are
 * made anew at restore, and where a key that has left memory comes back, with all its panes.
 */
import { assert } from '../base/assert.js';
import { PAGE_MASK, PAGE_SHIFT, type StateTable } from '../state/contract.js';
import {
  lastWindowStart,
  paneGridOf,
  periodStart,
  type WindowGrid,
} from '../time/window-arithmetic.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../time/watermark.js';
import type { PaneColumns } from './aggregate-tables.js';
import { AlignedRun, NO_ENTRY, NO_PANE, Pane, type WindowRunParts } from './chain-aligned.js';
import { eachEntry, keyEntryOf, type Links } from './key-lists.js';

/** The two tables: of panes by key and start, and of keys. */
interface PaneTables {
  readonly panes: StateTable;
  readonly keys: StateTable;
  readonly columns: PaneColumns;
}

/** Names of columns in the pages of both tables. */
interface Names {
  readonly start: string;
  readonly older: string;
  readonly newer: string;
  readonly newest: string;
  readonly oldest: string;
  readonly next: string;
  readonly passed: string;
  readonly front: string;
  readonly isVoid: string;
}

/** The sliding windows of one aggregation, by panes. */
export class PaneRun extends AlignedRun {
  /** The end of the last window that has fired for all keys. */
  firedMs = Number.NEGATIVE_INFINITY;
  /** The window that is being fired. */
  startMs = 0;
  endMs = 0;
  readonly #windows: WindowGrid;
  /** Panes that are in a window which has not fired, by start. */
  readonly #open: Pane[] = [];
  readonly #byStart = new Map<number, Pane>();
  readonly #groupOf: (hash: number) => number;
  #tables: PaneTables | null = null;
  #names: Names | null = null;
  /** Where the walk over the keys is; -1 when none is under way. */
  #scan = -1;

  constructor(parts: WindowRunParts, grid: WindowGrid, groupOf: (hash: number) => number) {
    super(parts, paneGridOf(grid));
    this.#windows = grid;
    this.#groupOf = groupOf;
  }

  /** Takes the tables that panes and keys are kept in. */
  bind(panes: StateTable, keys: StateTable, columns: PaneColumns): void {
    if (this.#tables?.panes === panes && this.#tables.keys === keys) return;
    this.#tables = { panes, keys, columns };
    const name = (column: number): string => `c${column}`;
    this.#names = {
      start: `k${panes.spec.keys.length - 1}`,
      older: name(columns.older),
      newer: name(columns.newer),
      newest: name(columns.newest),
      oldest: name(columns.oldest),
      next: name(columns.next),
      passed: name(columns.passed),
      front: name(columns.front),
      isVoid: name(columns.isVoid),
    };
    this.#adopt();
  }

  /** Has panes that may leave memory do so with their keys. */
  #adopt(): void {
    const { panes, keys } = this.#bound();
    keys.adopt?.({
      table: panes,
      each: (key, visit) => this.#each(key, visit),
      cameBack: (key, members) => this.#cameBack(key, members),
    });
  }

  #each(key: number, visit: (pane: number) => void): void {
    const names = this.#named();
    const [keyPage, keyAt] = this.#key(key);
    for (let entry: number = keyPage[names.newest][keyAt]; entry !== NO_ENTRY; ) {
      visit(entry);
      const [page, at] = this.#pane(entry);
      entry = page[names.older][at];
    }
  }

  #cameBack(key: number, members: readonly number[]): void {
    const names = this.#named();
    const [keyPage, keyAt] = this.#key(key);
    const startOf = (entry: number): number => {
      const [page, at] = this.#pane(entry);
      return page[names.start][at];
    };
    for (const name of [names.newest, names.oldest, names.next]) keyPage[name][keyAt] = NO_ENTRY;
    for (const entry of members.toSorted((a, b) => startOf(a) - startOf(b))) {
      this.#expect(startOf(entry));
      this.insert(key, entry);
    }
    if (keyPage[names.isVoid][keyAt] !== 0) this.renew(key);
  }

  /** Sees to it that a window is due for a pane that there is. */
  #expect(startMs: number): void {
    if (this.#byStart.has(startMs) || this.#lastEnd(startMs) <= this.firedMs) return;
    this.#add(startMs, startMs + this.grid.sizeMs);
  }

  /** How far before the end of a window that has fired those windows begin that have not. */
  get keptMs(): number {
    return this.#windows.sizeMs - this.#windows.slideMs;
  }

  at(startMs: number): Pane {
    const endMs = startMs + this.grid.sizeMs;
    const lastMs = this.#lastEnd(startMs);
    const isOver = lastMs - 1 <= this.passedMs || lastMs <= this.firedMs;
    if (isOver) return new Pane(startMs, endMs, true);
    return this.#byStart.get(startMs) ?? this.#add(startMs, endMs);
  }

  get nextProcessingTimer(): number {
    if (this.spec.time !== 'processing') return Number.POSITIVE_INFINITY;
    return this.instant(this.#nextEnd() ?? Number.POSITIVE_INFINITY);
  }

  /** Makes the entry of a key that is new: it has no panes, and takes part in the windows to come. */
  open(page: Links, at: number): void {
    const names = this.#named();
    page[names.newest][at] = NO_ENTRY;
    page[names.oldest][at] = NO_ENTRY;
    page[names.next][at] = NO_ENTRY;
    page[names.passed][at] = this.firedMs;
    page[names.front][at] = Number.NEGATIVE_INFINITY;
    page[names.isVoid][at] = 1;
  }

  /** Puts a new pane into the list of its key. */
  insert(key: number, entry: number): void {
    const names = this.#named();
    const [keyPage, keyAt] = this.#key(key);
    const [page, at] = this.#pane(entry);
    const start = page[names.start][at];
    let older: number = keyPage[names.newest][keyAt];
    let newer = NO_ENTRY;
    while (older !== NO_ENTRY) {
      const [olderPage, olderAt] = this.#pane(older);
      if (olderPage[names.start][olderAt] < start) break;
      newer = older;
      older = olderPage[names.older][olderAt];
    }
    page[names.older][at] = older;
    page[names.newer][at] = newer;
    this.#join(key, older, names.newer, names.oldest, entry);
    this.#join(key, newer, names.older, names.newest, entry);
    if (start >= keyPage[names.passed][keyAt] && newer === keyPage[names.next][keyAt]) {
      keyPage[names.next][keyAt] = entry;
    }
  }

  /** Links an entry to its neighbour on one side, or to its key where there is none. */
  #join(key: number, neighbour: number, link: string, end: string, entry: number): void {
    const isEnd = neighbour === NO_ENTRY;
    const [page, at] = isEnd ? this.#key(key) : this.#pane(neighbour);
    page[isEnd ? end : link][at] = entry;
  }

  /** Has what is behind the front of a key added up anew, because a pane of it has changed. */
  renew(key: number): void {
    const names = this.#named();
    const [keyPage, keyAt] = this.#key(key);
    let next: number = keyPage[names.oldest][keyAt];
    while (next !== NO_ENTRY) {
      const [page, at] = this.#pane(next);
      if (page[names.start][at] > keyPage[names.front][keyAt]) break;
      next = page[names.newer][at];
    }
    keyPage[names.next][keyAt] = next;
    keyPage[names.isVoid][keyAt] = 1;
  }

  moved(from: StateTable, to: StateTable): void {
    if (this.#tables === null) return;
    const { panes, keys, columns } = this.#tables;
    this.#tables = { panes: panes === from ? to : panes, keys: keys === from ? to : keys, columns };
    this.#relink();
    // Keys that had their turn are told from those to come by what they have passed.
    if (this.#scan >= 0) this.#scan = 0;
    this.#isWalked = false;
  }

  rebuild(): void {
    if (this.#tables === null) return;
    const { keys } = this.#tables;
    const { passed } = this.#named();
    let firedMs = Number.POSITIVE_INFINITY;
    eachEntry(keys, (key) => {
      const [page, at] = this.#key(key);
      // Keys that came from other subtasks, or that had their turn in the window at hand, may be ahead.
      firedMs = Math.min(firedMs, page[passed][at]);
    });
    this.firedMs = keys.entries === 0 ? Number.NEGATIVE_INFINITY : firedMs;
    // Those that may leave memory were not there until they were looked at.
    if (keys.adopt === undefined) this.#relink();
  }

  #relink(): void {
    const { panes, keys } = this.#bound();
    const names = this.#named();
    if (keys.adopt !== undefined) {
      this.#adopt();
      return eachEntry(keys, () => {});
    }
    eachEntry(keys, (key) => {
      const [page, at] = this.#key(key);
      for (const name of [names.newest, names.oldest, names.next]) page[name][at] = NO_ENTRY;
    });
    const byStart = new Map<number, number[]>();
    eachEntry(panes, (entry) => {
      const [page, at] = this.#pane(entry);
      const start = page[names.start][at];
      const known = byStart.get(start);
      if (known === undefined) byStart.set(start, [entry]);
      else known.push(entry);
    });
    for (const start of [...byStart.keys()].toSorted((a, b) => a - b)) {
      if (!this.#byStart.has(start)) this.#add(start, start + this.grid.sizeMs);
      for (const entry of byStart.get(start) ?? []) {
        this.insert(keyEntryOf(panes, entry, keys, this.#groupOf), entry);
      }
    }
    eachEntry(keys, (key) => {
      const [page, at] = this.#key(key);
      if (page[names.isVoid][at] !== 0) this.renew(key);
    });
  }

  protected fire(passedMs: number): boolean {
    for (;;) {
      if (this.#scan >= 0) {
        if (this.#takeKeys()) return true;
        this.#scan = -1;
        this.#fired();
      }
      const end = this.#nextEnd();
      if (end === null || end - 1 > passedMs) {
        // Windows without a record are over too.
        if (passedMs < WATERMARK_MAX)
          this.firedMs = Math.max(this.firedMs, this.#lastOver(passedMs));
        return false;
      }
      this.endMs = end;
      this.startMs = end - this.#windows.sizeMs;
      this.#scan = 0;
    }
  }

  /** Takes the next keys; false when all have had their turn. */
  #takeKeys(): boolean {
    const { taken } = this.parts;
    const { keys } = this.#bound();
    taken.at = 0;
    taken.count = 0;
    if (this.#isWalked) {
      this.#isWalked = false;
      return false;
    }
    const scan = keys.scan(this.#scan, taken.ids.length, (key) => {
      taken.ids[taken.count++] = key;
    });
    this.#isWalked = scan < 0;
    this.#scan = Math.max(0, scan);
    return true;
  }
  #isWalked = false;

  #fired(): void {
    this.firedMs = this.endMs;
    while (this.#open.length > 0 && this.#lastEnd(this.#open[0].startMs) <= this.firedMs) {
      const pane = this.#open.shift();
      if (pane !== undefined) this.#byStart.delete(pane.startMs);
    }
    // Records that belong to nothing but this window have come too late from now on.
    this.pane = NO_PANE;
  }

  /** The end of the last window that is over. */
  #lastOver(passedMs: number): number {
    const { sizeMs, slideMs, offsetMs } = this.#windows;
    if (passedMs <= WATERMARK_MIN) return Number.NEGATIVE_INFINITY;
    return periodStart(passedMs + 1 - sizeMs, slideMs, offsetMs) + sizeMs;
  }

  /** The end of the next window that has a record; null when there is none. */
  #nextEnd(): number | null {
    if (this.#open.length === 0) return null;
    const { sizeMs, slideMs, offsetMs } = this.#windows;
    const [{ endMs }] = this.#open;
    // The first window that holds the pane starts at the first slide from which it reaches the pane's end.
    const first = periodStart(endMs - sizeMs + slideMs - 1, slideMs, offsetMs) + sizeMs;
    return Math.max(first, this.firedMs + slideMs);
  }

  /** The end of the last window that holds a pane. */
  #lastEnd(startMs: number): number {
    return lastWindowStart(startMs, this.#windows) + this.#windows.sizeMs;
  }

  #add(startMs: number, endMs: number): Pane {
    const pane = new Pane(startMs, endMs, false);
    this.#byStart.set(startMs, pane);
    let at = this.#open.length;
    while (at > 0 && this.#open[at - 1].startMs > startMs) at--;
    this.#open.splice(at, 0, pane);
    return pane;
  }

  #pane(entry: number): readonly [Links, number] {
    return [this.#bound().panes.pages[entry >>> PAGE_SHIFT], entry & PAGE_MASK];
  }

  #key(entry: number): readonly [Links, number] {
    return [this.#bound().keys.pages[entry >>> PAGE_SHIFT], entry & PAGE_MASK];
  }

  #bound(): PaneTables {
    assert(this.#tables !== null, 'Panes have tables from their first record on.');
    return this.#tables;
  }

  #named(): Names {
    assert(this.#names !== null, 'Panes have tables from their first record on.');
    return this.#names;
  }
}
