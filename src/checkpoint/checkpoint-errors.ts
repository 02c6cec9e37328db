/** The errors that several parts of the store throw. Callers: the store and its readers. Runs on: any thread; pure. */
import { MillraceError } from '../base/errors.js';

/** A file of a checkpoint that cannot be trusted, and from which byte on. */
export function corruptFile(file: string, byteOffset: number, reason: string): MillraceError {
  return new MillraceError('CHECKPOINT_CORRUPT', `A checkpoint is damaged. ${reason}`, {
    where: { file, byteOffset },
    advice: 'Restore from another checkpoint or savepoint.',
  });
}

export function fenced(directory: string, attempt: number): MillraceError {
  return new MillraceError(
    'CHECKPOINT_FENCED',
    `Attempt ${attempt} of the job no longer owns its checkpoints: a later attempt has taken over.`,
    {
      where: { file: directory },
      advice: 'Run a job once at a time, or give every run a job id of its own.',
    },
  );
}
