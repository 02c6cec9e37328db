/**
 * Text that is kept in a bounded number of files of bounded size: the newest is always there, and what is written
 * without end fills no disk. Callers: output and logs of jobs, the log of the server. Runs on: the server's thread;
 * blocks for its writes.
 */
import { join } from 'node:path';
import type { Disk, FileHandle } from '../base/disk.js';
import { readContent } from '../checkpoint/file-content.js';

/** How much is kept. */
export interface KeptFiles {
  /** A file is put aside when it has so many bytes. */
  readonly bytesMax: number;
  /** How many there are at most; the oldest goes. */
  readonly files: number;
}

/** A file, and those that were put aside, by the same name and `.1` for the newest of them. */
export class RotatingFile {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #kept: KeptFiles;
  #file: FileHandle | null = null;
  #bytes = 0;

  constructor(disk: Disk, path: string, kept: KeptFiles) {
    this.#disk = disk;
    this.#path = path;
    this.#kept = kept;
  }

  /** Throws FILE_UNWRITABLE, as on a full disk. */
  write(bytes: Uint8Array): void {
    let file = this.#file ?? this.#opened();
    if (this.#bytes >= this.#kept.bytesMax) file = this.#next();
    this.#file = file;
    file.write(bytes);
    this.#bytes += bytes.byteLength;
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** Goes on with what is there. */
  #opened(): FileHandle {
    const file = this.#disk.openAppend(this.#path);
    this.#file = file;
    this.#bytes = file.bytes();
    return file;
  }

  #next(): FileHandle {
    this.close();
    for (let place = this.#kept.files - 1; place > 0; place--) {
      const before = place === 1 ? this.#path : `${this.#path}.${place - 1}`;
      if (this.#disk.stat(before) !== null) this.#disk.rename(before, `${this.#path}.${place}`);
    }
    // With one file in all, what is full makes room for the next.
    this.#disk.remove(this.#path);
    this.#bytes = 0;
    return this.#disk.createNew(this.#path);
  }
}

/** The end of what is kept, over all of its files. */
export function endOf(disk: Disk, path: string, bytesMax: number): string {
  const parts: Uint8Array[] = [];
  let left = bytesMax;
  for (let place = 0; left > 0; place++) {
    const file = place === 0 ? path : `${path}.${place}`;
    // The newest is not there when those before were put aside by a writer that died with it.
    const part = readContent(disk, file, left);
    if (part === null && place > 0) break;
    if (part === null) continue;
    parts.unshift(part);
    left -= part.length;
  }
  return Buffer.concat(parts).toString();
}

/** The files of a directory whose names begin with one of those given, as Flink lists logs. */
export function filesOf(
  disk: Disk,
  directory: string,
  names: readonly string[],
): readonly { readonly name: string; readonly size: number; readonly mtime: number }[] {
  return disk.list(directory).flatMap((name) => {
    const isOne = names.some(
      (one) => name.startsWith(one) && /^(\.\d+)?$/.test(name.slice(one.length)),
    );
    const info = isOne ? disk.stat(join(directory, name)) : null;
    return info === null ? [] : [{ name, size: info.bytes, mtime: Math.round(info.modifiedMs) }];
  });
}
