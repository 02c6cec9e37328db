/**
 * Line numbers of places in a file, for the reports of bad records: counted only when one is found,
 * from the last place counted on. Callers: the file reader. Runs on: worker.
 */
import type { Disk } from '../../base/disk.js';
import { countNewlines } from '../../format/bytes/line-start.js';

const CHUNK_BYTES = 256 * 1024;

/** Counts lines of plain files. */
export class LineCounter {
  readonly #disk: Disk;
  #path = '';
  #offset = 0;
  #newlines = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The line, from 1 on, in which the byte at `offset` stands. */
  lineAt(path: string, offset: number): number {
    if (path !== this.#path || offset < this.#offset) {
      this.#path = path;
      this.#offset = 0;
      this.#newlines = 0;
    }
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const file = this.#disk.openRead(path);
    try {
      while (this.#offset < offset) {
        const wanted = Math.min(CHUNK_BYTES, offset - this.#offset);
        const bytes = file.read(chunk, 0, wanted, this.#offset);
        if (bytes === 0) break;
        this.#newlines += countNewlines(chunk, 0, bytes);
        this.#offset += bytes;
      }
    } finally {
      file.close();
    }
    return this.#newlines + 1;
  }
}
