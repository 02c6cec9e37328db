/**
 * Shorter encodings of columns, for frames that are kept rather than passed on: constants, integers
 * less a base in fewer bytes, dictionaries, lengths instead of offsets. Callers: `frame-writer.ts`.
 * Runs on: worker; pure. Invariant: decoding gives the same bits, so -0 and NaN are never narrowed.
 */
import type { FixedArray } from './column.js';
import { BinaryColumn } from './column.js';
import { identityCodes } from './identity-codes.js';
import {
  ENCODING_NARROW_16,
  ENCODING_NARROW_32,
  ENCODING_NARROW_8,
  FRAME_ALIGNMENT,
  OFFSETS_LENGTHS_16,
  OFFSETS_LENGTHS_8,
  OFFSETS_PLAIN,
  UNBACKED_ROWS_MAX,
} from './frame-layout.js';

/** A dictionary must leave at most this share of the entries to be worth its codes. */
const DICTIONARY_SHARE_MAX = 0.5;

/** Integers stored as their distance from `base`. */
export interface NarrowEncoding {
  readonly encoding: number;
  /** Bytes per value. */
  readonly width: 1 | 2 | 4;
  readonly base: number;
}

/** Whether all rows hold the same bits; columns that would be too long to expand do not count. */
export function isConstant(values: FixedArray | BigInt64Array, rows: number): boolean {
  if (rows === 0 || rows > UNBACKED_ROWS_MAX) return false;
  const first = values[0];
  if (!Object.is(first, values[rows - 1])) return false;
  for (let row = 1; row < rows; row++) {
    if (!Object.is(values[row], first)) return false;
  }
  return true;
}

/** The narrowest integers that hold the values exactly; null when that saves nothing. */
export function narrowEncoding(values: FixedArray, rows: number): NarrowEncoding | null {
  let least = Infinity;
  let most = -Infinity;
  for (let row = 0; row < rows; row++) {
    const value = values[row];
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) return null;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const span = most - least;
  const { BYTES_PER_ELEMENT: width } = values;
  // Signed integers hold distances up to half their range, which keeps one kind of array per width.
  if (rows < 2 || !(span <= 0x7fffffff)) return null;
  if (span <= 0x7f) return { encoding: ENCODING_NARROW_8, width: 1, base: least };
  if (span <= 0x7fff && width > 2) return { encoding: ENCODING_NARROW_16, width: 2, base: least };
  return width > 4 ? { encoding: ENCODING_NARROW_32, width: 4, base: least } : null;
}

/** Writes the base and the distances at `offset`, a multiple of 8 from the start of the memory. */
export function narrowInto(
  values: FixedArray,
  rows: number,
  narrow: NarrowEncoding,
  target: Uint8Array,
  offset: number,
): void {
  const { base } = narrow;
  const start = target.byteOffset + offset;
  new Float64Array(target.buffer, start, 1)[0] = base;
  const distances = narrowArray(narrow.width, target.buffer, start + FRAME_ALIGNMENT, rows);
  for (let row = 0; row < rows; row++) distances[row] = values[row] - base;
}

/** Integers of a width over memory. */
export function narrowArray(
  width: 1 | 2 | 4,
  buffer: ArrayBufferLike,
  byteOffset: number,
  rows: number,
): Int8Array | Int16Array | Int32Array {
  if (width === 1) return new Int8Array(buffer, byteOffset, rows);
  return width === 2
    ? new Int16Array(buffer, byteOffset, rows)
    : new Int32Array(buffer, byteOffset, rows);
}

/** How the offsets of a column are stored shortest. */
export function offsetsCoding(offsets: Int32Array, entries: number): number {
  let longest = 0;
  for (let entry = 0; entry < entries; entry++) {
    const length = offsets[entry + 1] - offsets[entry];
    if (length > longest) longest = length;
  }
  if (longest <= 0xff) return OFFSETS_LENGTHS_8;
  return longest <= 0xffff ? OFFSETS_LENGTHS_16 : OFFSETS_PLAIN;
}

/** The lengths between offsets. */
export function lengthsOf(
  offsets: Int32Array,
  entries: number,
  coding: number,
): Uint8Array | Uint16Array {
  const lengths = coding === OFFSETS_LENGTHS_8 ? new Uint8Array(entries) : new Uint16Array(entries);
  for (let entry = 0; entry < entries; entry++) {
    lengths[entry] = offsets[entry + 1] - offsets[entry];
  }
  return lengths;
}

/** The same column with equal entries stored once, or the column itself when few are equal. */
export function dictionaryOf(selected: BinaryColumn, rows: number): BinaryColumn {
  const column = selected.isSelected ? dense(selected, rows) : selected;
  const entriesMax = Math.floor(rows * DICTIONARY_SHARE_MAX);
  const { offsets, bytes } = column;
  const slots = new Int32Array(tableSize(rows)).fill(-1);
  const firstRows = new Int32Array(entriesMax);
  const codes = new Int32Array(rows);
  let entries = 0;
  for (let row = 0; row < rows; row++) {
    let slot = hashOf(bytes, offsets[row], offsets[row + 1]) & (slots.length - 1);
    while (slots[slot] >= 0 && !equalEntries(column, firstRows[slots[slot]], row)) {
      slot = (slot + 1) & (slots.length - 1);
    }
    if (slots[slot] < 0) {
      if (entries === entriesMax) return column;
      firstRows[entries] = row;
      slots[slot] = entries++;
    }
    codes[row] = slots[slot];
  }
  return rows === 0 ? column : gathered(column, firstRows, entries, codes);
}

/** The rows of a selected column as entries of their own. */
function dense(column: BinaryColumn, rows: number): BinaryColumn {
  return gathered(column, column.codes, rows, null);
}

/** The entries of these numbers; without codes, one for each row. */
function gathered(
  column: BinaryColumn,
  rows: Int32Array,
  entries: number,
  codes: Int32Array | null,
): BinaryColumn {
  const offsets = new Int32Array(entries + 1);
  for (let entry = 0; entry < entries; entry++) {
    const row = rows[entry];
    offsets[entry + 1] = offsets[entry] + column.offsets[row + 1] - column.offsets[row];
  }
  const bytes = new Uint8Array(offsets[entries]);
  for (let entry = 0; entry < entries; entry++) {
    const row = rows[entry];
    bytes.set(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]), offsets[entry]);
  }
  const { field, textKind, validity, presence } = column;
  return new BinaryColumn({
    field,
    codes: codes ?? identityCodes(entries),
    offsets,
    bytes,
    entries,
    textKind,
    validity,
    presence,
    isDictionary: codes !== null,
  });
}

function tableSize(rows: number): number {
  let size = 16;
  while (size < rows * 2) size *= 2;
  return size;
}

/** FNV-1a: cheap, and good in its low bits. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
  return hash ^ (hash >>> 15);
}

function equalEntries(column: BinaryColumn, a: number, b: number): boolean {
  const { offsets, bytes } = column;
  const length = offsets[a + 1] - offsets[a];
  if (length !== offsets[b + 1] - offsets[b]) return false;
  for (let at = 0; at < length; at++) {
    if (bytes[offsets[a] + at] !== bytes[offsets[b] + at]) return false;
  }
  return true;
}
