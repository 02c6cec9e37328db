/** Reads small files as a whole. Callers: the store and its readers. Runs on: any thread; blocks for its reads. */
import type { Disk } from '../base/disk.js';

/** The content of a file; null when there is none. */
export function readContent(disk: Disk, path: string): Uint8Array | null {
  if (disk.stat(path) === null) return null;
  const handle = disk.openRead(path);
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
