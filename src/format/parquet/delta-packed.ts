/**
 * Decodes DELTA_BINARY_PACKED: blocks of differences, packed with as many bits as the largest of a
 * miniblock needs. Arithmetic wraps at 64 bits, so values are kept as pairs of 32-bit halves.
 * Callers: `raw-values.ts`. Runs on: the slot's thread. Invariant: nothing outside of the bytes
 * given is read.
 */
import { unpackerOf } from './bit-unpacker.js';
import { corrupt } from './corrupt.js';

/** Where decoding has got to. */
interface Cursor {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;
  /** The 64-bit number last read: lower and upper half. */
  low: number;
  high: number;
}

/** What the header says. */
interface DeltaShape {
  readonly miniblocks: number;
  readonly miniblockValues: number;
  readonly count: number;
}

/** A miniblock has a multiple of 32 values; no writer goes beyond this. */
const MINIBLOCK_VALUES_MAX = 1 << 20;

/** Decoded integers. */
export interface DeltaValues {
  /** Halves of the values, lower before upper. */
  readonly pairs: Int32Array;
  readonly count: number;
  /** Where the packed integers end. */
  readonly end: number;
}

/** Decodes at most `countMax` integers from `bytes[start, end)`. */
export function decodeDeltaPacked(
  bytes: Uint8Array,
  start: number,
  end: number,
  countMax: number,
): DeltaValues {
  const cursor: Cursor = { bytes, end, at: start, low: 0, high: 0 };
  const shape = readShape(cursor, countMax);
  const pairs = new Int32Array(Math.max(2, shape.count * 2));
  readZigzag(cursor);
  pairs[0] = cursor.low;
  pairs[1] = cursor.high;
  let done = 1;
  const lows = new Int32Array(shape.miniblockValues + 8);
  const highs = new Int32Array(shape.miniblockValues + 8);
  while (done < shape.count) {
    readZigzag(cursor);
    const { low, high, at } = cursor;
    const minimum = { low, high };
    cursor.at = at + shape.miniblocks;
    for (let block = 0; block < shape.miniblocks && done < shape.count; block++) {
      if (at + block >= end) throw damaged();
      const bits = bytes[at + block];
      unpackWide(cursor, bits, shape.miniblockValues, lows, highs);
      const values = Math.min(shape.miniblockValues, shape.count - done);
      addUp(pairs, done, values, lows, highs, bits, minimum);
      done += values;
    }
  }
  return { pairs, count: shape.count, end: cursor.at };
}

function readShape(cursor: Cursor, countMax: number): DeltaShape {
  const blockValues = readSize(cursor);
  const miniblocks = readSize(cursor);
  const count = readSize(cursor);
  const miniblockValues = blockValues / miniblocks;
  const plausible =
    miniblocks > 0 && Number.isInteger(miniblockValues) && miniblockValues <= MINIBLOCK_VALUES_MAX;
  if (!plausible || miniblockValues % 8 !== 0 || count > countMax) throw damaged();
  return { miniblocks, miniblockValues, count };
}

/** Adds the differences to the value before them, with carry from the lower to the upper half. */
function addUp(
  pairs: Int32Array,
  from: number,
  count: number,
  lows: Int32Array,
  highs: Int32Array,
  bits: number,
  minimum: { readonly low: number; readonly high: number },
): void {
  let low = pairs[from * 2 - 2] >>> 0;
  let high = pairs[from * 2 - 1];
  const minimumLow = minimum.low >>> 0;
  for (let index = 0; index < count; index++) {
    const sum = low + minimumLow + (lows[index] >>> 0);
    const carry = sum >= 8589934592 ? 2 : sum >= 4294967296 ? 1 : 0;
    high = (high + minimum.high + (bits > 32 ? highs[index] : 0) + carry) | 0;
    low = sum >>> 0;
    pairs[(from + index) * 2] = low;
    pairs[(from + index) * 2 + 1] = high;
  }
}

/** Unpacks a miniblock, of which the last one of all may lack its padding. */
function unpackWide(
  cursor: Cursor,
  bits: number,
  count: number,
  lows: Int32Array,
  highs: Int32Array,
): void {
  if (bits > 64) throw damaged();
  const length = (count * bits) / 8;
  let { bytes, at } = cursor;
  if (at > cursor.end) throw damaged();
  cursor.at = Math.min(at + length, cursor.end);
  if (at + length > cursor.end) {
    const padded = new Uint8Array(length);
    padded.set(bytes.subarray(at, cursor.end));
    bytes = padded;
    at = 0;
  }
  if (bits <= 32) {
    unpackerOf(bits)(bytes, at, lows, 0, count >> 3);
    return;
  }
  for (let index = 0; index < count; index++) {
    const first = index * bits;
    lows[index] = bitsAt(bytes, at, first, 32);
    highs[index] = bitsAt(bytes, at, first + 32, bits - 32);
  }
}

function bitsAt(bytes: Uint8Array, at: number, firstBit: number, bits: number): number {
  let value = 0;
  for (let bit = 0; bit < bits; bit++) {
    const place = firstBit + bit;
    value |= ((bytes[at + (place >> 3)] >> (place & 7)) & 1) << bit;
  }
  return value;
}

function readSize(cursor: Cursor): number {
  readVarint(cursor);
  if (cursor.high !== 0 || cursor.low < 0) throw damaged();
  return cursor.low;
}

function readZigzag(cursor: Cursor): void {
  readVarint(cursor);
  const { low, high } = cursor;
  const sign = -(low & 1);
  cursor.low = ((low >>> 1) | (high << 31)) ^ sign;
  cursor.high = (high >>> 1) ^ sign;
}

function readVarint(cursor: Cursor): void {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (cursor.at >= cursor.end) throw damaged();
    const byte = cursor.bytes[cursor.at++];
    const part = byte & 127;
    if (shift < 32) low |= part << shift;
    if (shift > 25) high |= shift < 32 ? part >>> (32 - shift) : part << (shift - 32);
    if (byte < 128) {
      cursor.low = low;
      cursor.high = high;
      return;
    }
  }
  throw damaged();
}

function damaged(): Error {
  return corrupt('A run of packed differences ends early or is garbled.');
}
