/**
 * Output that savepoints hold and that the job itself has not made visible, kept in the checkpoint directory of the
 * job: for each such savepoint a note, metadata without state. The job goes on from an older checkpoint after a crash,
 * and must not throw away what a savepoint needs. Callers: the store, whoever starts an attempt or ends a job. Runs on:
 * any thread. Invariant: a damaged note is told and never taken for the absence of one.
 */
import { join } from 'node:path';
import type { Disk } from '../base/disk.js';
import type { CheckpointManifest, SinkCommit } from './contract.js';
import { readContent } from './file-content.js';
import { decodeManifest, encodeManifest } from './manifest-bytes.js';

/** Which savepoint of which attempt a note is of. */
export interface PreparedNote {
  readonly name: string;
  readonly checkpoint: number;
  readonly attempt: number;
}

/** The name of the note of a savepoint. */
export function preparedName({ id, attempt }: Pick<CheckpointManifest, 'id' | 'attempt'>): string {
  return `prepared-${id}-${attempt}`;
}

/** The note; null for a savepoint that holds no output. */
export function preparedBytes(manifest: CheckpointManifest): Uint8Array | null {
  if (manifest.sinks.every(({ committables }) => committables.length === 0)) return null;
  const nothing = { operators: [], sources: [], pieces: [], files: [] };
  return encodeManifest({ ...manifest, ...nothing }, preparedName(manifest));
}

/** The notes in the directory of a job. */
export function preparedNotes(disk: Disk, home: string): readonly PreparedNote[] {
  return disk.list(home).flatMap((name) => {
    const [, checkpoint, attempt] = /^prepared-(\d+)-(\d+)$/.exec(name) ?? [];
    if (checkpoint === undefined) return [];
    return [{ name, checkpoint: Number(checkpoint), attempt: Number(attempt) }];
  });
}

/** What all of them hold. Throws CHECKPOINT_CORRUPT. */
export function preparedOutput(disk: Disk, home: string): readonly SinkCommit[] {
  return preparedNotes(disk, home).flatMap(({ name }) => {
    const file = join(home, name);
    const bytes = readContent(disk, file);
    return bytes === null ? [] : decodeManifest(bytes, file, name).sinks;
  });
}
