/**
 * The files of what is kept on disk for as long as a thread works on it, and never longer. Callers: sorting and
 * spilling operators, as the disk of their run files. Runs on: the slot's thread. Invariant: none of the files has a
 * name on the disk, so that nothing is left behind, whatever ends the thread.
 */
import type { Disk, FileHandle } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';

/** What run files need of a disk. */
export type RunDisk = Pick<Disk, 'createNew' | 'openRead' | 'remove'>;

/** What files without a name need of a disk. */
export type ScratchDisk = Pick<Disk, 'createScratch'>;

/** Files by names that mean something here only. */
export class ScratchFiles implements RunDisk {
  readonly #disk: ScratchDisk;
  readonly #directory: string;
  readonly #files = new Map<string, FileHandle>();

  /** The directory need not exist. */
  constructor(disk: ScratchDisk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  createNew(name: string): FileHandle {
    const file = openScratch(this.#disk, this.#directory);
    this.#files.set(name, file);
    return lent(file);
  }

  openRead(name: string): FileHandle {
    const file = this.#files.get(name);
    if (file !== undefined) return lent(file);
    throw new MillraceError('FILE_NOT_FOUND', `There is no file ${name} for the moment.`);
  }

  remove(name: string): void {
    this.#files.get(name)?.close();
    this.#files.delete(name);
  }

  /** Gives all of them up. */
  close(): void {
    for (const name of this.#files.keys()) this.remove(name);
  }
}

/** The file stays open when whoever writes or reads it is done. */
function lent(file: FileHandle): FileHandle {
  return {
    read: (target, offset, length, position) => file.read(target, offset, length, position),
    write: (bytes) => file.write(bytes),
    bytes: () => file.bytes(),
    sync: () => file.sync(),
    close: () => undefined,
  };
}

/** Who is told of what goes to files without a name and comes from them, in bytes. */
export interface ScratchCounts {
  wrote(bytes: number): void;
  read(bytes: number): void;
  /** A file of so many bytes is gone. */
  freed(bytes: number): void;
}

/** A disk whose files are counted. */
export function countedDisk(disk: ScratchDisk, counts: ScratchCounts): ScratchDisk {
  return {
    createScratch(directory) {
      const file = disk.createScratch(directory);
      let held = 0;
      return {
        read: (target, offset, length, position) => {
          const bytes = file.read(target, offset, length, position);
          counts.read(bytes);
          return bytes;
        },
        write: (bytes) => {
          file.write(bytes);
          held += bytes.length;
          counts.wrote(bytes.length);
        },
        bytes: () => file.bytes(),
        sync: () => file.sync(),
        close: () => {
          file.close();
          counts.freed(held);
          held = 0;
        },
      };
    },
  };
}

/** A file without a name. Throws FILE_UNWRITABLE where none can be made, and where nothing more can be written. */
export function openScratch(disk: ScratchDisk, directory: string): FileHandle {
  const written = <R>(write: () => R): R => {
    try {
      return write();
    } catch (cause) {
      if (!MillraceError.is(cause)) throw cause;
      throw new MillraceError(
        'FILE_UNWRITABLE',
        `What does not fit in memory cannot be written to ${directory}: ${cause.message}`,
        {
          cause,
          where: { file: directory },
          advice: 'Make room there, set state.localDir to another directory, or raise slot.memory.',
        },
      );
    }
  };
  const file = written(() => disk.createScratch(directory));
  return {
    read: (target, offset, length, position) => file.read(target, offset, length, position),
    write: (bytes) => written(() => file.write(bytes)),
    bytes: () => file.bytes(),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}
