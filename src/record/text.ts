/**
 * Text as bytes and back. A string that leaves here owns its characters: V8 copies substrings below
 * 13 characters, so short values are cut from one decoded block, while longer ones, which V8 would
 * keep as slices of that block, are decoded one by one. Lone surrogates travel as WTF-8 (three
 * bytes each, as UTF-8 would encode the code point). Callers: row codec, expressions, sinks,
 * builders. Runs on: any thread.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import type { BinaryColumn, TextKind } from './column.js';
import { TEXT_ASCII, TEXT_UTF8, TEXT_WTF8 } from './column.js';

/** Longest substring that V8 copies instead of keeping its parent alive. */
const COPIED_SUBSTRING_MAX = 12;
/** Code units handed to `String.fromCharCode` at once; far below the limit of arguments. */
const UNITS_MAX = 4096;
const REPLACEMENT = 0xfffd;

const encoder = new TextEncoder();

/** A decoder of the platform, applied to bytes as `this`. */
type NativeSlice = (this: Uint8Array, start: number, end: number) => string;

declare global {
  interface String {
    /** Whether no surrogate lacks its partner (ES2024, in every Node from 20 on). */
    isWellFormed(): boolean;
  }
  interface Buffer {
    latin1Slice: NativeSlice;
    utf8Slice: NativeSlice;
  }
}

/** They take any Uint8Array, shared memory included, and need no Buffer made for it. */
const { latin1Slice, utf8Slice } = Buffer.prototype;

/** The text of a row that is not null. Entries of dictionaries are decoded once per batch. */
export function textAt(column: BinaryColumn, row: number): string {
  const entry = column.codes[row];
  if (column.isDictionary) {
    const decoded = column.decoded ?? [];
    column.decoded = decoded;
    const known = decoded[entry];
    if (known !== undefined) return known;
    const text = entryText(column, entry);
    decoded[entry] = text;
    return text;
  }
  if (column.textKind === TEXT_ASCII) {
    const start = column.offsets[entry];
    const end = column.offsets[entry + 1];
    if (end - start > COPIED_SUBSTRING_MAX) return latin1Slice.call(column.bytes, start, end);
    const base = column.offsets[0];
    return (column.block ?? asciiBlock(column)).substring(start - base, end - base);
  }
  if (column.textKind === TEXT_WTF8) return entryText(column, entry);
  const starts = column.blockStarts ?? unicodeBlock(column);
  const { block } = column;
  const length = starts[entry + 1] - starts[entry];
  if (block === null || length > COPIED_SUBSTRING_MAX) return entryText(column, entry);
  return block.substring(starts[entry], starts[entry + 1]);
}

function asciiBlock(column: BinaryColumn): string {
  const { offsets, entries } = column;
  const block = latin1Slice.call(column.bytes, offsets[0], offsets[entries]);
  column.block = block;
  return block;
}

/** Decodes all entries at once and counts where in the string each of them starts. */
function unicodeBlock(column: BinaryColumn): Int32Array {
  const { offsets, entries, bytes } = column;
  const starts = new Int32Array(entries + 1);
  let units = 0;
  for (let entry = 0; entry < entries; entry++) {
    for (let at = offsets[entry]; at < offsets[entry + 1]; at++) {
      // Every byte that does not continue a character starts one; four-byte characters take two
      // units.
      if ((bytes[at] & 0xc0) !== 0x80) units += bytes[at] >= 0xf0 ? 2 : 1;
    }
    starts[entry + 1] = units;
  }
  const block = utf8Slice.call(bytes, offsets[0], offsets[entries]);
  // Bytes that are no UTF-8 decode to another number of units: then each entry is decoded by
  // itself.
  column.block = block.length === units ? block : null;
  column.blockStarts = starts;
  return starts;
}

function entryText(column: BinaryColumn, entry: number): string {
  const { offsets } = column;
  return decodeText(column.bytes, offsets[entry], offsets[entry + 1], column.textKind);
}

/** The text in `bytes` from `start` to `end`. Bytes that are no text become U+FFFD. */
export function decodeText(bytes: Uint8Array, start: number, end: number, kind: TextKind): string {
  if (start === end) return '';
  if (kind === TEXT_ASCII) return latin1Slice.call(bytes, start, end);
  if (kind === TEXT_UTF8) return utf8Slice.call(bytes, start, end);
  return decodeWtf8(bytes, start, end);
}

/** Bytes of a text, in memory of their own. */
export function encodeText(text: string): Uint8Array {
  const target = new Uint8Array(textBytes(text, 0, text.length).bytes);
  encodeTextInto(text, target, 0);
  return target;
}

/** Writes a text at `offset`, where there is room for it, and returns the bytes written. */
export function encodeTextInto(text: string, target: Uint8Array, offset: number): number {
  return writeWtf8(text, 0, text.length, target, offset);
}

/** What the bytes from `start` to `end` are known to be, by looking at them. */
export function textKindOf(bytes: Uint8Array, start: number, end: number): TextKind {
  const part = bytes.subarray(start, end);
  if (isAscii(part)) return TEXT_ASCII;
  return isUtf8(part) ? TEXT_UTF8 : TEXT_WTF8;
}

/** Length of a part of a text as WTF-8, and whether a surrogate in it has lost its partner. */
export function textBytes(
  text: string,
  start: number,
  end: number,
): { readonly bytes: number; readonly lone: boolean } {
  let bytes = 0;
  let lone = false;
  for (let at = start; at < end; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if ((unit & 0xf800) !== 0xd800) bytes += 3;
    else if (isPair(text, at, end)) {
      bytes += 4;
      at++;
    } else {
      bytes += 3;
      lone = true;
    }
  }
  return { bytes, lone };
}

function isPair(text: string, at: number, end: number): boolean {
  return (
    (text.charCodeAt(at) & 0xfc00) === 0xd800 &&
    at + 1 < end &&
    (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00
  );
}

/**
 * Turns the ends of values in code units (behind `first`, relative to `start`) into ends in bytes,
 * for values that the platform's encoder wrote as one block at `start`. False when a character
 * spans two values, that is, when two lone surrogates met; the ends are spoilt then.
 */
export function unitEndsToByteEnds(
  ends: Int32Array,
  first: number,
  last: number,
  bytes: Uint8Array,
  start: number,
): boolean {
  let at = start;
  let units = start;
  for (let entry = first; entry <= last; entry++) {
    const end = ends[entry];
    while (units < end) {
      const lead = bytes[at];
      if (lead < 0x80) at++;
      else if (lead < 0xe0) at += 2;
      else if (lead < 0xf0) at += 3;
      else {
        at += 4;
        units++;
      }
      units++;
    }
    if (units !== end) return false;
    ends[entry] = at;
  }
  return true;
}

/**
 * Writes a part of a text as WTF-8 by hand, where the platform's encoder would replace lone
 * surrogates.
 */
export function writeWtf8(
  text: string,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
): number {
  let to = offset;
  for (let at = start; at < end; at++) {
    let point = text.charCodeAt(at);
    if (isPair(text, at, end)) {
      at++;
      point = 0x10000 + ((point & 0x3ff) << 10) + (text.charCodeAt(at) & 0x3ff);
    }
    to = writePoint(point, target, to);
  }
  return to - offset;
}

function writePoint(point: number, target: Uint8Array, offset: number): number {
  let to = offset;
  if (point < 0x80) {
    target[to++] = point;
    return to;
  }
  if (point < 0x800) {
    target[to++] = 0xc0 | (point >> 6);
  } else {
    if (point < 0x10000) {
      target[to++] = 0xe0 | (point >> 12);
    } else {
      target[to++] = 0xf0 | (point >> 18);
      target[to++] = 0x80 | ((point >> 12) & 0x3f);
    }
    target[to++] = 0x80 | ((point >> 6) & 0x3f);
  }
  target[to++] = 0x80 | (point & 0x3f);
  return to;
}

/** The platform's encoder, for whole columns: characters read and bytes written. */
export function encodeBlockInto(
  text: string,
  target: Uint8Array,
): { readonly read: number; readonly written: number } {
  return encoder.encodeInto(text, target);
}

function decodeWtf8(bytes: Uint8Array, start: number, end: number): string {
  const units: number[] = [];
  let text = '';
  let at = start;
  while (at < end) {
    const point = pointAt(bytes, at, end);
    at += point < 0 ? 1 : pointBytes(point);
    if (point < 0) units.push(REPLACEMENT);
    else if (point < 0x10000) units.push(point);
    else units.push(0xd7c0 + (point >> 10), 0xdc00 | (point & 0x3ff));
    if (units.length < UNITS_MAX) continue;
    text += String.fromCharCode(...units);
    units.length = 0;
  }
  return text + String.fromCharCode(...units);
}

/** Bytes that a code point takes. */
export function pointBytes(point: number): number {
  if (point < 0x80) return 1;
  if (point < 0x800) return 2;
  return point < 0x10000 ? 3 : 4;
}

/**
 * The code point that starts at `at` and ends by `end`, lone surrogates included; -1 when there is
 * none.
 */
export function pointAt(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return lead;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > end) return -1;
  let point = lead & (0x7f >> length);
  for (let next = 1; next < length; next++) {
    const unit = bytes[at + next];
    if ((unit & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (unit & 0x3f);
  }
  // An overlong form has a shorter spelling, and values past the last plane are no characters.
  return pointBytes(point) === length && point < 0x110000 ? point : -1;
}
