/** A job of two slots that takes checkpoints of made-up state, for tests of the store. */
import type { Disk } from '../../../src/base/disk.js';
import { SeededRandom } from '../../../src/base/random.js';
import { type CheckpointManifest, NO_KEY_GROUP } from '../../../src/checkpoint/contract.js';
import type { DirectoryStoreOptions } from '../../../src/checkpoint/directory-store.js';
import type { OpenedCheckpoint } from '../../../src/checkpoint/open-checkpoint.js';
import { RecoveryStore } from '../../../src/checkpoint/recovery-store.js';
import { SlotFileWriter } from '../../../src/checkpoint/slot-file-writer.js';

export const DIRECTORY = '/data/checkpoints';
export const JOB_ID = 'abcdef0123';
export const HOME = `${DIRECTORY}/${JOB_ID}`;
/** Bytes of state that a slot may put inline. */
const INLINE_BYTES = 16;

export function openStore(disk: Disk, options: Partial<DirectoryStoreOptions> = {}): RecoveryStore {
  const random = new SeededRandom(1);
  return new RecoveryStore({ disk, directory: DIRECTORY, jobId: JOB_ID, random, ...options });
}

/**
 * Writes what the slots have for a checkpoint, and gives its manifest. `base` is what changes build on; `attempt` is what
 * the slots name their files by.
 */
export function takeSnapshot(
  disk: Disk,
  store: RecoveryStore,
  id: number,
  base: CheckpointManifest | null = null,
  attempt = store.attempt,
): CheckpointManifest {
  const isChanges = base !== null;
  const pieces: CheckpointManifest['pieces'][number][] = [];
  const files: CheckpointManifest['files'][number][] = [];
  for (const slot of [0, 1]) {
    const writer = new SlotFileWriter({
      disk,
      root: store.root,
      directory: store.directoryOf(id),
      checkpoint: id,
      slot,
      attempt,
      inlineBytesMax: INLINE_BYTES,
      bufferBytes: 64,
    });
    for (const name of ['a', 'totals', 'names']) {
      const identity = { uid: 'sums', name, keyGroup: name === 'names' ? NO_KEY_GROUP : slot };
      const bytes = contentOf(id, slot, name);
      pieces.push({ ...identity, isChanges, at: writer.write(identity, bytes), subtask: slot });
    }
    const file = writer.seal();
    if (file !== null) files.push(file);
  }
  return {
    id,
    kind: 'checkpoint',
    timestampMs: 1_700_000_000_000 + id,
    jobId: JOB_ID,
    jobName: 'a job',
    attempt: store.attempt,
    params: { days: 3, text: 'müll', big: 2n ** 60n },
    operators: [
      { uid: 'sums', name: 'Sums', parallelism: 2, maxParallelism: 128, isFinished: false },
    ],
    sources: [
      {
        uid: 'in',
        plan: ['split-1', 'split-2'],
        progress: [{ inHand: [{ split: 'split-1', position: id }], finished: ['split-0'] }],
      },
    ],
    sinks: [{ uid: 'out', plan: null, committables: [{ part: `part-${id}` }] }],
    pieces: [...(base?.pieces ?? []), ...pieces],
    files: [...(base?.files ?? []), ...files],
  };
}

function contentOf(id: number, slot: number, name: string): Uint8Array {
  const text = `${name} of slot ${slot} in checkpoint ${id} `;
  return new TextEncoder().encode(
    name === 'a' ? `${id}.${slot}` : text.repeat(name === 'names' ? 3 : 1),
  );
}

/** What a manifest stands for, with the bytes of its state. Independent of where the files are. */
export function stateOf({ manifest, reader }: OpenedCheckpoint): unknown {
  const { files, pieces, ...rest } = manifest;
  return {
    ...rest,
    files: files.map(({ bytes }) => bytes),
    pieces: pieces.map(({ at, ...piece }) => ({
      ...piece,
      text: Buffer.from(reader.read({ ...piece, at })).toString(),
    })),
  };
}

/** The same for a manifest that was just taken, from what the slots meant to write. */
export function wantedState(manifest: CheckpointManifest): unknown {
  const { files, pieces, ...rest } = manifest;
  const writtenIn = (at: (typeof pieces)[number]['at']): number =>
    'file' in at ? Number(/state-(\d+)/.exec(at.file)?.[1]) : Number.parseInt(textOf(at.bytes), 10);
  return {
    ...rest,
    files: files.map(({ bytes }) => bytes),
    pieces: pieces.map(({ at, ...piece }) => ({
      ...piece,
      text: textOf(contentOf(writtenIn(at), piece.subtask, piece.name)),
    })),
  };
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
