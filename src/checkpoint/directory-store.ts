/**
 * Checkpoints of one job in a directory, as an attempt takes them. A checkpoint is there from the moment at which its
 * metadata is renamed into `chk-N`, after everything that it refers to has become durable. What is done before and
 * after attempts is in `recovery-store.ts`. Callers: the coordinator; runtime opens and closes it. Runs on: the
 * coordinator's thread, or the caller's where the job runs in it. Invariant: nothing that a retained checkpoint refers
 * to is ever deleted, and what nothing refers to is, at the latest when the next attempt opens the directory; an
 * attempt that was fenced completes nothing.
 */
import { basename, join, posix } from 'node:path';
import { assert } from '../base/assert.js';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { freshSeed, type Random, SeededRandom } from '../base/random.js';
import { corruptFile } from './checkpoint-errors.js';
import { CheckpointFence, isEpochName } from './checkpoint-fence.js';
import {
  checkpointIdOf,
  checkpointName,
  jobDirectory,
  METADATA,
  savepointName,
  SHARED,
  stateDirectory,
  stateFileIdentity,
} from './checkpoint-paths.js';
import type { CheckpointManifest, CheckpointStore } from './contract.js';
import { deleteSnapshot } from './dispose-savepoint.js';
import { DurableFiles, type FsyncPolicy } from './durable-files.js';
import { encodeManifest } from './manifest-bytes.js';
import {
  type DamagedCheckpoint,
  listCheckpoints,
  type OpenedCheckpoint,
  unlessDamaged,
} from './open-checkpoint.js';
import { preparedBytes, preparedName, preparedNotes } from './prepared-output.js';
import { RESTORED_FROM, readPin, type SnapshotPin } from './snapshot-pin.js';

/** As many as Flink makes to find a name that is free. */
const NAMES_MAX = 10;

/** What a store is opened with. */
export interface DirectoryStoreOptions {
  readonly disk: Disk;
  /** Where the checkpoints of all jobs are; those of this one are in a directory of its id. Absolute. */
  readonly directory: string;
  readonly jobId: string;
  /** Whether checkpoints build on those before. `false` when not given. */
  readonly isIncremental?: boolean;
  /** `'always'` when not given. */
  readonly fsync?: FsyncPolicy;
  /** Names savepoints. Fresh when not given. */
  readonly random?: Random;
  /** A snapshot that the job has claimed goes when it has so many checkpoints of its own. 1 when not given. */
  readonly numRetained?: number;
  /** Names the run of the job, which may have several attempts. Empty when not given. */
  readonly owner?: string;
  /** What the slots of this attempt name their files by; as the store does when not given. */
  readonly slotsAttempt?: number;
}

/** What a completed checkpoint keeps from being deleted. */
interface Retained {
  readonly path: string;
  readonly files: ReadonlySet<string>;
  /** Null for one of this attempt. */
  readonly opened: OpenedCheckpoint | null;
}

/** What has begun. */
interface Pending {
  /** Where a savepoint goes; null for a checkpoint. */
  readonly target: string | null;
  readonly isShared: boolean;
  /** The directory that a savepoint has got there. */
  published: string | null;
}

/**
 * Opens the directory of a job for one attempt, which ends the rights of all attempts before, and collects what they
 * left behind.
 *
 * @example
 * const store = new DirectoryStore({ disk, directory: 'checkpoints', jobId: '3f2a91' });
 * store.begin(store.lastId + 1);
 */
export class DirectoryStore implements CheckpointStore {
  protected readonly disk: Disk;
  protected readonly files: DurableFiles;
  protected readonly fence: CheckpointFence;
  readonly #random: Random;
  protected readonly jobId: string;
  readonly #isIncremental: boolean;
  protected readonly kept = new Map<number, Retained>();
  readonly #pending = new Map<number, Pending>();
  /** Shared files that are kept although no retained checkpoint may refer to them. */
  readonly #held = new Set<string>();
  /** Shared files that were there when this attempt began. */
  readonly #found: ReadonlySet<string>;
  readonly #slotsAttempt: number;
  /** Directories that nothing needs any more. */
  readonly #leftovers = new Set<string>();
  /** Those that cannot be restored, as far as they were looked at. */
  protected bad: readonly DamagedCheckpoint[];
  protected hasCompleted = false;
  readonly #numRetained: number;
  /** What the job was started from or stopped with. */
  protected pin: SnapshotPin | null;
  #lastId: number;
  /** The job's checkpoint directory: what paths of manifests are relative to. Absolute. */
  readonly root: string;

  /** With `after` only from that attempt: throws CHECKPOINT_FENCED when others have taken over since. */
  constructor(options: DirectoryStoreOptions, after?: number) {
    const { disk, directory, jobId } = options;
    this.disk = disk;
    this.jobId = jobId;
    this.#isIncremental = options.isIncremental ?? false;
    this.#random = options.random ?? new SeededRandom(freshSeed());
    this.files = new DurableFiles(disk, options.fsync ?? 'always');
    this.root = jobDirectory(directory, jobId);
    this.files.makeDirectory(this.root);
    this.fence = CheckpointFence.claim(disk, this.root, options.owner ?? '', after);
    if (this.#isIncremental) disk.makeDirectory(join(this.root, SHARED));
    this.#found = new Set(disk.list(join(this.root, SHARED)));
    this.#slotsAttempt = options.slotsAttempt ?? this.fence.attempt;
    this.files.syncDirectory(this.root);
    const { completed, damaged } = listCheckpoints(disk, directory, jobId);
    for (const opened of completed) {
      const { manifest, path } = opened;
      this.#makeDurable(opened);
      this.kept.set(manifest.id, { path, files: filesOf(manifest), opened });
    }
    this.bad = [...damaged];
    this.#numRetained = options.numRetained ?? 1;
    // A damaged note concerns nobody once there is a checkpoint.
    const pin = unlessDamaged(this.root, () => readPin(disk, this.root));
    if (pin !== null && 'error' in pin && completed.length === 0) throw pin.error;
    this.pin = pin !== null && 'path' in pin && !('error' in pin) ? pin : null;
    this.#lastId = this.#highestId();
    this.fence.guarded(() => this.#collectOrphans());
  }

  get attempt(): number {
    return this.fence.attempt;
  }

  /** The highest number that any checkpoint in this directory has had; 0 when there was none. */
  get lastId(): number {
    return this.#lastId;
  }

  get retained(): readonly { readonly id: number; readonly path: string }[] {
    return [...this.kept.keys()]
      .toSorted((left, right) => right - left)
      .map((id) => ({ id, path: join(this.root, checkpointName(id)) }));
  }

  begin(
    id: number,
    savepointTarget?: string,
    isShared = this.#isIncremental && savepointTarget === undefined,
  ): void {
    assert(!this.#pending.has(id) && !this.kept.has(id), `Checkpoint ${id} began twice.`);
    this.fence.guarded(() => {
      this.tidy();
      // A target that cannot be written is told before the whole job has made a snapshot for it.
      if (savepointTarget !== undefined) this.files.makeDirectory(savepointTarget);
      this.disk.makeDirectory(join(this.root, checkpointName(id)));
      if (isShared && !this.#isIncremental) this.disk.makeDirectory(join(this.root, SHARED));
    });
    this.#pending.set(id, { target: savepointTarget ?? null, isShared, published: null });
    this.#lastId = Math.max(this.#lastId, id);
  }

  directoryOf(id: number): string {
    return stateDirectory(id, this.#pending.get(id)?.isShared ?? this.#isIncremental);
  }

  complete(manifest: CheckpointManifest): string {
    const pending = this.#pending.get(manifest.id);
    assert(pending !== undefined, `Checkpoint ${manifest.id} is completed without having begun.`);
    assert(
      manifest.attempt === this.attempt && manifest.jobId === this.jobId,
      'A manifest is of another attempt or job.',
    );
    const isSavepoint = pending.target !== null;
    const known = this.#referenced();
    const path = this.fence.guarded(() => {
      this.#makeStateDurable(checkpointName(manifest.id), manifest.files, known);
      return isSavepoint ? this.#publishSavepoint(manifest, pending) : this.#publish(manifest);
    });
    this.#pending.delete(manifest.id);
    if (!isSavepoint) {
      for (const file of filesOf(manifest)) if (!known.has(file)) this.#held.delete(file);
      this.hasCompleted = true;
      this.kept.set(manifest.id, { path, files: filesOf(manifest), opened: null });
    }
    return path;
  }

  usedBytes(): number {
    let bytes = 0;
    for (const name of this.disk.list(this.root)) {
      if (name !== SHARED && checkpointIdOf(name) === null) continue;
      for (const file of this.disk.list(join(this.root, name))) {
        bytes += this.disk.stat(join(this.root, name, file))?.bytes ?? 0;
      }
    }
    return bytes;
  }

  discard(id: number): void {
    const published = this.#pending.get(id)?.published ?? null;
    this.fence.guarded(() => {
      if (published !== null) this.disk.removeTree(published);
      this.disk.remove(join(this.root, preparedName({ id, attempt: this.attempt })));
      this.#withdraw(id);
      this.#pending.delete(id);
      this.sweepShared();
    });
  }

  hold(paths: readonly string[]): void {
    for (const path of paths) this.#held.add(path);
  }

  release(paths: readonly string[]): void {
    for (const path of paths) this.#held.delete(path);
    this.fence.guarded(() => this.sweepShared());
  }

  dispose(id: number): void {
    assert(this.kept.has(id), `Checkpoint ${id} is not retained.`);
    this.fence.guarded(() => {
      this.#withdraw(id);
      this.kept.delete(id);
      this.tidy();
      this.sweepShared();
    });
  }

  /** Ends the attempt. The directory goes with it when it holds nothing that anyone could restore. */
  close(): void {
    for (const { opened } of this.kept.values()) opened?.reader.close();
    if (!this.fence.isHeld()) return;
    for (const id of [...this.#pending.keys()]) this.discard(id);
    this.tidy();
    const names = this.disk.list(this.root);
    const isEmpty = names.every(
      (name) =>
        isEpochName(name) ||
        (name === SHARED && this.disk.list(join(this.root, SHARED)).length === 0),
    );
    if (isEmpty) this.disk.removeTree(this.root);
  }

  /** What retained checkpoints refer to, all of which is durable. */
  #referenced(): ReadonlySet<string> {
    return new Set([...this.kept.values()].flatMap((each) => [...each.files]));
  }

  /** Checks that the files are there and as long as slots said, and syncs those that are not durable yet. */
  #makeStateDurable(
    own: string,
    files: CheckpointManifest['files'],
    durable: ReadonlySet<string>,
  ): void {
    const directories = new Set<string>();
    for (const { path, bytes } of files) {
      assert([own, SHARED].includes(posix.dirname(path)), `${path} is not of ${own} nor shared.`);
      const full = join(this.root, path);
      const found = this.disk.stat(full)?.bytes ?? 0;
      if (found !== bytes) {
        throw corruptFile(full, Math.min(found, bytes), `It has ${found} of ${bytes} bytes.`);
      }
      if (durable.has(path)) continue;
      this.files.syncFile(full);
      directories.add(posix.dirname(path));
    }
    for (const directory of directories) this.files.syncDirectory(join(this.root, directory));
  }

  /**
   * An attempt that was killed may have completed a checkpoint without it being durable yet. Whoever restores it acts
   * on it, so it must not be gone after a loss of power.
   */
  #makeDurable({ manifest, path }: OpenedCheckpoint): void {
    for (const file of filesOf(manifest)) this.files.syncFile(join(this.root, file));
    this.files.syncFile(join(path, METADATA));
    this.files.syncDirectory(path);
  }

  #publish(manifest: CheckpointManifest): string {
    const name = checkpointName(manifest.id);
    const path = join(this.root, name);
    const prepared = join(this.fence.directory, name);
    const bytes = encodeManifest(manifest, name);
    this.files.syncDirectory(this.root);
    this.files.write(prepared, bytes);
    // Fails when another attempt has taken over, which may have happened since this one was last asked.
    this.disk.rename(prepared, join(path, METADATA));
    this.files.syncDirectory(path);
    return path;
  }

  /** All state goes into one directory, which then needs nothing else; the metadata goes last. */
  #publishSavepoint(manifest: CheckpointManifest, pending: Pending): string {
    const target = pending.target ?? '';
    const name = this.#freeName(target);
    const path = join(target, name);
    pending.published = path;
    this.files.makeDirectory(path);
    const own = checkpointName(manifest.id);
    const moved = (file: string): string => `${name}/${basename(file)}`;
    for (const { path: file } of manifest.files) {
      const [from, to] = [join(this.root, file), join(target, moved(file))];
      if (posix.dirname(file) === own) this.files.move(from, to);
      else this.files.copy(from, to);
    }
    const whole: CheckpointManifest = {
      ...manifest,
      files: manifest.files.map((file) => ({ ...file, path: moved(file.path) })),
      pieces: manifest.pieces.map((piece) =>
        'bytes' in piece.at ? piece : { ...piece, at: { ...piece.at, file: moved(piece.at.file) } },
      ),
    };
    const prepared = join(path, `${METADATA}.pending`);
    this.files.write(prepared, encodeManifest(whole, name));
    const output = preparedBytes(manifest);
    if (output !== null) this.note(preparedName(manifest), output);
    this.files.syncDirectory(path);
    this.fence.check();
    this.disk.rename(prepared, join(path, METADATA));
    this.files.syncDirectory(path);
    this.#leftovers.add(join(this.root, own));
    return path;
  }

  /** Puts a note into the directory of the job, wholly or not at all, unless another attempt has taken over. */
  protected note(name: string, bytes: Uint8Array): void {
    const prepared = join(this.fence.directory, name);
    this.files.write(prepared, bytes);
    this.disk.rename(prepared, join(this.root, name));
    this.files.syncDirectory(this.root);
  }

  #freeName(target: string): string {
    for (let names = 0; names < NAMES_MAX; names++) {
      const name = savepointName(this.jobId, () => this.#random.next());
      if (this.disk.stat(join(target, name)) === null) return name;
    }
    throw new MillraceError('FILE_UNWRITABLE', 'No name for the savepoint is free.', {
      where: { file: target },
    });
  }

  /** Makes a checkpoint cease to be one, durably, before anything that it refers to goes. */
  #withdraw(id: number): void {
    this.disk.remove(join(this.fence.directory, checkpointName(id)));
    this.#removeCheckpoint(join(this.root, checkpointName(id)));
  }

  /** Also one whose metadata someone has removed before, which may not be durable yet. */
  #removeCheckpoint(path: string): void {
    if (this.disk.stat(path) === null) return;
    this.files.remove(path, METADATA);
    this.disk.removeTree(path);
  }

  /** Removes what checkpoints of this attempt make unnecessary. No part of completing one, which this must not fail. */
  protected tidy(): void {
    for (const path of this.#leftovers) {
      this.disk.removeTree(path);
      this.#leftovers.delete(path);
    }
    if (!this.hasCompleted) return;
    for (const { name, checkpoint, attempt } of preparedNotes(this.disk, this.root)) {
      // A checkpoint has made visible what savepoints before it in the same attempt hold.
      const isVisible = attempt === this.attempt && this.retained.some(({ id }) => id > checkpoint);
      if (isVisible) this.disk.remove(join(this.root, name));
    }
    this.#letGo();
    for (const { path } of this.bad) this.#removeCheckpoint(path);
    this.bad = [];
  }

  /**
   * Removes what earlier attempts have left behind. A later attempt may have begun meanwhile, so only numbers that were
   * there before are touched; it counts on from them.
   */
  #collectOrphans(): void {
    const damaged = new Set(this.bad.map(({ path }) => basename(path)));
    for (const name of this.disk.list(this.root)) {
      const id = checkpointIdOf(name);
      if (id === null || id > this.#lastId || this.kept.has(id) || damaged.has(name)) continue;
      this.#removeCheckpoint(join(this.root, name));
    }
    this.sweepShared();
  }

  /** Of the snapshot that the job was started from, once it has checkpoints of its own, or needs none any more. */
  #letGo(): void {
    if (this.pin === null) return;
    const { isClaimed, path } = this.pin;
    if (isClaimed && this.kept.size > 0 && this.kept.size < this.#numRetained) return;
    if (isClaimed) deleteSnapshot(this.disk, path);
    this.disk.remove(join(this.root, RESTORED_FROM));
    this.pin = null;
  }

  /**
   * Removes shared files that no retained checkpoint refers to. What a damaged one refers to is not known, so that only
   * files of this attempt are removed while there is one; those of later attempts, which were not there before it, are
   * never touched.
   */
  protected sweepShared(): void {
    const referenced = this.#referenced();
    for (const name of this.disk.list(join(this.root, SHARED))) {
      const identity = stateFileIdentity(name);
      if (identity === null) continue;
      const isOwn = [this.attempt, this.#slotsAttempt].includes(identity.attempt);
      if (!isOwn && !this.#found.has(name)) continue;
      if (isOwn ? this.#pending.has(identity.checkpoint) : this.bad.length > 0) continue;
      const path = `${SHARED}/${name}`;
      if (referenced.has(path) || this.#held.has(path)) continue;
      this.disk.remove(join(this.root, path));
    }
  }

  #highestId(): number {
    const shared = this.disk.list(join(this.root, SHARED)).map(stateFileIdentity);
    return Math.max(
      0,
      ...this.disk.list(this.root).map((name) => checkpointIdOf(name) ?? 0),
      ...shared.map((identity) => identity?.checkpoint ?? 0),
    );
  }
}

function filesOf(manifest: CheckpointManifest): ReadonlySet<string> {
  return new Set(manifest.files.map(({ path }) => path));
}
