/**
 * Holds texts and bytes of a column of a row group, each distinct one once as long as that pays.
 * Callers: `value-store.ts`. Runs on: the slot's thread. Invariant: value v is entry `codes[v]`,
 * whether or not entries repeat.
 */
import { assert } from '../../base/assert.js';
import { MillraceError } from '../../base/errors.js';
import type { BinaryColumn, Column } from '../../record/column.js';
import { TEXT_ASCII, TEXT_WTF8 } from '../../record/column.js';
import { decimalUnscaled } from '../../record/decimal.js';
import { decodeText } from '../../record/text.js';
import { ByteBuffer } from '../encode/byte-buffer.js';
import { binaryOf, type Cell } from '../encode/cell.js';
import { jsonCell } from '../encode/json-cell.js';
import { appendHybrid } from './hybrid-writer.js';
import * as types from './parquet-types.js';
import type { EncodedDictionary, ValueStore } from './value-store.js';
import type { WriteLeaf } from './write-tree.js';

/** After so many values, a dictionary must have saved half of them to go on. */
const TRIAL_VALUES = 1024;
/** A dictionary page is kept below this, as other writers do. */
const DICTIONARY_BYTES_MAX = 1 << 20;

/** The store of texts, bytes, JSON and decimals of many digits. */
export class BinaryStore implements ValueStore {
  count = 0;
  encoding = types.ENCODING_PLAIN;
  readonly #leaf: WriteLeaf;
  #codes = new Int32Array(4096);
  #offsets = new Int32Array(1024);
  #entries = 0;
  readonly #bytes = new ByteBuffer(16 * 1024);
  /** Entry of each distinct value; null once repetition has turned out to be rare. */
  #known: Map<string, number> | null = new Map();
  /** Our entry of each entry of the batch's dictionary, or -1. */
  #translated = new Int32Array(0);
  readonly #json: Cell | null;

  constructor(leaf: WriteLeaf) {
    this.#leaf = leaf;
    this.#json = leaf.field.type.kind === 'any' ? jsonCell(leaf.field, 'null') : null;
  }

  get bytes(): number {
    return this.count * 4 + this.#bytes.length;
  }

  add(column: Column, from: number, to: number): void {
    const source = binaryOf(column);
    this.#reserveCodes(to - from);
    if (this.#leaf.field.type.kind === 'utf8') checkUnicode(source, this.#leaf);
    if (this.#json !== null) this.#addJson(this.#json, source, from, to);
    else if (this.#leaf.field.type.kind === 'decimal') this.#addDecimals(source, from, to);
    else if (source.isDictionary && to - from > 1) this.#addShared(source, from, to);
    else this.#addEach(source, from, to);
  }

  finish(): EncodedDictionary | null {
    if (this.#known === null || this.count === 0 || this.#leaf.typeLength > 0) {
      this.encoding = types.ENCODING_PLAIN;
      return null;
    }
    this.encoding = types.ENCODING_RLE_DICTIONARY;
    const page = new ByteBuffer(this.#bytes.length + this.#entries * 4);
    for (let entry = 0; entry < this.#entries; entry++) this.#appendEntry(page, entry);
    return { bytes: page.view(), count: this.#entries };
  }

  encode(buffer: ByteBuffer, from: number, to: number): void {
    if (this.encoding === types.ENCODING_RLE_DICTIONARY) {
      const bits = 32 - Math.clz32(Math.max(1, this.#entries - 1));
      buffer.push(bits);
      appendHybrid(buffer, this.#codes, from, to, bits);
      return;
    }
    for (let index = from; index < to; index++) this.#appendEntry(buffer, this.#codes[index]);
  }

  clear(): void {
    this.count = 0;
    this.#entries = 0;
    this.#bytes.clear();
    this.#known?.clear();
  }

  #appendEntry(buffer: ByteBuffer, entry: number): void {
    const start = this.#offsets[entry];
    const end = this.#offsets[entry + 1];
    if (this.#leaf.typeLength === 0) {
      const length = end - start;
      for (let shift = 0; shift < 32; shift += 8) buffer.push((length >>> shift) & 255);
    }
    buffer.append(this.#bytes.bytes, start, end);
  }

  /** Looks each entry of the batch's dictionary up once. */
  #addShared(source: BinaryColumn, from: number, to: number): void {
    if (this.#translated.length < source.entries) {
      this.#translated = new Int32Array(source.entries * 2);
    }
    const translated = this.#translated.fill(-1, 0, source.entries);
    const { codes } = source;
    for (let row = from; row < to; row++) {
      const code = codes[row];
      let entry = translated[code];
      if (entry < 0) {
        entry = this.#entryOf(source.bytes, source.offsets[code], source.offsets[code + 1]);
        translated[code] = entry;
      }
      this.#codes[this.count++] = entry;
    }
  }

  #addEach(source: BinaryColumn, from: number, to: number): void {
    const { codes, offsets, bytes } = source;
    for (let row = from; row < to; row++) {
      const code = codes[row];
      this.#codes[this.count++] = this.#entryOf(bytes, offsets[code], offsets[code + 1]);
    }
  }

  #addJson(json: Cell, source: BinaryColumn, from: number, to: number): void {
    const text = new ByteBuffer(256);
    json.bind(source);
    for (let row = from; row < to; row++) {
      text.clear();
      if (!json.append(row, text)) text.appendAscii('null');
      this.#codes[this.count++] = this.#entryOf(text.bytes, 0, text.length);
    }
  }

  #addDecimals(source: BinaryColumn, from: number, to: number): void {
    const { type } = this.#leaf.field;
    const { precision, scale } = type.kind === 'decimal' ? type : { precision: 0, scale: 0 };
    const { codes, offsets, bytes } = source;
    const length = this.#leaf.typeLength;
    const target = new Uint8Array(length);
    for (let row = from; row < to; row++) {
      const text = decodeText(bytes, offsets[codes[row]], offsets[codes[row] + 1], TEXT_ASCII);
      let unscaled = decimalUnscaled(text, precision, scale);
      assert(unscaled !== null, 'A decimal column holds decimals of its type.');
      for (let at = length - 1; at >= 0; at--) {
        target[at] = Number(unscaled & 255n);
        unscaled >>= 8n;
      }
      this.#codes[this.count++] = this.#entryOf(target, 0, length);
    }
  }

  /** The entry of a value: a known one while there is a dictionary, else a new one. */
  #entryOf(bytes: Uint8Array, start: number, end: number): number {
    const known = this.#known;
    if (known === null) return this.#newEntry(bytes, start, end);
    // Read as Latin-1, different bytes are different texts, whatever they mean.
    const key = decodeText(bytes, start, end, TEXT_ASCII);
    const found = known.get(key);
    if (found !== undefined) return found;
    const entry = this.#newEntry(bytes, start, end);
    known.set(key, entry);
    const rare = this.count >= TRIAL_VALUES && this.#entries * 2 > this.count;
    if (rare || this.#bytes.length > DICTIONARY_BYTES_MAX) this.#known = null;
    return entry;
  }

  #newEntry(bytes: Uint8Array, start: number, end: number): number {
    const entry = this.#entries++;
    if (this.#bytes.length + end - start > 2 ** 31 - 1) throw tooLarge(this.#leaf);
    this.#bytes.append(bytes, start, end);
    if (entry + 1 >= this.#offsets.length) {
      const longer = new Int32Array(this.#offsets.length * 2);
      longer.set(this.#offsets);
      this.#offsets = longer;
    }
    this.#offsets[entry + 1] = this.#bytes.length;
    return entry;
  }

  #reserveCodes(count: number): void {
    if (this.count + count <= this.#codes.length) return;
    const longer = new Int32Array(Math.max(this.count + count, this.#codes.length * 2));
    longer.set(this.#codes);
    this.#codes = longer;
  }
}

/** Text in Parquet files is UTF-8, which has no lone surrogates. */
function checkUnicode(column: BinaryColumn, { field }: WriteLeaf): void {
  if (column.textKind !== TEXT_WTF8) return;
  throw new MillraceError(
    'VALUE_UNSUPPORTED',
    `Field "${field.name}" holds text that is not valid Unicode, which Parquet cannot carry.`,
    {
      where: { field: field.name },
      advice: 'Repair it with text.toWellFormed() in a map(), or write NDJSON.',
    },
  );
}

function tooLarge({ field }: WriteLeaf): MillraceError {
  return new MillraceError(
    'RECORD_TOO_LARGE',
    `The values of field "${field.name}" take more than 2 GiB in one row group.`,
    { where: { field: field.name }, advice: 'Set rowGroupRows to a smaller number.' },
  );
}
