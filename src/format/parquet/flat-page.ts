/**
 * Opens pages of columns that are not nested: one value or null a row. Levels and plain values are
 * decoded at once, dictionary codes when their rows are wanted. Callers: `flat-cursor.ts`. Runs on:
 * the slot's thread.
 */
import type { TextKind } from '../../record/column.js';
import { TEXT_ASCII } from '../../record/column.js';
import { bitmapBytes } from '../../record/bitmap.js';
import { corrupt } from './corrupt.js';
import { kindOf } from './dictionary.js';
import { HybridReader } from './hybrid.js';
import { allocateValues, decodeValues, type FixedValues, isBinary } from './leaf-decoder.js';
import { decodeLevels, findLevels, uniformLevel } from './levels.js';
import type { Page } from './page-source.js';
import { ENCODING_PLAIN_DICTIONARY, ENCODING_RLE_DICTIONARY } from './parquet-types.js';
import type { BinaryValues } from './raw-values.js';
import type { LeafNode } from './schema-tree.js';
import { spreadFor } from './spread.js';

/** Rows of a column; exactly one of `fixed`, `codes` and `entries` is there. */
export interface FlatPage {
  readonly rows: number;
  readonly validity: Uint8Array | null;
  /** A value a row. */
  readonly fixed: FixedValues | null;
  /** Codes of the rows that are not null, in order. */
  readonly codes: HybridReader | null;
  /** An entry a row; null rows have empty ones. */
  readonly entries: BinaryValues | null;
  /** Of `entries`. */
  readonly textKind: TextKind;
}

/** Opens a page. */
export function openFlatPage(node: LeafNode, page: Page): FlatPage {
  const rows = page.header.values;
  const { definitionStart, definitionEnd, valuesStart } = findLevels(page, 0, node.definition);
  const validity = validityOf(node, page, definitionStart, definitionEnd);
  const { encoding } = page.header;
  const textKind: TextKind = TEXT_ASCII;
  const parts = { rows, validity, fixed: null, codes: null, entries: null, textKind };
  if (encoding === ENCODING_RLE_DICTIONARY || encoding === ENCODING_PLAIN_DICTIONARY) {
    return { ...parts, codes: codesOf(page, valuesStart) };
  }
  const present = validity === null ? rows : countBits(validity, rows);
  const values = decodeValues(node.leaf, encoding, page.values, valuesStart, present);
  if (isBinary(values)) {
    const entries = validity === null ? values : spreadEntries(values, validity, rows);
    return { ...parts, entries, textKind: kindOf(node.leaf, values, present) };
  }
  return { ...parts, fixed: spreadFixed(node, values, validity, present, rows) };
}

/** The reader of a page's dictionary codes, whose width comes before them. */
export function codesOf(page: Page, at: number): HybridReader {
  const { values } = page;
  // A page of nothing but nulls may end here.
  const bits = at < values.length ? values[at] : 0;
  return new HybridReader(values, at + 1, values.length, bits);
}

/** Number of set bits among the first `rows`. */
export function countBits(bitmap: Uint8Array, rows: number): number {
  let count = 0;
  const whole = rows >> 3;
  for (let byte = 0; byte < whole; byte++) count += BITS_SET[bitmap[byte]];
  const rest = rows & 7;
  return rest === 0 ? count : count + BITS_SET[bitmap[whole] & ((1 << rest) - 1)];
}

const BITS_SET = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let bits = byte; bits > 0; bits >>= 1) count += bits & 1;
  return count;
});

/** Null when all rows have values, which usual writers state in one run. */
function validityOf(node: LeafNode, page: Page, start: number, end: number): Uint8Array | null {
  const { definition } = node;
  const rows = page.header.values;
  if (definition === 0 || uniformLevel(page.levels, start, end, rows) === definition) return null;
  const levels = decodeLevels(page.levels, start, end, definition, rows);
  const validity = new Uint8Array(bitmapBytes(rows));
  for (let row = 0; row < rows; row++) {
    if (levels[row] === definition) validity[row >> 3] |= 1 << (row & 7);
  }
  return validity;
}

function spreadFixed(
  node: LeafNode,
  values: FixedValues,
  validity: Uint8Array | null,
  present: number,
  rows: number,
): FixedValues {
  if (validity === null) return values;
  const wide = allocateValues(node.leaf, rows);
  if (wide === null) throw corrupt(`Column "${node.leaf.name}" changes its type.`);
  copyValues(values, wide, 0);
  spreadFor(wide)(wide, present, validity, rows, wide instanceof BigInt64Array ? 0n : 0);
  return wide;
}

/** Both are of the leaf's form; the check is what the compiler asks for. */
export function copyValues(source: FixedValues, target: FixedValues, offset: number): void {
  if (source instanceof BigInt64Array) {
    if (target instanceof BigInt64Array) target.set(source, offset);
  } else if (!(target instanceof BigInt64Array)) target.set(source, offset);
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
