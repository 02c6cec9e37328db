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
import { EntryIndex, hashOfBytes, sameBytes } from './entry-index.js';
import { identityCodes } from './identity-codes.js';
import type { Field } from './schema.js';
import { gather } from './gather.js';
import { formOf } from './schema.js';
import { encodeBlockInto, textKindOf, unitEndsToByteEnds, writeWtf8 } from './text.js';
import { copyBytes, wordView } from './words.js';

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
/** Misses after which half of all looks must have found an entry for looking to go on. */
const TRIAL_MISSES = 256;
/** The same where entries are kept from batch to batch, which a dictionary of many texts needs. */
const TRIAL_MISSES_KEPT = 2048;
/** A dictionary of more entries is not kept for the next batch. */
const KEPT_ENTRIES_MAX = 4096;
/** Codes that `appendCodes` takes are below this. */
export const CODES_MAX = 2048;

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
  /** Finds the entry of a byte text; null while looking does not pay. */
  #index: EntryIndex | null = null;
  #looks = 0;
  #misses = 0;
  #indexPause = TRIAL_PAUSE_FIRST;
  #indexIn = 0;
  /** Whether entries outlive batches. */
  #keeps = false;
  /** What columns of the entries that are kept have in common; null when none are. */
  #dictionaryId: object | null = null;
  /** The last column of these entries, and how many it shows. */
  #shown: BinaryColumn | null = null;
  /** Whose codes are known, and our entry of each (-1: not yet). */
  #codesOf: object | null = null;
  #entryOfCode = NO_CODES;
  /** Entry shared by the rows without a value, or -1. */
  #emptyEntry = -1;
  /**
   * The dictionary column last copied from, and our entry of each of its entries (-1: not yet
   * copied).
   */
  #source: BinaryColumn | null = null;
  #sourceEntries = NO_CODES;
  /** The column whose entries the codes name; null: our own. */
  #showing: BinaryColumn | null = null;
  readonly #isText: boolean;

  constructor(field: Field, capacity: number) {
    super(field, capacity);
    this.#isText = formOf(field.type) === 'utf8';
    this.#bytes = new Uint8Array(capacity * 8);
    this.#words = wordView(this.#bytes);
    this.#offsets = new Int32Array(capacity + 1);
    this.clear();
  }

  /**
   * Keeps the entries of texts from batch to batch as long as that pays, for readers whose batches
   * are looked at but not sent: a frame would carry them all. Called before the first row.
   */
  keepEntries(): void {
    if (!this.#isText) return;
    this.#keeps = true;
    this.grow(this.capacity);
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
    const index = this.#index;
    if (index !== null && end - start <= SHARED_BYTES_MAX) {
      this.#appendIndexed(row, index, bytes, start, end);
      return;
    }
    this.#appendNewBytes(row, bytes, start, end);
    if (index !== null) this.#miss();
  }

  /** The same for bytes that `view` shows too, from memory that may be another one at each call. */
  appendViewed(row: number, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    if (this.#from !== bytes) {
      this.#from = bytes;
      this.#fromWords = view;
    }
    this.appendBytes(row, bytes, start, end);
  }

  /**
   * Appends `rows` values as rows from `first` on: like `appendBytes` for each, with the start and
   * end of the i-th at `ranges[2 * i]` and behind it.
   */
  appendRanges(first: number, rows: number, bytes: Uint8Array, ranges: Int32Array): void {
    this.reserve(first + rows - 1);
    let index = 0;
    while (index < rows) {
      if (this.#index !== null && this.#coded) {
        index = this.#shareRanges(this.#index, first, index, rows, bytes, ranges);
        if (index === rows) return;
      }
      this.appendBytes(first + index, bytes, ranges[index * 2], ranges[index * 2 + 1]);
      index++;
    }
  }

  /** Whether entries are being kept. */
  get isKeeping(): boolean {
    return this.#dictionaryId !== null && this.#index !== null;
  }

  /**
   * Like `appendRanges` for values of which a code is known where it is not negative: equal codes are
   * equal texts as long as they are of the same dictionary and this returns true. False asks for codes
   * to be given anew, if entries are kept at all.
   */
  appendCodes(
    first: number,
    rows: number,
    dictionary: object,
    codes: Int32Array,
    bytes: Uint8Array,
    ranges: Int32Array,
  ): boolean {
    if (this.#codesOf !== dictionary || !this.isKeeping) {
      this.#codesOf = dictionary;
      this.#entryOfCode.fill(-1);
      this.appendRanges(first, rows, bytes, ranges);
      return false;
    }
    this.reserve(first + rows - 1);
    const known = this.#entryOfCode;
    const own = this.#codes;
    let looked = 0;
    for (let index = 0; index < rows; index++) {
      const code = codes[index];
      const entry = code < 0 ? -1 : known[code];
      if (entry >= 0) {
        own[first + index] = entry;
        continue;
      }
      looked++;
      this.appendBytes(first + index, bytes, ranges[index * 2], ranges[index * 2 + 1]);
      if (code >= 0) known[code] = own[first + index];
    }
    this.#looks += rows - looked;
    return true;
  }

  /** Shares entries from the range `from` on; returns the first that finds none to share. */
  #shareRanges(
    known: EntryIndex,
    first: number,
    from: number,
    rows: number,
    bytes: Uint8Array,
    ranges: Int32Array,
  ): number {
    if (this.#pending !== '') this.#encodePending();
    if (this.#from !== bytes) this.#copyFrom(bytes);
    const source = this.#fromWords;
    const own = this.#words;
    const offsets = this.#offsets;
    const codes = this.#codes;
    const entries = this.#entries;
    const { slots, mask } = known;
    let index = from;
    for (; index < rows; index++) {
      const start = ranges[index * 2];
      const end = ranges[index * 2 + 1];
      if (end - start > SHARED_BYTES_MAX) break;
      let slot = hashOfBytes(source, start, end) & mask;
      let word = 0;
      let entry = -1;
      while ((word = slots[slot]) !== 0) {
        const at = offsets[word - 1];
        if (word <= entries && offsets[word] - at === end - start) {
          if (sameBytes(source, start, end, own, at)) {
            entry = word - 1;
            break;
          }
        }
        slot = (slot + 1) & mask;
      }
      if (entry < 0) break;
      codes[first + index] = entry;
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
    if (to > this.#bytes.length) this.#reserveBytes(to);
    if (this.#from !== bytes) this.#copyFrom(bytes);
    copyBytes(this.#fromWords, start, end, this.#words, from);
    this.#unjudged = true;
    this.#offsets[entry + 1] = to;
    if (this.#coded) this.#codes[row] = entry;
    this.#entries = entry + 1;
  }

  #copyFrom(bytes: Uint8Array): void {
    this.#from = bytes;
    this.#fromWords = wordView(bytes);
  }

  /** Gives the row the entry of an equal text, an old or a new one. */
  #appendIndexed(
    row: number,
    index: EntryIndex,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (this.#from !== bytes) this.#copyFrom(bytes);
    const known = index.find(
      this.#fromWords,
      start,
      end,
      this.#words,
      this.#offsets,
      this.#entries,
    );
    if (known >= 0) {
      this.#looks++;
      if (!this.#coded) this.#startCodes(row);
      this.#codes[row] = known;
      return;
    }
    const entry = this.#entries;
    this.#appendNewBytes(row, bytes, start, end);
    index.add(entry, this.#words, this.#offsets);
    this.#miss();
  }

  /** A text had no entry, or is too long to be looked for: ends looking when most are so. */
  #miss(): void {
    this.#looks++;
    this.#misses++;
    const trial = this.#keeps ? TRIAL_MISSES_KEPT : TRIAL_MISSES;
    if (this.#misses >= trial && this.#misses * 2 > this.#looks) this.#endIndex();
  }

  /** The byte texts hardly repeat: goes on without looking, and pauses for some batches. */
  #endIndex(): void {
    this.#index = null;
    this.#indexIn = this.#indexPause;
    this.#indexPause = Math.min(this.#indexPause * 2, TRIAL_PAUSE_MAX);
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

  protected override copyRows(first: number, source: Column, sourceRows: Int32Array): void {
    const column = source as BinaryColumn;
    const { codes, bytes, offsets, isDictionary } = column;
    for (let index = 0; index < sourceRows.length; index++) {
      const entry = codes[sourceRows[index]];
      if (isDictionary) this.#copyShared(first + index, column, entry);
      else this.appendBytes(first + index, bytes, offsets[entry], offsets[entry + 1]);
    }
  }

  override showRows(source: Column, sourceRows: Int32Array): boolean {
    if (source.validity !== null || !this.copiesFrom(source)) return false;
    const column = source as BinaryColumn;
    if (this.#codes.length < this.capacity) this.#codes = new Int32Array(this.capacity);
    gather(column.codes, sourceRows, sourceRows.length, this.#codes, 0);
    this.#showing = column;
    return true;
  }

  /** The rows that are shown. What is remembered of a dictionary stays with it. */
  #shownRows(source: BinaryColumn): BinaryColumn {
    const { offsets, bytes, entries, textKind, isDictionary } = source;
    const column = new BinaryColumn({
      field: this.field,
      codes: this.#codes,
      offsets,
      bytes,
      entries,
      textKind,
      validity: null,
      presence: null,
      isDictionary,
      isSelected: !isDictionary,
    });
    if (!isDictionary) return column;
    source.decoded ??= [];
    column.decoded = source.decoded;
    column.hashes = source.hashes;
    column.dictionary = source.dictionary;
    return column;
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
    // Entries that a batch has shown stay, for what is remembered of them must remain true.
    entries = Math.max(entries, this.#shown?.entries ?? 0);
    if (entries < this.#entries) {
      this.#entries = entries;
      this.#codesOf = null;
    }
    this.#source = null;
    if (this.#emptyEntry >= this.#entries) this.#emptyEntry = -1;
    for (const [text, entry] of this.#dictionary ?? []) {
      if (entry >= this.#entries) this.#dictionary?.delete(text);
    }
  }

  protected clear(): void {
    this.#source = null;
    this.#showing = null;
    if (this.#keepsNow()) return;
    this.#entries = 0;
    this.#coded = false;
    this.#pending = '';
    this.#textKind = TEXT_ASCII;
    this.#unjudged = false;
    this.#emptyEntry = -1;
    this.#looks = 0;
    this.#misses = 0;
    this.#dictionaryId = null;
    this.#shown = null;
    this.#codesOf = null;
    if (!this.#isText) return;
    if (this.#index !== null) {
      this.#indexPause = TRIAL_PAUSE_FIRST;
      this.#index.clear();
    } else if (this.#indexIn > 0) this.#indexIn--;
    else this.#index = new EntryIndex();
    if (this.#keeps && this.#index !== null) this.#startKeeping();
    else if (this.#dictionary !== null) {
      // Clearing makes a new table, even when there was nothing in it.
      if (this.#dictionary.size > 0) this.#dictionary.clear();
      this.#trialPause = TRIAL_PAUSE_FIRST;
    } else if (this.#trialIn > 0) this.#trialIn--;
    else this.#dictionary = new Map();
  }

  /** Whether the entries are kept for the next batch: they are while there are few and looking pays. */
  #keepsNow(): boolean {
    if (this.#dictionaryId === null || this.#index === null) return false;
    return this.#entries <= KEPT_ENTRIES_MAX && this.#pending === '';
  }

  /** Rows have codes from the first on, and texts are appended as they come. */
  #startKeeping(): void {
    this.#startCodes(0);
    if (this.#entryOfCode.length === 0) this.#entryOfCode = new Int32Array(CODES_MAX);
    this.#dictionaryId = {};
    this.#dictionary = null;
  }

  protected grow(capacity: number): void {
    const offsets = new Int32Array(this.#entriesMax(capacity) + 1);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    if (!this.#coded) return;
    const codes = new Int32Array(capacity);
    codes.set(this.#codes);
    this.#codes = codes;
  }

  #entriesMax(rows: number): number {
    return this.#keeps ? KEPT_ENTRIES_MAX + rows : rows;
  }

  protected view(
    rows: number,
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ): BinaryColumn {
    if (this.#showing !== null) return this.#shownRows(this.#showing);
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
    const column = new BinaryColumn({
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
    if (this.#dictionaryId === null) return column;
    column.dictionary = this.#dictionaryId;
    column.decoded = this.#shown?.decoded ?? null;
    column.hashes = this.#shown?.hashes ?? null;
    this.#shown = column;
    return column;
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
    this.#words = wordView(grown);
  }
}

function columnTooLarge(field: Field, bytes: number): MillraceError {
  return new MillraceError(
    'RECORD_TOO_LARGE',
    `The values of field "${field.name}" take ${bytes} bytes in one batch; ` +
      `${COLUMN_BYTES_MAX} are possible.`,
    { where: { field: field.name }, advice: 'Emit smaller values, or fewer rows in a batch.' },
  );
}
