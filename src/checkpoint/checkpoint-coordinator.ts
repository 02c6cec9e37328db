/**
 * When checkpoints are taken, what becomes of them and which are kept: Flink's rules as a pure state machine without
 * clock, disk or threads. It is told what happened and answers what to do; after each event it does whatever its state
 * allows by then. One instance serves one attempt of a job. Callers: runtime. Runs on: the coordinator's thread.
 * Invariants: a checkpoint completes at most once and never after it was aborted; ids increase; what a sink has
 * prepared becomes visible with exactly one completed checkpoint; every request is answered exactly once.
 */
import { assert } from '../base/assert.js';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import {
  type CheckpointAction,
  type CheckpointEvent,
  type CheckpointOutcome,
  type CheckpointRequest,
  type GatheredCheckpoint,
} from './checkpoint-protocol.js';
import type { CheckpointState, PendingCheckpoint } from './checkpoint-state.js';
import { withReport } from './checkpoint-statistics.js';
import { commitsUpTo, hold } from './held-commits.js';
import type {
  AbortReason,
  CheckpointKind,
  CheckpointReport,
  CheckpointTrigger,
  SinkCommit,
  SlotSnapshot,
  SubtaskSnapshot,
} from './contract.js';

/** Requests that wait at most, as in Flink. */
const QUEUE_MAX = 1000;
/** Checkpoints that hold everything after one whose changes were nearly everything, before changes are tried again. */
const FULL_AFTER_HEAVY = 4;
/** Waits for room grow to about a thousand intervals. */
const QUOTA_DOUBLINGS_MAX = 9;
/** What counts against `tolerableFailures`. */
const COUNTED: ReadonlySet<AbortReason> = new Set(['declined', 'expired', 'storeFailed']);

/** The state machine of one attempt. */
export class CheckpointCoordinator {
  /** What it remembers; a copy of it makes another coordinator that goes on from here. */
  readonly state: CheckpointState;
  #actions: CheckpointAction[] = [];
  #nowMs = 0;

  constructor(state: CheckpointState) {
    this.state = state;
  }

  /** When the next `tick` is worth sending, on the clock of the events; infinite when nothing waits for time. */
  get wakeAtMs(): number {
    if (this.state.hasEnded || this.state.isFailing) return Number.POSITIVE_INFINITY;
    const deadlines = this.#collecting().map((pending) => this.#deadlineOf(pending));
    return Math.min(this.#nextTriggerMs(), ...deadlines);
  }

  /** Takes an event at its time, which must not run backwards, and gives what to do, in order. */
  handle(event: CheckpointEvent, nowMs: number): readonly CheckpointAction[] {
    this.#nowMs = nowMs;
    this.#actions = [];
    this.#take(event);
    if (!this.state.hasEnded && !this.state.isFailing) this.#advance();
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
      case 'regionFailed':
        return this.#regionFailed();
      case 'regionEnded':
        return this.#regionEnded(event);
      case 'slotEnded':
        return this.#slotEnded(event.slot);
      case 'stored':
        return this.#stored(event);
      case 'overQuota':
        return this.#overQuota(event);
      case 'followed':
        this.state.isFollowed = event.isFollowed;
        // What follows is not to begin anew, unless the first one has to.
        if (event.isFollowed) this.state.fullLeft = Math.min(1, this.state.fullLeft);
        return;
      case 'chainBroken':
        this.state.fullLeft = Math.max(1, this.state.fullLeft);
        return;
      case 'storeFailed':
        return this.#storeFailed(event.checkpoint, event.error);
      case 'committed':
        this.state.isCommitting = false;
        return;
      case 'shutdown':
        return this.#shutdown();
    }
  }

  /** Does all that the state allows now. */
  #advance(): void {
    for (const pending of this.#collecting()) {
      if (this.#nowMs >= this.#deadlineOf(pending)) this.#expire(pending);
    }
    if (this.state.isFailing) return;
    this.#triggerRequested();
    if (this.#nowMs >= this.#nextTriggerMs()) this.#triggerDue();
    this.#store();
    this.#finish();
  }

  #run(): void {
    if (this.state.isRunning) return;
    this.state.isRunning = true;
    this.state.dueMs = this.#nowMs + this.state.firstDelayMs;
  }

  // Requests

  #enqueue(request: CheckpointRequest): void {
    if (this.state.hasEnded) return this.#refuse(request, 'the job has ended');
    if (this.state.queue.length >= QUEUE_MAX) return this.#refuse(request, 'too many others wait');
    // Stable, so that those of one kind stay in the order in which they came.
    this.state.queue = [...this.state.queue, request].toSorted((a, b) => rankOf(a) - rankOf(b));
  }

  #triggerRequested(): void {
    if (this.state.isStopped || this.state.live.size === 0) {
      for (const request of this.state.queue) this.#refuse(request, 'the job has come to its end');
      this.state.queue = [];
    }
    for (const request of this.state.queue) {
      const hasRoom = this.state.pending.size < this.state.policy.maxConcurrent;
      // A barrier that keeps its order and one that overtakes would meet.
      const needsRoom = request.kind === 'checkpoint' || this.state.policy.overtakes;
      if (!this.#mayTrigger() || (needsRoom && !hasRoom)) return;
      this.state.queue = this.state.queue.slice(1);
      this.#trigger(request);
    }
  }

  /** While the job is being stopped nothing else is begun; it goes on when the stop fails. */
  #mayTrigger(): boolean {
    const isStopping = [...this.state.pending.values()].some(
      ({ trigger }) => trigger.stop !== 'none',
    );
    return this.state.isRunning && !isStopping;
  }

  // Periodic checkpoints and the final one

  #everyMs(): number {
    return Math.max(this.state.policy.intervalMs ?? 0, this.state.policy.minPauseMs);
  }

  /** When a checkpoint that nobody asked for is next taken, as things stand. */
  #nextTriggerMs(): number {
    const never = Number.POSITIVE_INFINITY;
    if (this.state.policy.intervalMs === null) return never;
    if (this.state.live.size === 0) {
      return this.state.isEndSafe || this.state.pending.size > 0 ? never : this.state.dueMs;
    }
    const hasRoom = this.state.pending.size < this.state.policy.maxConcurrent;
    if (!hasRoom || this.state.isStopped || !this.#mayTrigger()) return never;
    return Math.max(this.state.dueMs, this.state.completedMs + this.state.policy.minPauseMs);
  }

  /** The beat goes on from when it was possible; beats that were missed meanwhile are not made up for. */
  #triggerDue(): void {
    const everyMs = this.#everyMs();
    const atMs = this.#nextTriggerMs();
    this.state.dueMs = atMs + everyMs * (Math.floor((this.#nowMs - atMs) / everyMs) + 1);
    this.#trigger(null);
  }

  #trigger(request: CheckpointRequest | null): void {
    const id = this.state.nextId++;
    const kind: CheckpointKind = request?.kind ?? 'checkpoint';
    const { policy, isFollowed, newest, isNewestShared } = this.state;
    const isShared = kind === 'checkpoint' && (policy.isIncremental || isFollowed);
    // Changes say nothing without what they change: it must be there to stay, and of this attempt.
    const hasBase = isShared && isNewestShared && newest === id - 1;
    const trigger: CheckpointTrigger = {
      id,
      timestampMs: Math.round(this.state.epochMs + this.#nowMs),
      kind,
      stop: request?.stop ?? 'none',
      isFull: !hasBase || this.#isFullForNow(),
      isShared,
    };
    const slots = [...this.state.live];
    const pending: PendingCheckpoint = {
      trigger,
      request,
      startedMs: this.#nowMs,
      isFinal: slots.length === 0,
      waitsFor: new Set(slots),
      answers: [],
    };
    this.state.pending.set(id, pending);
    this.#record(this.#reportOf(pending));
    this.#actions.push({ kind: 'trigger', trigger, target: request?.target ?? null, slots });
  }

  /** After changes that were nearly everything some checkpoints hold everything. */
  #isFullForNow(): boolean {
    if (this.state.fullLeft === 0) return false;
    this.state.fullLeft--;
    return true;
  }

  // Answers

  #acknowledge(snapshot: SlotSnapshot): void {
    const { checkpoint, slot, subtasks } = snapshot;
    const commits = subtasks.flatMap((subtask) => subtask.commits);
    if (!this.#answer(checkpoint, slot, commits)) return;
    const pending = this.state.pending.get(checkpoint);
    if (pending?.waitsFor.delete(slot) === true) pending.answers.push(snapshot);
  }

  #decline(id: number, slot: number, error: WireError, commits: readonly SinkCommit[]): void {
    if (!this.#answer(id, slot, commits)) return;
    const pending = this.state.pending.get(id);
    if (pending !== undefined) this.#abort(pending, 'declined', error);
  }

  /** Whether the answer is new. A slot that answers has done with everything before. */
  #answer(id: number, slot: number, commits: readonly SinkCommit[]): boolean {
    const last = this.state.answered.get(slot) ?? 0;
    if (this.state.hasEnded || id === last) return false;
    assert(
      id > last && id < this.state.nextId,
      `Slot ${slot} answered checkpoint ${id} after ${last}.`,
    );
    assert(this.state.live.has(slot), `Slot ${slot} answered checkpoint ${id} after its end.`);
    this.state.answered.set(slot, id);
    this.#collect(id, commits);
    for (const pending of this.#collecting()) {
      if (pending.trigger.id < id && pending.waitsFor.has(slot)) {
        this.#abort(
          pending,
          'subsumed',
          failure(pending.trigger, `was overtaken by checkpoint ${id}`),
        );
      }
    }
    return true;
  }

  #collect(checkpoint: number, commits: readonly SinkCommit[]): void {
    const isEmpty = commits.every(({ committables }) => committables.length === 0);
    assert(
      isEmpty || checkpoint > this.state.gathered,
      `Output for ${checkpoint} came after ${this.state.gathered} had been put together.`,
    );
    this.state.held = hold(this.state.held, checkpoint, commits);
  }

  #subtaskFinished(checkpoint: number, snapshot: SubtaskSnapshot): void {
    if (this.state.hasEnded) return;
    this.#collect(checkpoint + 1, snapshot.commits);
    const finished = { checkpoint, snapshot: { ...snapshot, commits: [] } };
    this.state.finished = [...this.state.finished, finished];
  }

  #regionFailed(): void {
    this.state.isRunning = false;
    // Its state would be missing. One that is being stored is left to the store: it has all of it.
    for (const pending of this.#collecting()) {
      const error = failure(pending.trigger, 'came to a failure of a part of the job');
      this.#abort(pending, 'tasksNotRunning', error);
    }
  }

  #regionEnded({ vertices, sinks }: CheckpointEvent & { readonly kind: 'regionEnded' }): void {
    assert(this.state.storing === null, 'A region goes on from a checkpoint that is stored.');
    const { held, finished } = this.state;
    this.state.held = held.filter(({ commit }) => !sinks.includes(commit.uid));
    this.state.finished = finished.filter(({ snapshot }) => !vertices.includes(snapshot.vertex));
    // Its subtasks begin again, and their changes have nothing to build on.
    this.state.fullLeft = Math.max(1, this.state.fullLeft);
  }

  #slotEnded(slot: number): void {
    if (!this.state.live.delete(slot)) return;
    for (const { waitsFor } of this.state.pending.values()) waitsFor.delete(slot);
    if (this.state.live.size === 0) this.state.dueMs = this.#nowMs;
  }

  // Storing and completion

  /** Those that are not being stored yet, oldest first; from then on only the store can fail a checkpoint. */
  #collecting(): readonly PendingCheckpoint[] {
    return [...this.state.pending.values()].filter((pending) => pending !== this.state.storing);
  }

  #store(): void {
    if (this.state.storing !== null || this.state.isCommitting) return;
    const ready = this.#collecting().find(({ waitsFor }) => waitsFor.size === 0);
    if (ready === undefined) return;
    this.state.storing = ready;
    this.state.gathered = ready.trigger.id;
    this.#actions.push({ kind: 'store', checkpoint: this.#gather(ready) });
  }

  #gather({ trigger, request, answers }: PendingCheckpoint): GatheredCheckpoint {
    return {
      trigger,
      target: request?.target ?? null,
      slots: answers,
      finished: this.state.finished
        .filter(({ checkpoint }) => checkpoint < trigger.id)
        .map(({ snapshot }) => snapshot),
      commits: commitsUpTo(this.state.held, trigger.id),
    };
  }

  #stored(event: CheckpointEvent & { readonly kind: 'stored' }): void {
    const { checkpoint: id, path, isHeavy, fullBytes, directoryBytes } = event;
    const pending = this.#leaveStore(id);
    const { trigger, request } = pending;
    this.state.pending.delete(id);
    this.state.completedMs = this.#nowMs;
    const report: CheckpointReport = {
      ...this.#ended(pending),
      status: 'completed',
      path,
      fullBytes,
      directoryBytes,
    };
    this.#record(report);
    const isStop = trigger.stop !== 'none';
    this.#actions.push({ kind: 'completed', trigger, report });
    if (trigger.kind === 'checkpoint') this.#retain(trigger);
    if (isHeavy && !this.state.isFollowed) this.state.fullLeft = FULL_AFTER_HEAVY;
    // The job runs on from a savepoint as if there had been none. What an attempt leaves, the next one commits.
    if (!this.state.hasEnded && (trigger.kind === 'checkpoint' || isStop)) this.#commit(id);
    if (isStop) this.state.isStopped = true;
    if (isStop || pending.isFinal) this.state.isEndSafe = true;
    if (request !== null) this.#reply(request, { report });
  }

  #storeFailed(id: number, error: WireError): void {
    const isAnswer = this.state.storing?.trigger.id === id;
    const pending = isAnswer ? this.#leaveStore(id) : this.state.pending.get(id);
    if (pending !== undefined) this.#abort(pending, 'storeFailed', error);
  }

  /** No failure of the job's: it goes on, and asks again after longer and longer. */
  #overQuota({
    checkpoint,
    directoryBytes,
    error,
  }: CheckpointEvent & { readonly kind: 'overQuota' }): void {
    const pending = this.state.pending.get(checkpoint);
    if (pending === undefined) return;
    const doublings = Math.min(this.state.quotaWaits++, QUOTA_DOUBLINGS_MAX);
    this.state.dueMs = this.#nowMs + this.#everyMs() * 2 ** (doublings + 1);
    this.#abort(pending, 'overQuota', error, directoryBytes);
  }

  #leaveStore(id: number): PendingCheckpoint {
    const pending = this.state.storing;
    assert(pending?.trigger.id === id, `Checkpoint ${id} was stored without having been asked to.`);
    this.state.storing = null;
    return pending;
  }

  #retain({ id, isShared }: CheckpointTrigger): void {
    this.state.newest = id;
    this.state.isNewestShared = isShared;
    this.state.quotaWaits = 0;
    this.state.failures = 0;
    const retained = [...this.state.retained, id];
    // Whoever follows them may be about to read an earlier one.
    const kept = this.state.isFollowed ? retained.length : this.state.policy.numRetained;
    this.state.retained = retained.slice(-kept);
    for (const checkpoint of retained.slice(0, -kept)) {
      this.#actions.push({ kind: 'dispose', checkpoint });
    }
  }

  /** Hands over all output up to a checkpoint; null: all there is. */
  #commit(id: number | null): void {
    const last = id ?? Number.POSITIVE_INFINITY;
    const commits = commitsUpTo(this.state.held, last);
    if (commits.length === 0) return;
    this.state.held = this.state.held.filter(({ checkpoint }) => checkpoint > last);
    this.state.isCommitting = true;
    this.#actions.push({ kind: 'commit', checkpoint: id, commits });
  }

  #finish(): void {
    const { live, pending, isCommitting, isEndSafe, isFinished } = this.state;
    if (live.size > 0 || pending.size > 0 || isCommitting || !isEndSafe || isFinished) return;
    this.#commit(null);
    if (this.state.isCommitting) return;
    this.state.isFinished = true;
    this.#actions.push({ kind: 'finished' });
  }

  // Abortion

  #expire(pending: PendingCheckpoint): void {
    const after = `did not complete within ${this.state.policy.timeoutMs} ms`;
    const slots = [...pending.waitsFor];
    const who = slots.length === 0 ? '' : `; it waited for slot ${slots.join(', ')}`;
    this.#abort(pending, 'expired', failure(pending.trigger, `${after}${who}`));
  }

  #abort(
    pending: PendingCheckpoint,
    reason: AbortReason,
    error: WireError,
    directoryBytes: number | null = null,
  ): void {
    const { trigger, request } = pending;
    this.state.pending.delete(trigger.id);
    this.state.undone.add(trigger.id);
    const report: CheckpointReport = {
      ...this.#ended(pending),
      status: 'failed',
      reason,
      error,
      directoryBytes,
    };
    this.#record(report);
    this.#actions.push({ kind: 'aborted', report });
    if (request !== null) this.#reply(request, { error });
    if (this.state.hasEnded) return;
    // Its barriers have stopped the sources, which cannot take that back.
    if (trigger.stop !== 'none') this.#fail(trigger, error);
    else if (COUNTED.has(reason)) this.#countFailure(trigger, error);
  }

  /** A savepoint is the affair of who asked for it. */
  #countFailure(trigger: CheckpointTrigger, error: WireError): void {
    if (trigger.kind === 'savepoint') return;
    this.state.failures++;
    if (this.state.failures > this.state.policy.tolerableFailures) this.#fail(trigger, error);
  }

  #fail(trigger: CheckpointTrigger, cause: WireError): void {
    if (this.state.isFailing) return;
    this.state.isFailing = true;
    const { tolerableFailures } = this.state.policy;
    const setting = `execution.checkpointing.tolerableFailedCheckpoints is ${tolerableFailures}`;
    const what = trigger.stop === 'none' ? `failed, and ${setting}` : 'was to end the job';
    this.#actions.push({ kind: 'failJob', error: { ...failure(trigger, what), cause } });
  }

  /** Slots write in the background, so files go only when every one is past the checkpoint or has ended. */
  #discard(): void {
    const { undone, answered, live } = this.state;
    for (const checkpoint of undone) {
      if (![...live].every((slot) => (answered.get(slot) ?? 0) >= checkpoint)) continue;
      undone.delete(checkpoint);
      this.#actions.push({ kind: 'discard', checkpoint });
    }
  }

  /** One that is being stored is left to the store: it may be complete already. */
  #shutdown(): void {
    if (this.state.hasEnded) return;
    this.state.hasEnded = true;
    for (const pending of this.#collecting()) {
      this.#abort(pending, 'shutdown', failure(pending.trigger, 'ended with its attempt'));
    }
    for (const request of this.state.queue) this.#refuse(request, 'the job has ended');
    this.state.queue = [];
  }

  // What is told

  #refuse(request: CheckpointRequest, why: string): void {
    const message = `No ${request.kind} was taken: ${why}.`;
    this.#reply(request, { error: toWire(new MillraceError('CHECKPOINT_FAILED', message)) });
  }

  #reply(request: CheckpointRequest, outcome: CheckpointOutcome): void {
    this.#actions.push({ kind: 'answer', token: request.token, outcome });
  }

  #deadlineOf(pending: PendingCheckpoint): number {
    return pending.startedMs + this.state.policy.timeoutMs;
  }

  #record(report: CheckpointReport): void {
    this.state.statistics = withReport(this.state.statistics, report);
  }

  #ended(pending: PendingCheckpoint): CheckpointReport {
    return { ...this.#reportOf(pending), durationMs: this.#nowMs - pending.startedMs };
  }

  /** As it is while it is under way. */
  #reportOf({ trigger, answers }: PendingCheckpoint): CheckpointReport {
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
      inFlightBytes: timings.reduce((sum, { inFlightBytes }) => sum + inFlightBytes, 0),
      fullBytes: 0,
      directoryBytes: null,
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
