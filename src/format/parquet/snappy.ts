/**
 * Snappy blocks: a length, then literals and copies of earlier bytes. Callers: `decompress.ts`, the
 * Parquet encoder. Runs on: the slot's thread; pure. Invariant: decoding never reads or writes
 * outside of the given arrays, whatever the bytes are. The format:
 * https://github.com/google/snappy/blob/main/format_description.txt
 */
import { corrupt } from './corrupt.js';

/** Above this length a native copy is faster than a loop. */
const NATIVE_COPY_MIN = 24;
const HASH_BITS = 14;
const HASH_FACTOR = 0x1e35a7bd;
/** Copies reach back this far at most, so that they take three bytes. */
const DISTANCE_MAX = 65535;
/**
 * The tail is written as a literal, so that four bytes can be compared without a look at the end.
 */
const TAIL_BYTES = 15;

/** Decodes a block of known size into the start of `target`. Throws `FORMAT_INVALID`. */
export function decodeSnappy(source: Uint8Array, target: Uint8Array, length: number): void {
  let from = 0;
  let scale = 1;
  let announced = 0;
  for (;;) {
    if (from >= source.length || from > 4) throw damaged();
    const byte = source[from++];
    announced += (byte & 127) * scale;
    if (byte < 128) break;
    scale *= 128;
  }
  if (announced !== length) throw damaged();
  const end = source.length;
  let to = 0;
  while (from < end) {
    const tag = source[from++];
    const kind = tag & 3;
    if (kind === 0) {
      let count = (tag >> 2) + 1;
      if (count > 60) {
        const extra = count - 60;
        if (from + extra > end) throw damaged();
        count = 1;
        for (let index = 0; index < extra; index++)
          count += source[from + index] * 2 ** (index * 8);
        from += extra;
      }
      if (from + count > end || to + count > length) throw damaged();
      copyLiteral(source, from, target, to, count);
      from += count;
      to += count;
      continue;
    }
    const operandBytes = kind === 3 ? 4 : kind;
    if (from + operandBytes > end) throw damaged();
    let count = (tag >> 2) + 1;
    let distance = source[from];
    if (kind === 1) {
      count = ((tag >> 2) & 7) + 4;
      distance |= (tag >> 5) << 8;
    } else {
      distance |= source[from + 1] << 8;
      if (kind === 3) distance += source[from + 2] * 65536 + source[from + 3] * 16777216;
    }
    from += operandBytes;
    if (distance === 0 || distance > to || to + count > length) throw damaged();
    copyBack(target, to, distance, count);
    to += count;
  }
  if (to !== length) throw damaged();
}

function copyLiteral(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  count: number,
): void {
  if (count >= NATIVE_COPY_MIN) {
    target.set(source.subarray(from, from + count), to);
    return;
  }
  for (let index = 0; index < count; index++) target[to + index] = source[from + index];
}

/**
 * Repeats earlier output; when the distance is shorter than the length, bytes just written repeat
 * too.
 */
export function copyBack(target: Uint8Array, to: number, distance: number, count: number): void {
  const from = to - distance;
  if (count >= NATIVE_COPY_MIN && distance >= count) {
    target.copyWithin(to, from, from + count);
    return;
  }
  for (let index = 0; index < count; index++) target[to + index] = target[from + index];
}

/** Most bytes that a block of `length` bytes can take. */
export function snappyBound(length: number): number {
  return 32 + length + Math.floor(length / 6);
}

const table = new Int32Array(1 << HASH_BITS);

/**
 * Encodes `source` into `target`, where there is room for `snappyBound`, and returns the bytes
 * written.
 */
export function encodeSnappy(source: Uint8Array, target: Uint8Array): number {
  let to = 0;
  let rest = source.length;
  while (rest >= 128) {
    target[to++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  target[to++] = rest;
  table.fill(-1);
  const end = source.length - TAIL_BYTES;
  let literal = 0;
  let at = 0;
  // The longer nothing matches, the larger the steps, so that random bytes cost little.
  let misses = 32;
  while (at < end) {
    const word = wordAt(source, at);
    const slot = Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS);
    const candidate = table[slot];
    table[slot] = at;
    if (candidate < 0 || at - candidate > DISTANCE_MAX || wordAt(source, candidate) !== word) {
      at += misses++ >> 5;
      continue;
    }
    misses = 32;
    let length = 4;
    while (at + length < source.length && source[candidate + length] === source[at + length]) {
      length++;
    }
    to = writeLiteral(source, literal, at, target, to);
    to = writeCopy(target, to, at - candidate, length);
    at += length;
    literal = at;
  }
  return writeLiteral(source, literal, source.length, target, to);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function writeLiteral(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
): number {
  const count = end - start;
  if (count === 0) return offset;
  let to = offset;
  if (count <= 60) target[to++] = (count - 1) << 2;
  else {
    const bytes = count <= 0x100 ? 1 : count <= 0x10000 ? 2 : count <= 0x1000000 ? 3 : 4;
    target[to++] = (59 + bytes) << 2;
    for (let index = 0; index < bytes; index++) target[to++] = (count - 1) >>> (index * 8);
  }
  copyLiteral(source, start, target, to, count);
  return to + count;
}

function writeCopy(target: Uint8Array, offset: number, distance: number, length: number): number {
  let to = offset;
  let rest = length;
  while (rest > 0) {
    const count = Math.min(rest, 64);
    target[to++] = ((count - 1) << 2) | 2;
    target[to++] = distance & 255;
    target[to++] = distance >> 8;
    rest -= count;
  }
  return to;
}

function damaged(): Error {
  return corrupt('A page compressed with Snappy is damaged.');
}
