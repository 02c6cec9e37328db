/**
 * Elements and bits of rows that are numbered, one behind the other. Callers: appenders, `frame-writer.ts`. Runs on:
 * worker; pure.
 */
import type { FixedArray } from './column.js';

/** Any array with one element per row. */
export type RowArray = FixedArray | BigInt64Array;

/**
 * Copies the elements numbered in `rows` to the target from element `first` on; a loop for each kind of array that is
 * met often, with four rows in a turn: V8 looks for interrupts once in a turn, which costs as much as a row.
 */
export function gather(
  source: RowArray,
  rows: Int32Array,
  count: number,
  target: RowArray,
  first: number,
): void {
  if (source instanceof Float64Array) {
    gatherFloat64(source, rows, count, target as Float64Array, first);
  } else if (source instanceof Int32Array) {
    gatherInt32(source, rows, count, target as Int32Array, first);
  } else for (let index = 0; index < count; index++) target[first + index] = source[rows[index]];
}

function gatherFloat64(
  source: Float64Array,
  rows: Int32Array,
  count: number,
  target: Float64Array,
  first: number,
): void {
  let index = 0;
  let at = first;
  for (const last = count - 3; index < last; index += 4, at += 4) {
    target[at] = source[rows[index]];
    target[at + 1] = source[rows[index + 1]];
    target[at + 2] = source[rows[index + 2]];
    target[at + 3] = source[rows[index + 3]];
  }
  for (; index < count; index++) target[first + index] = source[rows[index]];
}

function gatherInt32(
  source: Int32Array,
  rows: Int32Array,
  count: number,
  target: Int32Array,
  first: number,
): void {
  let index = 0;
  let at = first;
  for (const last = count - 3; index < last; index += 4, at += 4) {
    target[at] = source[rows[index]];
    target[at + 1] = source[rows[index + 1]];
    target[at + 2] = source[rows[index + 2]];
    target[at + 3] = source[rows[index + 3]];
  }
  for (; index < count; index++) target[first + index] = source[rows[index]];
}

/** The bits numbered in `rows`. */
export function gatherBits(
  source: Uint8Array,
  rows: Int32Array,
  count: number,
  target: Uint8Array,
): void {
  target.fill(0xff);
  for (let index = 0; index < count; index++) {
    const row = rows[index];
    if (((source[row >> 3] >> (row & 7)) & 1) === 0) target[index >> 3] &= ~(1 << (index & 7));
  }
}
