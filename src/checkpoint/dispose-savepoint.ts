/**
 * Deletes savepoints, which the engine never does by itself. Callers: commands, the embedding handle. Runs on: any
 * thread. Invariant: a savepoint that a job still needs in order to recover stays; of its directory only files that a
 * savepoint consists of are deleted.
 */
import { basename, join } from 'node:path';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { checkpointIdOf, METADATA, stateFileIdentity } from './checkpoint-paths.js';
import { snapshotDirectory } from './open-checkpoint.js';
import { pinnedSnapshot } from './snapshot-pin.js';

/**
 * Deletes the savepoint at a path, its directory or the `_metadata` in it; a damaged one too. `checkpoints` is where
 * the jobs that may have started from it keep their checkpoints. Throws CHECKPOINT_IN_USE while one of them has none of
 * its own yet, CHECKPOINT_NOT_FOUND, and OPTION_INVALID for a checkpoint, which belongs to its job.
 *
 * @example
 * disposeSavepoint(disk, 'savepoints/savepoint-3f2a91-0b1c2d3e4f5a', 'checkpoints');
 */
export function disposeSavepoint(disk: Disk, path: string, checkpoints: string | null): void {
  const directory = snapshotDirectory(path);
  if (checkpointIdOf(basename(directory)) !== null) {
    throw new MillraceError('OPTION_INVALID', `${path} is a checkpoint, not a savepoint.`, {
      advice: 'Checkpoints are deleted by their job, as execution.checkpointing.* tells it.',
    });
  }
  const isPart = (name: string): boolean =>
    name.startsWith(METADATA) || stateFileIdentity(name) !== null;
  const names = disk.list(directory).filter(isPart);
  if (names.length === 0) {
    throw new MillraceError('CHECKPOINT_NOT_FOUND', `There is no savepoint ${path}.`, {
      where: { file: directory },
    });
  }
  for (const job of checkpoints === null ? [] : disk.list(checkpoints)) {
    refuseWhileNeeded(disk, directory, join(checkpoints ?? '', job));
  }
  // Metadata sorts before state, so that what is left of a deletion that was cut short is no savepoint.
  for (const name of names) disk.remove(join(directory, name));
  if (disk.list(directory).length === 0) disk.removeTree(directory);
}

function refuseWhileNeeded(disk: Disk, savepoint: string, home: string): void {
  if (pinnedSnapshot(disk, home) !== savepoint) return;
  throw new MillraceError(
    'CHECKPOINT_IN_USE',
    `The job ${basename(home)} started from the savepoint and has no checkpoint of its own yet.`,
    {
      where: { file: savepoint },
      advice: `Wait for its first checkpoint, or delete ${home} first if the job is given up.`,
    },
  );
}
