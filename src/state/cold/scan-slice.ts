/**
 * The slices of a scan through both tiers of a table: ranges of mixed hashes, each of which is brought in as a whole.
 * Callers: `tiered-table.ts`. Runs on: worker; pure. Invariant: slices of one scan do not overlap, and all of them are
 * what it is of: all records, or those in the part of the order where a group is.
 */
import { GROUP_BITS } from './cold-record.js';
import type { MixedRange } from './cold-run.js';

/** Slices are at least so small, as shift. */
const SLICES_SHIFT_MAX = 16;
/** A position of a scan: entry, slice, and how many slices there are, as shift. */
const ENTRY_FACTOR = 2 ** 29;
const SLICE_FACTOR = 2 ** 16;

/** One of 2^shift ranges of mixed hashes. */
export interface Slice {
  readonly shift: number;
  readonly slice: number;
}

/** All of them in one. */
export const WHOLE: Slice = Object.freeze({ shift: 0, slice: 0 });

export function isInSlice({ shift, slice }: Slice, mixed: number): boolean {
  return shift === 0 || mixed >>> (32 - shift) === slice;
}

export function rangeOf({ shift, slice }: Slice): MixedRange {
  const size = 2 ** (32 - shift);
  return { from: slice * size, to: (slice + 1) * size };
}

/** The slice in which a group is, or all of them where there is none. */
export function sliceOfPart(part: number | null): Slice {
  return part === null ? WHOLE : { shift: GROUP_BITS, slice: part };
}

/** The first of the slices of a range when there are to be so many. */
export function firstSlice({ shift, slice }: Slice, slices: number): Slice {
  const more = Math.min(SLICES_SHIFT_MAX - shift, Math.ceil(Math.log2(Math.max(1, slices))));
  return { shift: shift + more, slice: slice * 2 ** more };
}

/** The slice that comes next in a range; null behind the last. */
export function nextSlice({ shift, slice }: Slice, of: Slice): Slice | null {
  const end = shift < of.shift ? 2 ** shift : (of.slice + 1) * 2 ** (shift - of.shift);
  return slice + 1 === end ? null : { shift, slice: slice + 1 };
}

/** A position of a scan as one number, above 0 but for the first entry of the only slice. */
export function positionOf({ shift, slice }: Slice, entry: number): number {
  return (shift * SLICE_FACTOR + slice) * ENTRY_FACTOR + entry;
}

export function sliceAt(position: number): Slice {
  const place = Math.floor(position / ENTRY_FACTOR);
  return { shift: Math.floor(place / SLICE_FACTOR), slice: place % SLICE_FACTOR };
}

export function entryAt(position: number): number {
  return position % ENTRY_FACTOR;
}
