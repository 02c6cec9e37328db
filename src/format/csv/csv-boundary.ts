/**
 * Finds where rows begin in the middle of a CSV file, so that it can be split: a newline may stand
 * inside quotes, and only what precedes it tells. Callers: the CSV source at plan time. Runs on:
 * the caller's thread.
 *
 * Two ways, both exact for every input, well formed or not. First: after some newline before the
 * wanted place the scanner can only be at the start of a row or inside quotes; it is run from both,
 * and once both have begun a row at the same byte, what came before no longer matters. That settles
 * files that use quotes by reading a few kilobytes per split. Second, where quotes are too rare for
 * that: from the last known row start on, a native search for the next quote jumps over everything
 * that has none, at the speed of memory.
 */
import { lineStartFrom, type RandomAccess } from '../bytes/line-start.js';
import type { CsvDialect } from './csv-dialect.js';
import { CsvCells, isComment, ROW_INCOMPLETE, splitRow } from './csv-split.js';

/** How much is looked at. */
export interface BoundarySizes {
  /** Bytes before and after the wanted place that the first way looks at. */
  readonly windowBytes: number;
  /** Bytes searched at once by the second way. */
  readonly chunkBytes: number;
}

const SIZES: BoundarySizes = { windowBytes: 32 * 1024, chunkBytes: 1024 * 1024 };
const NEWLINE = 0x0a;

/** Finds row starts of one file, in ascending order of the places asked for. */
export class CsvBoundaries {
  readonly #file: RandomAccess;
  readonly #dialect: CsvDialect;
  readonly #sizes: BoundarySizes;
  readonly #cells = new CsvCells();
  #known: number;
  #chunk = Buffer.alloc(0);

  /** `dataStart` is where the first row begins. */
  constructor(file: RandomAccess, dialect: CsvDialect, dataStart: number, sizes = SIZES) {
    this.#file = file;
    this.#dialect = dialect;
    this.#known = dataStart;
    this.#sizes = sizes;
  }

  /** A row start at or after `place`, hardly ever far from it, or the end of the file. */
  rowStartFrom(place: number): number {
    if (place >= this.#file.bytes) return this.#file.bytes;
    if (place > this.#known) {
      this.#known = this.#dialect.multiline
        ? (this.#synchronized(place) ?? this.#searched(place))
        : lineStartFrom(this.#file, place);
    }
    return this.#known;
  }

  /**
   * The first way; null when the two runs do not meet within the window. Where they meet only
   * behind the wanted place, a row start or two before that are passed over, since they belong to
   * one of the runs only.
   */
  #synchronized(place: number): number | null {
    const { windowBytes } = this.#sizes;
    const from = Math.max(this.#known, place - windowBytes);
    const window = Buffer.allocUnsafe(windowBytes * 2);
    const length = this.#file.read(window, from);
    const end = window.subarray(0, length).lastIndexOf(NEWLINE) + 1;
    const start = window.indexOf(NEWLINE) + 1;
    if (start === 0 || end <= start) return null;
    let outside = start;
    let inside = this.#afterQuotes(window, start, end);
    // Both are row starts of their run; the smaller one goes on until they are the same.
    while (outside !== inside) {
      if (inside < 0 || outside < 0) return null;
      if (outside < inside) outside = this.#nextRow(window, outside, end);
      else inside = this.#nextRow(window, inside, end);
    }
    while (outside >= 0 && from + outside < place) outside = this.#nextRow(window, outside, end);
    return outside < 0 ? null : from + outside;
  }

  /** The first row start, when `start` is inside quotes. */
  #afterQuotes(window: Buffer, start: number, end: number): number {
    // A quote in front of the bytes makes them the first field of a row; rows only depend on what
    // follows it.
    const quoted = Buffer.allocUnsafe(end - start + 1);
    quoted[0] = this.#dialect.quote;
    window.copy(quoted, 1, start, end);
    const next = splitRow(quoted, 0, quoted.length, this.#dialect, this.#cells);
    return next === ROW_INCOMPLETE ? -1 : start + next - 1;
  }

  /** The row start after the row at `at`, or -1 when it is not within the window. */
  #nextRow(bytes: Buffer, at: number, end: number): number {
    if (at >= end) return -1;
    if (isComment(bytes, at, this.#dialect)) return bytes.indexOf(NEWLINE, at) + 1;
    return splitRow(bytes, at, end, this.#dialect, this.#cells);
  }

  /**
   * The second way: rows without a quote end at newlines, the others are split to find their end.
   */
  #searched(place: number): number {
    let at = this.#known;
    let { chunkBytes } = this.#sizes;
    while (at < place) {
      const chunk = this.#chunkAt(at, chunkBytes);
      const isLast = at + chunk.length >= this.#file.bytes;
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      const next = end === 0 ? 0 : this.#walk(chunk, end, place - at);
      if (next > 0) {
        at += next;
        chunkBytes = this.#sizes.chunkBytes;
      } else if (isLast) {
        return this.#file.bytes;
      } else {
        // One row fills the chunk.
        chunkBytes *= 2;
      }
    }
    return at;
  }

  /**
   * Walks from row start 0 to the first row start at or after `place`, as far as the chunk goes.
   */
  #walk(chunk: Buffer, end: number, place: number): number {
    let at = 0;
    while (at < place && at < end) {
      const quote = chunk.indexOf(this.#dialect.quote, at);
      const plainEnd = quote < 0 || quote >= end ? end : quote;
      if (plainEnd >= place || plainEnd === end) {
        // The newline before the wanted place, or before the end of the plain part, whichever comes
        // first.
        const limit = Math.min(plainEnd, place);
        const start = limit === end ? end : chunk.lastIndexOf(NEWLINE, limit - 1) + 1;
        if (start > at) {
          at = start;
          continue;
        }
      } else {
        at = Math.max(at, chunk.lastIndexOf(NEWLINE, quote) + 1);
      }
      const next = this.#nextRow(chunk, at, end);
      if (next === ROW_INCOMPLETE) return at;
      at = next;
    }
    return at;
  }

  #chunkAt(position: number, bytes: number): Buffer {
    if (this.#chunk.length < bytes) this.#chunk = Buffer.allocUnsafe(bytes);
    const target = this.#chunk.subarray(0, bytes);
    return target.subarray(0, this.#file.read(target, position));
  }
}
