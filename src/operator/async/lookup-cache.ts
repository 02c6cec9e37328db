/**
 * What look-ups have found, by key: at most so many rows and bytes, of which the ones that were not used for the
 * longest time go first, and none longer than a time since it was written or used. Callers: `lookup.ts`; the ledger
 * reads what it holds. Runs on: the slot's thread. Invariant: `rows` and `bytes` are the sums over all entries, and
 * never above their bounds. It is no state: a restart begins with an empty one.
 */
import type { Clock } from '../../base/clock.js';
import { heapValueBytes } from '../../state/heap-value.js';
import type { LookupCacheSpec } from './async-function.js';

/** What identifies a key; see `lookup-key.ts`. */
export type LookupId = string | number | bigint | boolean;

/** Roughly what an entry takes beside its key and rows: itself and its place in the map. */
const ENTRY_BYTES = 120;

/** What was found for a key, and its neighbours in the order of use. */
class Entry {
  readonly id: LookupId;
  readonly found: readonly unknown[];
  readonly bytes: number;
  readonly writtenMs: number;
  usedMs: number;
  newer: Entry = this;
  older: Entry = this;

  constructor(id: LookupId, found: readonly unknown[], nowMs: number) {
    this.id = id;
    this.found = found;
    this.bytes = ENTRY_BYTES + heapValueBytes(id) + heapValueBytes(found);
    this.writtenMs = nowMs;
    this.usedMs = nowMs;
  }

  /** That nothing was found is something to keep, too. */
  get rows(): number {
    return Math.max(1, this.found.length);
  }
}

/** The cache of one subtask. */
export class LookupCache {
  rows = 0;
  bytes = 0;
  readonly #spec: LookupCacheSpec;
  readonly #clock: Clock;
  readonly #rowsMax: number;
  readonly #bytesMax: number;
  readonly #writeMs: number;
  readonly #accessMs: number;
  readonly #entries = new Map<LookupId, Entry>();
  /** Closes the ring of entries: the newest is older than it, the oldest newer. */
  readonly #ring = new Entry('', [], 0);

  constructor(spec: LookupCacheSpec, clock: Clock) {
    this.#spec = spec;
    this.#clock = clock;
    this.#rowsMax = spec.rowsMax ?? Infinity;
    this.#bytesMax = spec.bytesMax ?? Infinity;
    this.#writeMs = spec.expireAfterWriteMs ?? Infinity;
    this.#accessMs = spec.expireAfterAccessMs ?? Infinity;
  }

  /** What was found for a key, which thereby is used; null when that is not known, or no longer. */
  get(id: LookupId): readonly unknown[] | null {
    const entry = this.#entries.get(id);
    if (entry === undefined) return null;
    const nowMs = this.#nowMs();
    if (this.#isOver(entry, nowMs)) {
      this.#remove(entry);
      return null;
    }
    entry.usedMs = nowMs;
    if (this.#ring.older !== entry) {
      unlink(entry);
      this.#link(entry);
    }
    return entry.found;
  }

  /** Keeps what was found for a key, if it may be kept at all. */
  put(id: LookupId, found: readonly unknown[]): void {
    const before = this.#entries.get(id);
    if (before !== undefined) this.#remove(before);
    if (found.length === 0 && !this.#spec.keepsMissing) return;
    const nowMs = this.#nowMs();
    const entry = new Entry(id, found, nowMs);
    // It would drive out all others, and still not fit.
    if (entry.rows > this.#rowsMax || entry.bytes > this.#bytesMax) return;
    this.rows += entry.rows;
    this.bytes += entry.bytes;
    this.#entries.set(id, entry);
    this.#link(entry);
    while (this.#isTooMuch || this.#isOver(this.#oldest, nowMs)) this.#remove(this.#oldest);
  }

  get #isTooMuch(): boolean {
    return this.rows > this.#rowsMax || this.bytes > this.#bytesMax;
  }

  get #oldest(): Entry {
    return this.#ring.newer;
  }

  #isOver(entry: Entry, nowMs: number): boolean {
    return nowMs - entry.writtenMs >= this.#writeMs || nowMs - entry.usedMs >= this.#accessMs;
  }

  /** Without a time to live nobody asks for the time. */
  #nowMs(): number {
    return this.#writeMs < Infinity || this.#accessMs < Infinity ? this.#clock.epochMs() : 0;
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.id);
    this.rows -= entry.rows;
    this.bytes -= entry.bytes;
    unlink(entry);
  }

  /** Makes an entry the newest. */
  #link(entry: Entry): void {
    const ring = this.#ring;
    entry.older = ring.older;
    entry.newer = ring;
    ring.older.newer = entry;
    ring.older = entry;
  }
}

function unlink(entry: Entry): void {
  entry.newer.older = entry.older;
  entry.older.newer = entry.newer;
}
