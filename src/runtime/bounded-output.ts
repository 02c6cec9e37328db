/**
 * What the process of a job prints, once it has a file of its own for that. When it is full the file is copied aside
 * and emptied, so that a job that prints without end fills no disk; the file stays the same one, into which V8 and the
 * system print as well when they end a process. Callers: `isolated-process.ts`. Runs on: the main thread of the child,
 * through which its threads print as well; blocks for its writes.
 */
import { copyFileSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import type { ServedRun } from './job-process.js';

const STDOUT = 1;

/** Has everything printed go to the file that standard output is. */
export function boundOutput({ path, bytesMax }: ServedRun['output']): void {
  let bytes = fstatSync(STDOUT).size;
  const print = (text: Uint8Array | string, encoding?: unknown): void => {
    const all =
      typeof text === 'string'
        ? Buffer.from(text, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
        : text;
    try {
      if (bytes >= bytesMax) {
        copyFileSync(path, `${path}.1`);
        ftruncateSync(STDOUT);
        bytes = 0;
      }
      for (let at = 0; at < all.byteLength; ) at += writeSync(STDOUT, all, at);
      bytes += all.byteLength;
    } catch {
      // Output that cannot be kept, as on a full disk, is no reason to hold up the job that prints it.
    }
  };
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = (text: Uint8Array | string, encoding?: unknown, done?: unknown): boolean => {
      print(text, encoding);
      const told = typeof encoding === 'function' ? encoding : done;
      if (typeof told === 'function') process.nextTick(told as () => void);
      return true;
    };
  }
}
