/**
 * That a job has come to its end, kept in its checkpoint directory: metadata like those of a checkpoint, without state.
 * It is written after all output has become visible and before the checkpoints go, so that at every instant either says
 * how far the job is. Callers: the store, whoever looks for what a job goes on from. Runs on: any thread. Invariant: a
 * damaged note is told and never taken for the absence of one.
 */
import { join } from 'node:path';
import type { Disk } from '../base/disk.js';
import type { CheckpointManifest } from './contract.js';
import { readContent } from './file-content.js';
import { decodeManifest, encodeManifest } from './manifest-bytes.js';

/** Where the note is, in the directory of a job. */
export const FINISHED = 'finished';

/** Which run of which job has come to its end, and when. */
export type FinishedJob = Pick<
  CheckpointManifest,
  'id' | 'timestampMs' | 'jobId' | 'jobName' | 'attempt' | 'params'
>;

/** The note. */
export function finishedBytes(job: FinishedJob): Uint8Array {
  const nothing = { operators: [], sources: [], sinks: [], pieces: [], files: [] };
  return encodeManifest({ ...job, ...nothing, kind: 'checkpoint' }, FINISHED);
}

/** What the note in the directory of a job says; null when there is none. Throws CHECKPOINT_CORRUPT. */
export function finishedJob(disk: Disk, home: string): FinishedJob | null {
  const file = join(home, FINISHED);
  const bytes = readContent(disk, file);
  return bytes === null ? null : decodeManifest(bytes, file, FINISHED);
}
