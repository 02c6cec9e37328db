/**
 * How a job takes checkpoints and what its next attempt goes on from: reads the settings, claims the directory of the
 * job, finds the checkpoint. Loaded by runs that take checkpoints or go on from one. Callers: `job-attempts.ts`. Runs
 * on: the caller's thread. Invariant: of a checkpoint that is gone on from, every byte was right when it was found.
 */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Disk } from '../base/disk.js';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import { freshSeed } from '../base/random.js';
import {
  type CheckpointPolicy,
  type CheckpointRetention,
  type EndReason,
  outlives,
} from '../checkpoint/checkpoint-protocol.js';
import { type CheckpointStatistics, NO_STATISTICS } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointManifest } from '../checkpoint/contract.js';
import { DirectoryStore } from '../checkpoint/directory-store.js';
import type { FsyncPolicy } from '../checkpoint/durable-files.js';
import { listCheckpoints, openCheckpoint } from '../checkpoint/open-checkpoint.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { CheckpointingStart, StorePlace } from './checkpoint-keeper.js';
import { frameOf } from './checkpoint-manifest.js';
import type { CheckpointingPlace, Deployment } from './deployment.js';
import type { Settings } from './settings.js';

/** Names the newest checkpoint of the job instead of a path. */
export const LATEST = 'latest';

/** What an attempt goes on from. */
export interface RestoreFrom {
  readonly manifest: CheckpointManifest;
  /** Null where the manifest holds all state. */
  readonly path: string | null;
  /** Newer ones that are damaged, which were passed over: what is wrong with each, file and offset in `where`. */
  readonly damaged: readonly WireError[];
}

/** The checkpoints of one job in this process. */
export class CheckpointingSetup {
  readonly policy: CheckpointPolicy;
  readonly place: StorePlace | null;
  readonly jobId: string;
  readonly #settings: Settings;
  readonly #baseDirectory: string;
  readonly #disk: Disk;
  /** What became of the checkpoints of all attempts so far. */
  statistics: CheckpointStatistics = NO_STATISTICS;
  #nextId = 1;
  #restoredId: number | null = null;

  private constructor(
    settings: Settings,
    { jobId, disk, baseDirectory }: { jobId: string; disk: Disk; baseDirectory: string },
  ) {
    this.policy = policyOf(settings);
    this.jobId = jobId;
    this.#settings = settings;
    this.#disk = disk;
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
          };
  }

  /**
   * The checkpoints of a job that begins, or goes on from a path or `LATEST`. Throws CHECKPOINT_NOT_FOUND and what
   * reading a checkpoint throws.
   */
  static open(
    plan: PhysicalPlan,
    settings: Settings,
    from: string | null,
    world: { readonly disk: Disk; readonly baseDirectory: string },
  ): { readonly setup: CheckpointingSetup; readonly restore: RestoreFrom | null } {
    refuseLoops(plan);
    const { jobName } = plan;
    const { disk, baseDirectory } = world;
    const directory = directoryOf(settings, baseDirectory);
    if (from === LATEST) {
      if (directory === null) throw noDirectory();
      const jobId = newestJob(disk, directory, jobName) ?? lastingJobId(jobName);
      const setup = new CheckpointingSetup(settings, { jobId, ...world });
      return { setup, restore: setup.latest(null) };
    }
    const setup = new CheckpointingSetup(settings, { jobId: newJobId(), ...world });
    if (from === null) return { setup, restore: null };
    const { manifest, path, reader } = openCheckpoint(disk, resolve(baseDirectory, from));
    reader.close();
    setup.#goOnFrom(manifest);
    setup.#pin(path);
    return { setup, restore: { manifest, path, damaged: [] } };
  }

  /** The newest checkpoint that is whole: on disk, else the one that was kept; null when there is none. */
  latest(kept: CheckpointManifest | null): RestoreFrom | null {
    if (this.place === null) {
      if (kept === null) return null;
      this.#goOnFrom(kept);
      return { manifest: kept, path: null, damaged: [] };
    }
    const store = new DirectoryStore({ disk: this.#disk, ...this.place });
    try {
      this.#nextId = Math.max(this.#nextId, store.lastId + 1);
      const found = store.latest();
      if (found === null) return null;
      found.reader.close();
      this.#goOnFrom(found.manifest);
      const { manifest, path } = found;
      return { manifest, path, damaged: store.damaged.map(({ error }) => toWire(error)) };
    } finally {
      store.close();
    }
  }

  /** Until there is a checkpoint of the job's own, what it goes on from must not be disposed of. */
  #pin(path: string): void {
    if (this.place === null || this.policy.intervalMs === null) return;
    const store = new DirectoryStore({ disk: this.#disk, ...this.place });
    store.restoreFrom(path);
    store.close();
  }

  #goOnFrom({ id }: CheckpointManifest): void {
    this.#nextId = Math.max(this.#nextId, id + 1);
    this.#restoredId = id;
  }

  /** Where the slots of an attempt write. */
  slotsPlace(attempt: number): CheckpointingPlace {
    const directory = this.place === null ? null : join(this.place.directory, this.jobId);
    return { directory, isIncremental: this.place?.isIncremental ?? false, attempt };
  }

  /** What takes the checkpoints of an attempt. */
  start(plan: PhysicalPlan, deployment: Deployment, epochMs: number): CheckpointingStart {
    const path = deployment.restore?.path ?? null;
    const restoredId = this.#restoredId;
    const savepoints = this.#settings['execution.checkpointing.savepointDir'];
    return {
      policy: this.policy,
      nextId: this.#nextId,
      restored: restoredId === null ? null : { id: restoredId, path, restoredMs: epochMs },
      statistics: this.statistics,
      frame: frameOf(this.jobId, plan, deployment),
      place: this.place,
      savepointDirectory: savepoints === null ? null : resolve(this.#baseDirectory, savepoints),
      seed: deployment.seed,
    };
  }

  /** The job has ended for good: its checkpoints go, unless its end and the settings say that they stay. */
  end(reason: EndReason): void {
    if (this.place === null || outlives(this.policy.retention, reason)) return;
    this.#disk.removeTree(join(this.place.directory, this.jobId));
  }
}

/** Records on their way round a loop are in no snapshot. */
function refuseLoops({ vertices, jobName }: PhysicalPlan): void {
  const loop = vertices
    .flatMap(({ operators }) => operators)
    .find(({ spec }) => spec.kind === 'loop');
  if (loop === undefined) return;
  throw new MillraceError('FEATURE_UNSUPPORTED', 'A job with a loop takes no checkpoints.', {
    where: { job: jobName, operator: loop.spec.name, uid: loop.spec.uid },
    advice: 'Run it without execution.checkpointing.interval.',
  });
}

function newJobId(): string {
  const words = Array.from({ length: 4 }, () => freshSeed().toString(16).padStart(8, '0'));
  return words.join('');
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
    retention: settings[
      'execution.checkpointing.externalizedCheckpointRetention'
    ] as CheckpointRetention,
    numRetained: settings['execution.checkpointing.numRetained'],
    isIncremental: settings['execution.checkpointing.incremental'],
  };
}

/** The id under which the job of this name took its newest checkpoint; null when it took none. */
function newestJob(disk: Disk, directory: string, jobName: string): string | null {
  let newest: { readonly jobId: string; readonly timestampMs: number } | null = null;
  for (const jobId of disk.list(directory)) {
    if (disk.stat(join(directory, jobId))?.isDirectory !== true) continue;
    for (const { manifest, reader } of listCheckpoints(disk, directory, jobId).completed) {
      reader.close();
      if (manifest.jobName !== jobName) continue;
      if (newest === null || manifest.timestampMs > newest.timestampMs) newest = manifest;
    }
  }
  return newest?.jobId ?? null;
}

function noDirectory(): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    'There is no latest checkpoint to look for, because no checkpoint directory is set.',
    { advice: 'Set execution.checkpointing.dir, or name the checkpoint by its path.' },
  );
}
