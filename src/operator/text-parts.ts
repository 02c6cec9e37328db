/**
 * Parts of texts on bytes, for `explode` over `split` and `words` and for `splitPart`: which expressions are such,
 * where a part ends, and the column in which a part shows itself to everything that works on bytes. Callers: the
 * fragment of `explode`, the expression compiler, and the code they generate. Runs on: worker. Invariant: parts are
 * those that the same function gives for the decoded text; separators that are not well-formed are left to it, since
 * they could match half a character.
 */
import { BinaryColumn, TEXT_ASCII } from '../record/column.js';
import type { Field, Schema } from '../record/schema.js';
import { encodeText } from '../record/text.js';
import type { Expression } from './expression.js';
import { typeOfExpression } from './expression-type.js';

/** The field of an item by itself. */
export const ITEM_FIELD: Field = Object.freeze({
  name: 'item',
  type: Object.freeze({ kind: 'utf8' }),
  nullable: false,
  optional: false,
});

/** A text whose parts are wanted. */
export interface TextParts {
  readonly text: Expression;
  /** The bytes between parts; null: runs of white space. */
  readonly separator: Uint8Array | null;
}

/** What an expression splits, when its parts can be found on bytes; else null. */
export function textPartsOf(list: Expression, schema: Schema): TextParts | null {
  if (list.node !== 'call') return null;
  const [text, separator] = list.args;
  if (typeOfExpression(text, schema).type.kind !== 'utf8') return null;
  if (list.fn === 'words') return { text, separator: null };
  if (list.fn !== 'split' || separator.node !== 'literal') return null;
  const bytes = separatorBytes(separator.value);
  return bytes && { text, separator: bytes };
}

/** The bytes of a separator that is found on bytes where it is found in the text; else null. */
export function separatorBytes(separator: unknown): Uint8Array | null {
  if (typeof separator !== 'string' || separator === '') return null;
  return separator.isWellFormed() ? encodeText(separator) : null;
}

/** Index of the row of a column of parts, and of the start and end of the part in its offsets. */
export const PART_ROW = '0';
export const PART_START = 1;
export const PART_END = 2;

/**
 * A column for one part at a time of the texts of another: its range is written into `offsets`. The first and last
 * offset are those of the whole memory, which is decoded at once where characters are bytes.
 */
export function partColumn(source: BinaryColumn): BinaryColumn {
  const { offsets, entries, textKind } = source;
  const column = new BinaryColumn({
    field: ITEM_FIELD,
    codes: Int32Array.of(PART_START),
    offsets: Int32Array.of(offsets[0], 0, 0, offsets[entries]),
    bytes: source.bytes,
    entries: 3,
    textKind,
    validity: null,
    presence: null,
    isDictionary: false,
  });
  // Elsewhere parts are decoded one by one, for where they start in the text is not known.
  if (textKind !== TEXT_ASCII) column.blockStarts = new Int32Array(4);
  return column;
}

/** Makes columns for a part by itself of each text; several parts of one text need several. */
export class TextPart {
  of(source: BinaryColumn): BinaryColumn {
    return partColumn(source);
  }
}

/** Writes where part `index` of the text between `start` and `end` lies; false when it has fewer parts. */
export function findPart(
  range: Int32Array,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  separator: Uint8Array,
  index: number,
): boolean {
  let from = start;
  for (let part = 0; ; part++) {
    const to =
      separator.length === 1
        ? byteFrom(bytes, view, from, end, separator[0])
        : partEnd(bytes, from, end, separator);
    if (part === index) {
      range[PART_START] = from;
      range[PART_END] = to;
      return true;
    }
    if (to === end) return false;
    from = to + separator.length;
  }
}

/** Where the part from `at` on ends whose separator is of one byte, four bytes at a time; `view` shows `bytes`. */
export function byteFrom(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  byte: number,
): number {
  const pattern = Math.imul(byte, 0x01010101);
  const safe = Math.min(end, view.byteLength - 3);
  let to = at;
  while (to < safe) {
    const word = view.getInt32(to, true) ^ pattern;
    const found = (word - 0x01010101) & ~word & 0x80808080;
    if (found !== 0) {
      to += (31 - Math.clz32(found & -found)) >> 3;
      return to < end ? to : end;
    }
    to += 4;
  }
  while (to < end && bytes[to] !== byte) to++;
  return to < end ? to : end;
}

/** Where the part that starts at `at` ends: at the next separator, or at `end`. */
export function partEnd(bytes: Uint8Array, at: number, end: number, separator: Uint8Array): number {
  const [first] = separator;
  const last = end - separator.length;
  for (let from = at; from <= last; from++) {
    if (bytes[from] !== first) continue;
    let same = 1;
    while (same < separator.length && bytes[from + same] === separator[same]) same++;
    if (same === separator.length) return from;
  }
  return end;
}

/** Where the next word starts, -1 when there is none up to `end`. */
export function wordStart(bytes: Uint8Array, at: number, end: number): number {
  let from = at;
  while (from < end) {
    const space = spaceBytes(bytes, from);
    if (space === 0) return from;
    from += space;
  }
  return -1;
}

/** Where the word that starts at `at` ends. */
export function wordEnd(bytes: Uint8Array, at: number, end: number): number {
  let to = at;
  while (to < end && spaceBytes(bytes, to) === 0) to++;
  return to;
}

/** Bytes of the white space at `at`, as JavaScript's `\s` has it; 0 when it is something else. */
function spaceBytes(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead <= 0x20) return lead === 0x20 || (lead >= 0x09 && lead <= 0x0d) ? 1 : 0;
  return lead < 0xc2 ? 0 : wideSpaceBytes(lead, bytes[at + 1], bytes[at + 2]);
}

function wideSpaceBytes(lead: number, second: number, third: number): number {
  if (lead === 0xc2) return second === 0xa0 ? 2 : 0;
  const isSpace =
    (lead === 0xe1 && second === 0x9a && third === 0x80) ||
    (lead === 0xe2 && second === 0x80 && (third <= 0x8a || third === 0xaf)) ||
    (lead === 0xe2 && second === 0x80 && (third === 0xa8 || third === 0xa9)) ||
    (lead === 0xe2 && second === 0x81 && third === 0x9f) ||
    (lead === 0xe3 && second === 0x80 && third === 0x80) ||
    (lead === 0xef && second === 0xbb && third === 0xbf);
  return isSpace ? 3 : 0;
}
