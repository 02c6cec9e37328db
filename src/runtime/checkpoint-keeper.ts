/**
 * Takes the checkpoints of one attempt: carries out what the checkpoint coordinator demands, with the store, the
 * control words of the slots and whoever commits. Callers: the run coordinator. Runs on: the coordinator's thread, or
 * the caller's where the job runs in it. Invariant: a checkpoint that is told as completed is durable.
 */
import type { Clock } from '../base/clock.js';
import { MillraceError, toWire } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { formatBytes } from '../base/units.js';
import { CheckpointCoordinator } from '../checkpoint/checkpoint-coordinator.js';
import type {
  CheckpointAction,
  CheckpointEvent,
  GatheredCheckpoint,
} from '../checkpoint/checkpoint-protocol.js';
import type { FsyncPolicy } from '../checkpoint/durable-files.js';
import { beginCheckpoints, type CheckpointStart } from '../checkpoint/checkpoint-state.js';
import type {
  CheckpointManifest,
  CheckpointReport,
  CheckpointStore,
  CheckpointTrigger,
  StatePiece,
} from '../checkpoint/contract.js';
import type { ChainMerging } from './chain-merging.js';
import { type ManifestFrame, manifestOf } from './checkpoint-manifest.js';
import type { CoordinatorEvent } from './coordinator.js';
import type { CheckpointMessage } from './messages.js';

/** What the checkpoints of an attempt start from. Plain data. */
export interface CheckpointingStart
  extends Pick<CheckpointStart, 'policy' | 'nextId' | 'restored' | 'statistics'> {
  readonly frame: ManifestFrame;
  /** Where the store is; null: state stays in memory. */
  readonly place: StorePlace | null;
  /** Where savepoints go that name no directory; null for nowhere. */
  readonly savepointDirectory: string | null;
  /** That of the run. */
  readonly seed: number;
}

/** Where the checkpoints of a job are. */
export interface StorePlace {
  /** Those of all jobs, absolute. */
  readonly directory: string;
  readonly jobId: string;
  readonly isIncremental: boolean;
  readonly fsync: FsyncPolicy;
  /** Names the run. */
  readonly owner: string;
  /** While the checkpoints of the job have so many bytes no further one begins; null for no bound. */
  readonly quotaBytes: number | null;
  readonly numRetained: number;
  /** What the slots of the attempt name their files by; absent while there is none. */
  readonly slotsAttempt?: number;
}

/** What the keeper reaches the rest of the run with. */
export interface KeeperEnds {
  trigger(slot: number, trigger: CheckpointTrigger): void;
  /** Tells the slots that it has completed. */
  completed(checkpoint: number): void;
  /** Reaches the caller's thread. */
  tell(message: CheckpointMessage): void;
  /** Reaches the life cycle of the run. */
  handle(event: CoordinatorEvent): void;
}

/** What the keeper works with. */
export interface KeeperWorld {
  readonly store: CheckpointStore;
  /** Keeps incremental chains short; null where there are none. */
  readonly merging: ChainMerging | null;
  readonly clock: Clock;
  readonly random: Random;
  /** Calls back after so long, once; a second call takes the place of the first, and null of both. */
  wakeAfter(delayMs: number | null, callback: () => void): void;
}

/** Changes of this share of everything are not worth a chain, which has to be merged sooner or later. */
const HEAVY_SHARE = 0.5;

/** Keeps the checkpoints of one attempt. */
export class CheckpointKeeper {
  readonly #start: CheckpointingStart;
  readonly #world: KeeperWorld;
  readonly #ends: KeeperEnds;
  readonly #coordinator: CheckpointCoordinator;
  /** What has happened while actions were carried out, in order. */
  readonly #events: CheckpointEvent[] = [];
  #isHandling = false;
  /** The newest checkpoint that is kept, which changes build on. */
  #newest: CheckpointManifest | null = null;
  /** What was stored last, where checkpoints are kept in memory. */
  #kept: CheckpointManifest | null = null;

  constructor(
    start: CheckpointingStart,
    slots: readonly number[],
    world: KeeperWorld,
    ends: KeeperEnds,
  ) {
    this.#start = start;
    this.#world = world;
    this.#ends = ends;
    const { clock, random, store } = world;
    const epochMs = clock.epochMs() - clock.monotonicMs();
    const retained = store.retained.map(({ id }) => id).toReversed();
    this.#coordinator = new CheckpointCoordinator(
      beginCheckpoints({ ...start, slots, retained, epochMs }, random),
    );
  }

  handle(event: CheckpointEvent): void {
    // What somebody has read is not to be taken away by what it is merged into.
    if (event.kind === 'followed' && event.isFollowed) this.#world.merging?.close();
    this.#events.push(event);
    if (this.#isHandling) return;
    this.#isHandling = true;
    const { clock } = this.#world;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        const actions = this.#coordinator.handle(next, clock.monotonicMs());
        for (const action of actions) this.#perform(action);
      }
    } finally {
      this.#isHandling = false;
    }
    const waitMs = this.#coordinator.wakeAtMs - clock.monotonicMs();
    const delayMs = waitMs === Infinity ? null : Math.max(0, waitMs);
    this.#world.wakeAfter(delayMs, () => this.handle({ kind: 'tick' }));
  }

  /** Whether a checkpoint has stopped the job. */
  get isStopped(): boolean {
    return this.#coordinator.state.isStopped;
  }

  /** The attempt ends. */
  end(): void {
    this.handle({ kind: 'shutdown' });
  }

  /** Nothing is kept any more. */
  close(): void {
    this.#world.wakeAfter(null, () => {});
    this.#world.merging?.close();
    cleanUp(() => this.#world.store.close());
  }

  #perform(action: CheckpointAction): void {
    const { store } = this.#world;
    const { tell, handle } = this.#ends;
    switch (action.kind) {
      case 'trigger':
        return this.#trigger(action.trigger, action.target, action.slots);
      case 'store':
        return this.#store(action.checkpoint);
      case 'completed':
        return this.#completed(action.report);
      case 'commit':
      case 'answer':
        return tell(action);
      case 'aborted':
        return this.#tell(action.report);
      case 'discard':
        return cleanUp(() => store.discard(action.checkpoint));
      case 'dispose':
        return cleanUp(() => store.dispose(action.checkpoint));
      case 'failJob':
        return handle({ kind: 'failed', error: action.error });
      case 'finished':
        return handle({ kind: 'outputVisible' });
    }
  }

  #trigger(trigger: CheckpointTrigger, target: string | null, slots: readonly number[]): void {
    const { store } = this.#world;
    const { id, kind, isShared } = trigger;
    const directory = target ?? this.#start.savepointDirectory;
    try {
      // The last one is the end of the job.
      if (kind === 'checkpoint' && slots.length > 0 && this.#isOverQuota(id)) return;
      if (kind === 'checkpoint') store.begin(id, undefined, isShared);
      else if (this.#start.place === null || directory === null) throw noPlace();
      else store.begin(id, directory);
    } catch (cause) {
      this.#events.push({ kind: 'storeFailed', checkpoint: id, error: toWire(cause) });
      return;
    }
    for (const slot of slots) this.#ends.trigger(slot, trigger);
  }

  #isOverQuota(checkpoint: number): boolean {
    const quotaBytes = this.#start.place?.quotaBytes ?? null;
    if (quotaBytes === null) return false;
    const directoryBytes = this.#world.store.usedBytes() ?? 0;
    if (directoryBytes < quotaBytes) return false;
    const error = toWire(noRoom(directoryBytes, quotaBytes));
    this.#events.push({ kind: 'overQuota', checkpoint, directoryBytes, error });
    return true;
  }

  /** The next checkpoint builds on this one, whose long chains are merged unless it is not worth it. */
  #chain(manifest: CheckpointManifest, heavy: boolean): void {
    this.#newest = manifest;
    if (heavy || this.#coordinator.state.isFollowed) return;
    this.#world.merging?.begin(
      manifest,
      (merge) => {
        if (this.#newest !== null) this.#newest = merge.finish(this.#newest);
      },
      (error) => {
        this.handle({ kind: 'chainBroken' });
        this.#ends.tell({ kind: 'chainBroken', error: toWire(error) });
      },
    );
  }

  /** A savepoint is its owner's: nothing builds on it, and the job does not go on from it. */
  #completed(report: CheckpointReport): void {
    const isOwn = report.kind === 'checkpoint';
    if (isOwn) this.#ends.completed(report.id);
    this.#tell(report, isOwn ? this.#kept : null);
  }

  #tell(report: CheckpointReport, kept: CheckpointManifest | null = null): void {
    const { statistics } = this.#coordinator.state;
    this.#ends.tell({ kind: 'checkpoint', report, kept, statistics });
  }

  #store(gathered: GatheredCheckpoint): void {
    const { store } = this.#world;
    const { trigger } = gathered;
    const { id, kind } = trigger;
    const before = trigger.isFull ? null : this.#newest;
    const manifest = manifestOf(this.#start.frame, store.attempt, gathered, before);
    try {
      const isInMemory = this.#start.place === null;
      const completed = store.complete(manifest);
      const path = isInMemory ? null : completed;
      const heavy = before !== null && isHeavy(gathered, before);
      if (kind === 'checkpoint') this.#chain(manifest, heavy);
      this.#kept = isInMemory ? manifest : null;
      const fullBytes = bytesOf(manifest.pieces);
      this.#events.push({
        kind: 'stored',
        checkpoint: id,
        path,
        isHeavy: heavy,
        fullBytes,
        directoryBytes: store.usedBytes(),
      });
    } catch (cause) {
      // Another process has the job now, so this one must end, and not take it back by starting again.
      if (MillraceError.is(cause) && cause.code === 'CHECKPOINT_FENCED') {
        this.#ends.handle({ kind: 'failed', error: toWire(cause) });
      }
      this.#events.push({ kind: 'storeFailed', checkpoint: id, error: toWire(cause) });
    }
  }
}

/** Whether what has changed is so much that all of it might as well have been written. */
function isHeavy({ slots }: GatheredCheckpoint, { pieces }: CheckpointManifest): boolean {
  const timings = slots.flatMap(({ subtasks }) => subtasks.map(({ timing }) => timing));
  const changed = timings.reduce((sum, { bytes }) => sum + bytes, 0);
  return changed > HEAVY_SHARE * bytesOf(pieces);
}

function bytesOf(pieces: readonly StatePiece[]): number {
  let bytes = 0;
  for (const { at } of pieces) bytes += 'bytes' in at ? at.bytes.length : at.length;
  return bytes;
}

/** What cannot be deleted now is collected when the directory is opened the next time. */
function cleanUp(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!MillraceError.is(error) || error.code === 'ASSERTION') throw error;
  }
}

function noRoom(bytes: number, quotaBytes: number): MillraceError {
  const [used, allowed] = [formatBytes(bytes), formatBytes(quotaBytes)];
  return new MillraceError(
    'CHECKPOINT_FAILED',
    `The checkpoints of the job have ${used}, and execution.checkpointing.maxDirectorySize is ` +
      `${allowed}.`,
    { advice: 'Raise it, or keep fewer checkpoints with execution.checkpointing.numRetained.' },
  );
}

function noPlace(): MillraceError {
  return new MillraceError('CHECKPOINT_FAILED', 'A savepoint needs a directory to be written to.', {
    advice:
      'Set execution.checkpointing.dir for the state of the job, and name a directory for the ' +
      'savepoint or set execution.checkpointing.savepointDir.',
  });
}
