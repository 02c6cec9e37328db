/**
 * Decodes the hybrid of runs and bit-packed groups in which Parquet writes levels and dictionary codes. Callers:
 * `page-decoder.ts`. Runs on: the slot's thread. Invariant: exactly `count` values are written; room for seven more is
 * there, as packed values come in groups of eight.
 */
import { unpackerOf } from './bit-unpacker.js';
import { corrupt } from './corrupt.js';

/** Elements an array needs for `count` decoded values. */
export function hybridRoom(count: number): number {
  return count + 8;
}

/** Decodes `count` values of `bits` bits from `bytes[start, end)`, and returns where they end. */
export function decodeHybrid(
  bytes: Uint8Array,
  start: number,
  end: number,
  bits: number,
  count: number,
  values: Int32Array,
): number {
  if (bits > 32) throw corrupt(`Dictionary codes have ${bits} bits.`);
  const unpack = unpackerOf(bits);
  const valueBytes = (bits + 7) >> 3;
  let at = start;
  let done = 0;
  while (done < count) {
    let head = 0;
    let shift = 0;
    let byte = 128;
    while (byte >= 128) {
      if (at >= end || shift > 28) throw damaged();
      byte = bytes[at++];
      head |= (byte & 127) << shift;
      shift += 7;
    }
    const length = head >>> 1;
    if ((head & 1) === 0) {
      if (length === 0 || at + valueBytes > end) throw damaged();
      let value = 0;
      for (let index = 0; index < valueBytes; index++) value |= bytes[at + index] << (index * 8);
      at += valueBytes;
      const stop = Math.min(done + length, count);
      values.fill(value, done, stop);
      done = stop;
      continue;
    }
    const groups = Math.min(length, (count - done + 7) >> 3);
    if (at + groups * bits <= end) unpack(bytes, at, values, done, groups);
    else unpackShort(bytes, at, end, bits, values, done, groups, count);
    at += length * bits;
    done = Math.min(done + length * 8, count);
    if (length === 0) throw damaged();
  }
  return Math.min(at, end);
}

/** Some writers cut the padding of the last group off. */
function unpackShort(
  bytes: Uint8Array,
  at: number,
  end: number,
  bits: number,
  values: Int32Array,
  done: number,
  groups: number,
  count: number,
): void {
  if (((count - done) * bits + 7) >> 3 > end - at) throw damaged();
  const padded = new Uint8Array(groups * bits);
  padded.set(bytes.subarray(at, end));
  unpackerOf(bits)(padded, 0, values, done, groups);
}

function damaged(): Error {
  return corrupt('A run of packed values ends early or is garbled.');
}
