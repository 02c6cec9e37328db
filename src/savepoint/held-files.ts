/**
 * Files of a checkpoint that stay open, so that it can be read to its end when its job deletes it meanwhile. Callers:
 * `state-pages.ts`. Runs on: any thread. Invariant: what is held is closed with all the others only.
 */
import { join } from 'node:path';
import type { Disk, FileHandle } from '../base/disk.js';
import type { CheckpointManifest } from '../checkpoint/contract.js';

/** A process has about a thousand; what is beyond is opened when it is read. */
const FILES_MAX = 64;

/** The files of a checkpoint, and the disk to read them from. */
export class HeldFiles {
  readonly disk: Disk;
  readonly #disk: Disk;
  readonly #files = new Map<string, FileHandle>();

  constructor(disk: Disk) {
    this.#disk = disk;
    this.disk = {
      ...disk,
      openRead: (path) => {
        const held = this.#files.get(path);
        return held === undefined ? disk.openRead(path) : lent(held);
      },
    };
  }

  /** Opens those of the checkpoint in a directory. */
  hold(directory: string, { files }: Pick<CheckpointManifest, 'files'>): void {
    for (const { path } of files.slice(0, FILES_MAX)) {
      const full = join(directory, '..', path);
      this.#files.set(full, this.#disk.openRead(full));
    }
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }
}

function lent(file: FileHandle): FileHandle {
  return {
    read: (...place) => file.read(...place),
    write: (bytes) => file.write(bytes),
    bytes: () => file.bytes(),
    sync: () => file.sync(),
    close: () => {},
  };
}
