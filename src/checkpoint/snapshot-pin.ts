/**
 * Which snapshot a job was started from, or was stopped with, kept in its checkpoint directory. The snapshot is needed
 * to recover until the job has a checkpoint of its own. Callers: the store, the disposal of savepoints, whoever looks
 * for what a job goes on from. Runs on: any thread. Invariant: a
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

/** What a job goes on from as long as it has no checkpoint of its own. */
export interface SnapshotPin {
  /** The directory of the snapshot, absolute. */
  readonly path: string;
  readonly jobName: string;
  /** When the job began from it, or was stopped with it. Wall clock. */
  readonly timestampMs: number;
  /** Whether the job owns the snapshot, and deletes it as it deletes checkpoints. */
  readonly isClaimed: boolean;
}

/** The note: a checksum, and what it says as JSON. */
export function pinBytes(pin: SnapshotPin): Uint8Array {
  const text = JSON.stringify(pin);
  return Buffer.from(`${checksumOf(text)} ${text}`);
}

/** The note in the directory of a job; null when there is none. Throws CHECKPOINT_CORRUPT. */
export function readPin(disk: Disk, home: string): SnapshotPin | null {
  const file = join(home, RESTORED_FROM);
  const content = readContent(disk, file);
  if (content === null) return null;
  const text = Buffer.from(content).toString();
  const json = text.slice(text.indexOf(' ') + 1);
  if (text === `${checksumOf(json)} ${json}`) return JSON.parse(json) as SnapshotPin;
  throw corruptFile(file, 0, 'The note of where the job was restored from has a wrong checksum.');
}

/** The snapshot that the job of a directory still needs, because it has no checkpoint of its own; or null. */
export function pinnedSnapshot(disk: Disk, home: string): SnapshotPin | null {
  return hasCheckpoint(disk, home) ? null : readPin(disk, home);
}

function hasCheckpoint(disk: Disk, home: string): boolean {
  return disk
    .list(home)
    .some(
      (name) => checkpointIdOf(name) !== null && disk.stat(join(home, name, METADATA)) !== null,
    );
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
