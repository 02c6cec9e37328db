/**
 * The bytes of longer text keys and of text values of a hot table: records appended to chunks of up to 1 MiB, found by
 * positions that fit an Int32Array. Records are never changed in place; replaced ones are counted dead, and a chunk
 * that is mostly dead is emptied in small steps, paid for by appends. Callers: hot-table.ts, generated look-ups.
 * Runs on: worker. Invariant: while `hold` is in force no record moves and no chunk is freed, so that positions kept
 * by a frozen generation stay good.
 *
 * A position counts units of 4 bytes: chunk << 18 | unit. A record is a word (length * 2 + 1 when ASCII), a word
 * (id of the owning entry), and its bytes padded to whole units. Position 0 is no record: the empty text. Records that
 * are rows form lists: each begins with the position of the one before it (`row-place.ts`), so that a list is known by
 * its newest row, and what a frozen generation knows stays what it was.
 */
import { isAscii } from 'node:buffer';
import { MillraceError } from '../base/errors.js';
import { TEXT_ASCII } from '../record/column.js';
import { decodeText, textKindOf } from '../record/text.js';
import { copyBytes } from '../record/words.js';
import type { RowMemory } from './contract.js';
import { CHUNK_MASK, CHUNK_SHIFT, HEADER_UNITS, LINK_BYTES, rowPlace } from './row-place.js';

const CHUNK_UNITS = 1 << CHUNK_SHIFT;
/** Positions are positive 31-bit numbers, so 8 GiB is the most that an arena holds in whole chunks. */
const CHUNKS_MAX = 1 << (31 - CHUNK_SHIFT);
/** Chunks start small, so that a table of few keys stays small, and double up to the full size. */
const FIRST_CHUNK_UNITS = 1 << 12;
/** Unit 0 of a chunk is left out, so that no record has position 0. */
const FIRST_UNIT = 1;
/** Up to this length a loop copies faster than a native call. */
const LOOP_BYTES_MAX = 48;
/** Below this many dead units compaction is not worth its work. */
const DEAD_UNITS_MIN = 1 << 14;
/** An append of n units moves up to this many times n, so that compaction ends before the arena grows much. */
const PACE = 4;
const STEP_UNITS_MIN = 64;
const RECORD_BYTES_MAX = 2 ** 30 - 1;

const NO_WORDS = new Int32Array(0);
const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** Makes entry `owner`, which refers to `from`, refer to `to`. */
export type MoveRecord = (owner: number, from: number, to: number) => void;
/** Whether entry `owner` still refers to `position`; asked before a record is moved. */
export type OwnsRecord = (owner: number, position: number) => boolean;

/** Where texts are collected. */
export interface TextTarget {
  add(source: Uint8Array, start: number, end: number): void;
}

/** An append-only arena of byte strings with compaction. */
export class ByteArena {
  readonly #words: Int32Array[] = [];
  readonly #bytes: Uint8Array[] = [];
  readonly #views: DataView[] = [];
  /** The bytes of rows. */
  readonly rows: RowMemory = { chunks: this.#bytes, views: this.#views };
  /** Units handed out per chunk, the left-out first one included. */
  readonly #used: number[] = [];
  readonly #dead: number[] = [];
  readonly #freeChunks: number[] = [];
  readonly #owns: OwnsRecord;
  readonly #move: MoveRecord;
  #current = -1;
  #usedUnits = 0;
  #deadUnits = 0;
  #heldBytes = 0;
  #onHold = false;
  /** The chunk that is being emptied and the unit to go on from; -1: none. */
  #source = -1;
  #sourceUnit = 0;

  constructor(owns: OwnsRecord, move: MoveRecord) {
    this.#owns = owns;
    this.#move = move;
  }

  /** Bytes of all chunks. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Bytes of records that nobody refers to any more. */
  get deadBytes(): number {
    return this.#deadUnits * 4;
  }

  /** Keeps a copy of the bytes for entry `owner` and gives its position. */
  append(source: Uint8Array, start: number, end: number, owner: number): number {
    const units = HEADER_UNITS + ((end - start + 3) >>> 2);
    if (this.#source >= 0 && !this.#onHold) this.compact(Math.max(STEP_UNITS_MIN, PACE * units));
    const position = this.#take(end - start, owner, units);
    const chunk = position >>> CHUNK_SHIFT;
    const unit = position & CHUNK_MASK;
    const target = (unit + HEADER_UNITS) << 2;
    if (copyText(source, start, end, this.#bytes[chunk], target)) this.#words[chunk][unit]++;
    return position;
  }

  /** Makes room for a record of `length` bytes, which counts as not ASCII until it is written. */
  #take(length: number, owner: number, units: number): number {
    let chunk = this.#current;
    if (chunk < 0 || this.#used[chunk] + units > this.#words[chunk].length) {
      chunk = this.#openChunk(units, length);
    }
    const unit = this.#used[chunk];
    this.#used[chunk] = unit + units;
    this.#usedUnits += units;
    const words = this.#words[chunk];
    words[unit] = length * 2;
    words[unit + 1] = owner;
    return (chunk << CHUNK_SHIFT) | unit;
  }

  /** Pays for an append of so many bytes with some compaction; rows that the caller knows of may move. */
  pace(bytes: number): void {
    if (this.#source < 0 || this.#onHold) return;
    this.compact(Math.max(STEP_UNITS_MIN, PACE * (bytes >>> 2)));
  }

  /** Makes room for a row of entry `owner` whose bytes the caller writes, behind `older`, and gives its position. */
  addRow(bytes: number, owner: number, older: number): number {
    const length = bytes + LINK_BYTES;
    const position = this.#take(length, owner, HEADER_UNITS + ((length + 3) >>> 2));
    this.#words[position >>> CHUNK_SHIFT][(position & CHUNK_MASK) + HEADER_UNITS] = older;
    return position;
  }

  /** The row before a row; 0 when it is the oldest. */
  olderRow(position: number): number {
    return this.#words[position >>> CHUNK_SHIFT][(position & CHUNK_MASK) + HEADER_UNITS];
  }

  /** Copies of the rows of a list, oldest first. */
  copyRows(newest: number): readonly Uint8Array[] {
    const rows: Uint8Array[] = [];
    for (let at = newest; at !== 0; at = this.olderRow(at)) {
      rows.push(this.copy(at).subarray(LINK_BYTES));
    }
    return rows.reverse();
  }

  /** Counts the rows of a list dead. */
  freeRows(newest: number): void {
    for (let at = newest; at !== 0; ) {
      const older = this.olderRow(at);
      this.free(at);
      at = older;
    }
  }

  /** Whether a row belongs to a list. */
  hasRow(newest: number, position: number): boolean {
    for (let at = newest; at !== 0; at = this.olderRow(at)) if (at === position) return true;
    return false;
  }

  /** Has a list refer to a row at its new position, and gives that of its newest. */
  moveRow(newest: number, from: number, to: number): number {
    if (newest === from) return to;
    for (let at = newest; at !== 0; ) {
      const older = this.olderRow(at);
      if (older === from) {
        this.#words[at >>> CHUNK_SHIFT][(at & CHUNK_MASK) + HEADER_UNITS] = to;
        return newest;
      }
      at = older;
    }
    return newest;
  }

  /** A chunk with room for a record. A record beyond the size of chunks gets one of its own. */
  #openChunk(units: number, length: number): number {
    if (length > RECORD_BYTES_MAX) throw tooLarge(`A text of ${length} bytes`);
    const chunk = this.#freeChunks.pop() ?? this.#words.length;
    if (chunk >= CHUNKS_MAX) throw tooLarge(`The text of a state table with ${chunk} chunks`);
    const usual = Math.min(CHUNK_UNITS, FIRST_CHUNK_UNITS << Math.min(chunk, CHUNK_SHIFT));
    const capacity = Math.max(usual, FIRST_UNIT + units);
    const buffer = new ArrayBuffer(capacity * 4);
    this.#words[chunk] = new Int32Array(buffer);
    this.#bytes[chunk] = new Uint8Array(buffer);
    this.#views[chunk] = new DataView(buffer);
    this.#used[chunk] = FIRST_UNIT;
    this.#dead[chunk] = 0;
    this.#heldBytes += buffer.byteLength;
    this.#current = chunk;
    this.#chooseSource();
    return chunk;
  }

  /** Whether the record is these bytes. */
  equals(position: number, source: Uint8Array, start: number, end: number): boolean {
    const chunk = position >>> CHUNK_SHIFT;
    const unit = position & CHUNK_MASK;
    if (this.#words[chunk][unit] >>> 1 !== end - start) return false;
    return sameBytes(this.#bytes[chunk], (unit + HEADER_UNITS) << 2, source, start, end);
  }

  /** The record as text; position 0 is the empty text. */
  text(position: number): string {
    if (position === 0) return '';
    const chunk = position >>> CHUNK_SHIFT;
    const unit = position & CHUNK_MASK;
    const bytes = this.#bytes[chunk];
    const word = this.#words[chunk][unit];
    const start = (unit + HEADER_UNITS) << 2;
    const end = start + (word >>> 1);
    const kind = (word & 1) === 1 ? TEXT_ASCII : textKindOf(bytes, start, end);
    return decodeText(bytes, start, end, kind);
  }

  /** A copy of the record; position 0 is empty. */
  copy(position: number): Uint8Array {
    if (position === 0) return new Uint8Array(0);
    const chunk = position >>> CHUNK_SHIFT;
    const unit = position & CHUNK_MASK;
    const start = (unit + HEADER_UNITS) << 2;
    return this.#bytes[chunk].slice(start, start + (this.#words[chunk][unit] >>> 1));
  }

  /** Adds the record to texts that are collected; position 0 is empty. */
  appendTo(position: number, target: TextTarget): void {
    if (position === 0) return target.add(NO_BYTES, 0, 0);
    const chunk = position >>> CHUNK_SHIFT;
    const unit = position & CHUNK_MASK;
    const start = (unit + HEADER_UNITS) << 2;
    target.add(this.#bytes[chunk], start, start + (this.#words[chunk][unit] >>> 1));
  }

  /** Adds the bytes of a row to those that are collected. */
  appendRowTo(position: number, target: TextTarget): void {
    const chunk = position >>> CHUNK_SHIFT;
    const { offset } = rowPlace(position);
    const length = (this.#words[chunk][position & CHUNK_MASK] >>> 1) - LINK_BYTES;
    target.add(this.#bytes[chunk], offset, offset + length);
  }

  /** Counts a record dead. Its bytes stay where they are until its chunk is emptied. */
  free(position: number): void {
    if (position === 0) return;
    const chunk = position >>> CHUNK_SHIFT;
    const units = recordUnits(this.#words[chunk][position & CHUNK_MASK]);
    this.#dead[chunk] += units;
    this.#deadUnits += units;
    if (!this.#onHold) this.#releaseIfDead(chunk);
  }

  /** From now on nothing moves and no chunk is freed, or (false) again it may. */
  hold(on: boolean): void {
    this.#onHold = on;
    if (on) return;
    for (let chunk = 0; chunk < this.#words.length; chunk++) this.#releaseIfDead(chunk);
    if (this.#source < 0) this.#chooseSource();
  }

  /** Moves up to `unitsMax` units out of the chunk that is being emptied, if there is one. */
  compact(unitsMax: number): void {
    let left = unitsMax;
    while (left > 0 && this.#source >= 0 && !this.#onHold) {
      const chunk = this.#source;
      const unit = this.#sourceUnit;
      if (unit >= this.#used[chunk]) {
        this.#source = -1;
        this.#release(chunk);
        this.#chooseSource();
        return;
      }
      const units = recordUnits(this.#words[chunk][unit]);
      this.#sourceUnit = unit + units;
      this.#moveRecord(chunk, unit, units);
      left -= units;
    }
  }

  #moveRecord(chunk: number, unit: number, units: number): void {
    const owner = this.#words[chunk][unit + 1];
    const from = (chunk << CHUNK_SHIFT) | unit;
    if (!this.#owns(owner, from)) return;
    const word = this.#words[chunk][unit];
    const start = (unit + HEADER_UNITS) << 2;
    const end = start + (word >>> 1);
    const to = this.#take(word >>> 1, owner, units);
    const [target, place] = [to >>> CHUNK_SHIFT, to & CHUNK_MASK];
    this.#words[target][place] = word;
    copyBytes(this.#views[chunk], start, end, this.#views[target], (place + HEADER_UNITS) << 2);
    this.#move(owner, from, to);
    this.#dead[chunk] += units;
    this.#deadUnits += units;
  }

  /** Picks the chunk with the most dead bytes once more than half of the arena is dead. */
  #chooseSource(): void {
    if (this.#source >= 0 || this.#onHold) return;
    if (this.#deadUnits < DEAD_UNITS_MIN || this.#deadUnits * 2 < this.#usedUnits) return;
    let best = -1;
    let bestShare = 0.5;
    for (let chunk = 0; chunk < this.#words.length; chunk++) {
      if (chunk === this.#current || this.#words[chunk].length === 0) continue;
      const share = this.#dead[chunk] / this.#used[chunk];
      if (share <= bestShare) continue;
      best = chunk;
      bestShare = share;
    }
    this.#source = best;
    this.#sourceUnit = FIRST_UNIT;
  }

  #releaseIfDead(chunk: number): void {
    if (chunk === this.#current || chunk === this.#source) return;
    if (this.#words[chunk].length === 0) return;
    if (this.#dead[chunk] === this.#used[chunk] - FIRST_UNIT) this.#release(chunk);
  }

  #release(chunk: number): void {
    this.#usedUnits -= this.#used[chunk] - FIRST_UNIT;
    this.#deadUnits -= this.#dead[chunk];
    this.#heldBytes -= this.#words[chunk].byteLength;
    this.#words[chunk] = NO_WORDS;
    this.#bytes[chunk] = NO_BYTES;
    this.#views[chunk] = NO_VIEW;
    this.#used[chunk] = 0;
    this.#dead[chunk] = 0;
    this.#freeChunks.push(chunk);
  }

  /** Frees all chunks. */
  clear(): void {
    this.#words.length = 0;
    this.#bytes.length = 0;
    this.#views.length = 0;
    this.#used.length = 0;
    this.#dead.length = 0;
    this.#freeChunks.length = 0;
    this.#current = -1;
    this.#source = -1;
    this.#usedUnits = 0;
    this.#deadUnits = 0;
    this.#heldBytes = 0;
    this.#onHold = false;
  }
}

/** Whether the bytes from `at` on are those of `source`; four at a time, which halves the branches. */
export function sameBytes(
  bytes: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): boolean {
  let to = at;
  let from = start;
  for (; from + 4 <= end; from += 4, to += 4) {
    const difference =
      (bytes[to] ^ source[from]) |
      (bytes[to + 1] ^ source[from + 1]) |
      (bytes[to + 2] ^ source[from + 2]) |
      (bytes[to + 3] ^ source[from + 3]);
    if (difference !== 0) return false;
  }
  for (; from < end; from++, to++) {
    if (bytes[to] !== source[from]) return false;
  }
  return true;
}

function recordUnits(word: number): number {
  return HEADER_UNITS + (((word >>> 1) + 3) >>> 2);
}

/** Copies bytes and tells whether all of them are ASCII. */
function copyText(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
): boolean {
  if (end - start > LOOP_BYTES_MAX) {
    const part = source.subarray(start, end);
    target.set(part, offset);
    return isAscii(part);
  }
  let to = offset;
  let seen = 0;
  for (let from = start; from < end; from++) {
    const byte = source[from];
    seen |= byte;
    target[to++] = byte;
  }
  return seen < 0x80;
}

function tooLarge(what: string): MillraceError {
  return new MillraceError('MEMORY_EXHAUSTED', `${what} is more than a state table can hold.`, {
    advice: 'Raise the parallelism, shorten the text, or set a time to live.',
  });
}
