/**
 * Where lines start: in the middle of a file, where it is split, and how many do in a buffer. Callers: file sources at
 * plan time and while they read, the row scanner's reader. Runs on: the caller's thread and the slots.
 */

const WINDOW_BYTES = 32 * 1024;
const NEWLINE = 0x0a;

/** Number of newlines in `buffer[start, end)`. */
export function countNewlines(buffer: Buffer, start: number, end: number): number {
  const part = buffer.subarray(start, end);
  let count = 0;
  for (let at = part.indexOf(NEWLINE); at >= 0; at = part.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** Random access to the bytes of a file. */
export interface RandomAccess {
  readonly bytes: number;
  /** Fills `target` from `position` on, as far as the file goes; returns the bytes read. */
  read(target: Buffer, position: number): number;
}

/** The first place at or after `place` that follows a newline, or the end of the file. */
export function lineStartFrom(file: RandomAccess, place: number): number {
  const window = Buffer.allocUnsafe(WINDOW_BYTES);
  for (let at = Math.max(0, place - 1); at < file.bytes; at += WINDOW_BYTES) {
    const length = file.read(window, at);
    const newline = window.subarray(0, length).indexOf(NEWLINE);
    if (newline >= 0) return at + newline + 1;
  }
  return file.bytes;
}
