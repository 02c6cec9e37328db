/**
 * What a job prints, kept in two files of bounded size: the newest lines are always there, and a job that prints
 * without end fills no disk. Callers: `served-job.ts`. Runs on: the server's thread; blocks for its writes.
 */
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Disk, FileHandle } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { readContent } from '../checkpoint/file-content.js';

/** A file is put aside when it has so many bytes; the one before goes. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;
const OUTPUT = 'output.log';

/** The end of what is kept of what a job has printed, over all of its processes. */
export function outputOf(disk: Disk, directory: string, bytesMax: number): string {
  const newest = readContent(disk, join(directory, OUTPUT), bytesMax) ?? new Uint8Array(0);
  const left = bytesMax - newest.length;
  const older = left > 0 ? readContent(disk, join(directory, `${OUTPUT}.1`), left) : null;
  return Buffer.concat(older === null ? [newest] : [older, newest]).toString();
}

/** The output of one process of a job. */
export class JobOutput {
  /** For both of its streams, in the order in which they come. */
  readonly stream: Writable;
  readonly #disk: Disk;
  readonly #directory: string;
  #file: FileHandle | null = null;
  #bytes = 0;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
    this.stream = new Writable({
      decodeStrings: true,
      write: (chunk: Uint8Array, _, done) => {
        try {
          this.#write(chunk);
        } catch (error) {
          // Output that cannot be kept, as on a full disk, is no reason to hold up the job that prints it.
          if (!MillraceError.is(error)) throw error;
        }
        done();
      },
    });
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
    this.stream.destroy();
  }

  #write(chunk: Uint8Array): void {
    if (this.#file === null || this.#bytes >= FILE_BYTES_MAX) this.#file = this.#next();
    this.#file.write(chunk);
    this.#bytes += chunk.byteLength;
  }

  #next(): FileHandle {
    this.#file?.close();
    const path = join(this.#directory, OUTPUT);
    if (this.#disk.stat(path) !== null) this.#disk.rename(path, `${path}.1`);
    this.#bytes = 0;
    return this.#disk.createNew(path);
  }
}
