/**
 * Writes the hybrid of runs and bit-packed groups: the inverse of `hybrid.ts`. Callers:
 * `column-writer.ts`. Runs on: the slot's thread. Invariant: bit-packed runs hold whole groups of
 * eight, but for zeros added after the last value.
 */
import type { ByteBuffer } from '../encode/byte-buffer.js';

const GROUP = 8;

/** Appends `values[start, end)`, each of `bits` bits. */
export function appendHybrid(
  buffer: ByteBuffer,
  values: Int32Array,
  start: number,
  end: number,
  bits: number,
): void {
  let packedFrom = start;
  let at = start;
  while (at < end) {
    const runEnd = equalUntil(values, at, end);
    // A run is worth its header when it fills a group by itself, after the open group has been
    // completed from it.
    const borrowed = (GROUP - ((at - packedFrom) % GROUP)) % GROUP;
    if (runEnd - at - borrowed < GROUP && runEnd < end) {
      at = runEnd;
      continue;
    }
    const packedTo = Math.min(at + borrowed, end);
    if (packedTo > packedFrom) appendPacked(buffer, values, packedFrom, packedTo, bits);
    if (runEnd > packedTo) appendRun(buffer, values[at], runEnd - packedTo, bits);
    at = Math.max(runEnd, packedTo);
    packedFrom = at;
  }
  if (packedFrom < end) appendPacked(buffer, values, packedFrom, end, bits);
}

function equalUntil(values: Int32Array, start: number, end: number): number {
  const value = values[start];
  let at = start + 1;
  while (at < end && values[at] === value) at++;
  return at;
}

function appendRun(buffer: ByteBuffer, value: number, length: number, bits: number): void {
  appendVarint(buffer, length * 2);
  for (let shift = 0; shift < bits; shift += 8) buffer.push((value >>> shift) & 255);
}

function appendPacked(
  buffer: ByteBuffer,
  values: Int32Array,
  start: number,
  end: number,
  bits: number,
): void {
  const groups = (end - start + GROUP - 1) >> 3;
  appendVarint(buffer, groups * 2 + 1);
  buffer.reserve(groups * bits + 4);
  const { bytes } = buffer;
  let to = buffer.length;
  let word = 0;
  let filled = 0;
  for (let index = 0; index < groups * GROUP; index++) {
    const value = start + index < end ? values[start + index] : 0;
    word += value * 2 ** filled;
    filled += bits;
    while (filled >= 8) {
      bytes[to++] = word % 256;
      word = Math.floor(word / 256);
      filled -= 8;
    }
  }
  buffer.length = to;
}

/** Appends an unsigned number, seven bits a byte. */
export function appendVarint(buffer: ByteBuffer, value: number): void {
  let rest = value;
  while (rest >= 128) {
    buffer.push((rest & 127) | 128);
    rest >>>= 7;
  }
  buffer.push(rest);
}
