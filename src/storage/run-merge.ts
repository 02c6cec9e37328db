/**
 * Several sorted runs as one. Callers: the merge of incremental chains, sort, restore, which reads through a base and
 * its changes. Runs on: any thread, in steps. Invariant: of equal keys the entry of the newest run is given, and only
 * that, unless all are asked for, as for sorting.
 */
import { compareCursors, type RunCursor } from './run-cursor.js';
import type { RunWriter } from './run-writer.js';

/**
 * Steps through all of these runs, the newest first. A binary heap keeps the one with the least key, and of equal keys
 * the newest, on top.
 */
export class MergeCursor implements RunCursor {
  readonly #runs: readonly RunCursor[];
  readonly #givesAll: boolean;
  /** Indices of runs that are not done. */
  readonly #heap: number[] = [];
  #top: RunCursor;

  /** `equalKeys: 'all'` gives every entry of a key, those of the first run first. */
  constructor(
    runs: readonly RunCursor[],
    { equalKeys = 'newest' }: { readonly equalKeys?: 'newest' | 'all' } = {},
  ) {
    this.#runs = runs;
    this.#givesAll = equalKeys === 'all';
    this.#top = NOTHING;
    this.#fill();
  }

  get isDone(): boolean {
    return this.#top.isDone;
  }
  get bytes(): Uint8Array {
    return this.#top.bytes;
  }
  get view(): DataView {
    return this.#top.view;
  }
  get keyStart(): number {
    return this.#top.keyStart;
  }
  get keyEnd(): number {
    return this.#top.keyEnd;
  }
  get valueStart(): number {
    return this.#top.valueStart;
  }
  get valueEnd(): number {
    return this.#top.valueEnd;
  }
  get isTombstone(): boolean {
    return this.#top.isTombstone;
  }

  next(): void {
    // Older entries of the same key go first, as long as the newest one still shows which key that is.
    while (this.#heap.length > 1 && !this.#givesAll) {
      const other = this.#secondOf();
      if (compareCursors(this.#run(this.#heap[other]), this.#top) !== 0) break;
      this.#run(this.#heap[other]).next();
      this.#settle(other);
    }
    this.#top.next();
    this.#settle(0);
    this.#top = this.#run(this.#heap[0]);
  }

  seek(key: Uint8Array): void {
    for (const run of this.#runs) run.seek(key);
    this.#fill();
  }

  #fill(): void {
    this.#heap.length = 0;
    this.#runs.forEach((run, index) => {
      if (!run.isDone) this.#heap.push(index);
    });
    for (let at = (this.#heap.length >>> 1) - 1; at >= 0; at--) this.#sink(at);
    this.#top = this.#run(this.#heap[0]);
  }

  #run(index: number | undefined): RunCursor {
    return index === undefined ? NOTHING : (this.#runs[index] ?? NOTHING);
  }

  /** Where in the heap the next one after the top is. */
  #secondOf(): number {
    return this.#heap.length > 2 && this.#isBefore(2, 1) ? 2 : 1;
  }

  /** Puts a place right whose run has moved on. */
  #settle(at: number): void {
    if (this.#run(this.#heap[at]).isDone) {
      const last = this.#heap.pop();
      if (at === this.#heap.length || last === undefined) return;
      this.#heap[at] = last;
    }
    this.#sink(at);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    for (let at = from; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least] ?? 0, heap[at] ?? 0];
      at = least;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [first = 0, second = 0] = [this.#heap[left], this.#heap[right]];
    const difference = compareCursors(this.#run(first), this.#run(second));
    return difference < 0 || (difference === 0 && first < second);
  }
}

/** Past the last entry of nothing. */
const NOTHING: RunCursor = {
  isDone: true,
  bytes: new Uint8Array(0),
  view: new DataView(new ArrayBuffer(0)),
  keyStart: 0,
  keyEnd: 0,
  valueStart: 0,
  valueEnd: 0,
  isTombstone: false,
  next: () => undefined,
  seek: () => undefined,
};

/**
 * Copies merged entries into a new run, at most `entriesMax` of them; true when all are copied. When the oldest of the
 * runs is the base, nothing is below the result, and `isBase` leaves tombstones out.
 *
 * @example
 * const merged = new MergeCursor([newest.cursor(), older.cursor(), base.cursor()]);
 * while (!mergeStep(merged, writer, { entriesMax: 10_000, isBase: true }));
 * writer.finish({ isDurable: true });
 */
export function mergeStep(
  merged: RunCursor,
  writer: RunWriter,
  { entriesMax, isBase }: { readonly entriesMax: number; readonly isBase: boolean },
): boolean {
  for (let left = entriesMax; left > 0 && !merged.isDone; left--) {
    if (!isBase || !merged.isTombstone) writer.append(merged);
    merged.next();
  }
  return merged.isDone;
}
