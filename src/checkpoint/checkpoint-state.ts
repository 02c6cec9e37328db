/**
 * Everything that the checkpoint coordinator remembers, as plain data: a structured copy goes on exactly as the
 * original, on another thread or in a test that tries what else may happen. Callers: `checkpoint-coordinator.ts`;
 * runtime makes the first one of each attempt. Runs on: the coordinator's thread. Invariant: only the coordinator
 * writes it.
 */
import type { Random } from '../base/random.js';
import type { CheckpointPolicy, CheckpointRequest } from './checkpoint-protocol.js';
import {
  type CheckpointStatistics,
  type RestoredCheckpoint,
  withRestored,
} from './checkpoint-statistics.js';
import type { CheckpointTrigger, SinkCommit, SlotSnapshot, SubtaskSnapshot } from './contract.js';

/** What an attempt of a job starts from. */
export interface CheckpointStart {
  readonly policy: CheckpointPolicy;
  readonly slots: readonly number[];
  /** Greater than that of every checkpoint of the job before, from 1. */
  readonly nextId: number;
  /** What this attempt goes on from. */
  readonly restored: RestoredCheckpoint | null;
  /** Ids of the completed checkpoints that are still there, without savepoints, oldest first. */
  readonly retained: readonly number[];
  /** Those of the job so far. */
  readonly statistics: CheckpointStatistics;
  /** Wall clock when the clock of the events shows 0. */
  readonly epochMs: number;
}

/** A checkpoint under way. */
export interface PendingCheckpoint {
  readonly trigger: CheckpointTrigger;
  /** Null for a periodic checkpoint and the final one. */
  readonly request: CheckpointRequest | null;
  readonly startedMs: number;
  /** Whether it was begun after all slots had ended, so that it holds everything. */
  readonly isFinal: boolean;
  /** Slots that have neither answered nor ended. */
  readonly waitsFor: Set<number>;
  readonly answers: SlotSnapshot[];
}

/** Output that is prepared and not visible yet. */
export interface HeldCommit {
  /** The first checkpoint that can make it visible. */
  readonly checkpoint: number;
  readonly commit: SinkCommit;
}

/** The memory of one attempt. Times are of the clock of the events. */
export interface CheckpointState {
  readonly policy: CheckpointPolicy;
  readonly epochMs: number;
  /** From the start of the job to its first periodic checkpoint. */
  readonly firstDelayMs: number;
  /** Slots that have not ended. */
  readonly live: Set<number>;
  /** By id, oldest first. */
  readonly pending: Map<number, PendingCheckpoint>;
  /** By slot, the newest checkpoint that it answered. */
  readonly answered: Map<number, number>;
  /** Subtasks that have finished, each with the last checkpoint whose barrier it took. */
  finished: readonly { readonly checkpoint: number; readonly snapshot: SubtaskSnapshot }[];
  /** Aborted checkpoints that a slot may still write for. */
  readonly undone: Set<number>;
  /** In the order of their checkpoints. */
  held: readonly HeldCommit[];
  queue: readonly CheckpointRequest[];
  retained: readonly number[];
  statistics: CheckpointStatistics;
  nextId: number;
  isRunning: boolean;
  /** When the next periodic checkpoint is due; the final one once all slots have ended. */
  dueMs: number;
  /** The one that is being stored. */
  storing: PendingCheckpoint | null;
  isCommitting: boolean;
  /** The newest one that was given to be stored: nothing may come in any more that belongs to it. */
  gathered: number;
  /** The newest own checkpoint that completed, no savepoint. */
  newest: number;
  /** Whether others may build on that. */
  isNewestShared: boolean;
  /** Whether all build on each other for now. */
  isFollowed: boolean;
  /** How many more of the next ones hold everything, though changes would do. */
  fullLeft: number;
  /** When one completed last. */
  completedMs: number;
  /** Since one completed. */
  failures: number;
  /** How often in a row there was no room for another one. */
  quotaWaits: number;
  isFailing: boolean;
  /** Whether the output of the job's end is in a checkpoint, or needs none. */
  isEndSafe: boolean;
  isStopped: boolean;
  hasEnded: boolean;
  isFinished: boolean;
}

/** The memory of an attempt that begins. */
export function beginCheckpoints(start: CheckpointStart, random: Random): CheckpointState {
  const { policy, epochMs, restored, statistics } = start;
  const { intervalMs, minPauseMs } = policy;
  return {
    policy,
    epochMs,
    // Many jobs that start together shall not take their checkpoints all at once.
    firstDelayMs: minPauseMs + random.next() * Math.max(0, (intervalMs ?? 0) - minPauseMs),
    live: new Set(start.slots),
    pending: new Map(),
    answered: new Map(),
    finished: [],
    undone: new Set(),
    held: [],
    queue: [],
    retained: start.retained,
    statistics: restored === null ? statistics : withRestored(statistics, restored),
    nextId: start.nextId,
    isRunning: false,
    dueMs: 0,
    storing: null,
    isCommitting: false,
    gathered: 0,
    newest: 0,
    isNewestShared: false,
    isFollowed: false,
    fullLeft: 0,
    completedMs: Number.NEGATIVE_INFINITY,
    failures: 0,
    quotaWaits: 0,
    isFailing: false,
    isEndSafe: intervalMs === null,
    isStopped: false,
    hasEnded: false,
    isFinished: false,
  };
}
