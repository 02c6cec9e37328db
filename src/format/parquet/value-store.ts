/**
 * Holds the values of a column of a row group until they are encoded: the contract, and the stores
 * of values of fixed width. Callers: `column-writer.ts`. Runs on: the slot's thread. Invariant: a
 * store holds values only, without places for nulls.
 */
import { MillraceError } from '../../base/errors.js';
import type { Column, FixedColumn } from '../../record/column.js';
import { Int64Column } from '../../record/column.js';
import { formOf } from '../../record/schema.js';
import type { ByteBuffer } from '../encode/byte-buffer.js';
import { fixedValues } from '../encode/cell.js';
import { BinaryStore } from './binary-store.js';
import * as types from './parquet-types.js';
import type { WriteLeaf } from './write-tree.js';

/** Entries of a dictionary in plain encoding. */
export interface EncodedDictionary {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** The values of a column. */
export interface ValueStore {
  /** Values so far. */
  readonly count: number;
  /** Bytes held, roughly. */
  readonly bytes: number;
  /** How `encode` writes; settled by `finish`. */
  readonly encoding: number;
  /** Adds the values of the rows `from` to `to`, none of which is null. */
  add(column: Column, from: number, to: number): void;
  /**
   * Called when the row group is full, before values are encoded: the dictionary, when there is
   * one.
   */
  finish(): EncodedDictionary | null;
  /** Appends the values `from` to `to`. */
  encode(buffer: ByteBuffer, from: number, to: number): void;
  clear(): void;
}

const CAPACITY = 4096;

/** The store for the values of a leaf. */
export function createValueStore(leaf: WriteLeaf): ValueStore {
  const { type } = leaf.field;
  if (type.kind === 'timestamp') return new InstantStore(leaf);
  switch (formOf(type)) {
    case 'f64':
      return new FixedStore(new Float64Array(CAPACITY));
    case 'f32':
      return new FixedStore(new Float32Array(CAPACITY));
    case 'i32':
      return new FixedStore(new Int32Array(CAPACITY));
    case 'u32':
      return new FixedStore(new Uint32Array(CAPACITY));
    case 'u8':
      return new BoolStore();
    case 'i64':
      return new Int64Store();
    default:
      return new BinaryStore(leaf);
  }
}

type Stored = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

function longer<A extends Stored | BigInt64Array>(values: A, length: number): A {
  const Values = values.constructor as new (length: number) => A;
  return new Values(Math.max(length, values.length * 2));
}

/** Numbers that are stored as columns hold them. */
class FixedStore implements ValueStore {
  count = 0;
  readonly encoding = types.ENCODING_PLAIN;
  #values: Stored;

  constructor(values: Stored) {
    this.#values = values;
  }

  get bytes(): number {
    return this.count * this.#values.BYTES_PER_ELEMENT;
  }

  add(column: Column, from: number, to: number): void {
    this.#values = appended(this.#values, this.count, fixedValues(column), from, to);
    this.count += to - from;
  }

  finish(): null {
    return null;
  }

  encode(buffer: ByteBuffer, from: number, to: number): void {
    buffer.append(bytesOf(this.#values, from, to));
  }

  clear(): void {
    this.count = 0;
  }
}

/** One bit a value. */
class BoolStore implements ValueStore {
  count = 0;
  readonly encoding = types.ENCODING_PLAIN;
  #values: Stored = new Uint8Array(CAPACITY);

  get bytes(): number {
    return this.count;
  }

  add(column: Column, from: number, to: number): void {
    this.#values = appended(this.#values, this.count, fixedValues(column), from, to);
    this.count += to - from;
  }

  finish(): null {
    return null;
  }

  encode(buffer: ByteBuffer, from: number, to: number): void {
    for (let start = from; start < to; start += 8) {
      let bits = 0;
      for (let index = start; index < Math.min(start + 8, to); index++) {
        bits |= this.#values[index] << (index - start);
      }
      buffer.push(bits);
    }
  }

  clear(): void {
    this.count = 0;
  }
}

/** 64-bit integers and decimals. */
class Int64Store implements ValueStore {
  count = 0;
  readonly encoding = types.ENCODING_PLAIN;
  #values = new BigInt64Array(CAPACITY);

  get bytes(): number {
    return this.count * 8;
  }

  add(column: Column, from: number, to: number): void {
    if (!(column instanceof Int64Column)) return;
    if (this.count + to - from > this.#values.length) {
      const grown = longer(this.#values, this.count + to - from);
      grown.set(this.#values);
      this.#values = grown;
    }
    if (to - from === 1) this.#values[this.count] = column.values[from];
    else this.#values.set(column.values.subarray(from, to), this.count);
    this.count += to - from;
  }

  finish(): null {
    return null;
  }

  encode(buffer: ByteBuffer, from: number, to: number): void {
    buffer.append(bytesOf(this.#values, from, to));
  }

  clear(): void {
    this.count = 0;
  }
}

/** Milliseconds as 64-bit integers, in halves. */
class InstantStore implements ValueStore {
  count = 0;
  readonly encoding = types.ENCODING_PLAIN;
  readonly #leaf: WriteLeaf;
  #pairs: Int32Array = new Int32Array(CAPACITY * 2);

  constructor(leaf: WriteLeaf) {
    this.#leaf = leaf;
  }

  get bytes(): number {
    return this.count * 8;
  }

  add(column: Column, from: number, to: number): void {
    const values = fixedValues(column);
    if ((this.count + to - from) * 2 > this.#pairs.length) {
      const grown = longer(this.#pairs, (this.count + to - from) * 2);
      grown.set(this.#pairs);
      this.#pairs = grown;
    }
    for (let row = from; row < to; row++) {
      const ms = Math.floor(values[row]);
      if (ms - ms !== 0) throw invalidInstant(this.#leaf);
      this.#pairs[this.count * 2] = ms % 4294967296;
      this.#pairs[this.count * 2 + 1] = Math.floor(ms / 4294967296);
      this.count++;
    }
  }

  finish(): null {
    return null;
  }

  encode(buffer: ByteBuffer, from: number, to: number): void {
    buffer.append(bytesOf(this.#pairs, from * 2, to * 2));
  }

  clear(): void {
    this.count = 0;
  }
}

function appended(
  values: Stored,
  count: number,
  source: FixedColumn['values'],
  from: number,
  to: number,
): Stored {
  let target = values;
  if (count + to - from > values.length) {
    target = longer(values, count + to - from);
    target.set(values);
  }
  if (to - from === 1) target[count] = source[from];
  else target.set(source.subarray(from, to), count);
  return target;
}

function bytesOf(values: Stored | BigInt64Array, from: number, to: number): Uint8Array {
  const width = values.BYTES_PER_ELEMENT;
  return new Uint8Array(values.buffer, values.byteOffset + from * width, (to - from) * width);
}

function invalidInstant({ field }: WriteLeaf): MillraceError {
  return new MillraceError(
    'VALUE_UNSUPPORTED',
    `Field "${field.name}" holds an invalid date, which Parquet cannot carry.`,
    { where: { field: field.name }, advice: 'Replace it by null in a map().' },
  );
}
