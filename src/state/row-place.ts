/**
 * Where a row of a `rows` column is, given its position: arithmetic that generated code does in place. Callers:
 * byte-arena.ts, which lays records out so; generated code of operators that keep rows. Runs on: any thread; pure.
 *
 * A position counts units of 4 bytes: chunk << CHUNK_SHIFT | unit. A record is a header and its bytes; those of a row
 * begin with the position of the one that was added before it.
 */

/** Units per chunk at most, as shift and mask. */
export const CHUNK_SHIFT = 18;
export const CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;
/** Units of a record before its bytes: its length, and the id of the entry that it belongs to. */
export const HEADER_UNITS = 2;
/** Bytes of a row's record before those of the row: the position of the older one. */
export const LINK_BYTES = 4;
/** Units before the bytes of a row. */
const ROW_UNITS = HEADER_UNITS + LINK_BYTES / 4;

/** Code of the index of a position's chunk. */
export function chunkCode(position: string): string {
  return `${position} >>> ${CHUNK_SHIFT}`;
}

/** Code of the offset of a row's bytes in its chunk. */
export function offsetCode(position: string): string {
  return `((${position} & ${CHUNK_MASK}) + ${ROW_UNITS}) << 2`;
}

/** The chunk of a position, and the offset of a row's bytes in there. */
export function rowPlace(position: number): { readonly chunk: number; readonly offset: number } {
  return { chunk: position >>> CHUNK_SHIFT, offset: ((position & CHUNK_MASK) + ROW_UNITS) << 2 };
}
