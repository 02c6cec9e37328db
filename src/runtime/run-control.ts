/**
 * What steers and observes a run, the same for threads and for the in-thread runtime. Callers: `execution.ts`.
 * Runs on: the caller's thread.
 */
import type { LogLine } from '../base/function-log.js';
import type { WireError } from '../base/errors.js';
import type { CheckpointOutcome } from '../checkpoint/checkpoint-protocol.js';
import type { SinkCommit } from '../checkpoint/contract.js';
import type { KeptTable } from '../state/state-writer.js';
import type { JobState, RunEvent } from './coordinator.js';
import type { BadRecordReport, CheckpointMessage, CheckpointTold } from './messages.js';
import type { RegionDown } from './run-regions.js';
import type { SlotThreadId } from './slot-thread-id.js';
import type { SlotRequest } from './tap-listener.js';
import type { TapReport } from './tap-protocol.js';

/** Steers a run. */
export interface RunControl {
  /** Tells the coordinator of something that the caller wants or saw; ignored after the end. */
  send(event: RunEvent): void;
  /** Asks every slot to look at records or to stop that, or to begin a region again. */
  ask(request: SlotRequest): void;
  /** The threads that run its slots. */
  readonly threads: readonly SlotThreadId[];
}

/** How a run ended. */
export interface RunCompletion {
  readonly state: 'FINISHED' | 'FAILED' | 'CANCELED';
  readonly error: WireError | null;
  readonly commits: readonly SinkCommit[];
}

/** Is told what a run does. */
export interface RunObserver {
  onState(state: JobState): void;
  onBadRecord(record: BadRecordReport): void;
  /** A function has logged a line. */
  onLog(line: LogLine): void;
  /** Output is to be made visible; `committed` or `failed` is to be sent when that is done. */
  onCommit(checkpoint: number | null, commits: readonly SinkCommit[]): void;
  /** A checkpoint or savepoint has ended. */
  onCheckpoint(told: CheckpointTold): void;
  /** State that later checkpoints were to build on cannot be read any more. */
  onChainBroken(error: WireError): void;
  /** What the state of a subtask is in, as far as checkpoints build on each other; comes before they complete. */
  onTables(tables: readonly KeptTable[]): void;
  /** A region has ended in all slots, for a failure, and may be started again. */
  onRegionDown(down: RegionDown): void;
  /** What a slot has seen of its records. */
  onTapped(report: TapReport): void;
  /** What became of a request. */
  onAnswer(token: number, outcome: CheckpointOutcome): void;
  /** Exactly once, after every thread of the run has ended. */
  onComplete(completion: RunCompletion): void;
}

/** Tells an observer of checkpoints. */
export function observeCheckpoints(observer: RunObserver, message: CheckpointMessage): void {
  if (message.kind === 'commit') observer.onCommit(message.checkpoint, message.commits);
  else if (message.kind === 'checkpoint') observer.onCheckpoint(message);
  else if (message.kind === 'chainBroken') observer.onChainBroken(message.error);
  else observer.onAnswer(message.token, message.outcome);
}
