/**
 * Rows of a column as a column of their own, without copying values. Callers: the cursors. Runs on:
 * the slot's thread. Invariant: lists begin with item 0 of their children, as in every column.
 */
import { bitmapBytes } from '../../record/bitmap.js';
import type { Column } from '../../record/column.js';
import {
  BinaryColumn,
  FixedColumn,
  Int64Column,
  NestedColumn,
  StructColumn,
} from '../../record/column.js';

/** The rows `start` to `start + rows` of a column. */
export function sliceColumn(column: Column, start: number, rows: number): Column {
  const { field } = column;
  const end = start + rows;
  const validity = sliceBits(column.validity, start, rows);
  const presence = sliceBits(column.presence, start, rows);
  if (column instanceof FixedColumn) {
    return new FixedColumn(field, column.values.subarray(start, end), validity, presence);
  }
  if (column instanceof Int64Column) {
    return new Int64Column(field, column.values.subarray(start, end), validity, presence);
  }
  if (column instanceof BinaryColumn) {
    const { offsets, bytes, entries, textKind, isDictionary } = column;
    const codes = column.codes.subarray(start, end);
    const parts = { field, codes, offsets, bytes, entries, textKind, validity, presence };
    const slice = new BinaryColumn({ ...parts, isDictionary });
    slice.decoded = column.decoded;
    slice.hashes = column.hashes;
    return slice;
  }
  if (column instanceof NestedColumn) {
    const first = column.offsets[start];
    const offsets = new Int32Array(rows + 1);
    for (let row = 0; row <= rows; row++) offsets[row] = column.offsets[start + row] - first;
    const children = column.children.map((child) => sliceColumn(child, first, offsets[rows]));
    return new NestedColumn(field, offsets, children, validity, presence);
  }
  const children = column.children.map((child) => sliceColumn(child, start, rows));
  return new StructColumn(field, children, validity, presence);
}

/** The bits of the rows; a view when they begin at a byte. */
export function sliceBits(
  bitmap: Uint8Array | null,
  start: number,
  rows: number,
): Uint8Array | null {
  if (bitmap === null) return null;
  const first = start >> 3;
  const shift = start & 7;
  const length = bitmapBytes(rows);
  if (shift === 0) return bitmap.subarray(first, first + length);
  const slice = new Uint8Array(length);
  for (let byte = 0; byte < length; byte++) {
    const next = first + byte + 1 < bitmap.length ? bitmap[first + byte + 1] : 0;
    slice[byte] = (bitmap[first + byte] >> shift) | (next << (8 - shift));
  }
  return slice;
}
