/**
 * Which of the jobs of one name is the newest in a checkpoint directory: each run that was not told to go on has an id,
 * and so a directory, of its own. Callers: runtime, when a job goes on from its newest checkpoint and when one has
 * ended. Runs on: the caller's thread. Invariant: nothing that a job could go on from is changed.
 */
import { join } from 'node:path';
import type { Disk } from '../base/disk.js';
import { type FinishedJob, finishedJob } from './finished-job.js';
import { readPin } from './snapshot-pin.js';
import { type DamagedCheckpoint, listCheckpoints, unlessDamaged } from './open-checkpoint.js';

/** What was found. */
export interface NewestJob {
  /** The id of the job that took a checkpoint, began from one, or came to its end last; null when there is none. */
  readonly jobId: string | null;
  /** Checkpoints of jobs whose names nobody can tell any more. */
  readonly nameless: readonly DamagedCheckpoint[];
}

type Note = Pick<FinishedJob, 'jobName' | 'timestampMs'>;
type Identity = Pick<FinishedJob, 'jobId' | 'jobName'>;

/** Looks through the directories of all jobs. */
export function newestJob(disk: Disk, directory: string, jobName: string): NewestJob {
  let newest: Pick<FinishedJob, 'jobId' | 'timestampMs'> | null = null;
  const nameless: DamagedCheckpoint[] = [];
  for (const jobId of disk.list(directory)) {
    const home = join(directory, jobId);
    if (disk.stat(home)?.isDirectory !== true) continue;
    const { completed, damaged } = listCheckpoints(disk, directory, jobId);
    const readNotes: readonly (() => Note | null)[] = [
      () => finishedJob(disk, home),
      () => readPin(disk, home),
    ];
    const notes = readNotes.flatMap((read) => {
      const note = unlessDamaged(home, read);
      return note === null ? [] : [note];
    });
    const known: Note[] = completed.map(({ manifest }) => manifest);
    for (const note of notes) if (!('error' in note)) known.push(note);
    if (known.length === 0) {
      nameless.push(...damaged, ...notes.flatMap((note) => ('error' in note ? [note] : [])));
    }
    for (const { reader } of completed) reader.close();
    for (const { jobName: name, timestampMs } of known) {
      if (name !== jobName) continue;
      if (newest === null || timestampMs > newest.timestampMs) newest = { jobId, timestampMs };
    }
  }
  return { jobId: newest?.jobId ?? null, nameless };
}

/** Removes what other runs of a job have left of nothing but their end, once that of a later one is noted. */
export function forgetOtherEnds(disk: Disk, directory: string, { jobId, jobName }: Identity): void {
  for (const other of disk.list(directory)) {
    const home = join(directory, other);
    if (other === jobId || disk.stat(home)?.isDirectory !== true) continue;
    const { completed, damaged } = listCheckpoints(disk, directory, other);
    for (const { reader } of completed) reader.close();
    if (completed.length + damaged.length > 0) continue;
    const end = unlessDamaged(home, () => finishedJob(disk, home));
    if (end !== null && 'jobName' in end && end.jobName === jobName) disk.removeTree(home);
  }
}
