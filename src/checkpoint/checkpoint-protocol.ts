/**
 * What the checkpoint coordinator is told and what it answers: plain data, so that every order of events can be tried
 * in a test. Callers: `checkpoint-coordinator.ts`, runtime. Runs on: the coordinator's thread. Invariant: whoever
 * carries out the actions does so in the order in which they are given, and answers every `store` and every `commit`.
 */
import type { WireError } from '../base/errors.js';
import type {
  CheckpointKind,
  CheckpointReport,
  CheckpointTrigger,
  SinkCommit,
  SlotSnapshot,
  StopMode,
  SubtaskSnapshot,
} from './contract.js';

/** Which checkpoints outlive the job, by how it ended. Those of a job that finished are always deleted. */
export type CheckpointRetention =
  | 'deleteOnCancellation'
  | 'noExternalizedCheckpoints'
  | 'retainOnCancellation';

/** How checkpoints are taken: the settings `execution.checkpointing.*` that the coordinator keeps to. */
export interface CheckpointPolicy {
  /** Time between the starts of periodic checkpoints; null when there are none, only those that are asked for. */
  readonly intervalMs: number | null;
  /** A checkpoint that takes longer is aborted. */
  readonly timeoutMs: number;
  /** From the completion of the last successful checkpoint to the start of the next periodic one. */
  readonly minPauseMs: number;
  /** Checkpoints under way at a time; savepoints are started all the same. */
  readonly maxConcurrent: number;
  /** Failures in a row that the job lives with. */
  readonly tolerableFailures: number;
  /** Completed checkpoints that are kept, at least 1. */
  readonly numRetained: number;
  /** Whether checkpoints hold only what has changed where they can. */
  readonly isIncremental: boolean;
  /** Whether checkpoints may overtake records that are under way: one at a time then, savepoints too. */
  readonly overtakes: boolean;
}

/** What a user asks for, or a client on a user's behalf. */
export interface CheckpointRequest {
  /** Chosen by the caller; the one `answer` carries it. */
  readonly token: number;
  readonly kind: CheckpointKind;
  /** Anything but `none` goes with a savepoint. */
  readonly stop: StopMode;
  /** Directory of a savepoint as the user named it; null for the one of the settings. */
  readonly target: string | null;
}

/** What becomes of a request. */
export type CheckpointOutcome =
  | { readonly report: CheckpointReport }
  | { readonly error: WireError };

/** How a job ended for good. */
export type EndReason = 'finished' | 'canceled' | 'failed';

/** Whether checkpoints stay when the job has ended so. */
export function outlives(retention: CheckpointRetention, reason: EndReason): boolean {
  switch (reason) {
    case 'finished':
      return false;
    case 'canceled':
      return retention === 'retainOnCancellation';
    case 'failed':
      return retention !== 'noExternalizedCheckpoints';
  }
}

/** What can happen. */
export type CheckpointEvent =
  /** All slots run: from now on checkpoints are taken. */
  | { readonly kind: 'running' }
  | { readonly kind: 'tick' }
  | { readonly kind: 'request'; readonly request: CheckpointRequest }
  /**
   * A slot has taken its part. A slot answers, here or by `slotDeclined`, in the order of ids, at most once for each,
   * and before it ends. Of those that were aborted it must answer the ones for which a sink has prepared output; one
   * that it leaves out though it is wanted is overtaken by the next one that it answers.
   */
  | { readonly kind: 'slotAcknowledged'; readonly snapshot: SlotSnapshot }
  /** A slot could not take its part. What its sinks had prepared for it all the same goes into a later checkpoint. */
  | {
      readonly kind: 'slotDeclined';
      readonly checkpoint: number;
      readonly slot: number;
      readonly error: WireError;
      readonly commits: readonly SinkCommit[];
    }
  /**
   * A subtask came to the end of its input. `checkpoint` is the last one whose barrier it took, 0 for none; it counts
   * as finished in all later ones, and the commits of `snapshot` are those it prepared since.
   */
  | {
      readonly kind: 'subtaskFinished';
      readonly checkpoint: number;
      readonly snapshot: SubtaskSnapshot;
    }
  /** A region of the job is to be restarted by itself: what is under way is aborted, nothing begins until `running`. */
  | { readonly kind: 'regionFailed' }
  /**
   * Every slot has closed what it had of the region, whose vertices and uids of sinks these are. It goes on from the
   * newest checkpoint that has completed, so what has come of it since is of no account. Nothing is being stored.
   */
  | {
      readonly kind: 'regionEnded';
      readonly vertices: readonly number[];
      readonly sinks: readonly string[];
    }
  /** The slot's loop ended after all of its subtasks had; once all slots have, the final checkpoint is taken. */
  | { readonly kind: 'slotEnded'; readonly slot: number }
  /** A `store` is durable. `isHeavy`: its changes were so many that it might as well have held everything. */
  | {
      readonly kind: 'stored';
      readonly checkpoint: number;
      readonly path: string | null;
      readonly isHeavy: boolean;
      /** Of all state that it refers to. */
      readonly fullBytes: number;
      /** In the checkpoint directory of the job; null in memory. */
      readonly directoryBytes: number | null;
    }
  /** There is no room for another checkpoint, which was not begun. */
  | {
      readonly kind: 'overQuota';
      readonly checkpoint: number;
      readonly directoryBytes: number;
      readonly error: WireError;
    }
  /**
   * From now on, or no longer, somebody follows the checkpoints as they come: each builds on the one before, whatever
   * the policy is, and holds what has changed.
   */
  | { readonly kind: 'followed'; readonly isFollowed: boolean }
  /** State that changes would build on cannot be read any more: the next checkpoint holds everything. */
  | { readonly kind: 'chainBroken' }
  /** A directory could not be made for a checkpoint, or it could not be stored. */
  | { readonly kind: 'storeFailed'; readonly checkpoint: number; readonly error: WireError }
  /** A `commit` is done; one that fails fails the job instead. */
  | { readonly kind: 'committed'; readonly checkpoint: number | null }
  /**
   * The attempt ends. Comes with its first failure, or as soon as it is canceled, before its slots end; when it
   * finishes, after the `finished` action. A `store` under way is still answered; the next attempt begins after that.
   * All checkpoints are kept: whether the job goes on from them is decided where it was started.
   */
  | { readonly kind: 'shutdown' };

/** Everything that a checkpoint consists of, once all parts of it are there. */
export interface GatheredCheckpoint {
  readonly trigger: CheckpointTrigger;
  /** As the request had it. */
  readonly target: string | null;
  readonly slots: readonly SlotSnapshot[];
  /** Subtasks that had finished before; their commits are among `commits`. */
  readonly finished: readonly SubtaskSnapshot[];
  /**
   * What becomes visible with this checkpoint, one entry for each sink, oldest first; also what earlier ones, which did
   * not complete, would have made visible. The manifest holds these, not those within `slots`.
   */
  readonly commits: readonly SinkCommit[];
}

/** What the caller must do. */
export type CheckpointAction =
  /** Make a directory, then tell these slots; none of them for the final checkpoint. */
  | {
      readonly kind: 'trigger';
      readonly trigger: CheckpointTrigger;
      readonly target: string | null;
      readonly slots: readonly number[];
    }
  /** Make it durable, then send `stored` or `storeFailed`. There is at most one at a time. */
  | { readonly kind: 'store'; readonly checkpoint: GatheredCheckpoint }
  /** Tell the slots, and who watches the job. */
  | {
      readonly kind: 'completed';
      readonly trigger: CheckpointTrigger;
      readonly report: CheckpointReport;
    }
  /**
   * Make output visible, then send `committed`. Null stands for the output of a job that ends without a final
   * checkpoint. Nothing is stored meanwhile, so that the newest checkpoint always has all commits that may be undone.
   */
  | {
      readonly kind: 'commit';
      readonly checkpoint: number | null;
      readonly commits: readonly SinkCommit[];
    }
  /** Tell the slots, which let go of what they hold for it. Its files are still theirs until `discard`. */
  | { readonly kind: 'aborted'; readonly report: CheckpointReport }
  /** Throw away what an aborted checkpoint has written: no slot writes for it any more. */
  | { readonly kind: 'discard'; readonly checkpoint: number }
  /** Delete a completed checkpoint. */
  | { readonly kind: 'dispose'; readonly checkpoint: number }
  /** Fail the attempt; `shutdown` follows. */
  | { readonly kind: 'failJob'; readonly error: WireError }
  | { readonly kind: 'answer'; readonly token: number; readonly outcome: CheckpointOutcome }
  /** All slots have ended and all output is visible: the job may count as finished. */
  | { readonly kind: 'finished' };
