/**
 * What fills the columns of a batch: numbers, texts out of a dictionary, texts of each event's own, and the `extra`
 * texts, which are cut from a block of random letters and not copied at all. Callers: `bid-columns.mjs` and the like,
 * `event-reader.mjs`. Runs on: the slot's thread. Invariant: rows of other kinds hold 0 or the empty text.
 */
import { BinaryColumn, FixedColumn } from 'millrace';
import { unitOf, useSeed } from './event-random.mjs';
import { EventRows } from './event-rows.mjs';
import { BLOCK } from './event-settings.mjs';
import { letterBlock } from './event-texts.mjs';

const ASCII = 0;
const LETTERS_MIN = 2 ** 20;
/** `extra` texts differ from their average by this share. */
const EXTRA_SPREAD = 0.2;
const NO_BYTES = new Uint8Array(0);
const IDENTITY = Int32Array.from({ length: BLOCK }, (_, row) => row);

/**
 * Makes a column of a batch.
 *
 * @typedef {object} ColumnWriter
 * @property {import('millrace').Field} field
 * @property {(rows: EventRows) => import('millrace').Column} write valid until the next call
 */

/** Numbers: `fill(rows, values)` sets those of its kind. */
export class NumberWriter {
  field;
  #fill;
  #values = new Float64Array(BLOCK);
  #column;

  constructor(field, fill) {
    this.field = field;
    this.#fill = fill;
    this.#column = new FixedColumn(field, this.#values, null, null);
  }

  write(rows) {
    this.#values.fill(0, 0, rows.count);
    this.#fill(rows, this.#values);
    return this.#column;
  }
}

/** Codes of texts: `fill(rows, codes)` sets those of its kind, 1 for the first text. */
export class Codes {
  values = new Int32Array(BLOCK);
  #fill;
  #version = -1;

  constructor(fill) {
    this.#fill = fill;
  }

  /** Finds the codes of a batch, once; `rows` is always the same object. */
  of(rows) {
    if (this.#version === rows.version) return;
    this.#version = rows.version;
    this.values.fill(0, 0, rows.count);
    this.#fill(rows, this.values);
  }
}

/** Texts of a dictionary. */
export class DictionaryWriter {
  field;
  #codes;
  #column;

  constructor(field, texts, codes) {
    this.field = field;
    this.#codes = codes;
    const bytes = new TextEncoder().encode(texts.join(''));
    const offsets = new Int32Array(texts.length + 2);
    // All of them are ASCII.
    for (let index = 0; index < texts.length; index++) {
      offsets[index + 2] = offsets[index + 1] + texts[index].length;
    }
    const entries = texts.length + 1;
    this.#column = binaryColumn({
      field,
      codes: codes.values,
      offsets,
      bytes,
      entries,
      isDictionary: true,
    });
  }

  /** The same column each time, so that what consumers remember of its entries goes on. */
  write(rows) {
    this.#codes.of(rows);
    return this.#column;
  }
}

/** Where the texts of events of one kind begin and end, written by `write(bytes, start, low)`, which gives the end. */
export class OwnTexts {
  offsets = new Int32Array(BLOCK + 1);
  bytes;
  #kind;
  #write;
  #rows = null;
  #version = -1;

  constructor(kind, bytesMax, write) {
    this.bytes = new Uint8Array(BLOCK * bytesMax);
    this.#kind = kind;
    this.#write = write;
  }

  /** Writes the texts of a batch, once. */
  of(rows) {
    if (this.#rows === rows && this.#version === rows.version) return this;
    this.#rows = rows;
    this.#version = rows.version;
    const { offsets, bytes } = this;
    const write = this.#write(rows.from);
    let end = 0;
    for (let row = 0; row < rows.count; row++) {
      if (rows.kinds[row] === this.#kind) end = write(bytes, end, rows.lows[row]);
      offsets[row + 1] = end;
    }
    return this;
  }

  length(row) {
    return this.offsets[row + 1] - this.offsets[row];
  }
}

/** A column of `OwnTexts`. */
export class TextWriter {
  field;
  #texts;

  constructor(field, texts) {
    this.field = field;
    this.#texts = texts;
  }

  write(rows) {
    const { offsets, bytes } = this.#texts.of(rows);
    return ownColumn(this.field, offsets, bytes, rows.count);
  }
}

/**
 * `extra` texts. Those of a block lie one after the other in the letters, from a place that follows from the block.
 * `sizes(rows, texts)` gives what tells the size of the event at a row without its extra, `average` what it is to be on
 * average; `texts` are shared with the other columns of the kind.
 */
export class ExtraWriter {
  field;
  #kind;
  #settings;
  #average;
  #sizes;
  #uses;
  #letters = NO_BYTES;
  #offsets = new Int32Array(BLOCK + 1);
  #texts;
  #skipped;
  /** Apart from those of the batch, whose columns may have been handed out. */
  #skippedTexts = new Map();
  /** Number of the event after the last batch, and where its text would begin. */
  #next = 0;
  #position = 0;

  constructor(field, kind, { settings, texts, average, sizes, lengthUse, startUse }) {
    this.field = field;
    this.#kind = kind;
    this.#settings = settings;
    this.#average = average;
    this.#sizes = sizes;
    this.#uses = { lengthUse, startUse };
    this.#texts = texts;
    this.#skipped = new EventRows(settings);
  }

  write(rows) {
    if (this.#letters.length === 0) this.#makeLetters();
    const offsets = this.#offsets;
    offsets[0] = this.#startOf(rows.from);
    this.#place(rows, offsets, this.#texts);
    this.#next = rows.from + rows.count;
    this.#position = offsets[rows.count];
    return ownColumn(this.field, offsets, this.#letters, rows.count);
  }

  #makeLetters() {
    const { personBytes, auctionBytes, bidBytes, seed } = this.#settings;
    const longest = Math.ceil(Math.max(personBytes, auctionBytes, bidBytes) * (1 + EXTRA_SPREAD));
    let length = LETTERS_MIN;
    while (length < 2 * BLOCK * longest) length *= 2;
    this.#letters = letterBlock(seed, length);
  }

  /** Where the text of event `from` begins: behind those of its block that came before. */
  #startOf(from) {
    const within = from % BLOCK;
    if (within === 0) {
      const block = from / BLOCK;
      const seed = useSeed(this.#settings.seed, this.#uses.startUse, from);
      return Math.floor((unitOf(seed, block) * this.#letters.length) / 2);
    }
    if (from === this.#next) return this.#position;
    const skipped = this.#skipped;
    skipped.locate(from - within, within);
    const offsets = new Int32Array(within + 1);
    offsets[0] = this.#startOf(from - within);
    this.#place(skipped, offsets, this.#skippedTexts);
    return offsets[within];
  }

  #place(rows, offsets, texts) {
    const { kinds, lows, count } = rows;
    const kind = this.#kind;
    const average = this.#average;
    const sizeOf = this.#sizes(rows, texts);
    const seed = useSeed(this.#settings.seed, this.#uses.lengthUse, rows.from);
    let end = offsets[0];
    for (let row = 0; row < count; row++) {
      if (kinds[row] === kind) end += extraLength(unitOf(seed, lows[row]), average - sizeOf(row));
      offsets[row + 1] = end;
    }
  }
}

/** Length of an extra that `bytes` on average are left for. */
export function extraLength(unit, bytes) {
  if (bytes < 0) return 0;
  const spread = Math.floor(bytes * EXTRA_SPREAD + 0.5);
  return bytes - spread + Math.floor(unit * 2 * spread);
}

function ownColumn(field, offsets, bytes, entries) {
  return binaryColumn({ field, codes: IDENTITY, offsets, bytes, entries, isDictionary: false });
}

function binaryColumn(parts) {
  return new BinaryColumn({ ...parts, textKind: ASCII, validity: null, presence: null });
}
