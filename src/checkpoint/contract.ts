/**
 * What the parts of fault tolerance pass to each other, all plain data: what triggers a checkpoint, what a slot
 * answers, what a completed checkpoint consists of, and where it is kept. Callers: the coordinator, the store, runtime.
 * Runs on: any thread. Invariant: a checkpoint is one consistent cut of the job; a piece of state belongs to exactly
 * one operator, name and key group, and says where its bytes are.
 */
import type { WireError } from '../base/errors.js';

/**
 * Why a checkpoint is taken. A savepoint belongs to the user: it is whole, relocatable and never deleted by the engine.
 */
export type CheckpointKind = 'checkpoint' | 'savepoint';

/** What happens to the job once the checkpoint has been taken. `drain` also emits what operators hold back. */
export type StopMode = 'none' | 'suspend' | 'drain';

/** Starts a checkpoint; reaches the roots of the job through control memory and everyone else as a barrier. */
export interface CheckpointTrigger {
  /** Increases over all attempts of a job, and over restores. From 1. */
  readonly id: number;
  readonly timestampMs: number;
  readonly kind: CheckpointKind;
  readonly stop: StopMode;
  /** Whether all state is written; changes since the checkpoint before otherwise. */
  readonly isFull: boolean;
  /** Whether a later one may build on it, so that its files outlive it. */
  readonly isShared: boolean;
}

/** Key group of state that belongs to no key. */
export const NO_KEY_GROUP = -1;

/** Bytes of one piece of state: within the acknowledgement itself, or in a file of the checkpoint. */
export type PieceLocation =
  | { readonly bytes: Uint8Array }
  | {
      /** Path relative to the job's checkpoint directory, with forward slashes. */
      readonly file: string;
      readonly offset: number;
      readonly length: number;
      /** Over the identity of the piece (uid, name, key group, name of the file, offset) and its bytes. */
      readonly checksum: number;
    };

/** State that an operator put under a name for one key group. */
export interface StatePiece {
  readonly uid: string;
  readonly name: string;
  readonly keyGroup: number;
  /** Whether it holds what changed since the piece before it of this identity; everything otherwise. */
  readonly isChanges: boolean;
  readonly at: PieceLocation;
}

/** How far one subtask of a source has come. Splits are named by their ids. */
export interface SourceProgress {
  /** Splits in hand, and from where the reader reads on. */
  readonly inHand: readonly { readonly split: string; readonly position: unknown }[];
  /** Splits that this subtask has read to their end, over all attempts. */
  readonly finished: readonly string[];
}

/** Output of one sink that is prepared and is to be made visible when the checkpoint has completed. */
export interface SinkCommit {
  /** Identity of the sink, not of the chain that it is in. */
  readonly uid: string;
  readonly committables: readonly unknown[];
}

/** The part of a checkpoint that one subtask contributes. */
export interface SubtaskSnapshot {
  readonly vertex: number;
  readonly subtask: number;
  /** Whether it had finished before the barrier; it has no state then. */
  readonly isFinished: boolean;
  readonly pieces: readonly StatePiece[];
  /** Null for a subtask without a source. */
  readonly source: SourceProgress | null;
  readonly commits: readonly SinkCommit[];
  readonly timing: SnapshotTiming;
}

/** Where the time of a subtask's snapshot went, and how much it wrote. */
export interface SnapshotTiming {
  /** From the trigger to the first barrier. */
  readonly startDelayMs: number;
  /** From the first barrier to the last. */
  readonly alignmentMs: number;
  /** While the subtask did nothing else. */
  readonly syncMs: number;
  /** From then until its state was written. */
  readonly asyncMs: number;
  /** Written for this checkpoint. */
  readonly bytes: number;
  /** Of these, records that the checkpoint overtook. */
  readonly inFlightBytes: number;
}

/** A slot's answer: all of its subtasks that had not finished before, and the one file that it wrote. */
export interface SlotSnapshot {
  readonly checkpoint: number;
  readonly slot: number;
  readonly subtasks: readonly SubtaskSnapshot[];
  /** Null when everything is within the answer. Written and closed, not yet synced. */
  readonly file: CheckpointFile | null;
}

/** A file that a checkpoint refers to. */
export interface CheckpointFile {
  /** Relative to the job's checkpoint directory. */
  readonly path: string;
  readonly bytes: number;
}

/** An operator, source or sink as a checkpoint knows it. */
export interface OperatorRecord {
  readonly uid: string;
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** Whether all of its subtasks had finished. */
  readonly isFinished: boolean;
}

/** Everything that a completed checkpoint is. */
export interface CheckpointManifest {
  readonly id: number;
  readonly kind: CheckpointKind;
  readonly timestampMs: number;
  readonly jobId: string;
  readonly jobName: string;
  /** Number of the attempt that took it: a zombie of an earlier attempt cannot complete one. */
  readonly attempt: number;
  readonly params: unknown;
  readonly operators: readonly OperatorRecord[];
  /** By uid of the source: what was planned for it, which a restore goes on with, and how far each subtask was. */
  readonly sources: readonly {
    readonly uid: string;
    readonly plan: unknown;
    readonly progress: readonly SourceProgress[];
  }[];
  /** By uid of the sink: what was planned for it, and what is to be committed with this checkpoint. */
  readonly sinks: readonly {
    readonly uid: string;
    readonly plan: unknown;
    readonly committables: readonly unknown[];
  }[];
  /** Bases before their changes. `subtask` is the one that wrote the piece. */
  readonly pieces: readonly (StatePiece & { readonly subtask: number })[];
  readonly files: readonly CheckpointFile[];
}

/** Why a checkpoint did not complete. */
export type AbortReason =
  | 'declined'
  | 'expired'
  | 'subsumed'
  | 'storeFailed'
  /** The directory has as many bytes as the settings allow. */
  | 'overQuota'
  | 'tasksNotRunning'
  | 'shutdown';

/** A checkpoint as it is told to users. */
export interface CheckpointReport {
  readonly id: number;
  readonly kind: CheckpointKind;
  readonly status: 'pending' | 'completed' | 'failed';
  readonly reason: AbortReason | null;
  readonly error: WireError | null;
  readonly triggeredMs: number;
  readonly durationMs: number | null;
  /** Written for it; of changes, where it builds on others. */
  readonly bytes: number;
  /** Of these, records that it overtook on their way between subtasks. */
  readonly inFlightBytes: number;
  /** Of all state that it refers to, changes that later ones have overtaken included; 0 until it has completed. */
  readonly fullBytes: number;
  /** In the checkpoint directory of the job, when it had completed or could not begin for want of room; null else. */
  readonly directoryBytes: number | null;
  /** Where it is kept; null in memory, or while it is pending. */
  readonly path: string | null;
}

/**
 * Where checkpoints of one job are kept. Every call blocks until its work is durable. Runs on: the coordinator's
 * thread, or the caller's where the job runs in it.
 */
export interface CheckpointStore {
  /** Number of this attempt of the job: higher than that of everyone who has had the directory before. */
  readonly attempt: number;
  /**
   * The highest number that any checkpoint kept here has had; a new one is given a higher one. 0 when there was none.
   */
  readonly lastId: number;
  /**
   * Makes room for a checkpoint; slots write below `directoryOf(id)`, each a file of a name of its own. A savepoint has
   * the directory that it goes to, and is moved there when it is complete. `isShared`: whether a later one may build on
   * it; as the store was opened when not given.
   */
  begin(id: number, savepointTarget?: string, isShared?: boolean): void;
  /**
   * Relative to the job's checkpoint directory, with forward slashes: `chk-7`, or `shared` where others build on it.
   */
  directoryOf(id: number): string;
  /**
   * Completes a checkpoint: syncs its files, then writes its metadata so that it is there wholly or not at all. Throws
   * CHECKPOINT_FENCED when a later attempt owns the directory. Gives the path that restores it.
   */
  complete(manifest: CheckpointManifest): string;
  /** Bytes of all files in the job's checkpoint directory; null in memory. */
  usedBytes(): number | null;
  /** Throws away what an aborted checkpoint has written. */
  discard(id: number): void;
  /**
   * Keeps shared files whatever becomes of the checkpoints that refer to them, until they are released. One that none
   * refers to yet is released by the first checkpoint that does.
   */
  hold(paths: readonly string[]): void;
  /** Gives files up that were held, and deletes those that no retained checkpoint refers to. */
  release(paths: readonly string[]): void;
  /** Deletes a completed one, and of its files those that no retained one refers to. */
  dispose(id: number): void;
  /** Completed checkpoints that are still there, newest first; savepoints are their owner's and not among them. */
  readonly retained: readonly { readonly id: number; readonly path: string }[];
  close(): void;
}

/** Reads the state of a completed checkpoint. */
export interface PieceReader {
  /** The bytes of a piece, checked. Throws CHECKPOINT_CORRUPT naming file and offset. */
  read(piece: StatePiece): Uint8Array;
  close(): void;
}
