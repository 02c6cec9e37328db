/**
 * Deals the rows of a sample to the first few files, so that one odd file does not decide the
 * schema of all. Callers: the CSV and NDJSON sources at plan time. Runs on: the caller's thread;
 * pure.
 */
import type { InputFile } from './resolve-files.js';

/** Files that a sample is spread over. */
const FILES_MAX = 8;

/** What is left of a sample. */
export class SampleBudget {
  /** Bytes of one file that are looked at, however few rows they hold. */
  static readonly FILE_BYTES_MAX = 4 * 1024 * 1024;
  #rows: number;
  #files: number;

  constructor(rows: number, files: readonly { readonly file: InputFile }[]) {
    const holding = files.filter(({ file }) => file.bytes > 0).length;
    this.#rows = rows;
    this.#files = Math.min(FILES_MAX, holding);
  }

  /** Rows to take of the next file. What it does not use is left to those after it. */
  nextFile(file: InputFile): number {
    if (this.#files === 0 || file.bytes === 0) return 0;
    const rows = Math.ceil(this.#rows / this.#files);
    this.#files--;
    return rows;
  }

  /** Takes rows off. */
  taken(rows: number): void {
    this.#rows -= rows;
  }
}
