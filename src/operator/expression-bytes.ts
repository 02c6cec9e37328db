/**
 * Text predicates on the bytes of binary columns, without decoding, and a memory of results per dictionary
 * entry. Callers: code generated from expressions. Runs on: worker. Invariant: each function gives exactly what
 * the same predicate would give on the decoded strings; where bytes cannot tell (order of lone surrogates), it
 * decodes. Well-formed text matches bytewise exactly where it matches by code unit, because UTF-8 marks where
 * characters start; literals that are not well-formed are never given to prefix, suffix and search.
 */
import { type BinaryColumn, TEXT_ASCII, TEXT_WTF8 } from '../record/column.js';
import { textAt } from '../record/text.js';

/** Whether a row's bytes are exactly `literal`. Comparing is as cheap as remembering, so nothing is. */
export function equalsBytes(column: BinaryColumn, row: number, literal: Uint8Array): boolean {
  const entry = column.codes[row];
  const start = column.offsets[entry];
  if (column.offsets[entry + 1] - start !== literal.length) return false;
  return matchesAt(column.bytes, start, literal);
}

/** Whether a row's bytes start with `literal`. */
export function startsWithBytes(column: BinaryColumn, row: number, literal: Uint8Array): boolean {
  const entry = column.codes[row];
  const start = column.offsets[entry];
  if (column.offsets[entry + 1] - start < literal.length) return false;
  return matchesAt(column.bytes, start, literal);
}

/** Whether a row's bytes end with `literal`. */
export function endsWithBytes(column: BinaryColumn, row: number, literal: Uint8Array): boolean {
  const entry = column.codes[row];
  const start = column.offsets[entry + 1] - literal.length;
  if (start < column.offsets[entry]) return false;
  return matchesAt(column.bytes, start, literal);
}

/** Whether a row's bytes have `literal` within. */
export function includesBytes(column: BinaryColumn, row: number, literal: Uint8Array): boolean {
  if (literal.length === 0) return true;
  const entry = column.codes[row];
  const bytes = column.bytes;
  const last = column.offsets[entry + 1] - literal.length;
  const first = literal[0];
  for (let at = column.offsets[entry]; at <= last; at++) {
    if (bytes[at] === first && matchesAt(bytes, at, literal)) return true;
  }
  return false;
}

function matchesAt(bytes: Uint8Array, start: number, literal: Uint8Array): boolean {
  for (let index = 0; index < literal.length; index++) {
    if (bytes[start + index] !== literal[index]) return false;
  }
  return true;
}

/** Whether a row's bytes are one of `literals`, which are in the order of `sortedLiterals`. */
export function isOneOfBytes(
  column: BinaryColumn,
  row: number,
  literals: readonly Uint8Array[],
): boolean {
  const entry = column.codes[row];
  const start = column.offsets[entry];
  const end = column.offsets[entry + 1];
  let low = 0;
  let high = literals.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const literal = literals[middle];
    const order = compareRanges(column.bytes, start, end, literal, 0, literal.length);
    if (order === 0) return true;
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return false;
}

/** Literals in the order that `isOneOfBytes` searches. */
export function sortedLiterals(literals: readonly Uint8Array[]): readonly Uint8Array[] {
  return literals.toSorted((a, b) => compareRanges(a, 0, a.length, b, 0, b.length));
}

/** Order of two byte ranges: negative, zero or positive. */
function compareRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const common = Math.min(aEnd - aStart, bEnd - bStart);
  for (let index = 0; index < common; index++) {
    const difference = a[aStart + index] - b[bStart + index];
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

/**
 * The same by UTF-16 code unit. Only characters beyond U+FFFF (lead bytes F0 and up) differ: their surrogates
 * sort before U+E000 to U+FFFF (lead bytes EE and EF), so the order of such a pair is turned around. The first
 * difference between well-formed texts lies in a lead byte whenever the characters differ in length.
 */
function compareUnits(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const common = Math.min(aEnd - aStart, bEnd - bStart);
  for (let index = 0; index < common; index++) {
    const left = a[aStart + index];
    const right = b[bStart + index];
    if (left === right) continue;
    const isTurned = left >= 0xee && right >= 0xee && left >= 0xf0 !== right >= 0xf0;
    return isTurned ? right - left : left - right;
  }
  return aEnd - aStart - (bEnd - bStart);
}

/** Order of a row's text and a well-formed literal, given as bytes and as text. */
export function compareToText(
  column: BinaryColumn,
  row: number,
  literal: Uint8Array,
  text: string,
): number {
  if (column.textKind === TEXT_WTF8) return compareStrings(textAt(column, row), text);
  const entry = column.codes[row];
  const { bytes, offsets } = column;
  return compareUnits(bytes, offsets[entry], offsets[entry + 1], literal, 0, literal.length);
}

function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Whether rows of two binary columns hold the same bytes, which for text means the same text. */
export function equalBinary(a: BinaryColumn, aRow: number, b: BinaryColumn, bRow: number): boolean {
  const aEntry = a.codes[aRow];
  const bEntry = b.codes[bRow];
  const aStart = a.offsets[aEntry];
  const bStart = b.offsets[bEntry];
  const length = a.offsets[aEntry + 1] - aStart;
  if (length !== b.offsets[bEntry + 1] - bStart) return false;
  for (let index = 0; index < length; index++) {
    if (a.bytes[aStart + index] !== b.bytes[bStart + index]) return false;
  }
  return true;
}

/** Order of the texts in rows of two text columns: negative, zero or positive. */
export function compareBinary(
  a: BinaryColumn,
  aRow: number,
  b: BinaryColumn,
  bRow: number,
): number {
  if (a.textKind === TEXT_WTF8 || b.textKind === TEXT_WTF8) {
    return compareStrings(textAt(a, aRow), textAt(b, bRow));
  }
  const aEntry = a.codes[aRow];
  const bEntry = b.codes[bRow];
  return compareUnits(
    a.bytes,
    a.offsets[aEntry],
    a.offsets[aEntry + 1],
    b.bytes,
    b.offsets[bEntry],
    b.offsets[bEntry + 1],
  );
}

/** Order of two byte values: by byte, a prefix first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compareRanges(a, 0, a.length, b, 0, b.length);
}

/** UTF-16 length of a row's text. */
export function textLength(column: BinaryColumn, row: number): number {
  if (column.textKind === TEXT_ASCII) return binaryLength(column, row);
  return textAt(column, row).length;
}

/** UTF-16 length of a row's text when each `search` in it is replaced by what is longer by `more`. */
export function replacedLength(
  column: BinaryColumn,
  row: number,
  search: Uint8Array,
  more: number,
): number {
  const entry = column.codes[row];
  const { bytes } = column;
  const [first] = search;
  const last = column.offsets[entry + 1] - search.length;
  let count = 0;
  for (let at = column.offsets[entry]; at <= last; at++) {
    if (bytes[at] !== first || !matchesAt(bytes, at, search)) continue;
    count++;
    at += search.length - 1;
  }
  return textLength(column, row) + count * more;
}

/** Length of a row in bytes. */
export function binaryLength(column: BinaryColumn, row: number): number {
  const entry = column.codes[row];
  return column.offsets[entry + 1] - column.offsets[entry];
}

/**
 * Remembers what an expression gave for each entry of a dictionary, as long as rows come from the same column.
 * Used as `memo.has(column, row) ? memo.value : memo.keep(compute())`; plain columns remember nothing.
 */
export class EntryMemo {
  /** The remembered result, after `has` said yes. */
  value: unknown = undefined;
  private column: BinaryColumn | null = null;
  private known = new Uint8Array(0);
  private values: unknown[] = [];
  private entry = -1;

  has(column: BinaryColumn, row: number): boolean {
    if (!column.isDictionary) {
      this.entry = -1;
      return false;
    }
    if (column !== this.column) this.reset(column);
    const entry = column.codes[row];
    this.entry = entry;
    if (this.known[entry] === 0) return false;
    this.value = this.values[entry];
    return true;
  }

  keep(value: unknown): unknown {
    if (this.entry >= 0) {
      this.known[this.entry] = 1;
      this.values[this.entry] = value;
    }
    return value;
  }

  private reset(column: BinaryColumn): void {
    this.column = column;
    if (this.known.length < column.entries) {
      this.known = new Uint8Array(column.entries);
    } else {
      this.known.fill(0);
    }
    this.values = new Array(column.entries);
  }
}
