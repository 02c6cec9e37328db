/**
 * Writes down for how long a source was not read: the longest time between two batches in every so many rows. Callers:
 * the job modules. Runs on: the thread of each slot.
 */
import { appendFileSync } from 'node:fs';

/**
 * @param {import('millrace').SourceConnector} source
 * @param {number} everyRows rows of a reader for which one pause is written down
 * @param {string} file where, in milliseconds, one a line
 * @returns {import('millrace').SourceConnector}
 */
export function pausesOf(source, everyRows, file) {
  return {
    ...source,
    open: async (context) => new PauseReader(await source.open(context), everyRows, file),
  };
}

class PauseReader {
  #reader;
  #everyRows;
  #file;
  #lastMs = Number.NaN;
  #rows = 0;
  #longestMs = 0;
  #pauses = [];

  constructor(reader, everyRows, file) {
    this.#reader = reader;
    this.#everyRows = everyRows;
    this.#file = file;
  }

  get batch() {
    return this.#reader.batch;
  }

  get bytesRead() {
    return this.#reader.bytesRead;
  }

  addSplit(split, position) {
    this.#reader.addSplit(split, position);
  }

  poll() {
    const nowMs = performance.now();
    if (nowMs - this.#lastMs > this.#longestMs) this.#longestMs = nowMs - this.#lastMs;
    const result = this.#reader.poll();
    this.#lastMs = nowMs;
    this.#rows += this.#reader.batch?.rows ?? 0;
    if (this.#rows >= this.#everyRows) {
      this.#pauses.push(this.#longestMs);
      this.#rows = 0;
      this.#longestMs = 0;
    }
    return result;
  }

  positions(rows) {
    return this.#reader.positions(rows);
  }

  close() {
    this.#reader.close();
    // The first ones are of code that is not compiled yet.
    const lines = this.#pauses.slice(2).map((ms) => `${ms}\n`);
    appendFileSync(this.#file, lines.join(''));
  }
}
