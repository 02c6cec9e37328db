/**
 * What becomes of the checkpoint directory of a job before and after its attempts: which checkpoint it goes on from,
 * and what its end leaves behind. Apart from the store, since whoever takes checkpoints needs none of it. Callers:
 * runtime. Runs on: the caller's thread. Invariant: that of the store.
 */
import { join } from 'node:path';
import { MillraceError } from '../base/errors.js';
import { attemptOf } from './checkpoint-fence.js';
import { jobDirectory } from './checkpoint-paths.js';
import { DirectoryStore, type DirectoryStoreOptions } from './directory-store.js';
import { deleteSnapshot } from './dispose-savepoint.js';
import { FINISHED, type FinishedJob, finishedBytes, finishedJob } from './finished-job.js';
import {
  type DamagedCheckpoint,
  type OpenedCheckpoint,
  snapshotDirectory,
  verifyState,
} from './open-checkpoint.js';
import { preparedNotes } from './prepared-output.js';
import { pinBytes, RESTORED_FROM, type SnapshotPin } from './snapshot-pin.js';

/**
 * The directory of a job in the hands of its process. To restore, ask `latest()` after it was opened, since only then
 * no checkpoint of earlier attempts can come in between.
 *
 * @example
 * const store = new RecoveryStore({ disk, directory: 'checkpoints', jobId: '3f2a91' });
 * const from = store.latest();
 * store.close();
 */
export class RecoveryStore extends DirectoryStore {
  /**
   * Takes over the directory from an earlier attempt of the same run; null when another run has, or when nothing is
   * there.
   */
  static after(options: DirectoryStoreOptions): RecoveryStore | null {
    const { disk, directory, jobId, owner = '' } = options;
    const attempt = attemptOf(disk, jobDirectory(directory, jobId), owner);
    return attempt === null ? null : new RecoveryStore(options, attempt);
  }

  /**
   * Checkpoints that cannot be restored, as far as they were looked at. They stay until a checkpoint has completed, so
   * that someone can look at them.
   */
  get damaged(): readonly DamagedCheckpoint[] {
    return this.bad;
  }

  /** The snapshot that the job was started from and still needs, because it has no checkpoint of its own; or null. */
  get restoredFrom(): SnapshotPin | null {
    return this.kept.size === 0 ? this.pin : null;
  }

  /** That the job has come to its end, when it has. Throws CHECKPOINT_CORRUPT. */
  get finished(): FinishedJob | null {
    return finishedJob(this.disk, this.root);
  }

  /**
   * The newest checkpoint whose every byte is right, or null. Newer ones that are damaged are in `damaged` from then on
   * and no longer retained. To be asked before the first checkpoint begins.
   */
  latest(): OpenedCheckpoint | null {
    for (const { id, path } of this.retained) {
      const opened = this.kept.get(id)?.opened;
      if (opened == null) continue;
      try {
        verifyState(opened);
        return opened;
      } catch (error) {
        if (!MillraceError.is(error) || error.code !== 'CHECKPOINT_CORRUPT') throw error;
        this.kept.delete(id);
        this.bad = [{ path, error }, ...this.bad];
      } finally {
        opened.reader.close();
      }
    }
    return null;
  }

  /**
   * Notes which snapshot the job starts from. Until the job has a checkpoint of its own, the snapshot is needed to
   * recover, and `disposeSnapshot` refuses to delete it.
   */
  restoreFrom(pin: SnapshotPin): void {
    this.pin = { ...pin, path: snapshotDirectory(pin.path) };
    const bytes = pinBytes(this.pin);
    this.fence.guarded(() => this.note(RESTORED_FROM, bytes));
  }

  /** The job was stopped with a savepoint, from which it goes on. */
  suspend(pin: SnapshotPin): void {
    const before = this.pin;
    this.restoreFrom(pin);
    for (const { id } of this.retained) this.dispose(id);
    if (before?.isClaimed === true)
      this.fence.guarded(() => deleteSnapshot(this.disk, before.path));
  }

  /** Notes that the job has come to its end and all of its output is visible. Nothing of it is left to go on from. */
  finish(job: Pick<FinishedJob, 'jobName' | 'params' | 'timestampMs'>): void {
    const { attempt } = this;
    const bytes = finishedBytes({ ...job, id: this.lastId, jobId: this.jobId, attempt });
    this.fence.guarded(() => this.note(FINISHED, bytes));
    this.disposeAll();
  }

  /** Deletes all that the job could go on from. */
  disposeAll(): void {
    for (const { id } of this.retained) this.dispose(id);
    this.hasCompleted = true;
    this.fence.guarded(() => {
      for (const { name } of preparedNotes(this.disk, this.root)) {
        this.disk.remove(join(this.root, name));
      }
      this.tidy();
      this.sweepShared();
    });
  }

  /** Begins anew after the end of the job: forgets the end, and before that all that the job could go on from. */
  forgetEnd(): void {
    this.disposeAll();
    this.fence.guarded(() => this.files.remove(this.root, FINISHED));
  }
}
