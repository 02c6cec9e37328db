/**
 * Writes batches as frames. On the way into a ring, columns are copied as they are: looking for
 * shorter encodings costs more than moving the bytes. With `compact`, for frames that are kept, it
 * looks (`frame-compact.ts`). Callers: `frame-codec.ts`. Runs on: worker, one instance per thread.
 * Invariant: directory entries and buffers are written in the order in which `FrameReader` takes
 * them.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import type { Batch } from './batch.js';
import { bitmapBytes } from './bitmap.js';
import type { Column, FixedArray } from './column.js';
import { BinaryColumn, FixedColumn, Int64Column, NestedColumn, StructColumn } from './column.js';
import {
  dictionaryOf,
  isConstant,
  narrowEncoding,
  narrowInto,
  offsetsCoding,
  lengthsOf,
} from './frame-compact.js';
import * as layout from './frame-layout.js';
import { type MemoryViews, viewsOf } from './memory-views.js';
import { gather, gatherBits, type RowArray } from './gather.js';

/** How a frame is encoded. */
export interface EncodeOptions {
  /** Looks for constant, narrow and dictionary encodings in all columns. */
  readonly compact?: boolean;
}

const NO_MARKS: Marks = { validity: null, presence: null };
const EMPTY: Int32Array = new Int32Array(0);
const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_VIEWS: MemoryViews = viewsOf(NO_BYTES.buffer);

/** The writer; one frame at a time. */
export class FrameWriter {
  #bytes = NO_BYTES;
  #views = NO_VIEWS;
  /** All words of the buffer; those of the frame start at `#firstWord`. */
  #words = EMPTY;
  #firstWord = 0;
  #start = 0;
  /** Where the next buffer goes, from the start of the frame. */
  #end = 0;
  /** Word of the directory entry being written. */
  #entry = 0;
  #entries = 0;
  #compact = false;
  /** Numbers of the rows in the batch's arrays; null: all, in order. */
  #selection: Int32Array | null = null;
  /** Where those numbers are in the frame, for all columns whose codes they are; 0 while they are not. */
  #selectionAt = 0;

  write(batch: Batch, target: Uint8Array, offset: number, compact: boolean): number {
    const { rows, times, kinds, columns } = batch;
    assert(rows <= layout.UNBACKED_ROWS_MAX, 'A frame holds about a million rows at most.');
    let entries = (times === null ? 0 : 1) + (kinds === null ? 0 : 1);
    for (let index = 0; index < columns.length; index++) entries += countColumns(columns[index]);
    this.#bytes = target;
    this.#start = offset;
    this.#end = layout.buffersStart(entries);
    this.#views = viewsOf(target.buffer);
    this.#words = this.#views.words;
    this.#firstWord = (target.byteOffset + offset) / 4;
    this.#entries = 0;
    this.#compact = compact;
    this.#selection = batch.selection ?? null;
    this.#selectionAt = 0;
    assert(!compact || this.#selection === null, 'Frames that are kept are made of whole batches.');
    // System columns are often uniform, which is seen at a glance, so these are always looked at.
    if (times !== null) {
      this.#startEntry(rows, NO_MARKS);
      this.#writeValues(times, rows, true);
    }
    if (kinds !== null) {
      this.#startEntry(rows, NO_MARKS);
      this.#writeValues(kinds, rows, true);
    }
    for (let index = 0; index < columns.length; index++) this.#writeColumn(columns[index], rows);
    const words = this.#words;
    const first = this.#firstWord;
    words[first + layout.MAGIC_WORD] = layout.FRAME_MAGIC;
    words[first + layout.LAYOUT_WORD] = layout.FRAME_LAYOUT;
    words[first + layout.BYTES_WORD] = this.#end;
    words[first + layout.ROWS_WORD] = rows;
    words[first + layout.SCHEMA_VERSION_WORD] = batch.schemaVersion;
    words[first + layout.FLAGS_WORD] =
      (times === null ? 0 : layout.FLAG_TIMES) | (kinds === null ? 0 : layout.FLAG_KINDS);
    words[first + layout.COLUMNS_WORD] = entries;
    words[first + layout.COLUMNS_WORD + 1] = 0;
    // The memory belongs to a ring or a file; holding on to it would keep it alive.
    this.#selection = null;
    this.#bytes = NO_BYTES;
    this.#views = NO_VIEWS;
    this.#words = EMPTY;
    return this.#end;
  }

  #writeColumn(column: Column, rows: number): void {
    if (column instanceof FixedColumn) {
      this.#startEntry(rows, column);
      this.#writeValues(column.values, rows, this.#compact);
    } else if (column instanceof BinaryColumn) {
      this.#startEntry(rows, column);
      this.#writeBinary(column, rows);
    } else if (column instanceof Int64Column) {
      this.#startEntry(rows, column);
      this.#writeInt64(column.values, rows);
    } else if (column instanceof NestedColumn) {
      this.#startEntry(rows, column);
      this.#writeNested(column, rows);
    } else {
      this.#startEntry(rows, column);
      for (const child of column.children) this.#writeColumn(child, rows);
    }
  }

  #startEntry(rows: number, marks: Marks): void {
    const entry = this.#firstWord + layout.entryWord(this.#entries++);
    this.#entry = entry;
    this.#words.fill(0, entry, entry + layout.ENTRY_WORDS);
    this.#words[entry + layout.ENTRY_ROWS_WORD] = rows;
    const { validity, presence } = marks;
    if (validity !== null) {
      this.#words[entry + layout.ENTRY_VALIDITY_WORD] = this.#putBits(validity, rows);
    }
    if (presence !== null) {
      this.#words[entry + layout.ENTRY_PRESENCE_WORD] = this.#putBits(presence, rows);
    }
  }

  #setCoding(encoding: number, textKind = 0, offsets = 0): void {
    this.#words[this.#entry + layout.ENTRY_CODING_WORD] =
      encoding | (textKind << layout.CODING_TEXT_SHIFT) | (offsets << layout.CODING_OFFSETS_SHIFT);
  }

  #writeValues(source: FixedArray, rows: number, look: boolean): void {
    const { BYTES_PER_ELEMENT: width } = source;
    const at = this.#entry + layout.ENTRY_VALUES_WORD;
    if (this.#selection !== null && !look) {
      this.#words[at] = this.#putRows(source, rows);
      return;
    }
    const values = this.#selection === null ? source : selected(source, this.#selection, rows);
    if (look && isConstant(values, rows)) {
      this.#setCoding(layout.ENCODING_CONSTANT);
      this.#words[at] = this.#put(values, width);
      return;
    }
    const narrow = this.#compact && width > 1 ? narrowEncoding(values, rows) : null;
    if (narrow === null) {
      this.#words[at] = this.#put(values, rows * width);
      return;
    }
    this.#setCoding(narrow.encoding);
    const bytes = layout.FRAME_ALIGNMENT + rows * narrow.width;
    this.#words[at] = this.#end;
    narrowInto(values, rows, narrow, this.#bytes, this.#start + this.#end);
    this.#end += layout.aligned(bytes);
  }

  #writeInt64(values: BigInt64Array, rows: number): void {
    const isSame = this.#compact && isConstant(values, rows);
    if (isSame) this.#setCoding(layout.ENCODING_CONSTANT);
    this.#words[this.#entry + layout.ENTRY_VALUES_WORD] = isSame
      ? this.#put(values, 8)
      : this.#putRows(values, rows);
  }

  #writeBinary(column: BinaryColumn, rows: number): void {
    const shared = this.#compact && !column.isDictionary ? dictionaryOf(column, rows) : column;
    const isSome = shared.isSelected || this.#selection !== null;
    const isCoded = shared.isDictionary || isSome;
    const entries = isCoded ? shared.entries : rows;
    const { offsets, textKind } = shared;
    const words = this.#words;
    const entry = this.#entry;
    let encoding = layout.ENCODING_PLAIN;
    if (shared.isDictionary) {
      encoding = this.#writeCodes(shared.codes, rows, entries);
    } else if (isSome) {
      encoding = layout.ENCODING_SELECTED;
      words[entry + layout.ENTRY_VALUES_WORD] = shared.isSelected
        ? this.#putRows(shared.codes, rows)
        : this.#putSelection(rows);
    }
    words[entry + layout.ENTRY_ENTRIES_WORD] = entries;
    const coding = this.#compact ? offsetsCoding(offsets, entries) : layout.OFFSETS_PLAIN;
    words[entry + layout.ENTRY_OFFSETS_WORD] = this.#writeOffsets(offsets, entries, coding);
    words[entry + layout.ENTRY_BYTES_WORD] = this.#putBytes(shared, entries);
    this.#setCoding(encoding, textKind, coding);
  }

  /**
   * Writes the codes of a dictionary, none when all rows have the same, and returns the encoding.
   */
  #writeCodes(codes: Int32Array, rows: number, entries: number): number {
    const at = this.#entry + layout.ENTRY_VALUES_WORD;
    if (entries === 1 && rows <= layout.UNBACKED_ROWS_MAX) return layout.ENCODING_CONSTANT;
    if (!this.#compact || entries > 0x10000) {
      this.#words[at] = this.#putRows(codes, rows);
      return layout.ENCODING_DICTIONARY;
    }
    const isByte = entries <= 0x100;
    const narrow = isByte ? new Uint8Array(rows) : new Uint16Array(rows);
    narrow.set(codes.subarray(0, rows));
    this.#words[at] = this.#put(narrow, narrow.byteLength);
    return isByte ? layout.ENCODING_DICTIONARY_8 : layout.ENCODING_DICTIONARY_16;
  }

  #writeOffsets(offsets: Int32Array, entries: number, coding: number): number {
    if (coding !== layout.OFFSETS_PLAIN) {
      const lengths = lengthsOf(offsets, entries, coding);
      return this.#put(lengths, lengths.byteLength);
    }
    const from = offsets[0];
    if (from === 0) return this.#put(offsets, (entries + 1) * 4);
    const moved = offsets.slice(0, entries + 1);
    for (let entry = 0; entry <= entries; entry++) moved[entry] -= from;
    return this.#put(moved, moved.byteLength);
  }

  #writeNested(column: NestedColumn, rows: number): void {
    assert(this.#selection === null, 'Rows of lists and maps are not selected.');
    const childRows = column.offsets[rows];
    assert(
      column.offsets[0] === 0,
      'The items of the first list or map are the first of the child.',
    );
    if (childRows > layout.UNBACKED_ROWS_MAX) refuseUnbacked(column.children, childRows);
    this.#words[this.#entry + layout.ENTRY_OFFSETS_WORD] = this.#put(
      column.offsets,
      (rows + 1) * 4,
    );
    for (const child of column.children) this.#writeColumn(child, childRows);
  }

  /**
   * Copies the bytes of all entries. Copies into shared memory go by words only when source and target are aligned
   * alike, and are several times slower otherwise; so the target follows the source.
   */
  #putBytes({ bytes, offsets }: BinaryColumn, entries: number): number {
    const from = offsets[0];
    const length = offsets[entries] - from;
    const shift = (bytes.byteOffset + from) % layout.FRAME_ALIGNMENT;
    const offset = this.#end + shift;
    this.#bytes.set(bytes.subarray(from, from + length), this.#start + offset);
    this.#end = layout.aligned(offset + length);
    return offset;
  }

  /** The numbers of the rows themselves: the entry of a row of a plain column has its number. */
  #putSelection(rows: number): number {
    if (this.#selectionAt === 0) this.#selectionAt = this.#put(this.#selection ?? EMPTY, rows * 4);
    return this.#selectionAt;
  }

  /** Copies the elements of the rows straight to where they belong. */
  #putRows(source: RowArray, rows: number): number {
    const { BYTES_PER_ELEMENT: width } = source;
    if (this.#selection === null) return this.#put(source, rows * width);
    const offset = this.#end;
    const first = (this.#bytes.byteOffset + this.#start + offset) / width;
    gather(source, this.#selection, rows, this.#views.like(source), first);
    this.#end = layout.aligned(offset + rows * width);
    return offset;
  }

  #putBits(source: Uint8Array, rows: number): number {
    const bytes = bitmapBytes(rows);
    if (this.#selection === null) return this.#put(source, bytes);
    const offset = this.#end;
    const at = this.#start + offset;
    gatherBits(source, this.#selection, rows, this.#bytes.subarray(at, at + bytes));
    this.#end = layout.aligned(offset + bytes);
    return offset;
  }

  /**
   * Copies the first `bytes` bytes of an array, from `from` on, to the end of the frame: their
   * offset.
   */
  #put(source: ArrayBufferView, bytes: number): number {
    const offset = this.#end;
    const view = new Uint8Array(source.buffer, source.byteOffset, bytes);
    this.#bytes.set(view, this.#start + offset);
    this.#end = layout.aligned(offset + bytes);
    return offset;
  }
}

/** The elements of the rows in an array of their own. */
function selected<A extends FixedArray>(source: A, selection: Int32Array, rows: number): A {
  const values = new (source.constructor as new (length: number) => A)(rows);
  gather(source, selection, rows, values, 0);
  return values;
}

/** The bitmaps of any column. */
interface Marks {
  readonly validity: Uint8Array | null;
  readonly presence: Uint8Array | null;
}

function countColumns(column: Column): number {
  let count = 1;
  if ('children' in column) {
    for (const child of column.children) count += countColumns(child);
  }
  return count;
}

/** Structs without fields take no bytes per row, which readers accept only up to a limit. */
function refuseUnbacked(children: readonly Column[], rows: number): void {
  const backed = children.some((child) => !(child instanceof StructColumn) || isBacked(child));
  if (backed) return;
  throw new MillraceError(
    'RECORD_TOO_LARGE',
    `A list holds ${rows} objects without properties; ` +
      `${layout.UNBACKED_ROWS_MAX} are possible in one batch.`,
    { advice: 'Send their number instead.' },
  );
}

function isBacked(column: StructColumn): boolean {
  return column.children.some((child) => !(child instanceof StructColumn) || isBacked(child));
}
