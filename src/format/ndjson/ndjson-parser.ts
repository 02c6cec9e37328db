/**
 * The NDJSON parser: lets the row scanner and the generated reader take the rows that look as
 * learned, reads the others the general way, and learns from them when they become many. Callers:
 * the file reader. Runs on: worker. Invariant: what a row means does not depend on which of the
 * three reads it.
 */
import { isDeepStrictEqual } from 'node:util';
import { StructAppender } from '../../record/appenders.js';
import type { Appender, BatchBuilder } from '../../record/batch-builder.js';
import {
  PARSE_BAD,
  PARSE_FULL,
  PARSE_MISFIT,
  PARSE_MORE,
  type ParseCursor,
  type ParseResult,
  type RowParser,
  type RowParserOptions,
} from '../bytes/row-parser.js';
import type { ValueFilter } from '../../record/value-filter.js';
import type { BlockReader } from '../structural/block-reader.js';
import { skipBlanks } from './json-skip.js';
import { createNdjsonBlocks } from './ndjson-blocks.js';
import { compileFastReader, FAST_FULL, FAST_MORE, type FastReader } from './ndjson-code.js';
import { type LayoutNames, learnLayout, mergeLayouts, type NdjsonLayout } from './ndjson-layout.js';
import { type NdjsonOptions, NdjsonRow, ROW_BAD, ROW_WRITTEN } from './ndjson-row.js';

/** Readers generated for one builder at most; after that the last one stays. */
const COMPILATIONS_MAX = 8;
/** Rows read the general way before learning again pays. */
const MISSES_MIN = 32;
/** Learn a layout that replaces the one known when more than one row in this many is read the general way. */
const MISSES_SHARE = 16;
/** Learn more of the one known when one in this many is: a row that is different costs many others. */
const SELDOM_SHARE = 512;

/** Reads NDJSON rows into a builder. */
export class NdjsonParser implements RowParser {
  readonly #builder: BatchBuilder;
  readonly #rowStarts: Float64Array;
  readonly #options: NdjsonOptions;
  readonly #row: NdjsonRow;
  readonly #names: LayoutNames;
  readonly #filter: ValueFilter | null;
  #layout: NdjsonLayout | null = null;
  #fast: FastReader | null = null;
  #blocks: BlockReader | null = null;
  #compilations = 0;
  #misses = 0;
  #fastRows = 0;

  constructor(options: RowParserOptions, ndjson: NdjsonOptions) {
    this.#builder = options.builder;
    this.#rowStarts = options.rowStarts;
    this.#options = ndjson;
    this.#filter = options.filter ?? null;
    this.#row = new NdjsonRow(options, ndjson);
    this.#names = layoutNames(options.builder.columns, (name) => this.#row.isWanted(name));
  }

  parse(buffer: Buffer, view: DataView, cursor: ParseCursor): ParseResult {
    const builder = this.#builder;
    for (;;) {
      if (this.#fast !== null && cursor.validUtf8) {
        const rows = builder.rows;
        const result = this.#readAlike(this.#fast, buffer, view, cursor);
        this.#fastRows += builder.rows - rows;
        if (result === FAST_MORE) return PARSE_MORE;
        if (result === FAST_FULL) return PARSE_FULL;
      }
      if (cursor.position >= cursor.end) return PARSE_MORE;
      const start = cursor.position;
      const newline = buffer.indexOf(0x0a, start);
      if (skipBlanks(buffer, start) === newline) {
        cursor.position = newline + 1;
        continue;
      }
      if (builder.rows === builder.capacity) return PARSE_FULL;
      const result = this.#row.read(buffer, start, newline, cursor);
      if (result !== ROW_WRITTEN) {
        cursor.rowEnd = newline + 1;
        return result === ROW_BAD ? PARSE_BAD : PARSE_MISFIT;
      }
      this.#rowStarts[builder.rows - 1] = cursor.base + start;
      cursor.position = newline + 1;
      this.#missed(buffer, start, newline);
    }
  }

  /**
   * Reads rows that are as learned: most of them with the row scanner where the buffer is in its
   * memory, the others with the generated reader.
   */
  #readAlike(fast: FastReader, buffer: Buffer, view: DataView, cursor: ParseCursor): number {
    const builder = this.#builder;
    const { memory, end } = cursor;
    if (memory === null || this.#blocks === null) {
      return fast(buffer, view, cursor, builder, this.#rowStarts);
    }
    for (;;) {
      this.#blocks.read(memory, cursor);
      if (cursor.position >= end) return FAST_MORE;
      if (builder.rows === builder.capacity) return FAST_FULL;
      cursor.end = this.#blocks.pauseEnd(buffer, cursor);
      const result = fast(buffer, view, cursor, builder, this.#rowStarts);
      cursor.end = end;
      if (result !== FAST_MORE) return result;
    }
  }

  /** Counts a row that was read the general way and learns from it when that happens too often. */
  #missed(buffer: Buffer, start: number, newline: number): void {
    this.#misses++;
    if (this.#compilations === COMPILATIONS_MAX) return;
    const all = this.#fastRows + this.#misses;
    if (this.#layout !== null && this.#misses < Math.max(MISSES_MIN, all / SELDOM_SHARE)) return;
    const seen = learnLayout(buffer, start, newline, this.#names);
    if (seen === null) return;
    const merged = this.#layout === null ? seen : mergeLayouts(this.#layout, seen);
    // Rows that cannot be had beside the others take their place when they are many.
    if (merged === null && this.#misses * MISSES_SHARE < all) return;
    this.#misses = 0;
    this.#fastRows = 0;
    // Some rows are read the general way for their values.
    if (merged !== null && isDeepStrictEqual(merged, this.#layout)) return;
    this.#layout = merged ?? seen;
    this.#fast = compileFastReader(
      this.#layout,
      this.#builder.schema.fields,
      this.#options.validate,
    );
    this.#blocks = createNdjsonBlocks(
      this.#layout,
      this.#builder,
      this.#rowStarts,
      this.#options.validate,
      this.#filter,
    );
    this.#compilations++;
  }
}

/** What keys of rows, and of objects within, are to the reader; `isWanted` tells of those without a column. */
function layoutNames(
  columns: readonly Appender[],
  isWanted: (name: string) => boolean,
): LayoutNames {
  const indexes = new Map(
    columns.map(({ field }, index) => [Buffer.from(field.name).toString('latin1'), index]),
  );
  const within = columns.map((column) =>
    column instanceof StructAppender ? layoutNames(column.children, () => !column.isPart) : null,
  );
  return {
    columnOf(key) {
      const known = indexes.get(key.latin1Slice(0, key.length));
      if (known !== undefined) return known;
      return isWanted(key.utf8Slice(0, key.length)) ? null : -1;
    },
    within: (column) => within[column],
  };
}
