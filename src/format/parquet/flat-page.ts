/**
 * Decodes pages of columns that are not nested: one value or null a row. Callers: `flat-cursor.ts`. Runs on: the slot's
 * thread. Invariant: a decoded page is valid until the next one of the column is decoded into the same memory.
 */
import type { TextKind } from '../../record/column.js';
import { bitmapBytes } from '../../record/bitmap.js';
import { corrupt } from './corrupt.js';
import { type Dictionary, kindOf } from './dictionary.js';
import { decodeHybrid, hybridRoom } from './hybrid.js';
import { allocateValues, decodeValues, type FixedValues, isBinary } from './leaf-decoder.js';
import { decodeLevels, findLevels, uniformLevel } from './levels.js';
import type { Page } from './page-source.js';
import { ENCODING_PLAIN_DICTIONARY, ENCODING_RLE_DICTIONARY } from './parquet-types.js';
import type { BinaryValues } from './raw-values.js';
import type { LeafNode } from './schema-tree.js';
import { gatherFor, spreadFor } from './spread.js';

/** Rows of a column; exactly one of `fixed`, `codes` and `entries` is there. */
export interface FlatPage {
  readonly rows: number;
  readonly validity: Uint8Array | null;
  readonly fixed: FixedValues | null;
  /** Entry of the dictionary of each row; null rows have its empty entry. */
  readonly codes: Int32Array | null;
  /** An entry a row; null rows have empty ones. */
  readonly entries: BinaryValues | null;
  /** Of `entries`. */
  readonly textKind: TextKind;
}

/** Memory that the pages of one column share. */
export interface PageScratch {
  codes: Int32Array;
  fixed: FixedValues | null;
}

/** Decodes a page. */
export function decodeFlatPage(
  node: LeafNode,
  page: Page,
  dictionary: Dictionary | null,
  scratch: PageScratch,
): FlatPage {
  const rows = page.header.values;
  const levels = findLevels(page, 0, node.definition);
  const { definitionStart, definitionEnd } = levels;
  const uniform =
    node.definition === 0
      ? 0
      : uniformLevel(page.levels, definitionStart, definitionEnd, rows);
  const validity =
    uniform === node.definition
      ? null
      : validityOf(
          decodeLevels(page.levels, definitionStart, definitionEnd, node.definition, rows),
          node.definition,
          rows,
        );
  const present = validity === null ? rows : countBits(validity, rows);
  const { encoding } = page.header;
  const coded = encoding === ENCODING_RLE_DICTIONARY || encoding === ENCODING_PLAIN_DICTIONARY;
  const parts = { node, page, at: levels.valuesStart, rows, present, validity };
  return coded ? codedPage(parts, dictionary, scratch) : plainPage(parts);
}

/** What is known of a page once its levels are decoded. */
interface PageParts {
  readonly node: LeafNode;
  readonly page: Page;
  /** Where the values begin. */
  readonly at: number;
  readonly rows: number;
  /** Rows that are not null. */
  readonly present: number;
  readonly validity: Uint8Array | null;
}

function codedPage(
  parts: PageParts,
  dictionary: Dictionary | null,
  scratch: PageScratch,
): FlatPage {
  const { node, rows, present, validity } = parts;
  if (dictionary === null) throw corrupt('A page refers to a dictionary that is not there.');
  if (scratch.codes.length < hybridRoom(rows)) scratch.codes = new Int32Array(hybridRoom(rows));
  const { codes } = scratch;
  decodeCodes(parts, codes);
  if (isBinary(dictionary.values)) {
    if (!allBelow(codes, present, dictionary.count)) throw outsideDictionary();
    if (validity !== null) spreadFor(codes)(codes, present, validity, rows, dictionary.count);
    return { rows, validity, fixed: null, codes, entries: null, textKind: dictionary.textKind };
  }
  if (scratch.fixed === null || scratch.fixed.length < rows) {
    scratch.fixed = allocateValues(node.leaf, rows);
  }
  const { fixed } = scratch;
  if (fixed === null) throw outsideDictionary();
  if (!gatherFor(fixed)(dictionary.values, codes, present, fixed)) throw outsideDictionary();
  spreadNulls(fixed, parts);
  return { rows, validity, fixed, codes: null, entries: null, textKind: dictionary.textKind };
}

function decodeCodes({ page, at, present }: PageParts, codes: Int32Array): void {
  if (present === 0) return;
  if (at >= page.values.length) throw corrupt('A page ends before its dictionary codes.');
  decodeHybrid(page.values, at + 1, page.values.length, page.values[at], present, codes);
}

function plainPage(parts: PageParts): FlatPage {
  const { node, page, at, rows, present, validity } = parts;
  const values = decodeValues(node.leaf, page.header.encoding, page.values, at, present);
  if (isBinary(values)) {
    const textKind = kindOf(node.leaf, values, present);
    const entries = validity === null ? values : spreadEntries(values, validity, rows);
    return { rows, validity, fixed: null, codes: null, entries, textKind };
  }
  let fixed = values;
  if (validity !== null) {
    const wide = allocateValues(node.leaf, rows);
    if (wide === null) throw corrupt('A column changes its type from page to page.');
    copyValues(values, wide);
    fixed = wide;
  }
  spreadNulls(fixed, parts);
  return { rows, validity, fixed, codes: null, entries: null, textKind: 0 };
}

/** Both are of the leaf's form; the check is what the compiler asks for. */
export function copyValues(source: FixedValues, target: FixedValues, offset = 0): void {
  if (source instanceof BigInt64Array) {
    if (target instanceof BigInt64Array) target.set(source, offset);
  } else if (!(target instanceof BigInt64Array)) target.set(source, offset);
}

function spreadNulls(values: FixedValues, { present, validity, rows }: PageParts): void {
  if (validity === null) return;
  const zero = values instanceof BigInt64Array ? 0n : 0;
  spreadFor(values)(values, present, validity, rows, zero);
}

function spreadEntries(values: BinaryValues, validity: Uint8Array, rows: number): BinaryValues {
  const offsets = new Int32Array(rows + 1);
  let entry = 0;
  for (let row = 0; row < rows; row++) {
    entry += (validity[row >> 3] >> (row & 7)) & 1;
    offsets[row + 1] = values.offsets[entry];
  }
  return { offsets, bytes: values.bytes };
}

function validityOf(levels: Int32Array, definition: number, rows: number): Uint8Array {
  const validity = new Uint8Array(bitmapBytes(rows));
  for (let row = 0; row < rows; row++) {
    if (levels[row] === definition) validity[row >> 3] |= 1 << (row & 7);
  }
  return validity;
}

function countBits(bitmap: Uint8Array, rows: number): number {
  let count = 0;
  for (let row = 0; row < rows; row++) count += (bitmap[row >> 3] >> (row & 7)) & 1;
  return count;
}

/** The union of all bits bounds every code, which settles most pages without comparing. */
function allBelow(codes: Int32Array, count: number, limit: number): boolean {
  let union = 0;
  for (let index = 0; index < count; index++) union |= codes[index];
  if (union >>> 0 < limit) return true;
  for (let index = 0; index < count; index++) {
    if (codes[index] >>> 0 >= limit) return false;
  }
  return true;
}

function outsideDictionary(): Error {
  return corrupt('A page refers to a value that its dictionary does not have.');
}
