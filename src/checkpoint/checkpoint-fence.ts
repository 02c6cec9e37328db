/**
 * Who owns the checkpoints of a job: an attempt has a directory `epoch-N`, in which it prepares metadata, and whoever
 * comes later removes the directories of those before. Renaming from a directory that is gone fails, so that a zombie
 * loses within the one system call that would complete its checkpoint. Callers: the store. Runs on: the coordinator's
 * thread. Invariant: what an attempt reads after it has claimed the directory is all that earlier ones will ever
 * complete; of attempts at the same time at most one owns it.
 */
import { join } from 'node:path';
import type { Disk, FileHandle } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { fenced } from './checkpoint-errors.js';
import { readContent } from './file-content.js';

/** In the directory of an attempt; its content tells the runs of processes apart. */
const OWNER = 'owner';
/** A zombie may add a file while its directory is removed; it does so once per checkpoint. */
const REMOVALS_MAX = 10;

/** The claim of one attempt. */
export class CheckpointFence {
  readonly attempt: number;
  /** Where this attempt prepares files. Gone as soon as another one has taken over. */
  readonly directory: string;
  readonly #disk: Disk;
  readonly #home: string;

  private constructor(disk: Disk, home: string, attempt: number) {
    this.attempt = attempt;
    this.directory = join(home, epochName(attempt));
    this.#disk = disk;
    this.#home = home;
  }

  /**
   * Takes over the directory of a job for the run that `owner` names. With `after` only from that attempt: not when
   * others have taken over since. Throws CHECKPOINT_FENCED then, and when another attempt does so at the same time.
   */
  static claim(disk: Disk, home: string, owner: string, after?: number): CheckpointFence {
    const last = Math.max(0, ...epochsIn(disk, home));
    const fence = new CheckpointFence(disk, home, (after ?? last) + 1);
    fence.#take(owner);
    for (const earlier of epochsIn(disk, home).filter((epoch) => epoch < fence.attempt)) {
      removeEpoch(disk, join(home, epochName(earlier)));
    }
    return fence;
  }

  /** Throws CHECKPOINT_FENCED unless this attempt still owns the directory. */
  check(): void {
    if (!this.isHeld()) throw fenced(this.#home, this.attempt);
  }

  isHeld(): boolean {
    return this.#disk.stat(join(this.directory, OWNER)) !== null;
  }

  /** Runs what only the owner may do. That it fails may mean that another attempt has taken over meanwhile. */
  guarded<T>(action: () => T): T {
    this.check();
    try {
      return action();
    } catch (error) {
      this.check();
      throw error;
    }
  }

  #take(owner: string): void {
    const disk = this.#disk;
    disk.makeDirectory(this.directory);
    const path = join(this.directory, OWNER);
    let file: FileHandle;
    try {
      file = disk.createNew(path);
    } catch (error) {
      const isTaken = disk.stat(path) !== null || disk.stat(this.directory) === null;
      throw isTaken ? fenced(this.#home, this.attempt) : error;
    }
    try {
      file.write(Buffer.from(owner));
    } finally {
      file.close();
    }
    // Others may have come and gone since the attempts were counted.
    if (epochsIn(disk, this.#home).some((epoch) => epoch > this.attempt)) {
      disk.removeTree(this.directory);
      throw fenced(this.#home, this.attempt);
    }
  }
}

/** The attempt of this run that owns the directory of a job; null when none does any more. */
export function attemptOf(disk: Disk, home: string, owner: string): number | null {
  const attempt = Math.max(0, ...epochsIn(disk, home));
  const found = readContent(disk, join(home, epochName(attempt), OWNER));
  return found !== null && Buffer.from(found).toString() === owner ? attempt : null;
}

function epochName(attempt: number): string {
  return `epoch-${attempt}`;
}

/** Whether the file of a job's directory belongs to an attempt. */
export function isEpochName(name: string): boolean {
  return /^epoch-\d+$/.test(name);
}

function epochsIn(disk: Disk, home: string): readonly number[] {
  return disk
    .list(home)
    .filter(isEpochName)
    .map((name) => Number(name.slice('epoch-'.length)));
}

function removeEpoch(disk: Disk, path: string): void {
  for (let removals = 1; ; removals++) {
    try {
      return disk.removeTree(path);
    } catch (error) {
      if (!MillraceError.is(error) || removals === REMOVALS_MAX) throw error;
    }
  }
}
