/**
 * Memory a word at a time, from and to any place: the view for it, and the copy of a text or a row. Callers: appenders,
 * generated loops, rows that are kept in state. Runs on: any thread. Invariant: a copy writes exactly the bytes of the
 * range, and they are the same bits, whatever they are.
 */

/** Beyond so many bytes a native call is faster, the views it needs included. */
const LOOP_BYTES_MAX = 1024;

/** The same memory, to be read a word at a time from any place. */
export function wordView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Copies the bytes from `start` to `end` to `offset`; the two ranges do not overlap. Eight at a time go as one number,
 * which costs half of what two words cost. An engine may change the bits of those that are no numbers (NaN), which are
 * the only ones not equal to themselves or, less themselves, not 0 beside infinity: then all of them are copied again.
 */
export function copyBytes(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  offset: number,
): void {
  const last = end - 8;
  if (last < start || last > start + LOOP_BYTES_MAX) {
    return copyOtherwise(source, start, end, target, offset);
  }
  const shift = offset - start;
  let doubt = 0;
  for (let at = start; at < last; at += 8) {
    const eight = source.getFloat64(at, true);
    target.setFloat64(at + shift, eight, true);
    doubt += eight - eight;
  }
  // The last eight may begin among those before, so that nothing behind them is touched.
  const eight = source.getFloat64(last, true);
  target.setFloat64(last + shift, eight, true);
  if (doubt + (eight - eight) !== 0) copyWords(source, start, end, target, offset);
}

/**
 * Copies few bytes or many. One call for both: code that copies is in much of what V8 compiles, and is thrown away with
 * all of that at the first call that it has not seen made.
 */
function copyOtherwise(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  offset: number,
): void {
  if (end - start < 8) copyWords(source, start, end, target, offset);
  else copyMany(source, start, end, target, offset);
}

/** Copies by words of four bytes, of which the last may begin in the one before. */
function copyWords(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  offset: number,
): void {
  const last = end - 4;
  const shift = offset - start;
  if (last < start) {
    for (let at = start; at < end; at++) target.setUint8(at + shift, source.getUint8(at));
    return;
  }
  for (let at = start; at < last; at += 4) {
    target.setInt32(at + shift, source.getInt32(at, true), true);
  }
  target.setInt32(last + shift, source.getInt32(last, true), true);
}

function copyMany(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  offset: number,
): void {
  const bytes = new Uint8Array(source.buffer, source.byteOffset + start, end - start);
  new Uint8Array(target.buffer, target.byteOffset + offset, end - start).set(bytes);
}
