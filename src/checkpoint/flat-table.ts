/**
 * FlatBuffers without generated code: a table is written from the list of its fields and read by their numbers. Whole
 * numbers up to 2^53 and fractions are `double`, since `long` would be a bigint. Callers: manifest-bytes.ts. Runs on:
 * any thread; pure. Invariant: fields are only ever added behind the last one, so that every version reads every older
 * one.
 */
import { Builder, ByteBuffer } from 'flatbuffers';
import { MillraceError } from '../base/errors.js';

const FIRST_BYTES = 4096;
const FIRST_FIELD = 4;

/** Something that was written and can be referred to. */
export class FlatRef {
  readonly offset: number;

  constructor(offset: number) {
    this.offset = offset;
  }
}

/** Writes tables, innermost first. */
export class FlatWriter {
  readonly #builder = new Builder(FIRST_BYTES);

  /** Equal texts are written once. */
  text(value: string): FlatRef {
    if (/\p{Surrogate}/u.test(value)) {
      throw new MillraceError(
        'VALUE_UNSUPPORTED',
        `The text ${JSON.stringify(value)} has half a surrogate pair, which UTF-8 cannot hold.`,
      );
    }
    return new FlatRef(this.#builder.createSharedString(value));
  }

  bytes(value: Uint8Array): FlatRef {
    return new FlatRef(this.#builder.createByteVector(value));
  }

  int32s(values: readonly number[]): FlatRef {
    this.#builder.startVector(4, values.length, 4);
    for (let at = values.length - 1; at >= 0; at--) this.#builder.addInt32(values[at] ?? 0);
    return new FlatRef(this.#builder.endVector());
  }

  doubles(values: readonly number[]): FlatRef {
    this.#builder.startVector(8, values.length, 8);
    for (let at = values.length - 1; at >= 0; at--) this.#builder.addFloat64(values[at] ?? 0);
    return new FlatRef(this.#builder.endVector());
  }

  /** A vector of tables or texts. */
  list(refs: readonly FlatRef[]): FlatRef {
    this.#builder.startVector(4, refs.length, 4);
    for (const { offset } of refs.toReversed()) this.#builder.addOffset(offset);
    return new FlatRef(this.#builder.endVector());
  }

  /** A table of these fields, in the order of their numbers. */
  table(...fields: readonly (FlatRef | number | boolean)[]): FlatRef {
    const builder = this.#builder;
    builder.startObject(fields.length);
    fields.forEach((field, slot) => {
      if (field instanceof FlatRef) builder.addFieldOffset(slot, field.offset, 0);
      else if (typeof field === 'number') builder.addFieldFloat64(slot, field, 0);
      else builder.addFieldInt8(slot, field ? 1 : 0, 0);
    });
    return new FlatRef(builder.endObject());
  }

  /** The whole buffer; the writer is used up. */
  finish(root: FlatRef): Uint8Array {
    this.#builder.finish(root.offset);
    return this.#builder.asUint8Array();
  }
}

/** Reads the fields of a table; fields that a writer did not know are 0, false, '' or empty. */
export class FlatTable {
  readonly #buffer: ByteBuffer;
  readonly #at: number;

  private constructor(buffer: ByteBuffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
  }

  static root(bytes: Uint8Array): FlatTable {
    const buffer = new ByteBuffer(bytes);
    return new FlatTable(buffer, buffer.__indirect(0));
  }

  number(field: number): number {
    const at = this.#find(field);
    return at === null ? 0 : this.#buffer.readFloat64(at);
  }

  flag(field: number): boolean {
    const at = this.#find(field);
    return at !== null && this.#buffer.readInt8(at) !== 0;
  }

  text(field: number): string {
    const at = this.#find(field);
    return at === null ? '' : this.#textAt(at);
  }

  /** A copy. */
  bytes(field: number): Uint8Array {
    const { start, length } = this.#vector(field);
    return new Uint8Array(this.#buffer.bytes().subarray(start, start + length));
  }

  int32s(field: number): readonly number[] {
    const { start, length } = this.#vector(field);
    return Array.from({ length }, (_, index) => this.#buffer.readInt32(start + 4 * index));
  }

  doubles(field: number): readonly number[] {
    const { start, length } = this.#vector(field);
    return Array.from({ length }, (_, index) => this.#buffer.readFloat64(start + 8 * index));
  }

  tables(field: number): readonly FlatTable[] {
    const { start, length } = this.#vector(field);
    return Array.from(
      { length },
      (_, index) => new FlatTable(this.#buffer, this.#buffer.__indirect(start + 4 * index)),
    );
  }

  #textAt(at: number): string {
    const text = this.#buffer.__string(at);
    return typeof text === 'string' ? text : '';
  }

  #vector(field: number): { readonly start: number; readonly length: number } {
    const at = this.#find(field);
    if (at === null) return { start: 0, length: 0 };
    return { start: this.#buffer.__vector(at), length: this.#buffer.__vector_len(at) };
  }

  #find(field: number): number | null {
    const offset = this.#buffer.__offset(this.#at, FIRST_FIELD + 2 * field);
    return offset === 0 ? null : this.#at + offset;
  }
}
