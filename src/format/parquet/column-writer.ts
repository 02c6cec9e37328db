/**
 * Collects one column of a row group, values apart from levels, and encodes it as pages. Callers:
 * `parquet-encoder.ts`, `shredder.ts`. Runs on: the slot's thread. Invariant: there is a level for
 * every value and null; pages end with rows.
 */
import type { Column } from '../../record/column.js';
import { ByteBuffer } from '../encode/byte-buffer.js';
import { appendHybrid } from './hybrid-writer.js';
import * as types from './parquet-types.js';
import { createValueStore, type ValueStore } from './value-store.js';
import type { WriteLeaf } from './write-tree.js';

/** Levels of a page; it is extended to the end of its last row. */
const PAGE_LEVELS = 32_768;

/** A page before it is compressed. */
export interface EncodedPage {
  readonly type: number;
  readonly encoding: number;
  readonly values: number;
  /** Valid until the next page is encoded. */
  readonly bytes: Uint8Array;
}

/** One column of a row group being written. */
export class ColumnWriter {
  readonly leaf: WriteLeaf;
  /** Levels so far: of values and nulls. */
  count = 0;
  readonly #store: ValueStore;
  #definitions: Int32Array | null;
  #repetitions: Int32Array | null;
  readonly #page = new ByteBuffer(64 * 1024);

  constructor(leaf: WriteLeaf) {
    this.leaf = leaf;
    this.#store = createValueStore(leaf);
    this.#definitions = leaf.definition > 0 ? new Int32Array(4096) : null;
    this.#repetitions = leaf.repetition > 0 ? new Int32Array(4096) : null;
  }

  /** Bytes held, roughly. */
  get bytes(): number {
    return this.#store.bytes + this.count;
  }

  /** Adds rows of a column that is not nested. */
  addRows(column: Column, from: number, to: number): void {
    this.#reserve(to - from);
    const { validity } = column;
    const definitions = this.#definitions;
    if (definitions === null || validity === null) {
      definitions?.fill(1, this.count, this.count + to - from);
      this.count += to - from;
      this.#store.add(column, from, to);
      return;
    }
    let row = from;
    while (row < to) {
      const start = row;
      const valid = (validity[row >> 3] >> (row & 7)) & 1;
      while (row < to && ((validity[row >> 3] >> (row & 7)) & 1) === valid) row++;
      definitions.fill(valid, this.count, this.count + row - start);
      this.count += row - start;
      if (valid === 1) this.#store.add(column, start, row);
    }
  }

  /** Adds the levels of a place where there is no value. */
  addEmpty(repetition: number, definition: number): void {
    this.#reserve(1);
    if (this.#definitions !== null) this.#definitions[this.count] = definition;
    if (this.#repetitions !== null) this.#repetitions[this.count] = repetition;
    this.count++;
  }

  /** Adds the value of a row, with its levels. */
  addValue(column: Column, row: number, repetition: number): void {
    this.addEmpty(repetition, this.leaf.definition);
    this.#store.add(column, row, row + 1);
  }

  /** Encodes all pages, the dictionary first, and forgets the values. */
  *pages(): Generator<EncodedPage> {
    const dictionary = this.#store.finish();
    if (dictionary !== null) {
      const { bytes, count } = dictionary;
      yield { type: types.PAGE_DICTIONARY, encoding: types.ENCODING_PLAIN, values: count, bytes };
    }
    const { encoding } = this.#store;
    let valueAt = 0;
    for (let start = 0; start < this.count; ) {
      const end = this.#pageEnd(start);
      const present = this.#presentIn(start, end);
      this.#page.clear();
      this.#appendLevels(this.#repetitions, start, end, this.leaf.repetition);
      this.#appendLevels(this.#definitions, start, end, this.leaf.definition);
      this.#store.encode(this.#page, valueAt, valueAt + present);
      valueAt += present;
      const bytes = this.#page.view();
      yield { type: types.PAGE_DATA, encoding, values: end - start, bytes };
      start = end;
    }
    this.count = 0;
    this.#store.clear();
  }

  #pageEnd(start: number): number {
    let end = Math.min(this.count, start + PAGE_LEVELS);
    const repetitions = this.#repetitions;
    if (repetitions !== null) while (end < this.count && repetitions[end] > 0) end++;
    return end;
  }

  #presentIn(start: number, end: number): number {
    const definitions = this.#definitions;
    if (definitions === null) return end - start;
    const { definition } = this.leaf;
    let present = 0;
    for (let index = start; index < end; index++) if (definitions[index] === definition) present++;
    return present;
  }

  /** Levels have their length before them. */
  #appendLevels(levels: Int32Array | null, start: number, end: number, max: number): void {
    if (levels === null) return;
    const page = this.#page;
    const at = page.length;
    for (let byte = 0; byte < 4; byte++) page.push(0);
    appendHybrid(page, levels, start, end, 32 - Math.clz32(max));
    const length = page.length - at - 4;
    for (let byte = 0; byte < 4; byte++) page.bytes[at + byte] = (length >>> (byte * 8)) & 255;
  }

  #reserve(count: number): void {
    this.#definitions = grown(this.#definitions, this.count + count);
    this.#repetitions = grown(this.#repetitions, this.count + count);
  }
}

function grown(levels: Int32Array | null, length: number): Int32Array | null {
  if (levels === null || levels.length >= length) return levels;
  const longer = new Int32Array(Math.max(length, levels.length * 2));
  longer.set(levels);
  return longer;
}
