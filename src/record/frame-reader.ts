/**
 * Reads frames, trusting nothing: every offset, length and code is checked against the bytes there
 * are before a column is made of it, so that later reads need no checks. Callers: `frame-codec.ts`.
 * Runs on: worker, one instance per thread. Invariant: columns view the frame's memory, or arrays
 * made for them, never bytes outside.
 */
import { MillraceError } from '../base/errors.js';
import { childFields } from './appenders.js';
import { KIND_DELETE } from './batch.js';
import { bitmapBytes } from './bitmap.js';
import type { Column, FixedArray, TextKind } from './column.js';
import {
  BinaryColumn,
  fixedColumn,
  Int64Column,
  NestedColumn,
  StructColumn,
  TEXT_WTF8,
} from './column.js';
import { narrowArray } from './frame-compact.js';
import * as layout from './frame-layout.js';
import { identityCodes } from './identity-codes.js';
import { viewsOf } from './memory-views.js';
import type { Field } from './schema.js';
import { formOf } from './schema.js';

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_WORDS: Int32Array = new Int32Array(0);

/** How to make an array of a form: over memory, or of its own. */
interface ArrayType<A> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
  new (length: number): A;
}

/** The bitmaps of a column. */
interface Marks {
  readonly validity: Uint8Array | null;
  readonly presence: Uint8Array | null;
}

const NO_MARKS: Marks = { validity: null, presence: null };

/** The reader; one frame at a time. */
export class FrameReader {
  rows = 0;
  schemaVersion = 0;
  flags = 0;
  #memory = NO_BYTES;
  /** All words of the buffer. */
  #words = NO_WORDS;
  /** Byte offset of the frame in its buffer, and its first word. */
  #start = 0;
  #firstWord = 0;
  #bytes = 0;
  /** Where buffers may start. */
  #buffersStart = 0;
  #columns = 0;
  /** Directory entries read so far, and the word of the current one. */
  #read = 0;
  #entry = 0;

  /**
   * Starts on the frame at `offset` (a multiple of 8 in memory) of `bytes` bytes (a header at
   * least).
   */
  open(memory: Uint8Array, offset: number, bytes: number): void {
    this.#memory = memory;
    this.#start = memory.byteOffset + offset;
    const { words } = viewsOf(memory.buffer);
    const first = this.#start / 4;
    this.#words = words;
    this.#firstWord = first;
    if (words[first + layout.MAGIC_WORD] !== layout.FRAME_MAGIC)
      throw corrupt('It does not start as one.');
    if (words[first + layout.LAYOUT_WORD] !== layout.FRAME_LAYOUT) {
      throw corrupt(
        `Its layout is ${words[first + layout.LAYOUT_WORD]}, not ${layout.FRAME_LAYOUT}.`,
      );
    }
    this.#bytes = words[first + layout.BYTES_WORD];
    this.rows = words[first + layout.ROWS_WORD];
    this.schemaVersion = words[first + layout.SCHEMA_VERSION_WORD];
    this.flags = words[first + layout.FLAGS_WORD];
    this.#columns = words[first + layout.COLUMNS_WORD];
    this.#buffersStart = layout.buffersStart(this.#columns);
    this.#read = 0;
    if (this.#bytes < layout.HEADER_BYTES || this.#bytes > bytes) {
      throw corrupt(`It claims ${this.#bytes} bytes of ${bytes}.`);
    }
    if (this.#columns < 0 || this.#buffersStart > this.#bytes) {
      throw corrupt(`It claims ${this.#columns} columns in ${this.#bytes} bytes.`);
    }
    if (this.rows < 0 || this.rows > layout.UNBACKED_ROWS_MAX) {
      throw corrupt(`It claims ${this.rows} rows.`);
    }
    if ((this.flags & ~(layout.FLAG_TIMES | layout.FLAG_KINDS)) !== 0) {
      throw corrupt(`Its flags are ${this.flags}.`);
    }
  }

  /** Ends the frame: all of its directory must have been read. */
  close(): void {
    const read = this.#read;
    this.#memory = NO_BYTES;
    this.#words = NO_WORDS;
    if (read !== this.#columns) {
      throw corrupt(`It claims ${this.#columns} columns; its schema has ${read}.`);
    }
  }

  /** The system column of event times. */
  times(): Float64Array {
    this.#nextEntry(this.rows);
    return this.#values(Float64Array, this.rows);
  }

  /** The system column of row kinds. */
  kinds(): Uint8Array {
    this.#nextEntry(this.rows);
    const kinds = this.#values(Uint8Array, this.rows);
    let most = 0;
    for (let row = 0; row < this.rows; row++) most |= kinds[row];
    if (most > KIND_DELETE) throw corrupt('A row is of no known kind.');
    return kinds;
  }

  /** The next column, which must be of this field; `spent` is one that nobody looks at any more. */
  column(field: Field, rows: number, spent: Column | null = null): Column {
    this.#nextEntry(rows);
    const { validity, presence } = this.#marks(field, rows);
    switch (formOf(field.type)) {
      case 'f64':
        return fixedColumn(field, this.#values(Float64Array, rows), validity, presence, spent);
      case 'f32':
        return fixedColumn(field, this.#values(Float32Array, rows), validity, presence, spent);
      case 'i32':
        return fixedColumn(field, this.#values(Int32Array, rows), validity, presence, spent);
      case 'u32':
        return fixedColumn(field, this.#values(Uint32Array, rows), validity, presence, spent);
      case 'u8':
        return fixedColumn(field, this.#values(Uint8Array, rows), validity, presence, spent);
      case 'i64':
        return new Int64Column(field, this.#int64Values(rows), validity, presence);
      case 'utf8':
      case 'bytes':
        return this.#binary(field, rows, validity, presence);
      case 'struct': {
        const children = childFields(field).map((child) => this.column(child, rows));
        return new StructColumn(field, children, validity, presence);
      }
      case 'list':
      case 'map':
        return this.#nested(field, rows, validity, presence);
    }
  }

  #nextEntry(rows: number): void {
    if (this.#read === this.#columns) throw corrupt('Its directory ends before its schema.');
    this.#entry = this.#firstWord + layout.entryWord(this.#read++);
    const found = this.#words[this.#entry + layout.ENTRY_ROWS_WORD];
    if (found !== rows) throw corrupt(`A column has ${found} rows instead of ${rows}.`);
  }

  /** Checks that a buffer lies inside the frame, and gives its offset in the memory's buffer. */
  #buffer(word: number, bytes: number): number {
    const offset = this.#words[this.#entry + word];
    const isInside = offset >= this.#buffersStart && offset + bytes <= this.#bytes;
    // Bytes of texts lie as they were aligned where they came from.
    const alignment = word === layout.ENTRY_BYTES_WORD ? 1 : layout.FRAME_ALIGNMENT;
    if (!isInside || offset % alignment !== 0) {
      throw corrupt(`${bytes} bytes at ${offset} are not among its ${this.#bytes}.`);
    }
    return this.#start + offset;
  }

  #marks(field: Field, rows: number): Marks {
    const words = this.#words;
    const hasValidity = words[this.#entry + layout.ENTRY_VALIDITY_WORD] !== 0;
    const hasPresence = words[this.#entry + layout.ENTRY_PRESENCE_WORD] !== 0;
    if (!hasValidity && !hasPresence) return NO_MARKS;
    const validity = this.#bitmap(layout.ENTRY_VALIDITY_WORD, rows);
    const presence = hasPresence ? this.#bitmap(layout.ENTRY_PRESENCE_WORD, rows) : null;
    checkMarks(field, rows, validity, presence);
    return { validity, presence };
  }

  #bitmap(word: number, rows: number): Uint8Array {
    const bytes = bitmapBytes(rows);
    return new Uint8Array(this.#memory.buffer, this.#buffer(word, bytes), bytes);
  }

  #encoding(): number {
    return this.#words[this.#entry + layout.ENTRY_CODING_WORD] & layout.CODING_MASK;
  }

  #values<A extends FixedArray>(Values: ArrayType<A>, rows: number): A {
    const { buffer } = this.#memory;
    const width = Values.BYTES_PER_ELEMENT;
    const encoding = this.#encoding();
    if (encoding === layout.ENCODING_PLAIN) {
      return new Values(buffer, this.#buffer(layout.ENTRY_VALUES_WORD, rows * width), rows);
    }
    if (encoding === layout.ENCODING_CONSTANT) {
      checkUnbacked(rows);
      const offset = this.#buffer(layout.ENTRY_VALUES_WORD, width);
      const values = new Values(rows);
      values.fill(new Values(buffer, offset, 1)[0]);
      return values;
    }
    const narrowWidth = NARROW_WIDTHS[encoding];
    if (narrowWidth === undefined) throw corrupt(`Encoding ${encoding} does not fit a column.`);
    const bytes = layout.FRAME_ALIGNMENT + rows * narrowWidth;
    const offset = this.#buffer(layout.ENTRY_VALUES_WORD, bytes);
    const base = new Float64Array(buffer, offset, 1)[0];
    const distances = narrowArray(narrowWidth, buffer, offset + layout.FRAME_ALIGNMENT, rows);
    const values = new Values(rows);
    for (let row = 0; row < rows; row++) values[row] = base + distances[row];
    return values;
  }

  #int64Values(rows: number): BigInt64Array {
    const { buffer } = this.#memory;
    const encoding = this.#encoding();
    if (encoding === layout.ENCODING_PLAIN) {
      return new BigInt64Array(buffer, this.#buffer(layout.ENTRY_VALUES_WORD, rows * 8), rows);
    }
    if (encoding !== layout.ENCODING_CONSTANT) {
      throw corrupt(`Encoding ${encoding} does not fit a column.`);
    }
    checkUnbacked(rows);
    const offset = this.#buffer(layout.ENTRY_VALUES_WORD, 8);
    return new BigInt64Array(rows).fill(new BigInt64Array(buffer, offset, 1)[0]);
  }

  #binary(
    field: Field,
    rows: number,
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ): BinaryColumn {
    const coding = this.#words[this.#entry + layout.ENTRY_CODING_WORD];
    const entries = this.#words[this.#entry + layout.ENTRY_ENTRIES_WORD];
    const textKind = (coding >> layout.CODING_TEXT_SHIFT) & layout.CODING_MASK;
    if (textKind > TEXT_WTF8) throw corrupt(`A text is of kind ${textKind}.`);
    if (entries < 0) throw corrupt(`A column has ${entries} entries.`);
    const offsets = this.#entryOffsets(
      entries,
      (coding >> layout.CODING_OFFSETS_SHIFT) & layout.CODING_MASK,
    );
    const byteCount = offsets[entries];
    const bytesAt = this.#buffer(layout.ENTRY_BYTES_WORD, byteCount);
    const encoding = coding & layout.CODING_MASK;
    return new BinaryColumn({
      field,
      codes: this.#codes(encoding, rows, entries),
      offsets,
      bytes: new Uint8Array(this.#memory.buffer, bytesAt, byteCount),
      entries,
      textKind: textKind as TextKind,
      validity,
      presence,
      isDictionary: encoding !== layout.ENCODING_PLAIN && encoding !== layout.ENCODING_SELECTED,
      isSelected: encoding === layout.ENCODING_SELECTED,
    });
  }

  #entryOffsets(entries: number, coding: number): Int32Array {
    if (coding === layout.OFFSETS_PLAIN) return this.#offsets(entries);
    const { buffer } = this.#memory;
    const isByte = coding === layout.OFFSETS_LENGTHS_8;
    if (!isByte && coding !== layout.OFFSETS_LENGTHS_16) {
      throw corrupt(`Its offsets have coding ${coding}.`);
    }
    const at = this.#buffer(layout.ENTRY_OFFSETS_WORD, entries * (isByte ? 1 : 2));
    const lengths = isByte
      ? new Uint8Array(buffer, at, entries)
      : new Uint16Array(buffer, at, entries);
    const offsets = new Int32Array(entries + 1);
    let end = 0;
    for (let entry = 0; entry < entries; entry++) {
      end += lengths[entry];
      // A sum beyond int32 would wrap and pass the check of its last element.
      if (end > this.#bytes) throw corrupt('Its texts are longer than itself.');
      offsets[entry + 1] = end;
    }
    return offsets;
  }

  /** Offsets that start at 0 and never decrease. */
  #offsets(count: number): Int32Array {
    const at = this.#buffer(layout.ENTRY_OFFSETS_WORD, (count + 1) * 4);
    const offsets = new Int32Array(this.#memory.buffer, at, count + 1);
    let previous = offsets[0];
    let signs = previous === 0 ? 0 : -1;
    let index = 1;
    // The first decrease is one from a number that is not negative, so the difference keeps its
    // sign. Several in a turn of the loop, as in `gather`.
    for (; index < count - 2; index += 4) {
      const next = offsets[index];
      const second = offsets[index + 1];
      const third = offsets[index + 2];
      const fourth = offsets[index + 3];
      signs |= (next - previous) | (second - next) | (third - second) | (fourth - third);
      previous = fourth;
    }
    for (; index <= count; index++) {
      const next = offsets[index];
      signs |= next - previous;
      previous = next;
    }
    if (signs < 0) throw corrupt('Its offsets decrease.');
    return offsets;
  }

  #codes(encoding: number, rows: number, entries: number): Int32Array {
    switch (encoding) {
      case layout.ENCODING_PLAIN:
        if (entries !== rows) throw corrupt(`A column has ${entries} entries for ${rows} rows.`);
        return identityCodes(rows);
      case layout.ENCODING_CONSTANT:
        checkUnbacked(rows);
        if (entries !== 1) throw corrupt(`A constant has ${entries} entries.`);
        return new Int32Array(rows);
      case layout.ENCODING_DICTIONARY:
      case layout.ENCODING_SELECTED: {
        const at = this.#buffer(layout.ENTRY_VALUES_WORD, rows * 4);
        const codes = new Int32Array(this.#memory.buffer, at, rows);
        checkCodes(codes, rows, entries);
        return codes;
      }
      case layout.ENCODING_DICTIONARY_8:
      case layout.ENCODING_DICTIONARY_16: {
        const isByte = encoding === layout.ENCODING_DICTIONARY_8;
        const at = this.#buffer(layout.ENTRY_VALUES_WORD, rows * (isByte ? 1 : 2));
        const { buffer } = this.#memory;
        const narrow = isByte
          ? new Uint8Array(buffer, at, rows)
          : new Uint16Array(buffer, at, rows);
        const codes = new Int32Array(rows);
        codes.set(narrow);
        checkCodes(codes, rows, entries);
        return codes;
      }
      default:
        throw corrupt(`Encoding ${encoding} does not fit a column of text or bytes.`);
    }
  }

  #nested(
    field: Field,
    rows: number,
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ): NestedColumn {
    const offsets = this.#offsets(rows);
    const childRows = offsets[rows];
    // Every item takes a byte of the frame, but for structs without fields, which are few enough to
    // count.
    if (childRows > this.#bytes) checkUnbacked(childRows);
    const children = childFields(field).map((child) => this.column(child, childRows));
    return new NestedColumn(field, offsets, children, validity, presence);
  }
}

const NARROW_WIDTHS: Readonly<Partial<Record<number, 1 | 2 | 4>>> = {
  [layout.ENCODING_NARROW_8]: 1,
  [layout.ENCODING_NARROW_16]: 2,
  [layout.ENCODING_NARROW_32]: 4,
};

function checkUnbacked(rows: number): void {
  if (rows > layout.UNBACKED_ROWS_MAX) throw corrupt(`A column claims ${rows} rows in no bytes.`);
}

/** Codes must name entries, for rows without a value too. */
function checkCodes(codes: Int32Array, rows: number, entries: number): void {
  const last = entries - 1;
  let signs = 0;
  let row = 0;
  for (; row < rows - 3; row += 4) {
    const code = codes[row];
    const second = codes[row + 1];
    const third = codes[row + 2];
    const fourth = codes[row + 3];
    signs |= code | second | third | fourth;
    signs |= (last - code) | (last - second) | (last - third) | (last - fourth);
  }
  for (; row < rows; row++) {
    const code = codes[row];
    signs |= code | (last - code);
  }
  if (signs < 0) throw corrupt('A code of a dictionary names no entry.');
}

/** Marks must be such as the field allows, and a value must not be there where it is missing. */
function checkMarks(
  field: Field,
  rows: number,
  validity: Uint8Array,
  presence: Uint8Array | null,
): void {
  if (presence !== null && !field.optional) throw corrupt(`Field "${field.name}" is not optional.`);
  if (!field.nullable && presence === null) throw corrupt(`Field "${field.name}" is not nullable.`);
  if (presence === null) return;
  const whole = rows >> 3;
  let missingValues = 0;
  let nulls = 0;
  for (let byte = 0; byte < whole; byte++) {
    missingValues |= validity[byte] & ~presence[byte];
    nulls |= presence[byte] & ~validity[byte];
  }
  if ((rows & 7) !== 0) {
    const used = (1 << (rows & 7)) - 1;
    missingValues |= validity[whole] & ~presence[whole] & used;
    nulls |= presence[whole] & ~validity[whole] & used;
  }
  if (missingValues !== 0) throw corrupt(`Field "${field.name}" is missing and has a value.`);
  if (nulls !== 0 && !field.nullable) throw corrupt(`Field "${field.name}" is not nullable.`);
}

function corrupt(reason: string): MillraceError {
  return new MillraceError('FRAME_CORRUPT', `A frame is damaged. ${reason}`, {
    advice: 'If it was read from a file, restore from an older copy; else please report it.',
  });
}
