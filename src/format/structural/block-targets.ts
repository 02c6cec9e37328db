/**
 * Moves columns of a scanned block to the appenders of a builder. Callers: `block-reader.ts`.
 * Runs on: worker. Invariant: a target writes rows in order and stops at the first one that it
 * cannot write, of which nothing stays.
 */
import type { FixedAppender, StructAppender } from '../../record/appenders.js';
import type { BinaryAppender } from '../../record/binary-appender.js';
import type { Appender } from '../../record/batch-builder.js';
import type { BlockColumn, ScanDictionary } from './scan-block.js';
import { MARK_MISSING, MARK_NULL, MARK_SPELLED } from './scan-program.js';

/** Takes one column of a block. */
export interface BlockTarget {
  /** Writes the values of `rows` rows as rows from `first` on; returns how many it wrote. */
  write(column: BlockColumn, first: number, rows: number, bytes: Buffer): number;
}

/** Writes the value of a range, given its mark; false when it cannot be written. */
export type WriteRange = (
  row: number,
  bytes: Buffer,
  start: number,
  end: number,
  mark: number,
) => boolean;

/** Numbers and booleans. */
export class ValuesTarget implements BlockTarget {
  readonly #appender: FixedAppender;
  readonly #parse: (bytes: Buffer, start: number, end: number) => number;

  /** `parse` reads the numbers that the scanner leaves spelled. */
  constructor(
    appender: FixedAppender,
    parse: (bytes: Buffer, start: number, end: number) => number,
  ) {
    this.#appender = appender;
    this.#parse = parse;
  }

  write(column: BlockColumn, first: number, rows: number, bytes: Buffer): number {
    const appender = this.#appender;
    appender.values.set(column.values.subarray(0, rows), first);
    if (!column.isMarked) return rows;
    for (let row = 0; row < rows; row++) {
      const mark = column.marks[row];
      if (mark === MARK_NULL) appender.setNull(first + row);
      else if (mark === MARK_MISSING) appender.setMissing(first + row);
      else if (mark === MARK_SPELLED) {
        const { ranges } = column;
        const value = this.#parse(bytes, ranges[row * 2], ranges[row * 2 + 1]);
        if (Number.isNaN(value)) return row;
        appender.values[first + row] = value;
      }
    }
    return rows;
  }
}

/** Texts, copied where they have no escapes. */
export class TextTarget implements BlockTarget {
  readonly #appender: BinaryAppender;
  readonly #writeEscaped: WriteRange;

  constructor(appender: BinaryAppender, writeEscaped: WriteRange) {
    this.#appender = appender;
    this.#writeEscaped = writeEscaped;
  }

  write(column: BlockColumn, first: number, rows: number, bytes: Buffer): number {
    const appender = this.#appender;
    const { ranges, marks, dictionary } = column;
    if (!column.isMarked) {
      if (dictionary?.isUsed === true && dictionary.isValid) {
        this.#writeCoded(column, dictionary, first, rows, bytes);
      } else appender.appendRanges(first, rows, bytes, ranges);
      return rows;
    }
    for (let row = 0; row < rows; row++) {
      const start = ranges[row * 2];
      const end = ranges[row * 2 + 1];
      const mark = marks[row];
      if (mark === 0) appender.appendBytes(first + row, bytes, start, end);
      else if (mark === MARK_NULL) appender.setNull(first + row);
      else if (mark === MARK_MISSING) appender.setMissing(first + row);
      else if (!this.#writeEscaped(first + row, bytes, start, end, mark)) return row;
    }
    return rows;
  }

  #writeCoded(
    { codes, ranges }: BlockColumn,
    dictionary: ScanDictionary,
    first: number,
    rows: number,
    bytes: Buffer,
  ): void {
    const appender = this.#appender;
    if (appender.appendCodes(first, rows, dictionary, codes, bytes, ranges)) return;
    // The entries are others than those that the codes were given for, or there are none.
    if (appender.isKeeping) dictionary.forget();
    else dictionary.drop();
  }
}

/** Any other values, each by a call. */
export class RangeTarget implements BlockTarget {
  readonly #appender: Appender | null;
  readonly #write: WriteRange;

  /**
   * With an appender the marks for null and missing are taken as such, else `write` gets them too.
   */
  constructor(appender: Appender | null, write: WriteRange) {
    this.#appender = appender;
    this.#write = write;
  }

  write(column: BlockColumn, first: number, rows: number, bytes: Buffer): number {
    const appender = this.#appender;
    const { ranges, marks } = column;
    for (let row = 0; row < rows; row++) {
      const mark = marks[row];
      if (appender !== null && mark === MARK_NULL) appender.setNull(first + row);
      else if (appender !== null && mark === MARK_MISSING) appender.setMissing(first + row);
      else if (!this.#write(first + row, bytes, ranges[row * 2], ranges[row * 2 + 1], mark)) {
        return row;
      }
    }
    return rows;
  }
}

/** Objects, of which other targets write the fields: only whether there is one. */
export class StructTarget implements BlockTarget {
  readonly #appender: StructAppender;

  constructor(appender: StructAppender) {
    this.#appender = appender;
  }

  write(column: BlockColumn, first: number, rows: number): number {
    if (!column.isMarked) return rows;
    const { marks } = column;
    for (let row = 0; row < rows; row++) {
      if (marks[row] === MARK_NULL) this.#appender.markNull(first + row);
      else if (marks[row] === MARK_MISSING) this.#appender.markMissing(first + row);
    }
    return rows;
  }
}

/** Numbers that are only checked: the scanner has read the plain ones. */
export class CheckTarget implements BlockTarget {
  readonly #isNumber: (bytes: Buffer, start: number, end: number) => boolean;

  constructor(isNumber: (bytes: Buffer, start: number, end: number) => boolean) {
    this.#isNumber = isNumber;
  }

  write(column: BlockColumn, _first: number, rows: number, bytes: Buffer): number {
    if (!column.isMarked) return rows;
    const { ranges, marks } = column;
    for (let row = 0; row < rows; row++) {
      if (marks[row] !== MARK_SPELLED) continue;
      if (!this.#isNumber(bytes, ranges[row * 2], ranges[row * 2 + 1])) return row;
    }
    return rows;
  }
}
