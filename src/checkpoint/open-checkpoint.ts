/**
 * Opens a checkpoint or savepoint by its directory or by the `_metadata` in it, wherever it was copied to, and finds
 * the newest of a job that is whole. Callers: runtime before it starts slots, restoring slots, commands that look into
 * checkpoints. Runs on: any thread; a call blocks for its reads. Invariant: a damaged checkpoint is told with file and
 * offset and never opened; a disk that fails to read is an error and never taken for damage, since going back to an
 * older checkpoint repeats output.
 */
import { basename, dirname, join, resolve } from 'node:path';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { corruptFile } from './checkpoint-errors.js';
import { checkpointIdOf, jobDirectory, METADATA } from './checkpoint-paths.js';
import type { CheckpointManifest, PieceReader, StatePiece } from './contract.js';
import { readContent } from './file-content.js';
import { decodeManifest } from './manifest-bytes.js';
import { FilePieceReader } from './piece-reader.js';

/** A checkpoint that was opened. */
export interface OpenedCheckpoint {
  /** Its directory, absolute. */
  readonly path: string;
  /** Paths in it are relative to the directory above `path`: for a checkpoint, the job's. */
  readonly manifest: CheckpointManifest;
  /** Reads its pieces; to be closed by whoever opened the checkpoint. */
  readonly reader: PieceReader;
}

/** A checkpoint that cannot be restored, and why. */
export interface DamagedCheckpoint {
  readonly path: string;
  /** CHECKPOINT_CORRUPT; `where` names the file and the offset. */
  readonly error: MillraceError;
}

/** The checkpoints of a job, newest first. */
export interface JobCheckpoints {
  readonly completed: readonly OpenedCheckpoint[];
  readonly damaged: readonly DamagedCheckpoint[];
}

/**
 * Opens a checkpoint or savepoint by path. Its metadata is checked, and that its files are there and as long as they
 * should be; their content is checked when it is read. Throws CHECKPOINT_NOT_FOUND, CHECKPOINT_CORRUPT and
 * CHECKPOINT_VERSION_UNSUPPORTED.
 *
 * @example
 * const { manifest, reader } = openCheckpoint(disk, 'checkpoints/3f2a91/chk-7');
 * for (const piece of manifest.pieces) load(piece, reader.read(piece));
 * reader.close();
 */
export function openCheckpoint(disk: Disk, path: string): OpenedCheckpoint {
  const directory = snapshotDirectory(path);
  const file = join(directory, METADATA);
  const bytes = readMetadata(disk, path, file);
  const manifest = decodeManifest(bytes, file, basename(directory));
  const numbered = checkpointIdOf(basename(directory));
  if (numbered !== null && manifest.id !== numbered) {
    throw corruptFile(file, 0, `It is the metadata of checkpoint ${manifest.id}.`);
  }
  const root = dirname(directory);
  for (const each of manifest.files) checkLength(disk, join(root, each.path), each.bytes);
  return { path: directory, manifest, reader: new FilePieceReader(disk, root) };
}

/** Reads all state of a checkpoint and throws CHECKPOINT_CORRUPT for the first byte that is wrong. */
export function verifyState({ manifest, reader }: OpenedCheckpoint): void {
  for (const piece of manifest.pieces.toSorted((left, right) => compare(left, right))) {
    reader.read(piece);
  }
}

/** Every checkpoint of a job whose metadata is right, and those whose is not. Savepoints are not among them. */
export function listCheckpoints(disk: Disk, directory: string, jobId: string): JobCheckpoints {
  const completed: OpenedCheckpoint[] = [];
  const damaged: DamagedCheckpoint[] = [];
  const home = jobDirectory(directory, jobId);
  const ids = disk.list(home).map(checkpointIdOf);
  for (const id of ids.filter((each) => each !== null).toSorted((a, b) => b - a)) {
    const path = resolve(home, `chk-${id}`);
    // Without metadata it was never completed.
    if (disk.stat(join(path, METADATA)) === null) continue;
    const found = unlessDamaged(path, () => openOwn(disk, path, jobId));
    if ('error' in found) damaged.push(found);
    else completed.push(found);
  }
  return { completed, damaged };
}

/**
 * The newest checkpoint of a job that is whole, every byte of its state read and checked, or null; and the newer ones
 * that are damaged. Throws CHECKPOINT_VERSION_UNSUPPORTED where a later version of Millrace has written one, rather
 * than going back behind it.
 */
export function findLatest(
  disk: Disk,
  directory: string,
  jobId: string,
): { readonly latest: OpenedCheckpoint | null; readonly damaged: readonly DamagedCheckpoint[] } {
  const { completed, damaged } = listCheckpoints(disk, directory, jobId);
  const bad = [...damaged];
  for (const opened of completed) {
    const found = unlessDamaged(opened.path, () => verifyState(opened));
    opened.reader.close();
    if (found === undefined) {
      const newer = bad.filter(({ path }) => numberOf(path) > opened.manifest.id);
      return { latest: opened, damaged: newer };
    }
    bad.push(found);
  }
  return { latest: null, damaged: bad };
}

/** The directory of a checkpoint, from its own path or that of its metadata. */
export function snapshotDirectory(path: string): string {
  const full = resolve(path);
  return basename(full) === METADATA ? dirname(full) : full;
}

function numberOf(path: string): number {
  return checkpointIdOf(basename(path)) ?? 0;
}

/** One that lies in the directory of its job. */
function openOwn(disk: Disk, path: string, jobId: string): OpenedCheckpoint {
  const opened = openCheckpoint(disk, path);
  if (opened.manifest.jobId === jobId) return opened;
  throw corruptFile(join(path, METADATA), 0, `It is of the job ${opened.manifest.jobId}.`);
}

/** What an action gives, or what it has found damaged at this path. */
export function unlessDamaged<T>(path: string, action: () => T): T | DamagedCheckpoint {
  try {
    return action();
  } catch (error) {
    if (MillraceError.is(error) && error.code === 'CHECKPOINT_CORRUPT') return { path, error };
    throw error;
  }
}

function readMetadata(disk: Disk, path: string, file: string): Uint8Array {
  const bytes = readContent(disk, file);
  if (bytes === null) {
    const isThere = disk.stat(dirname(file)) !== null;
    throw new MillraceError(
      'CHECKPOINT_NOT_FOUND',
      isThere
        ? `The checkpoint ${path} was never completed: it has no file ${METADATA}.`
        : `There is no checkpoint ${path}.`,
      {
        where: { file },
        advice: 'Name the directory of a completed checkpoint or savepoint, or its _metadata.',
      },
    );
  }
  return bytes;
}

function checkLength(disk: Disk, path: string, bytes: number): void {
  const found = disk.stat(path)?.bytes;
  if (found === bytes) return;
  if (found === undefined) throw corruptFile(path, 0, 'The file is missing.');
  const what = found < bytes ? 'is cut off' : 'is longer than it was';
  throw corruptFile(path, Math.min(found, bytes), `The file ${what}: ${found} bytes for ${bytes}.`);
}

/** In the order of the disk. */
function compare({ at: left }: StatePiece, { at: right }: StatePiece): number {
  if ('bytes' in left || 'bytes' in right)
    return Number('bytes' in right) - Number('bytes' in left);
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.offset - right.offset;
}
