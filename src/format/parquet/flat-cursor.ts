/**
 * Reads a column that is not nested, page by page, and gives its rows as columns. Callers:
 * `row-group-reader.ts`. Runs on: the slot's thread. Invariant: a column is given for rows of one
 * page only; it is valid until the next one is asked for.
 */
import type { Column, FixedArray } from '../../record/column.js';
import { BinaryColumn, FixedColumn, Int64Column } from '../../record/column.js';
import { identityCodes } from '../../record/identity-codes.js';
import type { Field } from '../../record/schema.js';
import { corrupt } from './corrupt.js';
import { type Dictionary, readDictionary } from './dictionary.js';
import { countBits, type FlatPage, openFlatPage } from './flat-page.js';
import { allocateValues, type FixedValues, isBinary } from './leaf-decoder.js';
import type { PageSource } from './page-source.js';
import { PAGE_DICTIONARY } from './parquet-types.js';
import type { BinaryValues } from './raw-values.js';
import type { LeafNode } from './schema-tree.js';
import { sliceBits } from './slice-column.js';
import { gatherFor, spreadFor } from './spread.js';

/** Gives the rows of a column of a row group in order. */
export interface ColumnCursor {
  /** Rows that `column` can give now; 0 only at the end of the row group. */
  available(): number;
  /** The next `rows` rows, at most `available()`. */
  column(rows: number): Column;
  /** Passes over rows. */
  skip(rows: number): void;
  /** Bytes of the file passed so far. */
  readonly bytesPassed: number;
}

/** Codes are passed over in pieces of this size. */
const SKIP_ROWS = 4096;

/** The cursor of a column that is not nested. */
export class FlatCursor implements ColumnCursor {
  readonly #pages: PageSource;
  readonly #node: LeafNode;
  readonly #field: Field;
  #dictionary: Dictionary | null = null;
  #page: FlatPage | null = null;
  /** Rows of the page given or passed. */
  #used = 0;
  /** Memory of the columns given. */
  #codes = new Int32Array(0);
  #fixed: FixedValues | null = null;
  /** The column last given out of the dictionary. */
  #last: BinaryColumn | null = null;

  /** `field` is the column as the records of the whole source have it. */
  constructor(pages: PageSource, node: LeafNode, field: Field) {
    this.#pages = pages;
    this.#node = node;
    this.#field = field;
  }

  get bytesPassed(): number {
    return this.#pages.bytesPassed;
  }

  available(): number {
    while (this.#page === null || this.#used === this.#page.rows) {
      if (this.#pages.peek() === null) return 0;
      const page = this.#pages.read();
      if (page.header.type === PAGE_DICTIONARY) {
        this.#dictionary = readDictionary(this.#node.leaf, page);
        this.#last = null;
      } else {
        this.#page = openFlatPage(this.#node, page);
        this.#used = 0;
      }
    }
    return this.#page.rows - this.#used;
  }

  skip(rows: number): void {
    let left = rows;
    while (left > 0) {
      const inPage = this.#page === null ? 0 : Math.min(left, this.#page.rows - this.#used);
      if (inPage > 0) {
        this.#skipInPage(inPage);
        left -= inPage;
        continue;
      }
      const header = this.#pages.peek();
      if (header === null) throw this.#tooFew();
      if (header.type !== PAGE_DICTIONARY && header.values <= left) {
        left -= header.values;
        this.#pages.skip();
      } else this.available();
    }
  }

  column(rows: number): Column {
    const page = this.#page;
    if (page === null) throw this.#tooFew();
    const start = this.#used;
    const end = start + rows;
    this.#used = end;
    const field = this.#field;
    const validity = sliceBits(page.validity, start, rows);
    if (page.codes !== null) {
      const present = validity === null ? rows : countBits(validity, rows);
      page.codes.read(present, this.#codesFor(rows));
      return this.#codedColumn(rows, present, validity);
    }
    if (page.entries !== null) {
      return new BinaryColumn({
        field,
        codes: identityCodes(rows),
        offsets: page.entries.offsets.subarray(start, end + 1),
        bytes: page.entries.bytes,
        entries: rows,
        textKind: page.textKind,
        validity,
        presence: null,
        isDictionary: false,
      });
    }
    return fixedColumn(field, page.fixed, start, end, validity);
  }

  #skipInPage(rows: number): void {
    const codes = this.#page?.codes ?? null;
    const skipped = sliceBits(this.#page?.validity ?? null, this.#used, rows);
    this.#used += rows;
    let present = skipped === null ? rows : countBits(skipped, rows);
    while (codes !== null && present > 0) {
      const count = Math.min(present, SKIP_ROWS);
      codes.read(count, this.#codesFor(count));
      present -= count;
    }
  }

  #codesFor(rows: number): Int32Array {
    if (this.#codes.length < rows) this.#codes = new Int32Array(rows);
    return this.#codes;
  }

  #codedColumn(rows: number, present: number, validity: Uint8Array | null): Column {
    const dictionary = this.#dictionary;
    if (dictionary === null) throw corrupt('A page refers to a dictionary that is not there.');
    const { values } = dictionary;
    if (isBinary(values)) return this.#textColumn(values, dictionary, rows, present, validity);
    if (this.#fixed === null || this.#fixed.length < rows) {
      this.#fixed = allocateValues(this.#node.leaf, rows);
    }
    const fixed = this.#fixed;
    if (fixed === null || !gatherFor(fixed)(values, this.#codes, present, fixed)) throw unknown();
    if (validity !== null) {
      const zero = fixed instanceof BigInt64Array ? 0n : 0;
      spreadFor(fixed)(fixed, present, validity, rows, zero);
    }
    return fixedColumn(this.#field, fixed, 0, rows, validity);
  }

  #textColumn(
    values: BinaryValues,
    { count, textKind }: Dictionary,
    rows: number,
    present: number,
    validity: Uint8Array | null,
  ): BinaryColumn {
    const codes = this.#codes;
    const { offsets, bytes } = values;
    if (!allBelow(codes, present, count)) throw unknown();
    if (validity !== null) spreadFor(codes)(codes, present, validity, rows, count);
    const column = new BinaryColumn({
      field: this.#field,
      codes,
      offsets,
      bytes,
      entries: count + 1,
      textKind,
      validity,
      presence: null,
      isDictionary: true,
    });
    // What consumers remember of the entries stays true as long as the dictionary does.
    column.decoded = this.#last?.decoded ?? null;
    column.hashes = this.#last?.hashes ?? null;
    column.dictionary = values;
    this.#last = column;
    return column;
  }

  #tooFew(): Error {
    return corrupt(`Column "${this.#node.leaf.name}" has too few values.`);
  }
}

function fixedColumn(
  field: Field,
  values: FixedValues | null,
  start: number,
  end: number,
  validity: Uint8Array | null,
): Column {
  if (values instanceof BigInt64Array) {
    return new Int64Column(field, values.subarray(start, end), validity, null);
  }
  const array: FixedArray = values ?? new Uint8Array(end);
  return new FixedColumn(field, array.subarray(start, end), validity, null);
}

/** The union of all bits bounds every code, which settles most cases without comparing. */
function allBelow(codes: Int32Array, count: number, limit: number): boolean {
  let union = 0;
  for (let index = 0; index < count; index++) union |= codes[index];
  if (union >>> 0 < limit) return true;
  for (let index = 0; index < count; index++) {
    if (codes[index] >>> 0 >= limit) return false;
  }
  return true;
}

function unknown(): Error {
  return corrupt('A page refers to a value that its dictionary does not have.');
}
