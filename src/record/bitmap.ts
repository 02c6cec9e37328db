/**
 * Bitmaps of validity and presence: bit i of byte i >> 3. Callers: everything that reads or writes
 * columns. Runs on: any thread; pure.
 */

/** Bytes of a bitmap for this many rows. */
export function bitmapBytes(rows: number): number {
  return (rows + 7) >> 3;
}

/** Whether bit `row` is set; true when there is no bitmap. */
export function bitAt(bitmap: Uint8Array | null, row: number): boolean {
  return bitmap === null || ((bitmap[row >> 3] >> (row & 7)) & 1) === 1;
}

/** Sets all bits from `row` on. */
export function setBitsFrom(bitmap: Uint8Array, row: number): void {
  const byte = row >> 3;
  if (byte >= bitmap.length) return;
  bitmap[byte] |= 0xff << (row & 7);
  bitmap.fill(0xff, byte + 1);
}
