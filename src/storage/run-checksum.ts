/** Checksums and damage of run files. Callers: run writer and reader. Runs on: any thread; pure. */
import { crc32 } from 'node:zlib';
import { MillraceError } from '../base/errors.js';

/** Covers which file it is in (`id`), what it is about and where that is, then all of these bytes. */
export function runChecksum(
  id: string,
  what: 'header' | 'block' | 'footer',
  offset: number,
  ...parts: readonly Uint8Array[]
): number {
  let checksum = crc32(JSON.stringify([id, what, offset]));
  for (const part of parts) checksum = crc32(part, checksum);
  return checksum;
}

/** The error of a file that cannot be trusted, and from which byte on. */
export function corruptRun(file: string, byteOffset: number, reason: string): MillraceError {
  return new MillraceError('RUN_CORRUPT', `A run file is damaged. ${reason}`, {
    where: { file, byteOffset },
    advice: 'Restore from another checkpoint; files of a running job are written anew.',
  });
}
