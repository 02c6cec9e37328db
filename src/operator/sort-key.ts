/**
 * The key of one record, by whose bytes records are sorted. Callers: code that `fragments/sort.ts` writes. Runs on:
 * worker. Invariant: keys compare, byte by byte, as their values do one after the other: null before all others, false
 * before true, -0 as 0, NaN behind all numbers, text as JavaScript compares it (by UTF-16 units), and all of it the
 * other way round where the mask is 255 rather than 0. No value is a prefix of another one.
 */
import { assert } from '../base/assert.js';
import { decimalUnscaled } from '../record/decimal.js';
import { LITTLE_ENDIAN } from '../record/short-text.js';
import { encodeTextInto, pointAt, pointBytes } from '../record/text.js';

/** Words of a number. */
const LOW = LITTLE_ENDIAN ? 0 : 1;
const HIGH = 1 - LOW;
const IS_NULL = 0;
const IS_VALUE = 1;
const SIGN = 0x80000000;
const SIGN_64 = 1n << 63n;
/** A unit of text takes three bytes at most, and so does half of a pair, which has four in UTF-8. */
const BYTES_PER_UNIT = 3;
/** The first byte of text that ends, and those of all others, which are one higher than in UTF-8. */
const TEXT_END = 0;
const PAIR_LEAD = 0xf0;

/** A key in the making. */
export class SortKey {
  bytes = new Uint8Array(256);
  length = 0;
  readonly #number = new Float64Array(1);
  readonly #words = new Uint32Array(this.#number.buffer);
  #text = new Uint8Array(256);

  /** Adds null. */
  none(mask: number): void {
    this.#reserve(1);
    this.bytes[this.length++] = IS_NULL ^ mask;
  }

  bool(value: boolean, mask: number): void {
    this.#begin(1, mask);
    this.bytes[this.length++] = (value ? 1 : 0) ^ mask;
  }

  number(value: number, mask: number): void {
    this.#begin(8, mask);
    // Adding zero makes 0 of -0.
    this.#number[0] = value + 0;
    let low = this.#words[LOW];
    let high = this.#words[HIGH];
    if (Number.isNaN(value)) {
      // Of which there are many, all of them alike.
      high = 0xffffffff;
      low = 0xffffffff;
    } else if (high >= SIGN) {
      low = ~low;
      high = ~high;
    } else {
      high ^= SIGN;
    }
    this.#word(high, mask);
    this.#word(low, mask);
  }

  int64(value: bigint, mask: number): void {
    this.#begin(8, mask);
    const shifted = BigInt.asUintN(64, value ^ SIGN_64);
    this.#word(Number(shifted >> 32n), mask);
    this.#word(Number(shifted & 0xffffffffn), mask);
  }

  /** A whole number of any length: how many bytes it has, then those, more of them being further away from 0. */
  big(value: bigint, mask: number): void {
    const digits = (value < 0n ? -value : value).toString(16);
    const count = value === 0n ? 0 : (digits.length + 1) >> 1;
    const isNegative = value < 0n;
    this.#begin(1 + count, mask);
    this.bytes[this.length++] = (0x80 + (isNegative ? -count : count)) ^ mask;
    const padded = digits.padStart(2 * count, '0');
    const flip = isNegative ? 255 ^ mask : mask;
    for (let at = 0; at < count; at++) {
      this.bytes[this.length++] = Number.parseInt(padded.slice(2 * at, 2 * at + 2), 16) ^ flip;
    }
  }

  decimal(text: string, precision: number, scale: number, mask: number): void {
    const unscaled = decimalUnscaled(text, precision, scale);
    assert(unscaled !== null, 'A decimal of a record has the digits of its type.');
    this.big(unscaled, mask);
  }

  string(text: string, mask: number): void {
    const bytesMax = text.length * BYTES_PER_UNIT;
    if (bytesMax > this.#text.length) this.#text = new Uint8Array(2 * bytesMax);
    this.text(this.#text, 0, encodeTextInto(text, this.#text, 0), mask);
  }

  /** Text from its bytes. */
  text(source: Uint8Array, start: number, end: number, mask: number): void {
    // A pair of units has four bytes in UTF-8 and six here.
    this.#begin(((end - start) * 3) / 2 + 1, mask);
    const target = this.bytes;
    let to = this.length;
    for (let at = start; at < end; ) {
      const byte = source[at];
      if (byte < PAIR_LEAD) {
        target[to++] = (byte + 1) ^ mask;
        at++;
        continue;
      }
      // By units a pair comes before what UTF-8 has before it, so its halves are written as if they were alone.
      const point = pointAt(source, at, end) - 0x10000;
      for (const unit of [0xd800 | (point >> 10), 0xdc00 | (point & 0x3ff)]) {
        target[to++] = (0xe1 + (unit >> 12)) ^ mask;
        target[to++] = (0x81 + ((unit >> 6) & 0x3f)) ^ mask;
        target[to++] = (0x81 + (unit & 0x3f)) ^ mask;
      }
      at += pointBytes(point + 0x10000);
    }
    target[to++] = TEXT_END ^ mask;
    this.length = to;
  }

  bytesOf(value: Uint8Array, mask: number): void {
    this.blob(value, 0, value.length, mask);
  }

  /** Bytes, in which a zero is followed by one that the end is not. */
  blob(source: Uint8Array, start: number, end: number, mask: number): void {
    this.#begin(2 * (end - start) + 2, mask);
    const target = this.bytes;
    let to = this.length;
    for (let at = start; at < end; at++) {
      const byte = source[at];
      target[to++] = byte ^ mask;
      if (byte === 0) target[to++] = 255 ^ mask;
    }
    target[to++] = mask;
    target[to++] = mask;
    this.length = to;
  }

  /** Makes room for a value of so many bytes. */
  #begin(bytes: number, mask: number): void {
    this.#reserve(bytes + 1);
    this.bytes[this.length++] = IS_VALUE ^ mask;
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return;
    const larger = new Uint8Array(2 * Math.ceil(this.length + bytes));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  #word(word: number, mask: number): void {
    const { bytes, length } = this;
    bytes[length] = (word >>> 24) ^ mask;
    bytes[length + 1] = ((word >>> 16) & 255) ^ mask;
    bytes[length + 2] = ((word >>> 8) & 255) ^ mask;
    bytes[length + 3] = (word & 255) ^ mask;
    this.length = length + 4;
  }
}
