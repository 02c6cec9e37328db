/**
 * Undoes the encodings of pages: whatever the encoding, values come out in the layout of PLAIN
 * without its length prefixes, aligned and of known size. Callers: `leaf-decoder.ts`. Runs on: the
 * slot's thread. Invariant: as many values come out as were asked for, or `FORMAT_INVALID` is
 * thrown.
 */
import { corrupt, unsupported } from './corrupt.js';
import { decodeDeltaPacked } from './delta-packed.js';
import { decodeHybrid } from './hybrid.js';
import {
  BOOLEAN,
  DOUBLE,
  ENCODING_BYTE_STREAM_SPLIT,
  ENCODING_DELTA_BINARY_PACKED,
  ENCODING_DELTA_BYTE_ARRAY,
  ENCODING_DELTA_LENGTH_BYTE_ARRAY,
  ENCODING_PLAIN,
  ENCODING_RLE,
  FLOAT,
  INT32,
  INT64,
  INT96,
} from './parquet-types.js';

/** Values of varying length: value e is `bytes[offsets[e], offsets[e + 1])`. */
export interface BinaryValues {
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

/**
 * Bytes of a value of a physical type; 0 for byte arrays. Booleans take a byte each once decoded.
 */
export function strideOf(physical: number): number {
  switch (physical) {
    case BOOLEAN:
      return 1;
    case INT32:
    case FLOAT:
      return 4;
    case INT64:
    case DOUBLE:
      return 8;
    case INT96:
      return 12;
    default:
      return 0;
  }
}

/**
 * Decodes values of fixed width. The result starts at an address that every typed array accepts.
 */
export function decodeFixed(
  physical: number,
  encoding: number,
  bytes: Uint8Array,
  at: number,
  count: number,
): Uint8Array {
  if (physical === BOOLEAN) return decodeBooleans(encoding, bytes, at, count);
  const stride = strideOf(physical);
  const length = count * stride;
  if (encoding === ENCODING_PLAIN || encoding === ENCODING_BYTE_STREAM_SPLIT) {
    if (at + length > bytes.length) throw tooShort();
    return encoding === ENCODING_PLAIN
      ? bytes.slice(at, at + length)
      : joinStreams(bytes, at, count, stride);
  }
  if (encoding === ENCODING_DELTA_BINARY_PACKED && (physical === INT32 || physical === INT64)) {
    const { pairs, count: decoded } = decodeDeltaPacked(bytes, at, bytes.length, count);
    if (decoded !== count) throw tooShort();
    if (physical === INT64) return new Uint8Array(pairs.buffer, 0, length);
    const lows = new Int32Array(count);
    for (let index = 0; index < count; index++) lows[index] = pairs[index * 2];
    return new Uint8Array(lows.buffer);
  }
  throw unknownEncoding(encoding);
}

/** Decodes byte arrays; `stride` is their length when it is fixed, else 0. */
export function decodeBinary(
  stride: number,
  encoding: number,
  bytes: Uint8Array,
  at: number,
  count: number,
): BinaryValues {
  if (encoding === ENCODING_DELTA_LENGTH_BYTE_ARRAY) {
    return deltaLengths(bytes, at, count);
  }
  if (encoding === ENCODING_DELTA_BYTE_ARRAY) return deltaStrings(bytes, at, count);
  if (stride > 0 && (encoding === ENCODING_PLAIN || encoding === ENCODING_BYTE_STREAM_SPLIT)) {
    const end = at + count * stride;
    if (end > bytes.length) throw tooShort();
    const offsets = new Int32Array(count + 1);
    for (let index = 0; index <= count; index++) offsets[index] = index * stride;
    return {
      offsets,
      bytes:
        encoding === ENCODING_PLAIN ? bytes.slice(at, end) : joinStreams(bytes, at, count, stride),
    };
  }
  if (encoding === ENCODING_PLAIN) return plainStrings(bytes, at, count);
  throw unknownEncoding(encoding);
}

function decodeBooleans(
  encoding: number,
  bytes: Uint8Array,
  at: number,
  count: number,
): Uint8Array {
  const values = new Uint8Array(count);
  if (encoding === ENCODING_PLAIN) {
    if (at + ((count + 7) >> 3) > bytes.length) throw tooShort();
    for (let index = 0; index < count; index++) {
      values[index] = (bytes[at + (index >> 3)] >> (index & 7)) & 1;
    }
    return values;
  }
  if (encoding !== ENCODING_RLE) throw unknownEncoding(encoding);
  // Runs of booleans have their length before them, as levels of version 1 do.
  values.set(decodeHybrid(bytes, at + 4, bytes.length, 1, count));
  return values;
}

/** Byte k of value i is in stream k at place i. */
function joinStreams(bytes: Uint8Array, at: number, count: number, stride: number): Uint8Array {
  const joined = new Uint8Array(count * stride);
  for (let stream = 0; stream < stride; stream++) {
    const from = at + stream * count;
    for (let index = 0; index < count; index++)
      joined[index * stride + stream] = bytes[from + index];
  }
  return joined;
}

/** Each value has its length before it. */
function plainStrings(bytes: Uint8Array, at: number, count: number): BinaryValues {
  const offsets = new Int32Array(count + 1);
  const target = new Uint8Array(Math.max(0, bytes.length - at - count * 4));
  let from = at;
  let to = 0;
  for (let index = 0; index < count; index++) {
    if (from + 4 > bytes.length) throw tooShort();
    const length =
      bytes[from] | (bytes[from + 1] << 8) | (bytes[from + 2] << 16) | (bytes[from + 3] << 24);
    from += 4;
    if (length < 0 || from + length > bytes.length) throw tooShort();
    if (length < 32) {
      const end = from + length;
      while (from < end) target[to++] = bytes[from++];
    } else {
      target.set(bytes.subarray(from, from + length), to);
      from += length;
      to += length;
    }
    offsets[index + 1] = to;
  }
  return { offsets, bytes: target.subarray(0, to) };
}

/** All lengths come first. */
function deltaLengths(bytes: Uint8Array, at: number, count: number): BinaryValues {
  const { pairs, count: decoded, end } = decodeDeltaPacked(bytes, at, bytes.length, count);
  if (decoded !== count) throw tooShort();
  const offsets = new Int32Array(count + 1);
  let total = 0;
  for (let index = 0; index < count; index++) {
    const length = pairs[index * 2];
    if (length < 0 || end + total + length > bytes.length) throw tooShort();
    total += length;
    offsets[index + 1] = total;
  }
  return { offsets, bytes: bytes.slice(end, end + total) };
}

/**
 * Each value begins like the one before it: the lengths of what is shared come first, then what
 * differs.
 */
function deltaStrings(bytes: Uint8Array, at: number, count: number): BinaryValues {
  const prefixes = decodeDeltaPacked(bytes, at, bytes.length, count);
  if (prefixes.count !== count) throw tooShort();
  const suffixes = deltaLengths(bytes, prefixes.end, count);
  const offsets = new Int32Array(count + 1);
  let total = 0;
  for (let index = 0; index < count; index++) {
    const prefix = prefixes.pairs[index * 2];
    const before = index === 0 ? 0 : offsets[index] - offsets[index - 1];
    if (prefix < 0 || prefix > before) throw tooShort();
    total += prefix + suffixes.offsets[index + 1] - suffixes.offsets[index];
    if (total > 2 ** 31 - 1) throw tooShort();
    offsets[index + 1] = total;
  }
  const target = new Uint8Array(total);
  for (let index = 0; index < count; index++) {
    const prefix = prefixes.pairs[index * 2];
    const start = offsets[index];
    if (prefix > 0) target.copyWithin(start, offsets[index - 1], offsets[index - 1] + prefix);
    const suffix = suffixes.bytes.subarray(suffixes.offsets[index], suffixes.offsets[index + 1]);
    target.set(suffix, start + prefix);
  }
  return { offsets, bytes: target };
}

function tooShort(): Error {
  return corrupt('A page holds fewer values than it says, or a value runs over its end.');
}

function unknownEncoding(encoding: number): Error {
  return unsupported(
    `A page has encoding ${encoding}, which is not known for its type.`,
    'Write the file with dictionary, plain or delta encoding.',
  );
}
