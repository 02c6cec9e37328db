/**
 * What gives a job further attempts, and parts of one that begin again by themselves. Callers: the execution asks,
 * `job-attempts.ts` makes them. Runs on: the caller's thread; types only.
 */
import type { WireError } from '../base/errors.js';
import type { EndReason } from '../checkpoint/checkpoint-protocol.js';
import type { CheckpointStatistics } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointManifest, SinkCommit } from '../checkpoint/contract.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { AheadCheckpoint } from './ahead-tasks.js';
import type { Deployment } from './deployment.js';
import type { PlannedAt } from './plan-further.js';
import type { RestoreMapping } from './restore-plan.js';
import type { RunControl, RunObserver } from './run-control.js';
import type { RegionStart } from './slot-regions.js';

/** What gives a job further attempts after a failure. */
export interface FurtherAttempts {
  /** After how long the job is to be started again, or what it ends with. */
  afterFailure(error: WireError, nowMs: number): number | WireError;
  /** A checkpoint has completed. */
  checkpointed(): void;
  /**
   * The next attempt, which goes on from the newest checkpoint, or from the one at this path, which the attempt before
   * it has just been suspended with; `kept` is that of a job that keeps them in memory.
   */
  next(
    kept: CheckpointManifest | null,
    statistics: CheckpointStatistics,
    suspendedWith?: string | null,
  ): Promise<NextAttempt>;
  /** The job at another parallelism. Throws PARALLELISM_INVALID. */
  planAt(parallelism: number): PlannedAt;
  /** Whether what comes next can load state while the attempt before it still runs. */
  readonly canLoadAhead: boolean;
  /** Has it load the state of a checkpoint, or what is new in one; settles when it has, or cannot. */
  loadAhead(planned: PlannedAt, checkpoint: AheadCheckpoint): Promise<void>;
  /** Gives up what was loaded. */
  dropAhead(): void;
  /** Makes further attempts of it; gives what they were made of before. */
  adopt(planned: PlannedAt): PlannedAt;
  /**
   * What a region of this attempt begins again with, which goes on from the newest checkpoint of the attempt, or from
   * where that began.
   */
  region(vertices: readonly number[], newest: NewestCheckpoint): Promise<NextRegion>;
  /** Output that savepoints hold and no checkpoint has made visible: not to be thrown away. */
  savedOutput(): readonly SinkCommit[];
  /**
   * There will be no further attempt: what the job need not leave behind goes. `suspendedTo` is the savepoint with
   * which it was stopped, to go on another time; null for none.
   */
  end(reason: EndReason, suspendedTo: string | null): void;
}

/** An attempt that is ready to start. */
export interface NextAttempt {
  readonly plan: PhysicalPlan;
  readonly deployment: Deployment;
  readonly restored: RestoredAttempt | null;
  start(observer: RunObserver): Promise<RunControl>;
}

/** What an attempt goes on from. */
export interface RestoredAttempt {
  readonly checkpoint: number;
  readonly path: string | null;
  readonly mapping: RestoreMapping;
  /** Newer ones that are damaged, which were passed over: what is wrong with each. */
  readonly damaged: readonly WireError[];
}

/** The newest checkpoint that an attempt has completed; nulls before the first. */
export interface NewestCheckpoint {
  /** Where it is; null for one that is kept in memory. */
  readonly path: string | null;
  /** All of one that is kept in memory. */
  readonly kept: CheckpointManifest | null;
}

/** A region that is ready to begin again. */
export interface NextRegion {
  readonly start: RegionStart;
  readonly restored: RestoredAttempt | null;
}
