/**
 * The attempts of a job: prepares each one, and gives it its threads. The first begins, or goes on from a checkpoint
 * that was named; the others go on from the newest there is. Callers: `launch-run.ts` makes it, the execution asks for
 * further attempts. Runs on: the caller's thread. Invariant: an attempt is made after everything of the one before has
 * ended and what it had committed is visible.
 */
import { systemClock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { nodeDisk } from '../base/node-disk.js';
import { freshSeed } from '../base/random.js';
import type { PlainData, SourcePlan } from '../connector/contract.js';
import type { EndReason } from '../checkpoint/checkpoint-protocol.js';
import type { CheckpointStatistics } from '../checkpoint/checkpoint-statistics.js';
import type { CheckpointManifest, SinkCommit } from '../checkpoint/contract.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { Schema } from '../record/schema.js';
import type { AheadCheckpoint } from './ahead-tasks.js';
import type { CheckpointingSetup, RestoreFrom } from './checkpointing-setup.js';
import { deploy } from './deploy.js';
import type { Deployment } from './deployment.js';
import type {
  NewestCheckpoint,
  NextAttempt,
  NextRegion,
  RestoredAttempt,
} from './further-attempts.js';
import { importableUrl } from './importable-url.js';
import { type PlannedAt, planAt, planKeeping } from './plan-further.js';
import { NOTHING_KEPT } from './plan-options.js';
import type { PlannedRun, RunRequest } from './plan-run.js';
import {
  abortPrepared,
  type PreparedConnectors,
  preparedVertex,
  prepareConnectors,
  type RestoredConnectors,
} from './prepare-connectors.js';
import type { PlannedRestore } from './restore-plan.js';
import type { RunControl, RunObserver } from './run-control.js';
import { SlotThreads } from './slot-threads.js';
import { startThreads } from './threaded-run.js';

/** Makes the attempts of one job. */
export class JobAttempts {
  #request: RunRequest;
  #planned: PlannedRun;
  readonly #disk: Disk;
  /** Of the first attempt, which were started before anything was known; null when the job has none. */
  #threads: SlotThreads | null;
  readonly #isThreaded: boolean;
  #setup: CheckpointingSetup | null = null;
  /** What the job was told to go on from. */
  #origin: RestoreFrom | null = null;
  #prepared: PreparedConnectors | null = null;
  /** What the attempt that runs went on from. */
  #from: RestoreFrom | null = null;
  #hasEnded = false;
  /** Threads that have loaded state for what is planned next. */
  #ahead: { readonly plan: PhysicalPlan; readonly threads: SlotThreads } | null = null;

  constructor(request: RunRequest, planned: PlannedRun, threads: SlotThreads | null) {
    this.#request = request;
    this.#planned = planned;
    this.#threads = threads;
    this.#isThreaded = threads !== null;
    this.#disk = request.world?.disk ?? nodeDisk;
  }

  get plan(): PhysicalPlan {
    return this.#planned.plan;
  }

  get disk(): Disk {
    return this.#disk;
  }

  /** The first attempt; when the job had come to its end before, so that there is none, the time of that. */
  async first(): Promise<NextAttempt | number> {
    const { settings, baseDirectory, params, identity = null } = this.#request;
    const { plan } = this.#planned;
    const from = settings['execution.stateRecovery.path'];
    if (settings['execution.checkpointing.interval'] !== null || from !== null) {
      const { CheckpointingSetup } = await import('./checkpointing-setup.js');
      const world = { disk: this.#disk, baseDirectory, params, identity };
      const opened = CheckpointingSetup.open(plan, settings, from, world);
      if (opened.finishedMs !== null) return opened.finishedMs;
      this.#setup = opened.setup;
      this.#origin = opened.restore;
    }
    return this.#attempt(this.#origin);
  }

  /**
   * The attempt after one that has failed, or was suspended with the checkpoint at this path; `kept` is the newest
   * checkpoint of a job that keeps them in memory.
   */
  next(
    kept: CheckpointManifest | null,
    statistics: CheckpointStatistics,
    suspendedWith: string | null = null,
  ): Promise<NextAttempt> {
    const setup = this.#setup;
    if (setup === null) return this.#attempt(this.#origin);
    setup.statistics = statistics;
    const from = suspendedWith === null ? setup.latest(kept) : setup.suspendedWith(suspendedWith);
    return this.#attempt(from ?? this.#origin);
  }

  /**
   * What vertices of the attempt that runs begin again with: sinks make visible what the newest checkpoint holds, and
   * throw away what came after it. The checkpoints stay with whoever takes them.
   */
  async region(vertices: readonly number[], newest: NewestCheckpoint): Promise<NextRegion> {
    const from = this.#newest(newest);
    const restore = from === null ? null : await this.#planRestore(from);
    const { plan } = this.#planned;
    const { baseDirectory } = this.#request;
    const restored = this.#known(restore?.connectors ?? null);
    const world = { disk: this.#disk, baseDirectory, restored, kept: this.savedOutput() };
    for (const id of vertices) {
      const sinks: PlainData[] = [];
      const source = await preparedVertex(plan.jobName, plan.vertices[id], world, sinks);
      const { sourcePlans = [], sinkPlans = [] } = this.#prepared ?? {};
      this.#prepared = {
        sourcePlans: sourcePlans.with(id, source),
        sinkPlans: sinkPlans.with(id, sinks),
      };
    }
    const { sourcePlans = [], sinkPlans = [] } = this.#prepared ?? {};
    const start = {
      attempt: freshAttempt(),
      restore: restore?.restore ?? null,
      sourcePlans,
      sinkPlans,
    };
    return { start, restored: restoredAttempt(from, restore) };
  }

  #newest({ path, kept }: NewestCheckpoint): RestoreFrom | null {
    if (path !== null) return this.#setup?.newest(path) ?? null;
    return kept === null ? this.#from : { manifest: kept, path, isOwn: true, damaged: [] };
  }

  /** The job at another parallelism. Throws PARALLELISM_INVALID and whatever planning throws. */
  planAt(parallelism: number): PlannedAt {
    return planAt(this.#request, this.#planned.plan, parallelism);
  }

  /** Whether later attempts can load state while the one before them still runs. */
  get canLoadAhead(): boolean {
    const isInMemory = this.#request.settings['state.backend'] !== 'lsm';
    const place = this.#setup?.place ?? null;
    return this.#isThreaded && isInMemory && place !== null;
  }

  /**
   * Has threads load the state of a checkpoint for what was planned, or what is new in it since the one before; until
   * `adopt`, or `dropAhead`.
   */
  async loadAhead({ plan, request }: PlannedAt, checkpoint: AheadCheckpoint): Promise<void> {
    const { aheadTasks } = await import('./ahead-tasks.js');
    if (this.#hasEnded) return;
    if (this.#ahead?.plan !== plan) {
      this.dropAhead();
      this.#ahead = { plan, threads: new SlotThreads(plan.slots, request.settings) };
    }
    await this.#ahead?.threads.loadAhead(aheadTasks(plan, request.settings, checkpoint));
  }

  /** Ends threads that have loaded state for nothing. */
  dropAhead(): void {
    void this.#ahead?.threads.terminate();
    this.#ahead = null;
  }

  /** Makes further attempts of what was planned; gives what they were made of before. */
  adopt({ request, ...planned }: PlannedAt): PlannedAt {
    const before = { ...this.#planned, request: this.#request };
    this.#request = request;
    this.#planned = planned;
    return before;
  }

  /** Output that savepoints hold and no checkpoint has made visible. */
  savedOutput(): readonly SinkCommit[] {
    return this.#setup?.savedOutput() ?? [];
  }

  /** The job has ended for good. */
  end(reason: EndReason, suspendedTo: string | null): void {
    this.#hasEnded = true;
    this.dropAhead();
    if (this.#request.identity === undefined) this.#setup?.end(reason, suspendedTo);
  }

  async #attempt(from: RestoreFrom | null): Promise<NextAttempt> {
    const { baseDirectory } = this.#request;
    this.#from = from;
    const restore = from === null ? null : await this.#planRestore(from);
    const { plan } = this.#planned;
    const known = this.#known(restore?.connectors ?? null);
    const saved = this.savedOutput();
    const prepared = await prepareConnectors(plan, this.#disk, baseDirectory, known, saved);
    this.#prepared = prepared;
    try {
      this.#planned.check(foundSchemas(plan, prepared.sourcePlans));
      const deployment = await this.#deploy(prepared, restore);
      const restored = restoredAttempt(from, restore);
      const threads = this.#takeThreads();
      return {
        plan,
        deployment,
        restored,
        start: (observer) => this.#start(deployment, observer, threads),
      };
    } catch (error) {
      await abortPrepared(plan, prepared, this.#disk, baseDirectory, saved);
      throw error;
    }
  }

  async #planRestore({ manifest, path, isOwn }: RestoreFrom): Promise<PlannedRestore> {
    const { planToKeep, planRestore } = await import('./restore-plan.js');
    const kept = planToKeep(manifest, this.#planned.plan);
    if (kept !== null) {
      const draft = { parallelism: this.#planned.parallelism, isThreaded: this.#isThreaded };
      this.adopt(planKeeping(this.#request, draft, kept));
    }
    const allowNonRestored = this.#request.settings['execution.stateRecovery.ignoreUnclaimedState'];
    return planRestore(manifest, this.#planned.plan, { path, isOwn, allowNonRestored });
  }

  /**
   * What connectors go on with. Sinks keep what they had decided in the attempt before this one, where that was not
   * what others go on with, too.
   */
  #known(restored: RestoredConnectors | null): RestoredConnectors | null {
    if (this.#prepared === null || restored?.isOwn === true) return restored;
    const { sourcePlans, sinkPlans } = this.#prepared;
    return {
      isOwn: true,
      sourcePlans: restored?.sourcePlans ?? sourcePlans,
      sinkPlans: sinkPlans.map((plans, vertex) =>
        plans.map((plan, sink) => {
          const committables = restored?.sinkPlans[vertex]?.[sink]?.committables ?? [];
          return { plan, committables };
        }),
      ),
    };
  }

  async #deploy(prepared: PreparedConnectors, restore: PlannedRestore | null): Promise<Deployment> {
    const { settings, job, params, baseDirectory } = this.#request;
    const { plan, parallelism } = this.#planned;
    const takesCheckpoints = settings['execution.checkpointing.interval'] !== null;
    return deploy(plan, {
      jobName: plan.jobName,
      attempt: freshAttempt(),
      moduleUrl: this.#isThreaded ? await importableUrl(job.module ?? '') : null,
      params,
      planHash: plan.hash,
      parallelism,
      kept: this.#request.kept ?? NOTHING_KEPT,
      baseDirectory,
      settings,
      seed: settings.seed ?? freshSeed(),
      checkpointing: takesCheckpoints ? (this.#setup?.slotsPlace(freshSeed()) ?? null) : null,
      restore: restore?.restore ?? null,
      ...prepared,
    });
  }

  #takeThreads(): SlotThreads | null {
    if (!this.#isThreaded) return null;
    const ahead = this.#ahead;
    if (ahead?.plan === this.plan) this.#ahead = null;
    else this.dropAhead();
    const own = ahead?.plan === this.plan ? ahead.threads : this.#threads;
    const threads = own ?? new SlotThreads(this.plan.slots, this.#request.settings);
    this.#threads = null;
    threads.resize(this.plan.slots);
    return threads;
  }

  async #start(
    deployment: Deployment,
    observer: RunObserver,
    threads: SlotThreads | null,
  ): Promise<RunControl> {
    const { plan } = this.#planned;
    const { world, awaitsEnd } = this.#request;
    const checkpointing =
      deployment.checkpointing === null
        ? null
        : (this.#setup?.start(plan, deployment, systemClock.epochMs()) ?? null);
    if (threads !== null) {
      const start = { awaitsEnd: awaitsEnd === true, checkpointing };
      return startThreads(plan, deployment, observer, threads, start);
    }
    const { startInThread } = await import('./in-thread-run.js');
    const realWorld = { clock: systemClock, disk: nodeDisk, shuffle: null };
    return startInThread(plan, deployment, observer, world ?? realWorld, checkpointing);
  }
}

function freshAttempt(): string {
  return `${systemClock.epochMs().toString(36)}-${freshSeed().toString(36)}`;
}

function restoredAttempt(
  from: RestoreFrom | null,
  restore: PlannedRestore | null,
): RestoredAttempt | null {
  if (from === null || restore === null) return null;
  const { manifest, path, damaged } = from;
  return { checkpoint: manifest.id, path, mapping: restore.mapping, damaged };
}

function foundSchemas(
  plan: PhysicalPlan,
  sourcePlans: readonly (SourcePlan | null)[],
): ReadonlyMap<string, Schema> {
  const found = new Map<string, Schema>();
  for (const { id, source } of plan.vertices) {
    const schema = sourcePlans[id]?.schema ?? null;
    if (source !== null && schema !== null) found.set(source.identity.uid, schema);
  }
  return found;
}
