/**
 * Reads pieces of state from the files of a checkpoint and checks every byte of them. Callers: restoring slots, tools
 * that look into checkpoints. Runs on: any thread; a call blocks for its reads. Invariant: bytes whose identity, place
 * or checksum is wrong are never given out.
 */
import { basename, join } from 'node:path';
import { assert } from '../base/assert.js';
import type { Disk, FileHandle } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { corruptFile } from './checkpoint-errors.js';
import { stateFileIdentity } from './checkpoint-paths.js';
import type { PieceReader, StatePiece } from './contract.js';
import { pieceChecksum, STATE_HEADER_BYTES, stateHeaderFault } from './state-file.js';

/** A chain of changes may be spread over many files; a process has about a thousand. */
const OPEN_FILES_MAX = 32;

/** Reads pieces of files below `root`, the directory that their paths are relative to. */
export class FilePieceReader implements PieceReader {
  readonly #disk: Disk;
  readonly #root: string;
  /** The one that was used longest ago comes first. */
  readonly #open = new Map<string, FileHandle>();

  constructor(disk: Disk, root: string) {
    this.#disk = disk;
    this.#root = root;
  }

  read(piece: StatePiece): Uint8Array {
    const { at } = piece;
    if ('bytes' in at) return at.bytes;
    const path = join(this.#root, at.file);
    const bytes = readExactly(this.#opened(path), path, at.offset, at.length);
    if (pieceChecksum(piece, basename(at.file), at.offset, bytes) !== at.checksum) {
      const whose = `${JSON.stringify(piece.name)} of ${piece.uid}, key group ${piece.keyGroup}`;
      throw corruptFile(path, at.offset, `The checksum of the state ${whose} is wrong.`);
    }
    return bytes;
  }

  close(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
  }

  #opened(path: string): FileHandle {
    const known = this.#open.get(path);
    this.#open.delete(path);
    const file = known ?? this.#openChecked(path);
    this.#open.set(path, file);
    return file;
  }

  #openChecked(path: string): FileHandle {
    for (const [other, file] of this.#open) {
      if (this.#open.size < OPEN_FILES_MAX) break;
      this.#open.delete(other);
      file.close();
    }
    const identity = stateFileIdentity(basename(path));
    if (identity === null) throw corruptFile(path, 0, 'The name of the file is not one of state.');
    const file = openPresent(this.#disk, path);
    try {
      const header = readExactly(file, path, 0, STATE_HEADER_BYTES);
      const fault = stateHeaderFault(header, identity);
      if (fault !== null) throw corruptFile(path, 0, fault);
    } catch (error) {
      file.close();
      throw error;
    }
    return file;
  }
}

/** Opens a file that a checkpoint refers to, whose absence is damage. */
function openPresent(disk: Disk, path: string): FileHandle {
  try {
    return disk.openRead(path);
  } catch (error) {
    if (MillraceError.is(error) && error.code === 'FILE_NOT_FOUND') {
      throw corruptFile(path, 0, 'The file is missing.');
    }
    throw error;
  }
}

/** All of these bytes; a file that ends before is damaged. */
function readExactly(file: FileHandle, path: string, position: number, length: number): Uint8Array {
  assert(Number.isSafeInteger(position) && Number.isSafeInteger(length), 'A place is no number.');
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = file.read(bytes, at, length - at, position + at);
    if (count === 0) throw corruptFile(path, position + at, 'The file is cut off.');
    at += count;
  }
  return bytes;
}
