/**
 * Reads Thrift's compact protocol, in which Parquet writes its footer and page headers: a struct is
 * a list of fields, each announced by a byte of id difference and type. Callers:
 * `file-metadata.ts`, `page-header.ts`. Runs on: any thread. Invariant: nothing outside of the
 * bytes given is read, and nothing damaged is taken for data.
 */
import { corrupt } from './corrupt.js';

export const THRIFT_TRUE = 1;
export const THRIFT_FALSE = 2;
export const THRIFT_BYTE = 3;
export const THRIFT_I32 = 5;
export const THRIFT_I64 = 6;
export const THRIFT_DOUBLE = 7;
export const THRIFT_BINARY = 8;
export const THRIFT_LIST = 9;
export const THRIFT_SET = 10;
export const THRIFT_MAP = 11;
export const THRIFT_STRUCT = 12;

/** Nesting of the structures that Parquet has is below ten. */
const DEPTH_MAX = 64;

/** A position in compact-protocol bytes. */
export class ThriftReader {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #depth = 0;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  /** Reads a struct; `field` reads or skips the value of each of its fields. */
  struct(field: (id: number, type: number) => void): void {
    if (++this.#depth > DEPTH_MAX) throw this.#damaged();
    let last = 0;
    for (;;) {
      const head = this.byte();
      if (head === 0) break;
      const delta = head >> 4;
      last = delta === 0 ? this.i32() : last + delta;
      field(last, head & 15);
    }
    this.#depth--;
  }

  /** Reads a list; `item` reads each of its items. */
  list<T>(item: (type: number) => T): T[] {
    const head = this.byte();
    const type = head & 15;
    const count = head >> 4 === 15 ? this.#varint() : head >> 4;
    // Every item takes a byte at least, so a damaged count cannot make us allocate much.
    if (count > this.#end - this.at) throw this.#damaged();
    const items: T[] = [];
    for (let index = 0; index < count; index++) items.push(item(type));
    return items;
  }

  byte(): number {
    if (this.at >= this.#end) throw this.#damaged();
    return this.#bytes[this.at++];
  }

  i32(): number {
    return this.i64();
  }

  /** A 64-bit integer; inexact beyond 2^53, where no size or offset of a file lies. */
  i64(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  bool(type: number): boolean {
    return type === THRIFT_TRUE;
  }

  /** A view of the bytes. */
  binary(): Uint8Array {
    const length = this.#varint();
    const start = this.at;
    if (length > this.#end - start) throw this.#damaged();
    this.at = start + length;
    return this.#bytes.subarray(start, this.at);
  }

  text(): string {
    const bytes = this.binary();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }

  /** Passes over a value. */
  skip(type: number): void {
    switch (type) {
      case THRIFT_TRUE:
      case THRIFT_FALSE:
        return;
      case THRIFT_BYTE:
        this.byte();
        return;
      case 4:
      case THRIFT_I32:
      case THRIFT_I64:
        this.#varint();
        return;
      case THRIFT_DOUBLE:
        for (let count = 0; count < 8; count++) this.byte();
        return;
      case THRIFT_BINARY:
        this.binary();
        return;
      case THRIFT_LIST:
      case THRIFT_SET:
        this.list((item) => this.#skipItem(item));
        return;
      case THRIFT_MAP:
        this.#skipMap();
        return;
      case THRIFT_STRUCT:
        this.struct((_, inner) => this.skip(inner));
        return;
      default:
        throw this.#damaged();
    }
  }

  /** Inside of lists and maps a boolean takes a byte. */
  #skipItem(type: number): void {
    if (type === THRIFT_TRUE || type === THRIFT_FALSE) this.byte();
    else this.skip(type);
  }

  #skipMap(): void {
    const count = this.#varint();
    if (count === 0) return;
    const types = this.byte();
    for (let index = 0; index < count; index++) {
      this.#skipItem(types >> 4);
      this.#skipItem(types & 15);
    }
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw this.#damaged();
  }

  #damaged(): Error {
    return corrupt('The metadata of a Parquet file ends early or is garbled.', this.at);
  }
}
