/**
 * Writes Thrift's compact protocol: the inverse of `thrift-reader.ts`. Callers: the Parquet
 * encoder. Runs on: the slot's thread. Invariant: fields of a struct are written in ascending order
 * of their ids.
 */
import { ByteBuffer } from '../encode/byte-buffer.js';
import {
  THRIFT_BINARY,
  THRIFT_FALSE,
  THRIFT_I32,
  THRIFT_I64,
  THRIFT_LIST,
  THRIFT_STRUCT,
  THRIFT_TRUE,
} from './thrift-reader.js';

/** Appends compact-protocol values to a buffer. */
export class ThriftWriter {
  readonly buffer = new ByteBuffer(1024);
  #last = 0;

  i32(id: number, value: number): void {
    this.#head(id, THRIFT_I32);
    this.#zigzag(value);
  }

  i64(id: number, value: number): void {
    this.#head(id, THRIFT_I64);
    this.#zigzag(value);
  }

  bool(id: number, value: boolean): void {
    this.#head(id, value ? THRIFT_TRUE : THRIFT_FALSE);
  }

  /** An 8-bit integer, which the protocol writes as one byte. */
  i8(id: number, value: number): void {
    this.#head(id, 3);
    this.buffer.push(value & 0xff);
  }

  text(id: number, value: string): void {
    this.bytes(id, Buffer.from(value));
  }

  bytes(id: number, value: Uint8Array): void {
    this.#head(id, THRIFT_BINARY);
    this.#varint(value.length);
    this.buffer.append(value);
  }

  struct(id: number, fields: () => void): void {
    this.#head(id, THRIFT_STRUCT);
    this.root(fields);
  }

  /** The fields of a struct that has no id of its own: the outermost one, or an item of a list. */
  root(fields: () => void): void {
    const outer = this.#last;
    this.#last = 0;
    fields();
    this.buffer.push(0);
    this.#last = outer;
  }

  structs<T>(id: number, items: readonly T[], fields: (item: T) => void): void {
    this.#list(id, THRIFT_STRUCT, items.length);
    for (const item of items) this.root(() => fields(item));
  }

  texts(id: number, items: readonly string[]): void {
    this.#list(id, THRIFT_BINARY, items.length);
    for (const item of items) {
      const bytes = Buffer.from(item);
      this.#varint(bytes.length);
      this.buffer.append(bytes);
    }
  }

  i32s(id: number, items: readonly number[]): void {
    this.#list(id, THRIFT_I32, items.length);
    for (const item of items) this.#zigzag(item);
  }

  #list(id: number, type: number, count: number): void {
    this.#head(id, THRIFT_LIST);
    if (count < 15) this.buffer.push((count << 4) | type);
    else {
      this.buffer.push(0xf0 | type);
      this.#varint(count);
    }
  }

  #head(id: number, type: number): void {
    const delta = id - this.#last;
    this.#last = id;
    if (delta > 0 && delta < 16) this.buffer.push((delta << 4) | type);
    else {
      this.buffer.push(type);
      this.#zigzag(id);
    }
  }

  #zigzag(value: number): void {
    this.#varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.buffer.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.buffer.push(rest);
  }
}
