/** Reads small files as a whole. Callers: the store and its readers. Runs on: any thread; blocks for its reads. */
import type { Disk, FileHandle } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';

/** The content of a file; null when there is none. */
export function readContent(disk: Disk, path: string): Uint8Array | null {
  const handle = openUnlessMissing(disk, path);
  if (handle === null) return null;
  try {
    const bytes = new Uint8Array(handle.bytes());
    let at = 0;
    while (at < bytes.length) {
      const count = handle.read(bytes, at, bytes.length - at, at);
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
