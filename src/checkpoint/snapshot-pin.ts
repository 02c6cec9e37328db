/**
 * Which snapshot a job was started from, kept in its checkpoint directory. The snapshot is needed to recover until the
 * job has a checkpoint of its own. Callers: the store, the disposal of savepoints. Runs on: any thread. Invariant: a
 * damaged note is told and never taken for the absence of one.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Disk } from '../base/disk.js';
import { corruptFile } from './checkpoint-errors.js';
import { checkpointIdOf, METADATA } from './checkpoint-paths.js';
import { readContent } from './file-content.js';

/** Where the note is, in the directory of a job. */
export const RESTORED_FROM = 'restored-from';

/** The note: a checksum and the absolute path of the snapshot's directory. */
export function pinBytes(path: string): Uint8Array {
  return Buffer.from(`${checksumOf(path)} ${path}`);
}

/** The snapshot that the job of a directory was started from and still needs; null when there is none. */
export function pinnedSnapshot(disk: Disk, home: string): string | null {
  const file = join(home, RESTORED_FROM);
  const content = readContent(disk, file);
  if (content === null || hasCheckpoint(disk, home)) return null;
  const text = Buffer.from(content).toString();
  const path = text.slice(text.indexOf(' ') + 1);
  if (text === `${checksumOf(path)} ${path}`) return path;
  throw corruptFile(file, 0, 'The note of where the job was restored from has a wrong checksum.');
}

function hasCheckpoint(disk: Disk, home: string): boolean {
  return disk
    .list(home)
    .some(
      (name) => checkpointIdOf(name) !== null && disk.stat(join(home, name, METADATA)) !== null,
    );
}

function checksumOf(path: string): string {
  return crc32(path).toString(16).padStart(8, '0');
}
