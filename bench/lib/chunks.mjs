/**
 * Deals a file of lines to threads in chunks: each thread claims the next chunk by one atomic addition, so that a fast
 * one takes over from a slow one. Callers: the limits of cases with an input file. Runs on: the threads of the limit.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Large enough to read fast, small enough to stay in the cache between reading and parsing. */
const CHUNK_BYTES = 512 * 1024;
/** Longest line. */
const LINE_BYTES_MAX = 16 * 1024;
const NEWLINE = 0x0a;

/** A counter for `eachChunk`, shared by the threads. */
export function chunkCounter() {
  return new Int32Array(new SharedArrayBuffer(4));
}

/**
 * Calls `parse(bytes, start, end)` for chunks of whole lines until there are none left.
 *
 * @param {string} path
 * @param {Int32Array} counter
 * @param {(bytes: Uint8Array, start: number, end: number) => void} parse lines from `start`; the last one ends at `end`
 */
export function eachChunk(path, counter, parse) {
  const file = openSync(path, 'r');
  const { size } = fstatSync(file);
  // One byte before the chunk tells whether a line starts with it.
  const bytes = new Uint8Array(1 + CHUNK_BYTES + LINE_BYTES_MAX);
  for (;;) {
    const from = Atomics.add(counter, 0, 1) * CHUNK_BYTES;
    if (from >= size) break;
    const read = readSync(file, bytes, 0, bytes.length, from - 1 < 0 ? 0 : from - 1);
    const first = from === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    const last = CHUNK_BYTES + (from === 0 ? 0 : 1);
    const end = read <= last ? read : bytes.indexOf(NEWLINE, last - 1) + 1;
    if (first < end) parse(bytes, first, end);
  }
  closeSync(file);
}
