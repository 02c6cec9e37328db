/**
 * Writing files so that they are there wholly or not at all, after a crash and, unless it is switched off, after a loss
 * of power. Callers: the store. Runs on: the coordinator's thread; every call blocks until its work is durable.
 * Invariant: a directory is durable before anything in it is relied upon.
 */
import { dirname, join } from 'node:path';
import type { Disk, FileHandle } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';

/**
 * Whether files are made durable before a checkpoint counts as complete. `never` trusts the operating system to stay
 * alive: the checkpoint survives the death of the process, and a loss of power may damage it, which is then detected.
 */
export type FsyncPolicy = 'always' | 'never';

const COPY_BYTES = 1024 * 1024;
const FORBIDDEN: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM']);

/** The operations of a disk, durable by policy. */
export class DurableFiles {
  readonly #disk: Disk;
  readonly #isDurable: boolean;

  constructor(disk: Disk, policy: FsyncPolicy) {
    this.#disk = disk;
    this.#isDurable = policy === 'always';
  }

  /**
   * Creates a directory and those above it, each durable before the next. Whoever made the one that is there already
   * may have been killed before that was durable.
   */
  makeDirectory(path: string): void {
    const isThere = this.#disk.stat(path) !== null;
    if (!isThere) {
      this.makeDirectory(dirname(path));
      this.#disk.makeDirectory(path);
    }
    try {
      this.syncDirectory(dirname(path));
    } catch (error) {
      // What is in a directory that the job may not open was not made by it.
      if (!isThere || !FORBIDDEN.has(errnoOf(error))) throw error;
    }
  }

  /** A new file with these bytes. */
  write(path: string, bytes: Uint8Array): void {
    this.#fill(path, (file) => file.write(bytes));
  }

  /** Puts a file elsewhere, also on another file system. */
  move(from: string, to: string): void {
    try {
      this.#disk.rename(from, to);
    } catch (error) {
      if (errnoOf(error) !== 'EXDEV') throw error;
      this.copy(from, to);
    }
  }

  copy(from: string, to: string): void {
    const source = this.#disk.openRead(from);
    try {
      this.#fill(to, (file) => {
        const buffer = new Uint8Array(COPY_BYTES);
        for (let at = 0; ; ) {
          const count = source.read(buffer, 0, buffer.length, at);
          if (count === 0) return;
          file.write(buffer.subarray(0, count));
          at += count;
        }
      });
    } finally {
      source.close();
    }
  }

  syncFile(path: string): void {
    if (this.#isDurable) this.#disk.syncFile(path);
  }

  syncDirectory(path: string): void {
    if (this.#isDurable) this.#disk.syncDirectory(path);
  }

  /** Removes a file so that it does not come back. */
  remove(directory: string, name: string): void {
    this.#disk.remove(join(directory, name));
    this.syncDirectory(directory);
  }

  #fill(path: string, fill: (file: FileHandle) => void): void {
    const file = this.#disk.createNew(path);
    try {
      fill(file);
      if (this.#isDurable) file.sync();
    } finally {
      file.close();
    }
  }
}

function errnoOf(error: unknown): string | undefined {
  const cause = MillraceError.is(error) ? error.cause : null;
  return (cause as NodeJS.ErrnoException | null)?.code;
}
