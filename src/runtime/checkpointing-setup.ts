/**
 * How a job takes checkpoints and what its next attempt goes on from: reads the settings, claims the directory of the
 * job, finds the checkpoint. Loaded by runs that take checkpoints or go on from one. Callers: `job-attempts.ts`. Runs
 * on: the caller's thread. Invariant: of a checkpoint that is gone on from, every byte was right when it was found.
 */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import { freshId } from '../base/random.js';
import {
  type CheckpointPolicy,
  type CheckpointRetention,
  type EndReason,
  outlives,
} from '../checkpoint/checkpoint-protocol.js';
import { type CheckpointStatistics, NO_STATISTICS } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointManifest, SinkCommit } from '../checkpoint/contract.js';
import { RecoveryStore } from '../checkpoint/recovery-store.js';
import type { FsyncPolicy } from '../checkpoint/durable-files.js';
import { forgetOtherEnds, newestJob } from '../checkpoint/newest-job.js';
import { type DamagedCheckpoint, openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { preparedOutput } from '../checkpoint/prepared-output.js';
import type { SnapshotPin } from '../checkpoint/snapshot-pin.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { CheckpointingStart, StorePlace } from './checkpoint-keeper.js';
import { frameOf } from './checkpoint-manifest.js';
import type { CheckpointingPlace, Deployment } from './deployment.js';
import type { JobIdentity } from './plan-run.js';
import type { Settings } from './settings.js';

/** Names the newest checkpoint of the job instead of a path. */
export const LATEST = 'latest';

/** What an attempt goes on from. */
export interface RestoreFrom {
  readonly manifest: CheckpointManifest;
  /** Null where the manifest holds all state. */
  readonly path: string | null;
  /** Whether no other job goes on from it. */
  readonly isOwn: boolean;
  /** Newer ones that are damaged, which were passed over: what is wrong with each, file and offset in `where`. */
  readonly damaged: readonly WireError[];
}

/** What a run of a job is opened with. */
export interface SetupWorld {
  readonly disk: Disk;
  readonly baseDirectory: string;
  readonly params: unknown;
  /** Of a job that its server starts again after its process has died; null for others. */
  readonly identity: JobIdentity | null;
}

/** How a run begins. */
export interface OpenedSetup {
  readonly setup: CheckpointingSetup;
  /** Null for one that goes on from nothing. */
  readonly restore: RestoreFrom | null;
  /** When the job had come to its end before, so that there is nothing to do; null otherwise. Wall clock. */
  readonly finishedMs: number | null;
}

/** The checkpoints of one job in this process. */
export class CheckpointingSetup {
  readonly policy: CheckpointPolicy;
  readonly place: StorePlace | null;
  readonly jobId: string;
  readonly #settings: Settings;
  readonly #baseDirectory: string;
  readonly #disk: Disk;
  readonly #jobName: string;
  readonly #params: unknown;
  /** What became of the checkpoints of all attempts so far. */
  statistics: CheckpointStatistics = NO_STATISTICS;
  #nextId = 1;
  #restoredId: number | null = null;

  private constructor(
    settings: Settings,
    {
      jobId,
      jobName,
      disk,
      baseDirectory,
      params,
    }: SetupWorld & { jobId: string; jobName: string },
  ) {
    this.policy = policyOf(settings);
    this.jobId = jobId;
    this.#settings = settings;
    this.#disk = disk;
    this.#jobName = jobName;
    this.#params = params;
    this.#baseDirectory = baseDirectory;
    const directory = directoryOf(settings, baseDirectory);
    this.place =
      directory === null
        ? null
        : {
            directory,
            jobId,
            isIncremental: settings['execution.checkpointing.incremental'],
            fsync: settings['execution.checkpointing.fsync'] as FsyncPolicy,
            owner: freshId(),
            quotaBytes: settings['execution.checkpointing.maxDirectorySize'],
            numRetained: settings['execution.checkpointing.numRetained'],
          };
  }

  /**
   * The checkpoints of a job that begins, or goes on from a path or `LATEST`. Throws CHECKPOINT_NOT_FOUND and what
   * reading a checkpoint throws; CHECKPOINT_CORRUPT when there are checkpoints and none of them is whole.
   */
  static open(
    plan: PhysicalPlan,
    settings: Settings,
    from: string | null,
    world: SetupWorld,
  ): OpenedSetup {
    refuseUnsaved(plan);
    const { jobName } = plan;
    const { disk, baseDirectory, identity = null } = world;
    const directory = directoryOf(settings, baseDirectory);
    if (identity?.isResumed === true) {
      const { jobId } = identity;
      const setup = new CheckpointingSetup(settings, { jobId, jobName, ...world });
      const restore = setup.latest(null);
      if (restore !== null) return { setup, restore, finishedMs: null };
    }
    if (from === LATEST) {
      if (directory === null) throw noDirectory();
      const newest = newestJob(disk, directory, jobName);
      if (newest.jobId === null && newest.nameless.length > 0) {
        throw noneIsWhole(jobName, directory, newest.nameless);
      }
      const jobId = newest.jobId ?? lastingJobId(jobName);
      const setup = new CheckpointingSetup(settings, { jobId, jobName, ...world });
      const finishedMs = setup.#finishedBefore();
      return { setup, restore: finishedMs === null ? setup.latest(null) : null, finishedMs };
    }
    const jobId = identity?.jobId ?? freshId();
    const setup = new CheckpointingSetup(settings, { jobId, jobName, ...world });
    if (from === null) return { setup, restore: null, finishedMs: null };
    const { manifest, path, reader } = openCheckpoint(disk, resolve(baseDirectory, from));
    reader.close();
    setup.#goOnFrom(manifest);
    const isClaimed = settings['execution.stateRecovery.claimMode'] === 'claim';
    setup.#pin(path, isClaimed);
    const restore = { manifest, path, isOwn: isClaimed, damaged: [] };
    return { setup, restore, finishedMs: null };
  }

  /**
   * When the job had come to its end, with the same parameters; it is to be left at that, unless the settings say that
   * it begins anew. Null otherwise. What it was killed in the middle of deleting is deleted.
   */
  #finishedBefore(): number | null {
    return this.#opened((store) => {
      const { finished } = store;
      if (finished === null) return null;
      const mayStay = this.#settings['execution.stateRecovery.ifFinished'] === 'nothing';
      if (mayStay && isDeepStrictEqual(finished.params, this.#params)) {
        store.disposeAll();
        return finished.timestampMs;
      }
      store.forgetEnd();
      return null;
    }, null);
  }

  /**
   * The newest checkpoint that is whole: on disk, else the one that was kept; null when there is none. Throws
   * CHECKPOINT_CORRUPT when there are some, all of them damaged, since to begin anew repeats output.
   */
  latest(kept: CheckpointManifest | null): RestoreFrom | null {
    if (this.place === null) {
      if (kept === null) return null;
      this.#goOnFrom(kept);
      return { manifest: kept, path: null, isOwn: true, damaged: [] };
    }
    return this.#opened((store) => {
      this.#nextId = Math.max(this.#nextId, store.lastId + 1);
      const found = store.latest();
      const { damaged } = store;
      if (found === null) {
        if (damaged.length > 0) throw noneIsWhole(this.#jobName, store.root, damaged);
        return this.#pinned(store.restoredFrom);
      }
      found.reader.close();
      this.#goOnFrom(found.manifest);
      const { manifest, path } = found;
      return { manifest, path, isOwn: true, damaged: damaged.map(({ error }) => toWire(error)) };
    }, null);
  }

  /** A checkpoint that this job has just been suspended with, by its path. */
  suspendedWith(path: string): RestoreFrom {
    const from = this.newest(path);
    this.#goOnFrom(from.manifest);
    return from;
  }

  /**
   * A checkpoint that the attempt which runs has just taken, by its path. Whoever reads its state checks it: to do so
   * here too would take longer than all the rest.
   */
  newest(path: string): RestoreFrom {
    const { manifest, reader } = openCheckpoint(this.#disk, path);
    reader.close();
    return { manifest, path, isOwn: true, damaged: [] };
  }

  /** The snapshot that the job was started from or stopped with. */
  #pinned(pin: SnapshotPin | null): RestoreFrom | null {
    if (pin === null) return null;
    const { manifest, path, reader } = openCheckpoint(this.#disk, pin.path);
    reader.close();
    this.#goOnFrom(manifest);
    return { manifest, path, isOwn: pin.isClaimed, damaged: [] };
  }

  /** Output that savepoints hold and no checkpoint has made visible. Throws CHECKPOINT_CORRUPT. */
  savedOutput(): readonly SinkCommit[] {
    if (this.place === null) return [];
    return preparedOutput(this.#disk, join(this.place.directory, this.jobId));
  }

  /** Claims the directory for as long as `use` takes; `otherwise` where there is none. */
  #opened<T>(use: (store: RecoveryStore) => T, otherwise: T): T {
    if (this.place === null) return otherwise;
    const store = new RecoveryStore({ disk: this.#disk, ...this.place });
    try {
      return use(store);
    } finally {
      store.close();
    }
  }

  /** Until there is a checkpoint of the job's own, what it goes on from must not be disposed of. */
  #pin(path: string, isClaimed: boolean): void {
    if (this.policy.intervalMs === null) return;
    this.#opened((store) => store.restoreFrom(this.#pinOf(path, isClaimed)), undefined);
  }

  #pinOf(path: string, isClaimed: boolean): SnapshotPin {
    return { path, jobName: this.#jobName, timestampMs: systemClock.epochMs(), isClaimed };
  }

  #goOnFrom({ id }: CheckpointManifest): void {
    this.#nextId = Math.max(this.#nextId, id + 1);
    this.#restoredId = id;
  }

  /** Where the slots of an attempt write. */
  slotsPlace(attempt: number): CheckpointingPlace {
    const directory = this.place === null ? null : join(this.place.directory, this.jobId);
    return { directory, attempt };
  }

  /** What takes the checkpoints of an attempt. */
  start(plan: PhysicalPlan, deployment: Deployment, epochMs: number): CheckpointingStart {
    const path = deployment.restore?.path ?? null;
    const restoredId = this.#restoredId;
    const savepoints = this.#settings['execution.checkpointing.savepointDir'];
    const slotsAttempt = deployment.checkpointing?.attempt;
    const place =
      this.place === null || slotsAttempt === undefined
        ? this.place
        : { ...this.place, slotsAttempt };
    return {
      policy: this.policy,
      nextId: this.#nextId,
      restored: restoredId === null ? null : { id: restoredId, path, restoredMs: epochMs },
      statistics: this.statistics,
      frame: frameOf(this.jobId, plan, deployment),
      place,
      savepointDirectory: savepoints === null ? null : resolve(this.#baseDirectory, savepoints),
      seed: deployment.seed,
    };
  }

  /**
   * The job has ended for good: its checkpoints go, unless its end and the settings say that they stay, or another
   * process has taken over. That it has finished is noted first, or the savepoint with which it was stopped, which is
   * where it goes on.
   */
  end(reason: EndReason, suspendedTo: string | null): void {
    const retention = this.#settings['execution.checkpointing.externalizedCheckpointRetention'];
    if (this.place === null || outlives(retention as CheckpointRetention, reason)) return;
    const store = RecoveryStore.after({ disk: this.#disk, ...this.place });
    if (store === null) return;
    try {
      if (reason !== 'finished') return store.disposeAll();
      if (suspendedTo !== null) return store.suspend(this.#pinOf(suspendedTo, false));
      const timestampMs = systemClock.epochMs();
      store.finish({ jobName: this.#jobName, params: this.#params, timestampMs });
      const { jobId } = this;
      forgetOtherEnds(this.#disk, this.place.directory, { jobId, jobName: this.#jobName });
    } finally {
      store.close();
    }
  }
}

/** Records on their way round a loop, and those that are to be sorted, are in no snapshot. */
function refuseUnsaved({ vertices, jobName }: PhysicalPlan): void {
  for (const { spec } of vertices.flatMap(({ operators }) => operators)) {
    if (spec.kind !== 'loop' && spec.kind !== 'sort') continue;
    const message = `A job with a ${spec.kind} takes no checkpoints.`;
    throw new MillraceError('FEATURE_UNSUPPORTED', message, {
      where: { job: jobName, operator: spec.name, uid: spec.uid },
      advice: 'Run it without execution.checkpointing.interval.',
    });
  }
}

/**
 * The id of a job that always goes on where it was, however often it is started: it has one directory, of which each
 * start takes the rights from the one before.
 */
function lastingJobId(jobName: string): string {
  return createHash('sha256').update(jobName).digest('hex').slice(0, 32);
}

function directoryOf(settings: Settings, baseDirectory: string): string | null {
  const directory = settings['execution.checkpointing.dir'];
  return directory === null ? null : resolve(baseDirectory, directory);
}

function policyOf(settings: Settings): CheckpointPolicy {
  return {
    intervalMs: settings['execution.checkpointing.interval'],
    timeoutMs: settings['execution.checkpointing.timeout'],
    minPauseMs: settings['execution.checkpointing.minPause'],
    maxConcurrent: settings['execution.checkpointing.maxConcurrentCheckpoints'],
    tolerableFailures: settings['execution.checkpointing.tolerableFailedCheckpoints'],
    numRetained: settings['execution.checkpointing.numRetained'],
    isIncremental: settings['execution.checkpointing.incremental'],
    overtakes: settings['execution.checkpointing.unaligned.enabled'],
  };
}

/** To begin anew is a decision that nobody has taken. */
function noneIsWhole(
  job: string,
  directory: string,
  damaged: readonly DamagedCheckpoint[],
): MillraceError {
  const described = damaged.map(({ error: { where, message } }) => {
    return `${where.file} at byte ${where.byteOffset}: ${message}`;
  });
  return new MillraceError(
    'CHECKPOINT_CORRUPT',
    `No checkpoint that "${job}" could go on from is whole. ${described.join(' ')}`,
    {
      where: { job, ...damaged[0]?.error.where },
      advice:
        'Go on from a savepoint with --from <path>. To begin anew, which repeats output, run ' +
        `without --from, or move ${directory} away.`,
    },
  );
}

function noDirectory(): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    'There is no latest checkpoint to look for, because no checkpoint directory is set.',
    { advice: 'Set execution.checkpointing.dir, or name the checkpoint by its path.' },
  );
}
