/**
 * Writes the state of one slot for one checkpoint: the first pieces, as long as they are small, into the answer to the
 * coordinator, all others into one file. Callers: the snapshots of a slot, from the first piece to `seal` or `abort`.
 * Runs on: worker; a call blocks for one write of the operating system at most. Invariant: the file is not synced here;
 * the store does that before it completes the checkpoint.
 */
import { join } from 'node:path';
import { assert } from '../base/assert.js';
import type { Disk, FileHandle } from '../base/disk.js';
import { type StateFileIdentity, stateFileName } from './checkpoint-paths.js';
import type { CheckpointFile, PieceLocation } from './contract.js';
import { type PieceIdentity, pieceChecksum, stateFileHeader } from './state-file.js';

/** What a slot may put into the answer; state beyond that goes into its file. */
const INLINE_BYTES = 20 * 1024;
/** What all slots of a job may put into the metadata of a checkpoint. */
const METADATA_INLINE_BYTES = 1024 * 1024;
/** A write of this size costs a tenth of a millisecond, far more than the call. */
const BUFFER_BYTES = 256 * 1024;

/** Every checkpoint of a chain writes again what those before had within their metadata, until they are merged. */
const CHAIN_CHECKPOINTS = 16;

/** How many bytes of state each of so many slots may have within the metadata. */
export function inlineBytesMax(slots: number, isIncremental = false): number {
  const bytes = Math.min(INLINE_BYTES, METADATA_INLINE_BYTES / slots);
  return Math.floor(isIncremental ? bytes / CHAIN_CHECKPOINTS : bytes);
}

/** Where a slot writes. */
export interface SlotFileOptions extends StateFileIdentity {
  readonly disk: Disk;
  /** The job's checkpoint directory, absolute. */
  readonly root: string;
  /** `directoryOf` of the store: relative to `root`. */
  readonly directory: string;
  /** Bytes of state within the answer. 20 KiB when not given; 0 puts everything into the file. */
  readonly inlineBytesMax?: number;
  /** Bytes that are collected before they are written. 256 KiB when not given. */
  readonly bufferBytes?: number;
}

/**
 * The state of one slot for one checkpoint.
 *
 * @example
 * const writer = new SlotFileWriter({ disk, root, directory: 'chk-7', checkpoint: 7, slot: 0, attempt: 1 });
 * const at = writer.write({ uid: 'sums', name: 'totals', keyGroup: 3 }, bytes);
 * const file = writer.seal();
 */
export class SlotFileWriter {
  readonly #options: SlotFileOptions;
  readonly #name: string;
  #inlineLeft: number;
  #file: FileHandle | null = null;
  #buffer = new Uint8Array(0);
  #buffered = 0;
  /** Where the next piece begins. */
  #position = 0;
  #isClosed = false;

  constructor(options: SlotFileOptions) {
    this.#options = options;
    this.#name = stateFileName(options);
    this.#inlineLeft = options.inlineBytesMax ?? INLINE_BYTES;
  }

  /** Of the file, whether there is one yet or not; relative to the job's checkpoint directory. */
  get path(): string {
    return `${this.#options.directory}/${this.#name}`;
  }

  /** Bytes in the file so far. */
  get bytes(): number {
    return this.#position;
  }

  /** Takes the bytes of a piece, which the caller may use again afterwards. Says where they will be found. */
  write(identity: PieceIdentity, bytes: Uint8Array): PieceLocation {
    assert(!this.#isClosed, 'State was written into a file that is closed.');
    if (bytes.length <= this.#inlineLeft) {
      this.#inlineLeft -= bytes.length;
      // A slice of a Buffer would not be a copy.
      return { bytes: new Uint8Array(bytes) };
    }
    if (this.#file === null) this.#append(stateFileHeader(this.#options));
    const offset = this.#position;
    const checksum = pieceChecksum(identity, this.#name, offset, bytes);
    this.#append(bytes);
    return { file: this.path, offset, length: bytes.length, checksum };
  }

  /** Writes what is left and closes the file. Null when everything is in the answer. */
  seal(): CheckpointFile | null {
    assert(!this.#isClosed, 'A file of state was closed twice.');
    this.#isClosed = true;
    if (this.#file === null) return null;
    try {
      this.#flush();
    } finally {
      this.#file.close();
    }
    return { path: this.path, bytes: this.#position };
  }

  /** Closes and removes the file, if there is one. */
  abort(): void {
    this.#isClosed = true;
    if (this.#file === null) return;
    this.#file.close();
    this.#options.disk.remove(join(this.#options.root, this.path));
  }

  #append(bytes: Uint8Array): void {
    const file = this.#opened();
    if (this.#buffered + bytes.length > this.#buffer.length) this.#flush();
    if (bytes.length > this.#buffer.length) file.write(bytes);
    else {
      this.#buffer.set(bytes, this.#buffered);
      this.#buffered += bytes.length;
    }
    this.#position += bytes.length;
  }

  #flush(): void {
    if (this.#buffered === 0) return;
    this.#opened().write(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #opened(): FileHandle {
    if (this.#file === null) {
      const { disk, root, bufferBytes = BUFFER_BYTES } = this.#options;
      this.#file = disk.createNew(join(root, this.path));
      this.#buffer = new Uint8Array(bufferBytes);
    }
    return this.#file;
  }
}
