/**
 * Small archives, as `tar -xzf` reads them: POSIX ustar, compressed by gzip. Callers: `support-bundle.ts`. Runs on: the
 * main thread; pure.
 */
import { gzipSync } from 'node:zlib';
import { assert } from '../base/assert.js';

/** A file of an archive. */
export interface ArchivedFile {
  /** With `/` between its parts, all ASCII, at most a hundred characters. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

const BLOCK = 512;
const NAME_MAX = 100;
/** Two empty blocks end an archive. */
const END = Buffer.alloc(2 * BLOCK);

/** The bytes of a `.tgz` with these files, whose owner alone may read them. */
export function tarArchive(files: readonly ArchivedFile[], epochMs: number): Uint8Array {
  const blocks = files.flatMap(({ name, content }) => {
    const bytes = Buffer.from(content as Uint8Array);
    const padding = Buffer.alloc((BLOCK - (bytes.byteLength % BLOCK)) % BLOCK);
    return [header(name, bytes.byteLength, epochMs), bytes, padding];
  });
  return gzipSync(Buffer.concat([...blocks, END]));
}

function header(name: string, bytes: number, epochMs: number): Buffer {
  assert(/^[\x21-\x7e]+$/.test(name) && name.length <= NAME_MAX, `A name in an archive: ${name}`);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 'ascii');
  block.write(octal(0o600, 8), 100, 'ascii');
  block.write(octal(0, 8), 108, 'ascii');
  block.write(octal(0, 8), 116, 'ascii');
  block.write(octal(bytes, 12), 124, 'ascii');
  block.write(octal(Math.floor(epochMs / 1000), 12), 136, 'ascii');
  // The sum is taken with blanks in its own place.
  block.write(' '.repeat(8), 148, 'ascii');
  block.write('0', 156, 'ascii');
  block.write('ustar\0' + '00', 257, 'ascii');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 7)} `, 148, 'ascii');
  return block;
}

/** Digits that fill a field but for its last byte, which is 0. */
function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}
