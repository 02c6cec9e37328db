/**
 * When checkpoints are taken, what becomes of them and which are kept: Flink's rules as a pure state machine without
 * clock, disk or threads. It is told what happened and answers what to do; after each event it does whatever its state
 * allows by then. One instance serves one attempt of a job. Callers: runtime. Runs on: the coordinator's thread.
 * Invariants: a checkpoint completes at most once and never after it was aborted; ids increase; what a sink has
 * prepared becomes visible with exactly one completed checkpoint; every request is answered exactly once.
 */
import { assert } from '../base/assert.js';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import type {
  CheckpointAction,
  CheckpointEvent,
  CheckpointOutcome,
  CheckpointPolicy,
  CheckpointRequest,
  CheckpointRetention,
  GatheredCheckpoint,
  ShutdownReason,
} from './checkpoint-protocol.js';
import type { CheckpointStatistics, RestoredCheckpoint } from './checkpoint-statistics.js';
import { CommitLedger } from './commit-ledger.js';
import type {
  AbortReason,
  CheckpointKind,
  CheckpointReport,
  CheckpointTrigger,
  SinkCommit,
  SlotSnapshot,
  SubtaskSnapshot,
} from './contract.js';

/** What a coordinator starts from. */
export interface CheckpointCoordinatorOptions {
  readonly policy: CheckpointPolicy;
  readonly slots: readonly number[];
  /** Greater than that of every checkpoint of the job before, from 1. */
  readonly nextId: number;
  /** What this attempt goes on from. */
  readonly restored: RestoredCheckpoint | null;
  /** Ids of the completed checkpoints that are still there, without savepoints, oldest first. */
  readonly retained: readonly number[];
  /** Those of the job, which go on over its attempts. */
  readonly statistics: CheckpointStatistics;
  readonly random: Random;
  /** Wall clock when the clock of the events shows 0. */
  readonly epochMs: number;
}

/** Requests that wait at most, as in Flink. */
const QUEUE_MAX = 1000;
/** What counts against `tolerableFailures`. */
const COUNTED: ReadonlySet<AbortReason> = new Set(['declined', 'expired', 'storeFailed']);

interface Pending {
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

interface FinishedSubtask {
  /** The last one whose barrier it took. */
  readonly checkpoint: number;
  readonly snapshot: SubtaskSnapshot;
}

/** The state machine of one attempt. */
export class CheckpointCoordinator {
  readonly #policy: CheckpointPolicy;
  readonly #statistics: CheckpointStatistics;
  readonly #random: Random;
  readonly #epochMs: number;
  readonly #live: Set<number>;
  readonly #pending = new Map<number, Pending>();
  readonly #ledger = new CommitLedger();
  readonly #finished: FinishedSubtask[] = [];
  /** By slot, the newest checkpoint that it answered. */
  readonly #answered = new Map<number, number>();
  /** Targets of aborted checkpoints that a slot or the store may still write for, by id. */
  readonly #undone = new Map<number, string | null>();
  #queue: readonly CheckpointRequest[] = [];
  #retained: readonly number[];
  #nextId: number;
  #actions: CheckpointAction[] = [];
  #nowMs = 0;
  #isRunning = false;
  /** When the next periodic checkpoint is due; the final one once all slots have ended. */
  #dueMs = 0;
  #storing: Pending | null = null;
  #isCommitting = false;
  /** The newest one that was given to be stored: nothing may come in any more that belongs to it. */
  #gathered = 0;
  /** The newest own checkpoint that completed, no savepoint. */
  #newest = 0;
  #completedMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #isFailing = false;
  /** Whether the output of the job's end is in a checkpoint, or needs none. */
  #isEndSafe: boolean;
  #isStopped = false;
  #isOver = false;
  #isFinished = false;

  constructor(options: CheckpointCoordinatorOptions) {
    this.#policy = options.policy;
    this.#statistics = options.statistics;
    this.#random = options.random;
    this.#epochMs = options.epochMs;
    this.#live = new Set(options.slots);
    this.#retained = options.retained;
    this.#nextId = options.nextId;
    this.#isEndSafe = options.policy.intervalMs === null;
    if (options.restored !== null) options.statistics.restored(options.restored);
  }

  /** The id of the next checkpoint, which the next attempt starts from. */
  get nextId(): number {
    return this.#nextId;
  }

  /** When the next `tick` is worth sending, on the clock of the events; infinite when nothing waits for time. */
  get wakeAtMs(): number {
    if (this.#isOver || this.#isFailing) return Number.POSITIVE_INFINITY;
    const deadlines = this.#collecting().map((pending) => this.#deadlineOf(pending));
    return Math.min(this.#nextTriggerMs(), ...deadlines);
  }

  /** Takes an event at its time, which must not run backwards, and gives what to do, in order. */
  handle(event: CheckpointEvent, nowMs: number): readonly CheckpointAction[] {
    this.#nowMs = nowMs;
    this.#actions = [];
    this.#take(event);
    if (!this.#isOver && !this.#isFailing) this.#advance();
    this.#discard();
    return this.#actions;
  }

  #take(event: CheckpointEvent): void {
    switch (event.kind) {
      case 'running':
        return this.#run();
      case 'tick':
        return;
      case 'request':
        return this.#enqueue(event.request);
      case 'slotAcknowledged':
        return this.#acknowledge(event.snapshot);
      case 'slotDeclined':
        return this.#decline(event.checkpoint, event.slot, event.error, event.commits);
      case 'subtaskFinished':
        return this.#subtaskFinished(event.checkpoint, event.snapshot);
      case 'slotEnded':
        return this.#slotEnded(event.slot);
      case 'stored':
        return this.#stored(event.checkpoint, event.path);
      case 'storeFailed':
        return this.#storeFailed(event.checkpoint, event.error);
      case 'committed':
        this.#isCommitting = false;
        return;
      case 'shutdown':
        return this.#shutdown(event.reason);
    }
  }

  /** Does all that the state allows now. */
  #advance(): void {
    for (const pending of this.#collecting()) {
      if (this.#nowMs >= this.#deadlineOf(pending)) this.#expire(pending);
    }
    if (this.#isFailing) return;
    this.#triggerRequested();
    if (this.#nowMs >= this.#nextTriggerMs()) this.#triggerDue();
    this.#store();
    this.#finish();
  }

  /** The first periodic checkpoint comes at a random time, so that many jobs do not take theirs all at once. */
  #run(): void {
    if (this.#isRunning || this.#policy.intervalMs === null) {
      this.#isRunning = true;
      return;
    }
    this.#isRunning = true;
    const { minPauseMs } = this.#policy;
    this.#dueMs = this.#nowMs + minPauseMs + this.#random.next() * (this.#everyMs() - minPauseMs);
  }

  // Requests

  #enqueue(request: CheckpointRequest): void {
    if (this.#isOver) return this.#refuse(request, 'the job has ended');
    if (this.#queue.length >= QUEUE_MAX) return this.#refuse(request, 'too many others wait');
    // Stable, so that those of one kind stay in the order in which they came.
    this.#queue = [...this.#queue, request].toSorted((a, b) => rankOf(a) - rankOf(b));
  }

  #triggerRequested(): void {
    if (this.#isStopped || this.#live.size === 0) {
      for (const request of this.#queue) this.#refuse(request, 'the job has come to its end');
      this.#queue = [];
    }
    for (const request of this.#queue) {
      const hasRoom = this.#pending.size < this.#policy.maxConcurrent;
      if (!this.#mayTrigger() || (request.kind === 'checkpoint' && !hasRoom)) return;
      this.#queue = this.#queue.slice(1);
      this.#trigger(request);
    }
  }

  /** While the job is being stopped nothing else is begun; it goes on when the stop fails. */
  #mayTrigger(): boolean {
    const isStopping = [...this.#pending.values()].some(({ trigger }) => trigger.stop !== 'none');
    return this.#isRunning && !isStopping;
  }

  // Periodic checkpoints and the final one

  #everyMs(): number {
    return Math.max(this.#policy.intervalMs ?? 0, this.#policy.minPauseMs);
  }

  /** When a checkpoint that nobody asked for is next taken, as things stand. */
  #nextTriggerMs(): number {
    const never = Number.POSITIVE_INFINITY;
    if (this.#policy.intervalMs === null) return never;
    if (this.#live.size === 0) {
      return this.#isEndSafe || this.#pending.size > 0 ? never : this.#dueMs;
    }
    const hasRoom = this.#pending.size < this.#policy.maxConcurrent;
    if (!hasRoom || this.#isStopped || !this.#mayTrigger()) return never;
    return Math.max(this.#dueMs, this.#completedMs + this.#policy.minPauseMs);
  }

  /** The beat goes on from when it was possible; beats that were missed meanwhile are not made up for. */
  #triggerDue(): void {
    const everyMs = this.#everyMs();
    const atMs = this.#nextTriggerMs();
    this.#dueMs = atMs + everyMs * (Math.floor((this.#nowMs - atMs) / everyMs) + 1);
    this.#trigger(null);
  }

  #trigger(request: CheckpointRequest | null): void {
    const id = this.#nextId++;
    const kind: CheckpointKind = request?.kind ?? 'checkpoint';
    const trigger: CheckpointTrigger = {
      id,
      timestampMs: Math.round(this.#epochMs + this.#nowMs),
      kind,
      stop: request?.stop ?? 'none',
      // Changes say nothing without what they change, so the one before must be there to stay.
      isFull: kind === 'savepoint' || !this.#policy.isIncremental || this.#newest !== id - 1,
    };
    const slots = [...this.#live];
    const pending: Pending = {
      trigger,
      request,
      startedMs: this.#nowMs,
      isFinal: slots.length === 0,
      waitsFor: new Set(slots),
      answers: [],
    };
    this.#pending.set(id, pending);
    this.#statistics.update(this.#reportOf(pending));
    this.#actions.push({ kind: 'trigger', trigger, target: request?.target ?? null, slots });
  }

  // Answers

  #acknowledge(snapshot: SlotSnapshot): void {
    const { checkpoint, slot, subtasks } = snapshot;
    const commits = subtasks.flatMap((subtask) => subtask.commits);
    if (!this.#answer(checkpoint, slot, commits)) return;
    const pending = this.#pending.get(checkpoint);
    if (pending?.waitsFor.delete(slot) === true) pending.answers.push(snapshot);
  }

  #decline(id: number, slot: number, error: WireError, commits: readonly SinkCommit[]): void {
    if (!this.#answer(id, slot, commits)) return;
    const pending = this.#pending.get(id);
    if (pending !== undefined) this.#abort(pending, 'declined', error);
  }

  /** Whether the answer is new. A slot that answers has done with everything before. */
  #answer(id: number, slot: number, commits: readonly SinkCommit[]): boolean {
    const last = this.#answered.get(slot) ?? 0;
    if (this.#isOver || id === last) return false;
    assert(id > last && id < this.#nextId, `Slot ${slot} answered checkpoint ${id} after ${last}.`);
    assert(this.#live.has(slot), `Slot ${slot} answered checkpoint ${id} after its end.`);
    this.#answered.set(slot, id);
    this.#collect(id, commits);
    for (const pending of this.#collecting()) {
      if (pending.trigger.id < id && pending.waitsFor.has(slot)) {
        this.#abort(pending, 'subsumed', failure(pending.trigger, `was overtaken by ${id}`));
      }
    }
    return true;
  }

  #collect(checkpoint: number, commits: readonly SinkCommit[]): void {
    const isEmpty = commits.every(({ committables }) => committables.length === 0);
    assert(
      isEmpty || checkpoint > this.#gathered,
      `Output for checkpoint ${checkpoint} came after ${this.#gathered} had been put together.`,
    );
    this.#ledger.add(checkpoint, commits);
  }

  #subtaskFinished(checkpoint: number, snapshot: SubtaskSnapshot): void {
    if (this.#isOver) return;
    this.#collect(checkpoint + 1, snapshot.commits);
    this.#finished.push({ checkpoint, snapshot: { ...snapshot, commits: [] } });
  }

  #slotEnded(slot: number): void {
    if (!this.#live.delete(slot)) return;
    for (const { waitsFor } of this.#pending.values()) waitsFor.delete(slot);
    if (this.#live.size === 0) this.#dueMs = this.#nowMs;
  }

  // Storing and completion

  /** Those that are not being stored yet, oldest first: from then on a checkpoint cannot be aborted but by the store. */
  #collecting(): readonly Pending[] {
    return [...this.#pending.values()].filter((pending) => pending !== this.#storing);
  }

  #store(): void {
    if (this.#storing !== null || this.#isCommitting) return;
    const ready = this.#collecting().find(({ waitsFor }) => waitsFor.size === 0);
    if (ready === undefined) return;
    this.#storing = ready;
    this.#gathered = ready.trigger.id;
    this.#actions.push({ kind: 'store', checkpoint: this.#gather(ready) });
  }

  #gather({ trigger, request, answers }: Pending): GatheredCheckpoint {
    return {
      trigger,
      target: request?.target ?? null,
      slots: answers,
      finished: this.#finished
        .filter(({ checkpoint }) => checkpoint < trigger.id)
        .map(({ snapshot }) => snapshot),
      commits: this.#ledger.upTo(trigger.id),
    };
  }

  #stored(id: number, path: string | null): void {
    const pending = this.#leaveStore(id);
    if (this.#isOver) {
      // Its abortion has been told: it must not come back to life.
      const target = this.#undone.get(id) ?? null;
      this.#undone.delete(id);
      this.#actions.push({ kind: 'dispose', checkpoint: id, target });
      return;
    }
    const { trigger, request } = pending;
    this.#pending.delete(id);
    this.#completedMs = this.#nowMs;
    const report: CheckpointReport = { ...this.#ended(pending), status: 'completed', path };
    this.#statistics.update(report);
    if (trigger.kind === 'checkpoint') this.#retain(id);
    if (trigger.kind === 'checkpoint' || trigger.stop !== 'none') this.#makeVisible(trigger);
    if (trigger.stop !== 'none') this.#isStopped = true;
    if (trigger.stop !== 'none' || pending.isFinal) this.#isEndSafe = true;
    if (request !== null) this.#reply(request, { report });
  }

  #storeFailed(id: number, error: WireError): void {
    const isAnswer = this.#storing?.trigger.id === id;
    const pending = isAnswer ? this.#leaveStore(id) : this.#pending.get(id);
    if (pending !== undefined && !this.#isOver) this.#abort(pending, 'storeFailed', error);
  }

  #leaveStore(id: number): Pending {
    const pending = this.#storing;
    assert(pending?.trigger.id === id, `Checkpoint ${id} was stored without having been asked to.`);
    this.#storing = null;
    return pending;
  }

  #retain(id: number): void {
    this.#newest = id;
    this.#failures = 0;
    const retained = [...this.#retained, id];
    this.#retained = retained.slice(-this.#policy.numRetained);
    this.#dispose(retained.slice(0, -this.#policy.numRetained));
  }

  #makeVisible(trigger: CheckpointTrigger): void {
    this.#actions.push({ kind: 'completed', trigger });
    this.#commit(trigger.id, this.#ledger.take(trigger.id));
  }

  #commit(checkpoint: number | null, commits: readonly SinkCommit[]): void {
    if (commits.length === 0) return;
    this.#isCommitting = true;
    this.#actions.push({ kind: 'commit', checkpoint, commits });
  }

  #finish(): void {
    const isBusy = this.#pending.size > 0 || this.#isCommitting;
    if (this.#live.size > 0 || isBusy || !this.#isEndSafe || this.#isFinished) return;
    this.#commit(null, this.#ledger.take(Number.POSITIVE_INFINITY));
    if (this.#isCommitting) return;
    this.#isFinished = true;
    this.#actions.push({ kind: 'finished' });
  }

  // Abortion

  #expire(pending: Pending): void {
    const after = `did not complete within ${this.#policy.timeoutMs} ms`;
    const slots = [...pending.waitsFor];
    const who = slots.length === 0 ? '' : `; it waited for slot ${slots.join(', ')}`;
    this.#abort(pending, 'expired', failure(pending.trigger, `${after}${who}`));
  }

  #abort(pending: Pending, reason: AbortReason, error: WireError): void {
    const { trigger, request } = pending;
    this.#pending.delete(trigger.id);
    this.#undone.set(trigger.id, request?.target ?? null);
    const report: CheckpointReport = { ...this.#ended(pending), status: 'failed', reason, error };
    this.#statistics.update(report);
    this.#actions.push({ kind: 'aborted', report });
    if (request !== null) this.#reply(request, { error });
    if (reason === 'shutdown') return;
    // Its barriers have stopped the sources, which cannot take that back.
    if (trigger.stop !== 'none') this.#fail(trigger, error);
    else if (COUNTED.has(reason) && trigger.kind === 'checkpoint')
      this.#countFailure(trigger, error);
  }

  /** Of what has been overtaken by a success nobody needs to hear. */
  #countFailure(trigger: CheckpointTrigger, error: WireError): void {
    if (trigger.id < this.#newest) return;
    this.#failures++;
    if (this.#failures > this.#policy.tolerableFailures) this.#fail(trigger, error);
  }

  #fail(trigger: CheckpointTrigger, cause: WireError): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const what =
      trigger.stop === 'none'
        ? `failed, and execution.checkpointing.tolerableFailedCheckpoints is ${this.#policy.tolerableFailures}`
        : 'with which the job was to stop failed';
    this.#actions.push({ kind: 'failJob', error: { ...failure(trigger, what), cause } });
  }

  /** Slots write in the background, so files go only when every one is past the checkpoint or has ended. */
  #discard(): void {
    for (const [checkpoint, target] of this.#undone) {
      const isPast = (slot: number): boolean => (this.#answered.get(slot) ?? 0) >= checkpoint;
      if (this.#storing?.trigger.id === checkpoint || ![...this.#live].every(isPast)) continue;
      this.#undone.delete(checkpoint);
      this.#actions.push({ kind: 'discard', checkpoint, target });
    }
  }

  #shutdown(reason: ShutdownReason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const pending of [...this.#pending.values()]) {
      this.#abort(pending, 'shutdown', failure(pending.trigger, 'ended with its attempt'));
    }
    for (const request of this.#queue) this.#refuse(request, 'the job has ended');
    this.#queue = [];
    if (!outlives(this.#policy.retention, reason)) this.#dispose(this.#retained);
  }

  #dispose(ids: readonly number[]): void {
    for (const checkpoint of ids) this.#actions.push({ kind: 'dispose', checkpoint, target: null });
  }

  // What is told

  #refuse(request: CheckpointRequest, why: string): void {
    const message = `No ${request.kind} was taken: ${why}.`;
    this.#reply(request, { error: toWire(new MillraceError('CHECKPOINT_FAILED', message)) });
  }

  #reply(request: CheckpointRequest, outcome: CheckpointOutcome): void {
    this.#actions.push({ kind: 'answer', token: request.token, outcome });
  }

  #deadlineOf(pending: Pending): number {
    return pending.startedMs + this.#policy.timeoutMs;
  }

  #ended(pending: Pending): CheckpointReport {
    return { ...this.#reportOf(pending), durationMs: this.#nowMs - pending.startedMs };
  }

  /** As it is while it is under way. */
  #reportOf({ trigger, answers }: Pending): CheckpointReport {
    const timings = answers.flatMap(({ subtasks }) => subtasks.map(({ timing }) => timing));
    return {
      id: trigger.id,
      kind: trigger.kind,
      status: 'pending',
      reason: null,
      error: null,
      triggeredMs: trigger.timestampMs,
      durationMs: null,
      bytes: timings.reduce((sum, { bytes }) => sum + bytes, 0),
      fullBytes: timings.reduce((sum, { fullBytes }) => sum + fullBytes, 0),
      path: null,
    };
  }
}

/** Savepoints go first. */
function rankOf({ kind }: CheckpointRequest): number {
  return kind === 'savepoint' ? 0 : 1;
}

function failure({ kind, id }: CheckpointTrigger, what: string): WireError {
  const name = kind === 'savepoint' ? 'Savepoint' : 'Checkpoint';
  return toWire(new MillraceError('CHECKPOINT_FAILED', `${name} ${id} ${what}.`));
}

/** Whether checkpoints stay when the job has ended so. */
function outlives(retention: CheckpointRetention, reason: ShutdownReason): boolean {
  switch (reason) {
    case 'restarting':
    case 'suspended':
      return true;
    case 'finished':
      return false;
    case 'canceled':
      return retention === 'retainOnCancellation';
    case 'failed':
      return retention !== 'noExternalizedCheckpoints';
  }
}
