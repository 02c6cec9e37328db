/** Reads small files as a whole. Callers: the store and its readers. Runs on: any thread; blocks for its reads. */
import type { Disk, FileHandle } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';

/** The content of a file, or its last `bytesMax` bytes; null when there is none. */
export function readContent(
  disk: Disk,
  path: string,
  bytesMax = Number.POSITIVE_INFINITY,
): Uint8Array | null {
  const handle = openUnlessMissing(disk, path);
  if (handle === null) return null;
  try {
    const length = handle.bytes();
    const start = Math.max(0, length - bytesMax);
    const bytes = new Uint8Array(length - start);
    let at = 0;
    while (at < bytes.length) {
      const count = handle.read(bytes, at, bytes.length - at, start + at);
      if (count === 0) break;
      at += count;
    }
    return bytes.subarray(0, at);
  } finally {
    handle.close();
  }
}

function openUnlessMissing(disk: Disk, path: string): FileHandle | null {
  try {
    return disk.openRead(path);
  } catch (error) {
    if (MillraceError.is(error) && error.code === 'FILE_NOT_FOUND') return null;
    throw error;
  }
}
