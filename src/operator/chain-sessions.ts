/**
 * Sessions of one aggregation: windows that go on as long as each record of a key comes at most a gap after the one
 * before. Each session is an entry with its start and end; those of a key are linked in order of time, mostly there
 * is one. A record that comes in between makes two of them one, by adding one entry to the other. When a session is
 * due is told by a wheel: sessions are listed by the span of time that their end was in when they were listed, and
 * listed anew when that has passed and they have grown meanwhile. Callers: generated code finds and extends
 * sessions, the chain task fires. Runs on: the slot's thread. Invariant: what exists is in the state tables; links
 * and lists are made anew at restore.
 */
import { assert } from '../base/assert.js';
import { type KeyLog, PAGE_MASK, PAGE_SHIFT, type StateTable } from '../state/contract.js';
import type { SessionColumns } from './aggregate-tables.js';
import {
  type ArrivingTimes,
  NO_ENTRY,
  TimedWindows,
  type WindowRunParts,
} from './chain-aligned.js';
import { eachEntry, keyEntryOf, type Links } from './key-lists.js';
import type { SessionSpec } from './operator-spec.js';

/** Spans of the wheel in a gap: so often at most is a session looked at that goes on and on. */
const SPANS_PER_GAP = 4;
/** Listed sessions looked at in one go, and keys that have left memory. */
const LOOKS_MAX = 4096;
const KEYS_MAX = 256;

/** The results that a session has to give, in a column: none, its first, or one again. */
export const SESSION_GIVEN = 0;
export const SESSION_DUE = 1;
export const SESSION_DUE_AGAIN = 2;

/** The two tables: of sessions by key and first start, and of keys. */
interface SessionTables {
  readonly sessions: StateTable;
  readonly keys: StateTable;
}

/** Names of columns in the pages of both tables. */
type Names = Readonly<Record<keyof SessionColumns, string>>;

/** The sessions that were listed when their end was in one span of time. */
interface Span {
  readonly startMs: number;
  entries: number[];
  /** How many of them have been looked at, and which stay because they are not over. */
  at: number;
  kept: number[];
  /** When the first of those that stay is over. */
  keptUntilMs: number;
  /** Before this time none of them is worth a look. */
  idleUntilMs: number;
  /** Keys that have left memory with sessions that were listed here. */
  away: KeyLog | null;
}

/**
 * What a session has that is listed in a span, by itself or by its key, which has left memory. None of these is what a
 * removed entry has.
 */
const MARK = 4;
const hereIn = (index: number): number => MARK * index + 1;
const awayIn = (index: number): number => MARK * index + 3;

/** The sessions of one aggregation. */
export class SessionRun extends TimedWindows {
  readonly gapMs: number;
  /** A session that is to be added to the one that `locate` gave; generated code does it and calls `absorb`. */
  rest = NO_ENTRY;
  readonly #spanMs: number;
  readonly #spans: Span[] = [];
  readonly #byStart = new Map<number, Span>();
  readonly #refired: number[] = [];
  readonly #groupOf: (hash: number) => number;
  #tables: SessionTables | null = null;
  #names: Names | null = null;
  /** Whether sessions that come in are those of a snapshot, which no list has. */
  #isRebuilding = false;

  constructor(parts: WindowRunParts, { gapMs }: SessionSpec, groupOf: (hash: number) => number) {
    super(parts);
    this.gapMs = gapMs;
    this.#spanMs = Math.max(1, Math.floor(gapMs / SPANS_PER_GAP));
    this.#groupOf = groupOf;
  }

  /** Takes the tables that sessions and keys are kept in. */
  bind(sessions: StateTable, keys: StateTable, columns: SessionColumns): void {
    if (this.#tables?.sessions === sessions && this.#tables.keys === keys) return;
    this.#tables = { sessions, keys };
    const names = Object.entries(columns).map(([name, index]) => [name, `c${index}`]);
    this.#names = Object.fromEntries(names) as Names;
    this.#adopt();
  }

  /** Has sessions that may leave memory do so with their keys. */
  #adopt(): void {
    const { sessions, keys } = this.#bound();
    keys.adopt?.({
      table: sessions,
      each: (key, visit) => this.#leave(key, visit),
      cameBack: (key, members) => this.#cameBack(key, members),
    });
  }

  /** A key leaves memory: its sessions are in lists of keys from now on. */
  #leave(key: number, visit: (session: number) => void): void {
    const names = this.#named();
    const [keyPage, keyAt] = this.#key(key);
    for (let entry: number = keyPage[names.newest][keyAt]; entry !== NO_ENTRY; ) {
      const [page, at] = this.#session(entry);
      const listed = page[names.listed][at];
      assert(listed !== 0, 'A session that is not on its way out is listed.');
      const index = Math.floor(listed / MARK);
      if (listed === hereIn(index)) {
        this.#noteAway(index, key, this.#dueMs(page, at));
        this.#bound().sessions.touch(entry);
        page[names.listed][at] = awayIn(index);
      }
      visit(entry);
      entry = page[names.older][at];
    }
  }

  #noteAway(index: number, key: number, dueMs: number): void {
    const { keys } = this.#bound();
    const known = this.#byStart.get(index * this.#spanMs);
    const span = known ?? this.#span(index * this.#spanMs);
    assert(keys.keyLog !== undefined, 'Keys that leave memory can be noted.');
    span.away ??= keys.keyLog();
    span.away.add(key, dueMs);
    span.idleUntilMs = Math.min(span.idleUntilMs, Math.max(span.startMs, dueMs));
  }

  #cameBack(key: number, members: readonly number[]): void {
    const names = this.#named();
    const [keyPage, keyAt] = this.#key(key);
    keyPage[names.newest][keyAt] = NO_ENTRY;
    for (const entry of members) {
      this.#link(key, entry);
      if (!this.#isRebuilding) continue;
      const [page, at] = this.#session(entry);
      page[names.listed][at] = 0;
      this.#list(entry);
    }
  }

  /** Whether a record by itself would be a session that is over and takes no more records. */
  isOver(timeMs: number): boolean {
    return timeMs + this.gapMs - 1 + this.latenessMs <= this.passedMs;
  }

  /** Sessions that end by then are over. */
  get overMs(): number {
    return this.passedMs + 1;
  }

  /**
   * The first session of a key that a record at `timeMs` belongs to, -1 when there is none. When there are more, the
   * next one is `rest`.
   */
  locate(key: number, timeMs: number): number {
    const names = this.#named();
    const [keyPage, keyAt] = this.#key(key);
    let found = NO_ENTRY;
    this.rest = NO_ENTRY;
    for (let at: number = keyPage[names.newest][keyAt]; at !== NO_ENTRY; ) {
      const [page, offset] = this.#session(at);
      if (page[names.end][offset] < timeMs) break;
      if (page[names.start][offset] <= timeMs + this.gapMs) {
        this.rest = found;
        found = at;
      }
      at = page[names.older][offset];
    }
    return found;
  }

  /** Makes a session longer by a record at `timeMs`. */
  extend(entry: number, timeMs: number): void {
    const { start, end } = this.#named();
    const [page, at] = this.#session(entry);
    page[start][at] = Math.min(page[start][at], timeMs);
    page[end][at] = Math.max(page[end][at], timeMs + this.gapMs);
  }

  /** The accumulators of `rest` are in a session now, whose place in time it takes too. */
  absorb(key: number, entry: number): void {
    const names = this.#named();
    const [page, at] = this.#session(entry);
    const [other, otherAt] = this.#session(this.rest);
    page[names.end][at] = Math.max(page[names.end][at], other[names.end][otherAt]);
    if (other[names.isDue][otherAt] !== SESSION_GIVEN && page[names.isDue][at] === SESSION_GIVEN) {
      page[names.isDue][at] = SESSION_DUE;
      this.#list(entry);
    }
    this.#unlink(key, this.rest);
    this.#bound().sessions.remove(this.rest);
    this.rest = NO_ENTRY;
  }

  /** Puts a new session of one record into the list of its key. */
  insert(key: number, entry: number, timeMs: number): void {
    const names = this.#named();
    const [page, at] = this.#session(entry);
    page[names.start][at] = timeMs;
    page[names.end][at] = timeMs + this.gapMs;
    page[names.isDue][at] = SESSION_DUE;
    this.#link(key, entry);
    this.#list(entry);
  }

  #link(key: number, entry: number): void {
    const names = this.#named();
    const [page, at] = this.#session(entry);
    const [keyPage, keyAt] = this.#key(key);
    const start = page[names.start][at];
    let newer = NO_ENTRY;
    let older: number = keyPage[names.newest][keyAt];
    while (older !== NO_ENTRY) {
      const [olderPage, olderAt] = this.#session(older);
      if (olderPage[names.start][olderAt] < start) break;
      newer = older;
      older = olderPage[names.older][olderAt];
    }
    page[names.key][at] = key;
    page[names.older][at] = older;
    this.#setOlder(key, newer, entry);
  }

  #unlink(key: number, entry: number): void {
    const names = this.#named();
    const [keyPage, keyAt] = this.#key(key);
    let newer = NO_ENTRY;
    for (let at: number = keyPage[names.newest][keyAt]; at !== entry; ) {
      const [page, offset] = this.#session(at);
      newer = at;
      at = page[names.older][offset];
    }
    const [page, at] = this.#session(entry);
    this.#setOlder(key, newer, page[names.older][at]);
  }

  /** Sets what is before a session, or the newest one of a key where that is -1. */
  #setOlder(key: number, newer: number, entry: number): void {
    const names = this.#named();
    const [page, at] = newer === NO_ENTRY ? this.#key(key) : this.#session(newer);
    page[newer === NO_ENTRY ? names.newest : names.older][at] = entry;
  }

  /** Forgets a session, and its key with the last one. */
  remove(entry: number): void {
    const names = this.#named();
    const { sessions, keys } = this.#bound();
    const [page, at] = this.#session(entry);
    const key: number = page[names.key][at];
    this.#unlink(key, entry);
    sessions.remove(entry);
    const [keyPage, keyAt] = this.#key(key);
    if (keyPage[names.newest][keyAt] === NO_ENTRY) keys.remove(key);
  }

  /**
   * A record has come into a session that has given its result, or that is over: it has one to give, now or when it is
   * over. True when that is now.
   */
  reopen(entry: number): boolean {
    const names = this.#named();
    const [page, at] = this.#session(entry);
    if (page[names.end][at] <= this.overMs) {
      page[names.isDue][at] = SESSION_DUE_AGAIN;
      this.#refired.push(entry);
      return true;
    }
    if (page[names.isDue][at] === SESSION_GIVEN) {
      page[names.isDue][at] = SESSION_DUE;
      this.#list(entry);
    }
    return false;
  }

  override takeRefired(): boolean {
    const { taken } = this.parts;
    const entries = this.#refired.splice(0, taken.ids.length);
    taken.ids.set(entries);
    taken.at = 0;
    taken.count = entries.length;
    return entries.length > 0;
  }

  /** A record at the end of a session that is over would still be part of it. */
  admits({ values, count, rows }: ArrivingTimes, watermarkMs: number): boolean {
    if (this.spec.time === 'processing' || values === null) return false;
    for (let row = 0; row < count; row++) {
      if (values[rows === null ? row : rows[row]] <= watermarkMs + 1) return false;
    }
    return true;
  }

  get nextProcessingTimer(): number {
    if (this.spec.time !== 'processing' || this.#spans.length === 0)
      return Number.POSITIVE_INFINITY;
    return this.#spans[0].idleUntilMs;
  }

  moved(from: StateTable, to: StateTable): void {
    if (this.#tables === null) return;
    const { sessions, keys } = this.#tables;
    this.#tables = {
      sessions: sessions === from ? to : sessions,
      keys: keys === from ? to : keys,
    };
    this.rebuild();
  }

  rebuild(): void {
    if (this.#tables === null) return;
    const { sessions, keys } = this.#tables;
    const { newest, listed } = this.#named();
    // Those that may leave memory do so first, and are found one after the other.
    this.#adopt();
    this.close();
    if (keys.adopt !== undefined) {
      this.#isRebuilding = true;
      eachEntry(keys, () => {});
      this.#isRebuilding = false;
      return;
    }
    eachEntry(keys, (key) => {
      const [page, at] = this.#key(key);
      page[newest][at] = NO_ENTRY;
    });
    eachEntry(sessions, (entry) => {
      const [page, at] = this.#session(entry);
      page[listed][at] = 0;
      this.#link(keyEntryOf(sessions, entry, keys, this.#groupOf), entry);
      this.#list(entry);
    });
  }

  override close(): void {
    for (const { away } of this.#spans) away?.close();
    this.#spans.length = 0;
    this.#byStart.clear();
  }

  /** Lists a session by when it is due next. */
  #list(entry: number): void {
    const names = this.#named();
    const [page, at] = this.#session(entry);
    const index = Math.floor(this.#dueMs(page, at) / this.#spanMs);
    const listed = hereIn(index);
    const { entries } = this.#span(index * this.#spanMs);
    if (page[names.listed][at] !== listed) entries.push(entry);
    page[names.listed][at] = listed;
  }

  /** The end of a session, or the end of its time for late records when it has given its result. */
  #dueMs(page: Links, at: number): number {
    const names = this.#named();
    const end = page[names.end][at];
    return page[names.isDue][at] === SESSION_GIVEN ? end + this.latenessMs : end;
  }

  #span(startMs: number): Span {
    const known = this.#byStart.get(startMs);
    if (known !== undefined) {
      known.idleUntilMs = startMs;
      return known;
    }
    const span = {
      startMs,
      entries: [],
      at: 0,
      kept: [],
      keptUntilMs: Number.POSITIVE_INFINITY,
      idleUntilMs: startMs,
      away: null,
    };
    this.#byStart.set(startMs, span);
    let at = this.#spans.length;
    while (at > 0 && this.#spans[at - 1].startMs > startMs) at--;
    this.#spans.splice(at, 0, span);
    return span;
  }

  protected fire(passedMs: number): boolean {
    for (;;) {
      const span = this.#spans.at(0);
      if (span === undefined || Math.max(span.startMs, span.idleUntilMs) - 1 > passedMs)
        return false;
      if (this.#look(span, passedMs) || this.#lookAway(span, passedMs)) return true;
      const awayUntilMs = span.away?.firstMs ?? Number.POSITIVE_INFINITY;
      if (span.kept.length > 0 || awayUntilMs < Number.POSITIVE_INFINITY) {
        span.entries = span.kept;
        span.kept = [];
        span.at = 0;
        span.idleUntilMs = Math.min(span.keptUntilMs, awayUntilMs);
        span.keptUntilMs = Number.POSITIVE_INFINITY;
        return false;
      }
      span.away?.close();
      this.#spans.shift();
      this.#byStart.delete(span.startMs);
    }
  }

  /** Has keys come back of which a session may be over, and looks at those sessions; false when there are none. */
  #lookAway(span: Span, passedMs: number): boolean {
    const { away } = span;
    if (away === null || away.firstMs - 1 > passedMs) return false;
    const names = this.#named();
    const index = Math.floor(span.startMs / this.#spanMs);
    span.entries = [];
    span.at = 0;
    away.take(passedMs + 1, KEYS_MAX, (key) => {
      const [keyPage, keyAt] = this.#key(key);
      for (let entry: number = keyPage[names.newest][keyAt]; entry !== NO_ENTRY; ) {
        const [page, at] = this.#session(entry);
        if (page[names.listed][at] === awayIn(index)) {
          page[names.listed][at] = hereIn(index);
          span.entries.push(entry);
        }
        entry = page[names.older][at];
      }
    });
    // At once, before they may leave again.
    this.#look(span, passedMs);
    return true;
  }

  /** Looks at the next sessions of a span and takes those that are over; false when it has come to the end. */
  #look(span: Span, passedMs: number): boolean {
    const { taken } = this.parts;
    const names = this.#named();
    const listed = hereIn(Math.floor(span.startMs / this.#spanMs));
    taken.at = 0;
    taken.count = 0;
    const end = Math.min(span.entries.length, span.at + LOOKS_MAX);
    if (span.at === end) return false;
    for (; span.at < end && taken.count < taken.ids.length; span.at++) {
      const entry = span.entries[span.at];
      const [page, at] = this.#session(entry);
      // The session that was listed is gone, or was listed anew.
      if (page[names.listed][at] !== listed) continue;
      const due = this.#dueMs(page, at);
      if (due - 1 > passedMs) {
        if (due < span.startMs + this.#spanMs) {
          span.kept.push(entry);
          span.keptUntilMs = Math.min(span.keptUntilMs, due);
        } else {
          this.#list(entry);
        }
      } else if (page[names.isDue][at] === SESSION_GIVEN) {
        this.remove(entry);
      } else {
        // Until it has given its result it is in no list.
        page[names.listed][at] = 0;
        taken.ids[taken.count++] = entry;
      }
    }
    return true;
  }

  /** A session has given its result: it is gone, or stays for late records. */
  given(entry: number): void {
    if (this.spec.allowedLatenessMs === null) return this.remove(entry);
    const names = this.#named();
    const [page, at] = this.#session(entry);
    page[names.isDue][at] = SESSION_GIVEN;
    this.#list(entry);
  }

  #session(entry: number): readonly [Links, number] {
    return [this.#bound().sessions.pages[entry >>> PAGE_SHIFT], entry & PAGE_MASK];
  }

  #key(entry: number): readonly [Links, number] {
    return [this.#bound().keys.pages[entry >>> PAGE_SHIFT], entry & PAGE_MASK];
  }

  #bound(): SessionTables {
    assert(this.#tables !== null, 'Sessions have tables from their first record on.');
    return this.#tables;
  }

  #named(): Names {
    assert(this.#names !== null, 'Sessions have tables from their first record on.');
    return this.#names;
  }
}
