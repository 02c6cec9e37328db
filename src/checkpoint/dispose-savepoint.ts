/**
 * Deletes savepoints, which the engine never does by itself. Callers: commands, the embedding handle. Runs on: any
 * thread. Invariant: a savepoint that a job still needs in order to recover stays; of its directory only files that a
 * savepoint consists of are deleted.
 */
import { basename, dirname, join } from 'node:path';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { checkpointIdOf, METADATA, SHARED, stateFileIdentity } from './checkpoint-paths.js';
import { openCheckpoint, snapshotDirectory, unlessDamaged } from './open-checkpoint.js';
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
  if (partsOf(disk, directory).length === 0) {
    throw new MillraceError('CHECKPOINT_NOT_FOUND', `There is no savepoint ${path}.`, {
      where: { file: directory },
    });
  }
  for (const job of checkpoints === null ? [] : disk.list(checkpoints)) {
    refuseWhileNeeded(disk, directory, join(checkpoints ?? '', job));
  }
  deleteSnapshot(disk, directory);
}

/**
 * Deletes a savepoint or checkpoint that a job has claimed, as far as it is there, with the files that it shares with
 * no other checkpoint beside it.
 */
export function deleteSnapshot(disk: Disk, directory: string): void {
  const shared = sharedByNoOther(disk, directory);
  // Metadata sorts before state, so that what is left of a deletion that was cut short is no snapshot.
  for (const name of partsOf(disk, directory)) disk.remove(join(directory, name));
  disk.removeDirectory(directory);
  for (const path of shared) disk.remove(join(dirname(directory), path));
}

function partsOf(disk: Disk, directory: string): readonly string[] {
  return disk
    .list(directory)
    .filter((name) => name.startsWith(METADATA) || stateFileIdentity(name) !== null);
}

/** None where some checkpoint beside it is damaged, since nobody knows what that refers to. */
function sharedByNoOther(disk: Disk, directory: string): readonly string[] {
  const home = dirname(directory);
  const filesOf = (name: string): readonly string[] => {
    if (checkpointIdOf(name) === null || disk.stat(join(home, name, METADATA)) === null) return [];
    const { manifest, reader } = openCheckpoint(disk, join(home, name));
    reader.close();
    return manifest.files.map(({ path }) => path).filter((path) => path.startsWith(`${SHARED}/`));
  };
  const all = unlessDamaged(directory, () => {
    const others = disk.list(home).filter((name) => name !== basename(directory));
    const needed = new Set(others.flatMap(filesOf));
    return filesOf(basename(directory)).filter((path) => !needed.has(path));
  });
  return 'error' in all ? [] : all;
}

function refuseWhileNeeded(disk: Disk, savepoint: string, home: string): void {
  if (pinnedSnapshot(disk, home)?.path !== savepoint) return;
  throw new MillraceError(
    'CHECKPOINT_IN_USE',
    `The job ${basename(home)} goes on from the savepoint: it has no checkpoint of its own yet.`,
    {
      where: { file: savepoint },
      advice: `Wait for its first checkpoint, or delete ${home} first if the job is given up.`,
    },
  );
}
