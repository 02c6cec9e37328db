/**
 * An entry of a table as bytes, as the cold tier keeps it: a header, the time stamp where the table has a time to live,
 * key, values. Callers: what reads and writes the cold tier; `record-code.ts` generates the rest of it for each table.
 * Runs on: worker. Invariant: equal keys are equal bytes, records are ordered by the mixed hash of their key, and each
 * takes a whole number of words.
 */
import { serialize } from 'node:v8';
import { MillraceError } from '../../base/errors.js';
import { hashNumber } from '../../record/key-hash.js';
import type { ByteArena } from '../byte-arena.js';
import { FrozenHeapValue } from '../heap-value.js';
import { slotHash } from '../hot-index.js';

/** Header: hash, length of the record (highest bit: it is a tombstone), generation of the last change, key. */
export const RECORD_HASH = 0;
export const RECORD_LENGTH = 4;
export const RECORD_GENERATION = 8;
export const RECORD_KEY_BYTES = 12;
export const RECORD_KEY_GROUP = 16;
export const RECORD_HEADER = 20;
export const TOMBSTONE = 0x80000000;

/** What records are ordered by: spread evenly, so that the place of one in a file is nearly known. */
export function mixedHash(hash: number): number {
  return slotHash(hash) >>> 0;
}

/** Leading bits of the order of a record that are those of its group; the others are of its key. */
export const GROUP_BITS = 6;
const KEY_BITS = 32 - GROUP_BITS;
/** What undoes the factor of `slotHash`. */
const FACTOR_UNDONE = 0x333c4925;

/** In which of 64 parts of the order the records of a group are, beside those of a few other groups at most. */
export function partOfGroup(group: number): number {
  return mixedHash(hashNumber(group)) >>> KEY_BITS;
}

/** The hash of a record whose place in the order is with its group. */
export function groupedHash(hash: number, group: number): number {
  return hashOfSlot((partOfGroup(group) << KEY_BITS) | (slotHash(hash) >>> GROUP_BITS));
}

/** The hash whose `slotHash` that is. */
export function hashOfSlot(slot: number): number {
  const mixed = Math.imul(slot ^ (slot >>> 15) ^ (slot >>> 30), FACTOR_UNDONE);
  return mixed ^ (mixed >>> 16);
}

/** Where records are appended; grows to what is asked of it. */
export class RecordBuffer {
  bytes: Uint8Array = new Uint8Array(0);
  words: Int32Array = new Int32Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  length = 0;

  /** Makes room for so many more bytes. */
  reserve(bytes: number): void {
    const wanted = this.length + bytes;
    if (wanted <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(4096, 8 * Math.ceil(wanted / 4)));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.words = new Int32Array(grown.buffer);
    this.view = new DataView(grown.buffer);
  }

  /** Appends bytes behind their length. */
  add(source: Uint8Array, start: number, end: number): void {
    this.reserve(4 + end - start);
    this.view.setUint32(this.length, end - start, true);
    const at = this.length + 4;
    if (end - start > 64) this.bytes.set(source.subarray(start, end), at);
    else for (let from = start; from < end; from++) this.bytes[at + from - start] = source[from];
    this.length = at + end - start;
  }

  /** Appends a value of JavaScript. Throws VALUE_UNSUPPORTED. */
  addValue(value: unknown, state: string): void {
    const bytes = value instanceof FrozenHeapValue ? value.bytes : serialized(value, state);
    this.add(bytes, 0, bytes.length);
  }

  /** Appends the rows of a list, oldest first, behind how many there are. */
  addRows(newest: number, arena: ByteArena): void {
    const positions: number[] = [];
    for (let at = newest; at !== 0; at = arena.olderRow(at)) positions.push(at);
    this.reserve(4);
    this.view.setUint32(this.length, positions.length, true);
    this.length += 4;
    for (let at = positions.length - 1; at >= 0; at--) arena.appendRowTo(positions[at], this);
  }

  /** Gives memory back that a very large record took. */
  reset(keptBytes: number): void {
    this.length = 0;
    if (this.bytes.length <= keptBytes) return;
    this.bytes = new Uint8Array(0);
    this.words = new Int32Array(0);
    this.view = new DataView(this.bytes.buffer);
  }
}

function serialized(value: unknown, state: string): Uint8Array {
  try {
    return serialize(value);
  } catch (cause) {
    throw new MillraceError(
      'VALUE_UNSUPPORTED',
      `State ${JSON.stringify(state)} holds a value that cannot be written: ${String(cause)}`,
      { cause, advice: 'Keep plain data in state: no functions, no symbols, no handles.' },
    );
  }
}
