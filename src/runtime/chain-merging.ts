/**
 * Merges the chains of incremental checkpoints beside everything else that a coordinator's thread does: one key group
 * between two turns of its event loop. Callers: the checkpoint keeper. Runs on: the coordinator's thread, or the
 * caller's where the job runs in it. Invariant: a merge that fails costs nothing but itself; the chain stays as it was,
 * and that it cannot be read is told.
 */
import type { Disk } from '../base/disk.js';
import type { ErrorCode } from '../base/error-codes.js';
import { MillraceError } from '../base/errors.js';
import { ChainMerge } from '../checkpoint/chain-merge.js';
import type { CheckpointManifest, CheckpointStore } from '../checkpoint/contract.js';

/** What merging works with. */
export interface ChainMergingParts {
  readonly disk: Disk;
  /** The job's checkpoint directory, absolute. */
  readonly root: string;
  readonly store: CheckpointStore;
  /** Calls back after the event loop has had its turn. */
  later(callback: () => void): void;
}

/** That nothing can be written is no reason to write more. */
const UNREADABLE: ReadonlySet<ErrorCode> = new Set([
  'CHECKPOINT_CORRUPT',
  'FILE_NOT_FOUND',
  'FILE_UNREADABLE',
]);

/** At most one merge at a time. */
export class ChainMerging {
  readonly #parts: ChainMergingParts;
  #merge: ChainMerge | null = null;
  #finish: (merge: ChainMerge) => void = () => {};
  #broken: (error: MillraceError) => void = () => {};

  constructor(parts: ChainMergingParts) {
    this.#parts = parts;
  }

  /**
   * Begins to merge what is long, unless a merge is under way; `finish` is called when it is done, `broken` when
   * something of the chain is damaged or cannot be read.
   */
  begin(
    manifest: CheckpointManifest,
    finish: (merge: ChainMerge) => void,
    broken: (error: MillraceError) => void,
  ): void {
    if (this.#merge !== null) return;
    const merge = new ChainMerge({ ...this.#parts, manifest });
    if (merge.isEmpty) return merge.abort();
    this.#merge = merge;
    this.#finish = finish;
    this.#broken = broken;
    this.#parts.later(() => this.#step());
  }

  /** Gives up what is under way. What cannot be deleted now is collected when the directory is opened the next time. */
  close(): void {
    const merge = this.#merge;
    this.#merge = null;
    try {
      merge?.abort();
    } catch (error) {
      if (!isOfDisk(error)) throw error;
    }
  }

  #step(): void {
    const merge = this.#merge;
    if (merge === null) return;
    try {
      if (!merge.step()) return this.#parts.later(() => this.#step());
      this.#finish(merge);
      this.#merge = null;
    } catch (error) {
      if (!isOfDisk(error)) throw error;
      this.close();
      if (UNREADABLE.has(error.code)) this.#broken(error);
    }
  }
}

function isOfDisk(error: unknown): error is MillraceError {
  return MillraceError.is(error) && error.code !== 'ASSERTION';
}
