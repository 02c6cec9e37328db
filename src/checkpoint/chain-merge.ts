/**
 * Keeps incremental checkpoints short: merges the changes of a chain, and from time to time base and changes, into
 * pieces that stand for them, so that neither metadata nor the time to restore nor the disk grows with the number of
 * checkpoints. Callers: whoever makes manifests, between checkpoints. Runs on: any thread, in steps of one key group.
 * Invariant: state is the same before and after; checkpoints that are there already are not touched; a merge that is
 * given up, or whose job is killed, leaves nothing.
 */
import type { Disk } from '../base/disk.js';
import { mergeTablePieces } from '../state/merge-pieces.js';
import { SHARED } from './checkpoint-paths.js';
import type {
  CheckpointFile,
  CheckpointManifest,
  CheckpointStore,
  PieceReader,
  StatePiece,
} from './contract.js';
import { FilePieceReader } from './piece-reader.js';
import { inlineBytesMax, SlotFileWriter } from './slot-file-writer.js';

/** Changes of a key group are merged with each other when there are more pieces of them. */
const CHANGES_MAX = 16;
/** They are merged into the base when they have so many of its bytes: each byte is then rewritten about twice. */
const CHANGES_SHARE = 0.5;
/** But not at every checkpoint, where all of a small state changes all the time. */
const CHANGES_MIN = 4;
/** A file of whose bytes less is still state is given up: what is left of it is rewritten. */
const LIVE_SHARE = 0.25;
/** In the place of a slot in the name of a file that a merge has written. */
const MERGE_SLOT = 65_535;

type Piece = CheckpointManifest['pieces'][number];

/** Pieces of one key group that are merged: all of them, or those behind the base. */
interface Chain {
  readonly inputs: readonly Piece[];
  readonly isBase: boolean;
}

/** What stands for what. */
interface Replacement {
  readonly inputs: readonly Piece[];
  readonly outputs: readonly Piece[];
}

/** What a merge works with. */
export interface ChainMergeOptions {
  readonly disk: Disk;
  /** The job's checkpoint directory, absolute. */
  readonly root: string;
  readonly store: Pick<CheckpointStore, 'attempt' | 'hold' | 'release'>;
  /** The newest checkpoint that has completed. */
  readonly manifest: CheckpointManifest;
  /** Bytes of merged state within the metadata, as for a slot. 1 280 when not given. */
  readonly inlineBytesMax?: number;
}

/**
 * Merges what has become long in one checkpoint.
 *
 * @example
 * const merge = new ChainMerge({ disk, root, store, manifest: newest });
 * while (!merge.step()) await otherWork();
 * newest = merge.finish(newest);
 */
export class ChainMerge {
  readonly #store: ChainMergeOptions['store'];
  readonly #chains: readonly Chain[];
  readonly #replacements: Replacement[] = [];
  readonly #reader: PieceReader;
  readonly #writer: SlotFileWriter;
  /** Files that are read and the one that is written: nobody may delete them meanwhile. */
  readonly #held: readonly string[];
  #next = 0;

  constructor(options: ChainMergeOptions) {
    const { disk, root, store, manifest } = options;
    this.#store = store;
    this.#chains = chainsToMerge(manifest);
    this.#reader = new FilePieceReader(disk, root);
    const identity = { checkpoint: manifest.id, slot: MERGE_SLOT, attempt: store.attempt };
    this.#writer = new SlotFileWriter({
      disk,
      root,
      directory: SHARED,
      ...identity,
      inlineBytesMax: options.inlineBytesMax ?? inlineBytesMax(1, true),
    });
    this.#held = this.isEmpty ? [] : [this.#writer.path, ...manifest.files.map(({ path }) => path)];
    store.hold(this.#held);
  }

  /** Whether there is nothing to merge. */
  get isEmpty(): boolean {
    return this.#chains.length === 0;
  }

  /** Bytes written to the file so far. */
  get bytes(): number {
    return this.#writer.bytes;
  }

  /** Merges one key group; true when all are merged. Throws when a file cannot be read, is damaged, or not written. */
  step(): boolean {
    const chain = this.#chains[this.#next];
    if (chain === undefined) return true;
    this.#next++;
    const [first] = chain.inputs;
    const merged = mergeTablePieces(
      chain.inputs.map((piece) => this.#reader.read(piece)),
      chain.isBase,
    );
    if (first === undefined || merged === null) return this.#next === this.#chains.length;
    const outputs = merged.map(({ bytes, isChanges }) => {
      return { ...first, isChanges, at: this.#writer.write(first, bytes) };
    });
    this.#replacements.push({ inputs: chain.inputs, outputs });
    return this.#next === this.#chains.length;
  }

  /**
   * The newest checkpoint, for the next one to build on, with merged pieces in the place of those that they stand for.
   * Others may have completed since the merge began; what they hold anew stays as it is. The file of the merge is kept
   * until the next one has completed.
   */
  finish(newest: CheckpointManifest): CheckpointManifest {
    this.#reader.close();
    const file = this.#writer.seal();
    const merged = withReplacements(newest, this.#replacements, file);
    const isUsed = merged.files.some(({ path }) => path === file?.path);
    this.#release(this.#held.filter((path) => path !== file?.path || !isUsed));
    return merged;
  }

  /** Gives the merge up. */
  abort(): void {
    this.#reader.close();
    this.#writer.abort();
    this.#release(this.#held);
  }

  #release(paths: readonly string[]): void {
    if (paths.length > 0) this.#store.release(paths);
  }
}

function withReplacements(
  manifest: CheckpointManifest,
  replacements: readonly Replacement[],
  file: CheckpointFile | null,
): CheckpointManifest {
  const chains = chainsOf(manifest.pieces);
  const placed = new Map<Piece, readonly Piece[]>();
  for (const { inputs, outputs } of replacements) {
    const [first] = inputs;
    const chain = first === undefined ? [] : (chains.get(keyOf(first)) ?? []);
    const start = chain.findIndex((piece) => first !== undefined && isSamePlace(piece, first));
    const found = chain.slice(start, start + inputs.length);
    const isThere =
      start !== -1 &&
      found.length === inputs.length &&
      found.every((piece, index) => isSamePlace(piece, inputs[index] ?? piece));
    if (!isThere) continue;
    found.forEach((piece, index) => placed.set(piece, index === 0 ? outputs : []));
  }
  const pieces = manifest.pieces.flatMap((piece) => placed.get(piece) ?? [piece]);
  const used = new Set(pieces.flatMap(({ at }) => ('file' in at ? [at.file] : [])));
  const known = file === null ? manifest.files : [...manifest.files, file];
  return { ...manifest, pieces, files: known.filter(({ path }) => used.has(path)) };
}

/** What has become long, by the bounds above. */
function chainsToMerge({ pieces, files }: CheckpointManifest): readonly Chain[] {
  const live = new Map<string, number>();
  for (const { at } of pieces) {
    if ('file' in at) live.set(at.file, (live.get(at.file) ?? 0) + at.length);
  }
  const sparse = new Set(
    files
      .filter(({ path, bytes }) => (live.get(path) ?? 0) < LIVE_SHARE * bytes)
      .map(({ path }) => path),
  );
  return [...chainsOf(pieces).values()].flatMap((chain): readonly Chain[] => {
    // Nobody can tell here whether the pieces of two subtasks build on each other.
    if (chain.some(({ subtask }) => subtask !== chain[0]?.subtask)) return [];
    const base = baseOf(chain);
    const changes = chain.slice(base.length);
    const isSparse = chain.some(({ at }) => 'file' in at && sparse.has(at.file));
    const isHeavy =
      changes.length >= CHANGES_MIN && bytesOf(changes) >= CHANGES_SHARE * bytesOf(base);
    if (isSparse || isHeavy) return [{ inputs: chain, isBase: true }];
    return changes.length > CHANGES_MAX ? [{ inputs: changes, isBase: false }] : [];
  });
}

/** The first pieces, which one snapshot has written: everything, or the first changes of a key group that was empty. */
function baseOf(chain: readonly Piece[]): readonly Piece[] {
  const [first] = chain;
  const isOfBase = ({ at }: Piece): boolean =>
    first !== undefined && 'file' in first.at && 'file' in at && first.at.file === at.file;
  const end = chain.findIndex((piece, index) => index > 0 && !isOfBase(piece));
  return end === -1 ? chain : chain.slice(0, end);
}

/** Pieces of each key group of each state, in their order; other state is never built upon. */
function chainsOf(pieces: readonly Piece[]): ReadonlyMap<string, readonly Piece[]> {
  const chains = new Map<string, Piece[]>();
  for (const piece of pieces) {
    if (piece.keyGroup < 0) continue;
    const key = keyOf(piece);
    const chain = chains.get(key);
    if (chain === undefined) chains.set(key, [piece]);
    else chain.push(piece);
  }
  return chains;
}

function keyOf({ uid, name, keyGroup }: Piece): string {
  return JSON.stringify([uid, name, keyGroup]);
}

function bytesOf(pieces: readonly StatePiece[]): number {
  let bytes = 0;
  for (const { at } of pieces) bytes += 'bytes' in at ? at.bytes.length : at.length;
  return bytes;
}

function isSamePlace({ at: left }: StatePiece, { at: right }: StatePiece): boolean {
  if ('bytes' in left || 'bytes' in right) {
    return 'bytes' in left && 'bytes' in right && Buffer.compare(left.bytes, right.bytes) === 0;
  }
  return left.file === right.file && left.offset === right.offset;
}
