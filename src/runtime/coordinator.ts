/**
 * The life cycle of one run as a pure state machine: it is told what happened and answers what to do. It has no
 * clock, threads or channels, so every order of events can be tried in a test. Callers: `coordination.ts`,
 * the in-thread runtime. Runs on: the coordinator's thread. Invariants: a run completes exactly once, after every
 * slot has ended; the error it completes with is the first failure that was reported, not one it caused.
 */
import { assert } from '../base/assert.js';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import type { CheckpointEvent } from '../checkpoint/checkpoint-protocol.js';
import type { SinkCommit, SubtaskSnapshot } from '../checkpoint/contract.js';
import { COMMAND_CANCEL, COMMAND_DRAIN, COMMAND_STOP } from './control-layout.js';
import { type RegionEvent, RunRegions, type RegionAction, type RunRegion } from './run-regions.js';

/** States of a job, as Flink names them. */
export type JobState =
  | 'CREATED'
  | 'RESTARTING'
  | 'RUNNING'
  | 'FAILING'
  | 'FAILED'
  | 'CANCELLING'
  | 'CANCELED'
  | 'FINISHED';

/** What a subtask that has finished leaves behind: it has no state any more. */
export type FinishedSubtask = Pick<SubtaskSnapshot, 'vertex' | 'subtask' | 'source' | 'commits'>;

/** What can happen to a run. */
export type CoordinatorEvent =
  | { readonly kind: 'slotReady'; readonly slot: number }
  | {
      readonly kind: 'subtaskFinished';
      readonly slot: number;
      /** The last checkpoint whose barrier it took, and what it leaves behind. */
      readonly checkpoint: number;
      readonly snapshot: FinishedSubtask;
    }
  /** The slot's loop ended by itself or after a cancel command. */
  | { readonly kind: 'slotEnded'; readonly slot: number }
  | { readonly kind: 'slotFailed'; readonly slot: number; readonly error: WireError }
  | RegionEvent
  /** A function of the job did not return in time: the thread can only be terminated. */
  | { readonly kind: 'slotStalled'; readonly slot: number; readonly error: WireError }
  /** The slot's thread is gone; `error` says why when that is known. */
  | { readonly kind: 'slotExited'; readonly slot: number; readonly error: WireError | null }
  /** Something outside of the slots has failed, such as a commit. */
  | { readonly kind: 'failed'; readonly error: WireError }
  /** All slots have ended and their output is visible; for runs that take checkpoints. */
  | { readonly kind: 'outputVisible' }
  | { readonly kind: 'cancel'; readonly reason: WireError | null }
  | { readonly kind: 'stop'; readonly drain: boolean }
  | { readonly kind: 'tick'; readonly nowMs: number };

/** What can happen to a run that takes checkpoints: the same, and what concerns them alone. */
export type RunEvent =
  | CoordinatorEvent
  | Extract<
      CheckpointEvent,
      {
        readonly kind: 'request' | 'followed' | 'committed' | 'slotAcknowledged' | 'slotDeclined';
      }
    >;

/** What the caller must do. */
export type CoordinatorAction =
  | RegionAction
  | { readonly kind: 'state'; readonly state: JobState }
  | { readonly kind: 'command'; readonly slot: number; readonly command: number }
  | { readonly kind: 'terminate'; readonly slot: number }
  | {
      readonly kind: 'complete';
      readonly state: 'FINISHED' | 'FAILED' | 'CANCELED';
      readonly error: WireError | null;
      readonly commits: readonly SinkCommit[];
    };

/** What the machine is configured with. */
export interface CoordinatorOptions {
  readonly slots: readonly number[];
  readonly cancellationTimeoutMs: number;
  /** What a failure restarts by itself; none for a run that it restarts as a whole. */
  readonly regions: readonly RunRegion[];
  /** Whether output is made visible with checkpoints, so that the run is complete only after the last. */
  readonly takesCheckpoints: boolean;
}

/** The state machine. */
export class Coordinator {
  state: JobState = 'CREATED';
  readonly #options: CoordinatorOptions;
  readonly #waitingToStart: Set<number>;
  readonly #live: Set<number>;
  readonly #regions: RunRegions;
  #commits: readonly SinkCommit[] = [];
  #isStopping = false;
  #error: WireError | null = null;
  #isComplete = false;
  /** When the remaining slots are terminated; set by the first tick after cancelling began. */
  #deadlineMs: number | null = null;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#waitingToStart = new Set(options.slots);
    this.#live = new Set(options.slots);
    this.#regions = new RunRegions(options.regions, options.cancellationTimeoutMs);
  }

  handle(event: CoordinatorEvent): readonly CoordinatorAction[] {
    if (this.#isComplete) return [];
    switch (event.kind) {
      case 'slotReady':
        return this.#ready(event.slot);
      case 'subtaskFinished':
        if (this.#options.takesCheckpoints) return [];
        this.#commits = [...this.#commits, ...event.snapshot.commits];
        return [];
      case 'slotEnded':
        return this.#ended(event.slot);
      case 'slotFailed':
        return [...this.#fail(event.error), ...this.#ended(event.slot)];
      case 'regionFailed':
      case 'regionEnded':
      case 'regionReady':
        return this.#regionChanged(event);
      case 'slotStalled':
        return [...this.#fail(event.error), { kind: 'terminate', slot: event.slot }];
      case 'slotExited':
        return this.#exited(event.slot, event.error);
      case 'failed':
        return this.#failedOutside(event.error);
      case 'outputVisible':
        return this.#live.size === 0 ? this.#complete() : [];
      case 'cancel':
        return this.#cancel(event.reason);
      case 'stop':
        return this.#stop(event.drain);
      case 'tick':
        return this.#tick(event.nowMs);
    }
  }

  #ready(slot: number): CoordinatorAction[] {
    this.#waitingToStart.delete(slot);
    if (this.state !== 'CREATED' || this.#waitingToStart.size > 0) return [];
    return [this.#enter('RUNNING')];
  }

  get #isUp(): boolean {
    return this.state === 'RUNNING' || this.state === 'RESTARTING';
  }

  #regionChanged(event: RegionEvent): CoordinatorAction[] {
    if (event.kind === 'regionFailed') {
      // The whole run fails where the region cannot begin again: a slot of it has ended, or a stop has begun.
      const isWhole = this.#regions.slotsOf(event.region).every((one) => this.#live.has(one));
      if (!this.#isUp || !isWhole || this.#isStopping) return this.#fail(event.error);
    }
    if (!this.#isUp) return [];
    const actions = this.#regions.handle(event);
    for (const action of actions) {
      if (action.kind !== 'regionDown') continue;
      // What it prepared is prepared again.
      this.#commits = this.#commits.filter(({ uid }) => !action.sinks.includes(uid));
    }
    const { areUp } = this.#regions;
    if (areUp === (this.state === 'RUNNING')) return [...actions];
    return areUp ? [...actions, this.#enter('RUNNING')] : [this.#enter('RESTARTING'), ...actions];
  }

  #ended(slot: number): CoordinatorAction[] {
    this.#waitingToStart.delete(slot);
    if (!this.#live.delete(slot)) return [];
    const missed = this.#regions.missed(slot);
    if (missed !== undefined && this.state === 'RESTARTING')
      return this.#endingWith(this.#fail(missed));
    if (this.#live.size > 0) return [];
    const isVisible = !this.#options.takesCheckpoints || this.state !== 'RUNNING';
    return isVisible ? this.#complete() : [];
  }

  #failedOutside(error: WireError): CoordinatorAction[] {
    return this.#endingWith(this.#fail(error));
  }

  /** After its slots have ended nothing else is left that could end a run whose output is not to be visible. */
  #endingWith(actions: CoordinatorAction[]): CoordinatorAction[] {
    return this.#live.size > 0 ? actions : [...actions, ...this.#complete()];
  }

  /** A thread that is gone before its loop ended has failed, unless it was being cancelled. */
  #exited(slot: number, error: WireError | null): CoordinatorAction[] {
    if (!this.#live.has(slot)) return [];
    const cause =
      error ?? toWire(new MillraceError('TASK_EXITED', `Slot ${slot} ended by itself.`));
    return [...this.#fail(cause), ...this.#ended(slot)];
  }

  #fail(error: WireError): CoordinatorAction[] {
    if (this.state === 'FAILING' || this.state === 'CANCELLING') return [];
    this.#error = error;
    return [this.#enter('FAILING'), ...this.#commandAll(COMMAND_CANCEL)];
  }

  #cancel(reason: WireError | null): CoordinatorAction[] {
    if (this.state === 'FAILING' || this.state === 'CANCELLING') return [];
    this.#error = reason;
    return this.#endingWith([this.#enter('CANCELLING'), ...this.#commandAll(COMMAND_CANCEL)]);
  }

  #stop(drain: boolean): CoordinatorAction[] {
    if (!this.#isUp && this.state !== 'CREATED') return [];
    this.#isStopping = true;
    return this.#commandAll(drain ? COMMAND_DRAIN : COMMAND_STOP);
  }

  #tick(nowMs: number): CoordinatorAction[] {
    if (this.state === 'RESTARTING') return this.#regions.overdue(nowMs);
    if (this.state !== 'FAILING' && this.state !== 'CANCELLING') return [];
    this.#deadlineMs ??= nowMs + this.#options.cancellationTimeoutMs;
    if (nowMs < this.#deadlineMs) return [];
    return [...this.#live].map((slot) => ({ kind: 'terminate', slot }));
  }

  #commandAll(command: number): CoordinatorAction[] {
    return [...this.#live].map((slot) => ({ kind: 'command', slot, command }));
  }

  #enter(state: JobState): CoordinatorAction {
    this.state = state;
    return { kind: 'state', state };
  }

  #complete(): CoordinatorAction[] {
    assert(this.#live.size === 0, 'A run completes after all of its slots have ended.');
    this.#isComplete = true;
    const state =
      this.state === 'FAILING' ? 'FAILED' : this.state === 'CANCELLING' ? 'CANCELED' : 'FINISHED';
    const commits = state === 'FINISHED' ? this.#commits : [];
    return [this.#enter(state), { kind: 'complete', state, error: this.#error, commits }];
  }
}
