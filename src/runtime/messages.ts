/**
 * Messages between the threads of a run; all plain data. Rows never travel this way. Callers: slot threads, the
 * coordinator thread, the caller's thread. Runs on: any thread.
 */
import type { LogLine } from '../base/function-log.js';
import type { MessagePort } from 'node:worker_threads';
import type { WireError } from '../base/errors.js';
import type { CheckpointOutcome } from '../checkpoint/checkpoint-protocol.js';
import type { CheckpointStatistics } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointManifest, CheckpointReport, SinkCommit } from '../checkpoint/contract.js';
import type { KeptTable } from '../state/state-writer.js';
import type { CheckpointingStart } from './checkpoint-keeper.js';
import type { CoordinatorAction, CoordinatorEvent, RunEvent } from './coordinator.js';
import type { Deployment } from './deployment.js';
import type { RunRegion } from './run-regions.js';
import type { AheadTask } from './tables-ahead.js';

/** Given to a slot's thread once it is settled what it runs. */
export interface SlotThreadData {
  readonly deployment: Deployment;
  readonly slot: number;
  /** To the coordinator. */
  readonly port: MessagePort;
}

/** Given to a slot's thread before that, if it is to load state while another attempt still runs. */
export interface SlotAheadData {
  readonly ahead: AheadTask;
}

/** What the thread answers. */
export interface SlotAheadDone {
  /** Why it has loaded nothing; null when it has. */
  readonly error: WireError | null;
}

/** Given to the coordinator's thread at start. */
export interface CoordinatorThreadData {
  /** To the caller's thread. */
  readonly hostPort: MessagePort;
  readonly start: CoordinationStart;
}

/** What the coordination of a run starts with, or goes on with on another thread. */
export interface CoordinationStart {
  readonly slots: readonly number[];
  /** Port of each slot, in the order of `slots`; null when its thread has closed it. */
  readonly slotPorts: readonly (MessagePort | null)[];
  /** What was handled on another thread before, in order. */
  readonly past: readonly RunEvent[];
  /** Reported ends of threads that may not have closed their port yet. */
  readonly exits: readonly CoordinatorEvent[];
  readonly control: SharedArrayBuffer;
  readonly metrics: SharedArrayBuffer;
  readonly vertices: number;
  readonly workerSlots: number;
  readonly regions: readonly RunRegion[];
  readonly cancellationTimeoutMs: number;
  readonly stallTimeoutMs: number;
  /** How checkpoints are taken; null for a run without. */
  readonly checkpointing: CheckpointingStart | null;
  /** What the watchdog names: the subtasks of each slot, by index into the task metrics. */
  readonly watched: readonly WatchedSubtask[];
}

/** A subtask as the watchdog sees it. */
export interface WatchedSubtask {
  readonly slot: number;
  readonly metricsIndex: number;
  readonly vertexName: string;
  readonly vertexUid: string;
  readonly subtask: number;
  readonly operators: readonly { readonly name: string; readonly uid: string }[];
}

/** From a slot to the coordinator. */
export type SlotMessage =
  | { readonly kind: 'event'; readonly event: RunEvent }
  | { readonly kind: 'badRecord'; readonly record: BadRecordReport }
  | { readonly kind: 'log'; readonly line: LogLine }
  /** What the state of a subtask is in, in a checkpoint that others may build on. */
  | { readonly kind: 'tables'; readonly tables: readonly KeptTable[] };

/** A bad record as it reaches the caller. */
export interface BadRecordReport {
  readonly vertex: number;
  readonly file: string | null;
  readonly line: number | null;
  readonly byteOffset: number | null;
  readonly bytes: Uint8Array;
  readonly error: WireError;
}

/** From the coordinator to the caller's thread. */
export type HostMessage =
  | { readonly kind: 'action'; readonly action: CoordinatorAction }
  | Exclude<SlotMessage, { readonly kind: 'event' }>
  | CheckpointMessage;

/** What the caller's thread is told of checkpoints. */
export type CheckpointMessage =
  /** Output is to be made visible; the answer is `committed`, or `failed`. */
  | {
      readonly kind: 'commit';
      readonly checkpoint: number | null;
      readonly commits: readonly SinkCommit[];
    }
  | CheckpointTold
  /** State that later checkpoints were to build on cannot be read any more. */
  | { readonly kind: 'chainBroken'; readonly error: WireError }
  | { readonly kind: 'answer'; readonly token: number; readonly outcome: CheckpointOutcome };

/** A checkpoint or savepoint has ended. */
export interface CheckpointTold {
  readonly kind: 'checkpoint';
  readonly report: CheckpointReport;
  /** Of one that is kept in memory: what the job goes on from after a failure. */
  readonly kept: CheckpointManifest | null;
  readonly statistics: CheckpointStatistics;
}

/** From the caller's thread to the coordinator. */
export type HostRequest = { readonly kind: 'event'; readonly event: RunEvent };
