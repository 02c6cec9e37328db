/**
 * Reads structures of Thrift's compact protocol, in which Parquet keeps its metadata, as Maps from field number to
 * value. Callers: `limits/parquet-groupby.mjs`. Pure.
 */

const STOP = 0;
const [TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, , STRUCT] = Array.from(
  { length: 12 },
  (_, index) => index + 1,
);

export class ThriftReader {
  /**
   * @param {Uint8Array} bytes
   * @param {number} at
   */
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
  }

  /** @returns {Map<number, any>} */
  struct() {
    const fields = new Map();
    let id = 0;
    for (;;) {
      const head = this.bytes[this.at++];
      const type = head & 15;
      if (type === STOP) return fields;
      id = head >> 4 === 0 ? this.#zigzag() : id + (head >> 4);
      fields.set(id, this.#value(type));
    }
  }

  #value(type) {
    switch (type) {
      case TRUE:
        return true;
      case FALSE:
        return false;
      case BYTE:
        return this.bytes[this.at++];
      case I16:
      case I32:
      case I64:
        return this.#zigzag();
      case DOUBLE:
        this.at += 8;
        return null;
      case BINARY: {
        const length = this.varint();
        this.at += length;
        return this.bytes.subarray(this.at - length, this.at);
      }
      case LIST:
      case SET:
        return this.#list();
      case STRUCT:
        return this.struct();
      default:
        throw new Error(`There is a Thrift value of type ${type} where none is expected.`);
    }
  }

  #list() {
    const head = this.bytes[this.at++];
    const length = head >> 4 === 15 ? this.varint() : head >> 4;
    return Array.from({ length }, () => this.#value(head & 15));
  }

  /** A number of any length, up to 2^53; file sizes and counts are below. */
  varint() {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  #zigzag() {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
