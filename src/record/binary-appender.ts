/**
 * The appender of text and bytes. Texts are collected as one growing string and encoded by one
 * native call per batch; bytes are copied. When texts repeat, rows share entries (a dictionary),
 * which later spares hashing and decoding per row; the appender tries that at the start of a batch
 * and leaves off when it does not pay. Callers: everyone who writes text columns. Runs on: worker.
 * Invariant: entry e ends where entry e + 1 starts; the offsets of pending entries count code units
 * until `#encodePending` makes them bytes.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import { serializeAny } from './any-value.js';
import { BaseAppender } from './appender-base.js';
import type { Column, TextKind } from './column.js';
import { BinaryColumn, TEXT_ASCII, TEXT_UTF8 } from './column.js';
import { canonicalDecimal } from './decimal.js';
import { identityCodes } from './identity-codes.js';
import type { Field } from './schema.js';
import { formOf } from './schema.js';
import { encodeBlockInto, textKindOf, unitEndsToByteEnds, writeWtf8 } from './text.js';

/** Below this many bytes a loop over words copies faster than a native call. */
const WORD_COPY_BYTES_MAX = 64;
/** Bytes that copying by words may read and write behind a text. */
const WORD_SLACK_BYTES = 4;
/** Pending text is encoded when it gets this long, so that no string grows without bound. */
const PENDING_UNITS_MAX = 1 << 16;
/** A frame addresses its bytes by int32 offsets; one column may use half of that. */
const COLUMN_BYTES_MAX = 1 << 30;
/** Distinct texts after which a dictionary must have saved half of the rows to go on. */
const TRIAL_ENTRIES = 64;
/** Batches without a trial after one that failed; doubles up to the maximum. */
const TRIAL_PAUSE_FIRST = 4;
const TRIAL_PAUSE_MAX = 256;

/** Byte texts longer than this are copied without looking whether they repeat. */
const SHARED_BYTES_MAX = 24;
/** Recent byte texts that are remembered, by a hash of some of their bytes. */
const RECENT_BITS = 10;
/** Looks after which half of them must have found an entry for a batch to go on looking. */
const TRIAL_LOOKS = 256;

const NO_CODES = new Int32Array(0);
const NO_BYTES = new Uint8Array(0);

/** Forms utf8 and bytes. */
export class BinaryAppender extends BaseAppender {
  #bytes: Uint8Array;
  /** The same memory as `#bytes`, for copying by unaligned words. */
  #words: DataView;
  /** The memory last copied from, and its words. */
  #from: Uint8Array = NO_BYTES;
  #fromWords: DataView = new DataView(NO_BYTES.buffer);
  #offsets: Int32Array;
  /** Entry of each row, in use while `#coded`. */
  #codes = NO_CODES;
  #coded = false;
  #entries = 0;
  /** Texts not yet encoded: those of the entries from `#pendingEntry` on. */
  #pending = '';
  #pendingEntry = 0;
  #textKind: TextKind = TEXT_ASCII;
  /** Bytes were copied in whose kind is not known; settled when the column is taken. */
  #unjudged = false;
  /** Entry of each text of the batch while a dictionary is being tried, else null. */
  #dictionary: Map<string, number> | null = null;
  #trialPause = TRIAL_PAUSE_FIRST;
  #trialIn = 0;
  /**
   * Entry of a recent byte text of each hash; null while looking does not pay. An entry of an older
   * batch is told by its bytes, which are compared anyway.
   */
  #recent: Int32Array | null = null;
  #looks = 0;
  #misses = 0;
  #recentPause = TRIAL_PAUSE_FIRST;
  #recentIn = 0;
  /** Entry shared by the rows without a value, or -1. */
  #emptyEntry = -1;
  /**
   * The dictionary column last copied from, and our entry of each of its entries (-1: not yet
   * copied).
   */
  #source: BinaryColumn | null = null;
  #sourceEntries = NO_CODES;
  readonly #isText: boolean;

  constructor(field: Field, capacity: number) {
    super(field, capacity);
    this.#isText = formOf(field.type) === 'utf8';
    this.#bytes = new Uint8Array(capacity * 8 + WORD_SLACK_BYTES);
    this.#words = wordsOf(this.#bytes);
    this.#offsets = new Int32Array(capacity + 1);
    this.clear();
  }

  /** Appends a text; the field must hold text. */
  appendText(row: number, text: string): void {
    if (row >= this.capacity) this.reserve(row);
    if (this.#dictionary !== null) this.#appendShared(row, text, this.#dictionary);
    else this.#appendEntry(row, text);
  }

  /** Appends bytes; for text they must be UTF-8, or WTF-8 when they hold lone surrogates. */
  appendBytes(row: number, bytes: Uint8Array, start: number, end: number): void {
    if (row >= this.capacity) this.reserve(row);
    if (this.#pending !== '') this.#encodePending();
    if (this.#recent !== null && end - start <= SHARED_BYTES_MAX) {
      if (this.#shareBytes(row, this.#recent, bytes, start, end)) return;
    }
    this.#appendNewBytes(row, bytes, start, end);
  }

  /**
   * Appends `rows` values as rows from `first` on: like `appendBytes` for each, with the start and
   * end of the i-th at `ranges[2 * i]` and behind it.
   */
  appendRanges(first: number, rows: number, bytes: Uint8Array, ranges: Int32Array): void {
    this.reserve(first + rows - 1);
    let index = 0;
    while (index < rows) {
      if (this.#recent !== null && this.#coded) {
        index = this.#shareRanges(this.#recent, first, index, rows, bytes, ranges);
        if (index === rows) return;
      }
      this.appendBytes(first + index, bytes, ranges[index * 2], ranges[index * 2 + 1]);
      index++;
    }
  }

  /** Shares entries from the range `from` on; returns the first that finds none to share. */
  #shareRanges(
    recent: Int32Array,
    first: number,
    from: number,
    rows: number,
    bytes: Uint8Array,
    ranges: Int32Array,
  ): number {
    if (this.#pending !== '') this.#encodePending();
    const own = this.#bytes;
    const offsets = this.#offsets;
    const codes = this.#codes;
    const entries = this.#entries;
    let index = from;
    for (; index < rows; index++) {
      const start = ranges[index * 2];
      const end = ranges[index * 2 + 1];
      if (end - start > SHARED_BYTES_MAX) break;
      const known = recent[recentSlot(bytes, start, end)];
      if (known >= entries) break;
      const shift = offsets[known] - start;
      if (offsets[known + 1] - shift !== end) break;
      let at = start;
      while (at < end && own[at + shift] === bytes[at]) at++;
      if (at < end) break;
      codes[first + index] = known;
    }
    this.#looks += index - from;
    return index;
  }

  /** Appends bytes as an entry of their own. */
  #appendNewBytes(row: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#pending !== '') this.#encodePending();
    const entry = this.#entries;
    const from = this.#offsets[entry];
    const to = from + end - start;
    if (to + WORD_SLACK_BYTES > this.#bytes.length) this.#reserveBytes(to + WORD_SLACK_BYTES);
    if (end - start <= WORD_COPY_BYTES_MAX && end + WORD_SLACK_BYTES <= bytes.length) {
      if (this.#from !== bytes) this.#copyFrom(bytes);
      copyWords(this.#fromWords, start, end, this.#words, from);
    } else {
      this.#bytes.set(bytes.subarray(start, end), from);
    }
    this.#unjudged = true;
    this.#offsets[entry + 1] = to;
    if (this.#coded) this.#codes[row] = entry;
    this.#entries = entry + 1;
  }

  #copyFrom(bytes: Uint8Array): void {
    this.#from = bytes;
    this.#fromWords = wordsOf(bytes);
  }

  /** Gives the row the entry of an equal recent text; false when there is none. */
  #shareBytes(
    row: number,
    recent: Int32Array,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const slot = recentSlot(bytes, start, end);
    const known = recent[slot];
    this.#looks++;
    if (known < this.#entries && this.#entryEquals(known, bytes, start, end)) {
      if (!this.#coded) this.#startCodes(row);
      this.#codes[row] = known;
      return true;
    }
    recent[slot] = this.#entries;
    this.#misses++;
    if (this.#misses >= TRIAL_LOOKS && this.#misses * 2 > this.#looks) this.#endRecent();
    return false;
  }

  #entryEquals(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.#bytes;
    const at = this.#offsets[entry];
    const length = end - start;
    if (this.#offsets[entry + 1] - at !== length) return false;
    for (let byte = 0; byte < length; byte++) {
      if (own[at + byte] !== bytes[start + byte]) return false;
    }
    return true;
  }

  /** The byte texts hardly repeat: goes on without looking, and pauses for some batches. */
  #endRecent(): void {
    this.#recent = null;
    this.#recentIn = this.#recentPause;
    this.#recentPause = Math.min(this.#recentPause * 2, TRIAL_PAUSE_MAX);
  }

  setEmpty(row: number): void {
    this.reserve(row);
    if (!this.#coded) this.#appendEntry(row, '');
    else {
      if (this.#emptyEntry < 0) {
        this.#emptyEntry = this.#entries;
        this.#appendEntry(row, '');
      }
      this.#codes[row] = this.#emptyEntry;
    }
  }

  #appendEntry(row: number, text: string): void {
    const entry = this.#entries;
    if (this.#pending === '') this.#pendingEntry = entry;
    else if (this.#pending.length > PENDING_UNITS_MAX) {
      this.#encodePending();
      this.#pendingEntry = entry;
    }
    this.#pending += text;
    this.#offsets[entry + 1] = this.#offsets[entry] + text.length;
    if (this.#coded) this.#codes[row] = entry;
    this.#entries = entry + 1;
  }

  #appendShared(row: number, text: string, dictionary: Map<string, number>): void {
    const known = dictionary.get(text);
    if (known !== undefined) {
      if (!this.#coded) this.#startCodes(row);
      this.#codes[row] = known;
      return;
    }
    const entry = this.#entries;
    dictionary.set(text, entry);
    this.#appendEntry(row, text);
    if (entry >= TRIAL_ENTRIES && entry * 2 > row) this.#endTrial();
  }

  /** The texts hardly repeat: goes on without looking them up, and pauses for some batches. */
  #endTrial(): void {
    this.#dictionary = null;
    this.#trialIn = this.#trialPause;
    this.#trialPause = Math.min(this.#trialPause * 2, TRIAL_PAUSE_MAX);
  }

  protected write(row: number, value: unknown): boolean {
    switch (this.field.type.kind) {
      case 'utf8':
        if (typeof value !== 'string') return false;
        this.appendText(row, value);
        return true;
      case 'decimal': {
        const { precision, scale } = this.field.type;
        const text = typeof value === 'string' ? canonicalDecimal(value, precision, scale) : null;
        if (text !== null) this.appendText(row, text);
        return text !== null;
      }
      case 'bytes':
        if (!(value instanceof Uint8Array)) return false;
        this.appendBytes(row, value, 0, value.length);
        return true;
      default: {
        const bytes = serializeAny(value, this.field.name);
        this.appendBytes(row, bytes, 0, bytes.length);
        return true;
      }
    }
  }

  protected copy(row: number, source: Column, sourceRow: number): void {
    const column = source as BinaryColumn;
    const entry = column.codes[sourceRow];
    if (column.isDictionary) this.#copyShared(row, column, entry);
    else {
      const { offsets } = column;
      this.appendBytes(row, column.bytes, offsets[entry], offsets[entry + 1]);
    }
  }

  /**
   * Copies an entry of a dictionary once per batch of the source, so that repetition is passed on.
   */
  #copyShared(row: number, column: BinaryColumn, entry: number): void {
    if (row >= this.capacity) this.reserve(row);
    if (this.#source !== column) this.#startSource(column);
    const known = this.#sourceEntries[entry];
    if (known >= 0) {
      if (!this.#coded) this.#startCodes(row);
      this.#codes[row] = known;
      return;
    }
    this.#sourceEntries[entry] = this.#entries;
    this.#appendNewBytes(row, column.bytes, column.offsets[entry], column.offsets[entry + 1]);
  }

  #startSource(column: BinaryColumn): void {
    if (this.#sourceEntries.length < column.entries) {
      this.#sourceEntries = new Int32Array(Math.max(64, column.entries * 2));
    }
    this.#sourceEntries.fill(-1, 0, column.entries);
    this.#source = column;
  }

  /**
   * The first row that shares an entry: from here on rows have codes; those so far are their own
   * entries.
   */
  #startCodes(rows: number): void {
    if (this.#codes.length < this.capacity) this.#codes = new Int32Array(this.capacity);
    for (let row = 0; row < rows; row++) this.#codes[row] = row;
    this.#coded = true;
  }

  protected forget(rows: number): void {
    this.#encodePending();
    let entries = rows;
    if (this.#coded) {
      entries = 0;
      for (let row = 0; row < rows; row++) entries = Math.max(entries, this.#codes[row] + 1);
    }
    this.#entries = Math.min(entries, this.#entries);
    this.#source = null;
    if (this.#emptyEntry >= this.#entries) this.#emptyEntry = -1;
    for (const [text, entry] of this.#dictionary ?? []) {
      if (entry >= this.#entries) this.#dictionary?.delete(text);
    }
  }

  protected clear(): void {
    this.#entries = 0;
    this.#coded = false;
    this.#pending = '';
    this.#textKind = TEXT_ASCII;
    this.#unjudged = false;
    this.#emptyEntry = -1;
    this.#source = null;
    this.#looks = 0;
    this.#misses = 0;
    if (!this.#isText) return;
    if (this.#recent !== null) this.#recentPause = TRIAL_PAUSE_FIRST;
    else if (this.#recentIn > 0) this.#recentIn--;
    else this.#recent = new Int32Array(1 << RECENT_BITS);
    if (this.#dictionary !== null) {
      this.#dictionary.clear();
      this.#trialPause = TRIAL_PAUSE_FIRST;
    } else if (this.#trialIn > 0) this.#trialIn--;
    else this.#dictionary = new Map();
  }

  protected grow(capacity: number): void {
    const offsets = new Int32Array(capacity + 1);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    if (!this.#coded) return;
    const codes = new Int32Array(capacity);
    codes.set(this.#codes);
    this.#codes = codes;
  }

  protected view(
    rows: number,
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ): BinaryColumn {
    this.#encodePending();
    assert(
      this.#coded || this.#entries === rows,
      `Every row writes every column once (${this.field.name}).`,
    );
    const entries = this.#entries;
    if (this.#unjudged && this.#isText) {
      this.#textKind = textKindOf(this.#bytes, 0, this.#offsets[entries]);
    }
    this.#unjudged = false;
    return new BinaryColumn({
      field: this.field,
      codes: this.#coded ? this.#codes : identityCodes(rows),
      offsets: this.#offsets,
      bytes: this.#bytes,
      entries,
      textKind: this.#textKind,
      validity,
      presence,
      isDictionary: this.#coded,
    });
  }

  protected valueBytes(rows: number): number {
    const units = this.#pending.length;
    // A code unit takes three bytes at most.
    return this.#offsets[this.#entries] + units * 2 + (rows + this.#entries + 5) * 4;
  }

  /** Encodes the pending texts, at once when they are ASCII, and turns their offsets into bytes. */
  #encodePending(): void {
    const text = this.#pending;
    if (text === '') return;
    this.#pending = '';
    const start = this.#offsets[this.#pendingEntry];
    this.#reserveBytes(start + text.length);
    const target = start === 0 ? this.#bytes : this.#bytes.subarray(start);
    const { read, written } = encodeBlockInto(text, target);
    if (read !== text.length || written !== text.length) this.#encodeUnicode(text, start);
  }

  /**
   * Encodes a block that is not ASCII, by the platform's encoder unless it holds lone surrogates.
   */
  #encodeUnicode(text: string, start: number): void {
    this.#reserveBytes(start + text.length * 3);
    const first = this.#pendingEntry + 1;
    const last = this.#entries;
    const unitEnds = this.#offsets.slice(first, last + 1);
    if (text.isWellFormed()) {
      encodeBlockInto(text, this.#bytes.subarray(start));
      if (unitEndsToByteEnds(this.#offsets, first, last, this.#bytes, start)) {
        if (this.#textKind < TEXT_UTF8) this.#textKind = TEXT_UTF8;
        return;
      }
    }
    // Value by value: halves of a pair in neighbouring values are lone surrogates, not a pair.
    let unit = 0;
    let end = start;
    for (let index = 0; index < unitEnds.length; index++) {
      const unitEnd = unitEnds[index] - start;
      end += writeWtf8(text, unit, unitEnd, this.#bytes, end);
      this.#offsets[first + index] = end;
      unit = unitEnd;
    }
    this.#unjudged = true;
  }

  #reserveBytes(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    if (bytes > COLUMN_BYTES_MAX) throw columnTooLarge(this.field, bytes);
    const grown = new Uint8Array(
      Math.min(Math.max(bytes, this.#bytes.length * 2), COLUMN_BYTES_MAX),
    );
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#words = wordsOf(grown);
  }
}

/** A hash of the length and of bytes from both ends: texts of a column mostly differ there. */
function recentSlot(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 4) {
    let small = length;
    for (let at = start; at < end; at++) small = (small << 8) | bytes[at];
    return Math.imul(small, 0x9e3779b1) >>> (32 - RECENT_BITS);
  }
  const ends =
    bytes[start] | (bytes[start + 1] << 8) | (bytes[end - 2] << 16) | (bytes[end - 1] << 24);
  const middle = bytes[start + (length >> 1)] + (length << 8);
  return Math.imul(ends ^ Math.imul(middle, 0x85ebca6b), 0x9e3779b1) >>> (32 - RECENT_BITS);
}

/** Copies a text by words of four bytes; the last may reach up to three bytes behind it. */
function copyWords(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  offset: number,
): void {
  for (let from = start, to = offset; from < end; from += 4, to += 4) {
    target.setInt32(to, source.getInt32(from, true), true);
  }
}

function wordsOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function columnTooLarge(field: Field, bytes: number): MillraceError {
  return new MillraceError(
    'RECORD_TOO_LARGE',
    `The values of field "${field.name}" take ${bytes} bytes in one batch; ` +
      `${COLUMN_BYTES_MAX} are possible.`,
    { where: { field: field.name }, advice: 'Emit smaller values, or fewer rows in a batch.' },
  );
}
