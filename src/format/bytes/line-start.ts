/**
 * Finds line starts in the middle of a file, where it is split. Callers: file sources at plan time.
 * Runs on: the caller's thread.
 */

const WINDOW_BYTES = 32 * 1024;
const NEWLINE = 0x0a;

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
