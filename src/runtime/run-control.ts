/**
 * What steers and observes a run, the same for threads and for the in-thread runtime. Callers: `execution.ts`.
 * Runs on: the caller's thread.
 */
import type { WireError } from '../base/errors.js';
import type { LedgerRow } from '../memory/ledger.js';
import type { CoordinatorEvent, JobState, SinkCommit } from './coordinator.js';
import type { BadRecordReport } from './messages.js';

/** Steers a run. */
export interface RunControl {
  /** Tells the coordinator of something that the caller wants or saw; ignored after the end. */
  send(event: CoordinatorEvent): void;
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
  onLedger(slot: number, rows: readonly LedgerRow[]): void;
  /** Exactly once, after every thread of the run has ended. */
  onComplete(completion: RunCompletion): void;
}
