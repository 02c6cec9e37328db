/**
 * Checkpoints of one job in memory: they survive what kills a slot, and nothing that ends the process. Callers: the
 * coordinator of a job without a checkpoint directory. Runs on: the coordinator's thread. Invariant: state is within
 * the manifests, of which no more than the retained ones are held.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import type { CheckpointManifest, CheckpointStore, PieceReader } from './contract.js';

/** Flink's limit is 5 MiB for each state; here it is for a whole checkpoint, since all of it is in one heap. */
const BYTES_MAX = 64 * 1024 * 1024;

/** Reads pieces that are within the manifest. */
const inlineReader: PieceReader = {
  read(piece) {
    assert('bytes' in piece.at, 'State of a checkpoint in memory is in a file.');
    return piece.at.bytes;
  },
  close: () => undefined,
};

/** Keeps checkpoints in the heap. Slots put all of their state into their answers. */
export class MemoryStore implements CheckpointStore {
  readonly #completed = new Map<number, CheckpointManifest>();
  readonly #bytesMax: number;
  #lastId = 0;
  readonly attempt = 1;

  /** `bytesMax` bounds the state of one checkpoint: 64 MiB when not given. */
  constructor(bytesMax: number = BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  get lastId(): number {
    return this.#lastId;
  }

  get retained(): readonly { readonly id: number; readonly path: string }[] {
    return [...this.#completed.keys()]
      .toSorted((left, right) => right - left)
      .map((id) => ({ id, path: pathOf(id) }));
  }

  /** The newest checkpoint, or null. */
  latest(): { readonly manifest: CheckpointManifest; readonly reader: PieceReader } | null {
    const manifest = this.#completed.get(this.retained[0]?.id ?? 0);
    return manifest === undefined ? null : { manifest, reader: inlineReader };
  }

  begin(id: number, savepointTarget?: string): void {
    assert(savepointTarget === undefined, 'Savepoints are kept in directories.');
    this.#lastId = Math.max(this.#lastId, id);
  }

  directoryOf(id: number): string {
    return pathOf(id);
  }

  complete(manifest: CheckpointManifest): string {
    assert(manifest.files.length === 0, 'State of a checkpoint in memory is in a file.');
    let bytes = 0;
    for (const { at } of manifest.pieces) bytes += 'bytes' in at ? at.bytes.length : 0;
    if (bytes > this.#bytesMax) {
      throw new MillraceError(
        'MEMORY_EXHAUSTED',
        `A checkpoint has ${bytes} bytes of state; in memory it may have ${this.#bytesMax}.`,
        { advice: 'Set execution.checkpointing.dir, so that checkpoints are kept in files.' },
      );
    }
    this.#completed.set(manifest.id, manifest);
    return pathOf(manifest.id);
  }

  discard(id: number): void {
    this.#completed.delete(id);
  }

  /** Nothing is in files. */
  usedBytes(): null {
    return null;
  }
  hold(): void {}
  release(): void {}

  dispose(id: number): void {
    this.#completed.delete(id);
  }

  close(): void {
    this.#completed.clear();
  }
}

function pathOf(id: number): string {
  return `memory:chk-${id}`;
}
