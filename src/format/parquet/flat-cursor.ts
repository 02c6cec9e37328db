/**
 * Reads a column that is not nested, page by page, and gives its rows as columns that view the decoded page. Callers:
 * `row-group-reader.ts`. Runs on: the slot's thread. Invariant: a column is given for rows of one page only, so nothing
 * is copied; it is valid until a row of the next page is asked for.
 */
import type { Column, FixedArray } from '../../record/column.js';
import { BinaryColumn, FixedColumn, Int64Column } from '../../record/column.js';
import { identityCodes } from '../../record/identity-codes.js';
import type { Field } from '../../record/schema.js';
import { corrupt } from './corrupt.js';
import { type Dictionary, readDictionary } from './dictionary.js';
import { decodeFlatPage, type FlatPage, type PageScratch } from './flat-page.js';
import { isBinary } from './leaf-decoder.js';
import type { PageSource } from './page-source.js';
import { PAGE_DICTIONARY } from './parquet-types.js';
import type { LeafNode } from './schema-tree.js';
import { sliceBits } from './slice-column.js';

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

/** The cursor of a column that is not nested. */
export class FlatCursor implements ColumnCursor {
  readonly #pages: PageSource;
  readonly #node: LeafNode;
  readonly #field: Field;
  readonly #scratch: PageScratch = { codes: new Int32Array(0), fixed: null };
  #dictionary: Dictionary | null = null;
  #page: FlatPage | null = null;
  /** Rows of the page given or passed. */
  #used = 0;
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
      if (page.header.type === PAGE_DICTIONARY) this.#useDictionary(readDictionary(this.#node.leaf, page));
      else {
        this.#page = decodeFlatPage(this.#node, page, this.#dictionary, this.#scratch);
        this.#used = 0;
      }
    }
    return this.#page.rows - this.#used;
  }

  skip(rows: number): void {
    let left = rows;
    if (this.#page !== null) {
      const inPage = Math.min(left, this.#page.rows - this.#used);
      this.#used += inPage;
      left -= inPage;
    }
    for (;;) {
      const header = left === 0 ? null : this.#pages.peek();
      if (header === null) break;
      if (header.type !== PAGE_DICTIONARY && header.values <= left) {
        left -= header.values;
        this.#pages.skip();
        continue;
      }
      const inPage = Math.min(left, this.available());
      this.#used += inPage;
      left -= inPage;
    }
    if (left > 0) throw corrupt(`Column "${this.#node.leaf.name}" has too few values.`);
  }

  column(rows: number): Column {
    const page = this.#page;
    if (page === null) throw corrupt(`Column "${this.#node.leaf.name}" has too few values.`);
    const start = this.#used;
    const end = start + rows;
    this.#used = end;
    const field = this.#field;
    const validity = sliceBits(page.validity, start, rows);
    if (page.codes !== null) return this.#codedColumn(page.codes.subarray(start, end), validity);
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
    if (page.fixed instanceof BigInt64Array) {
      return new Int64Column(field, page.fixed.subarray(start, end), validity, null);
    }
    const values: FixedArray = page.fixed ?? new Uint8Array(0);
    return new FixedColumn(field, values.subarray(start, end), validity, null);
  }

  #useDictionary(dictionary: Dictionary): void {
    this.#dictionary = dictionary;
    this.#last = null;
  }

  #codedColumn(codes: Int32Array, validity: Uint8Array | null): BinaryColumn {
    const dictionary = this.#dictionary;
    if (dictionary === null || !isBinary(dictionary.values)) {
      throw corrupt(`Column "${this.#node.leaf.name}" has codes and no dictionary.`);
    }
    const { offsets, bytes } = dictionary.values;
    const column = new BinaryColumn({
      field: this.#field,
      codes,
      offsets,
      bytes,
      entries: dictionary.count + 1,
      textKind: dictionary.textKind,
      validity,
      presence: null,
      isDictionary: true,
    });
    // What consumers remember of the entries stays true as long as the dictionary does.
    column.decoded = this.#last?.decoded ?? null;
    column.hashes = this.#last?.hashes ?? null;
    this.#last = column;
    return column;
  }
}
