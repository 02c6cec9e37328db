/**
 * Where the bytes of a file come from, decompressed and in order: plain files at any offset,
 * compressed ones from their start. Callers: the file reader and, at plan time, the sampling of
 * files. Runs on: worker; plan time on the caller's thread. Invariant: offsets count decoded bytes,
 * so that a position means the same bytes however they were stored.
 */
import type { Disk, FileHandle } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';

/** The feed has no more bytes. */
export const FEED_END = 0;
/** Nothing now; the feed's `wake` will be called. */
export const FEED_WAIT = -1;

/** A readable sequence of bytes. */
export interface ByteFeed {
  /** Puts up to `length` bytes into `target` and says how many; or `FEED_END` or `FEED_WAIT`. */
  read(target: Uint8Array, offset: number, length: number): number;
  /** Bytes of the file itself taken so far, for progress. */
  readonly fileBytesRead: number;
  close(): void;
}

/** Bytes `start` to `end` of a file as they are. */
export class PlainFeed implements ByteFeed {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #start: number;
  readonly #end: number;
  #at: number;

  constructor(disk: Disk, path: string, start: number, end: number) {
    this.#path = path;
    this.#file = disk.openRead(path);
    this.#start = start;
    this.#end = end;
    this.#at = start;
  }

  get fileBytesRead(): number {
    return this.#at - this.#start;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const wanted = Math.min(length, this.#end - this.#at);
    if (wanted <= 0) return FEED_END;
    const bytes = this.#file.read(target, offset, wanted, this.#at);
    if (bytes === 0) {
      throw new MillraceError(
        'FORMAT_INVALID',
        `The file ended at byte ${this.#at}, but had ${this.#end} bytes when the job was planned.`,
        {
          where: { file: this.#path, byteOffset: this.#at },
          advice: 'Do not shorten input files while a job reads them.',
        },
      );
    }
    this.#at += bytes;
    return bytes;
  }

  close(): void {
    this.#file.close();
  }
}
