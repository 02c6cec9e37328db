/**
 * What a subtask does when the barrier of a checkpoint is due: its operators hand on what belongs before it, its sinks
 * prepare what they have written, the barrier goes downstream, and the state is frozen. Callers: the subtask. Runs on:
 * the slot's thread, between two batches. Invariant: no row is processed between the barrier that leaves and the state
 * that is frozen, so both are of the same instant.
 */
import type { Clock } from '../base/clock.js';
import type { CheckpointTrigger, SinkCommit, SourceProgress } from '../checkpoint/contract.js';
import {
  type ChainTask,
  STEP_DONE,
  STEP_OUT_OF_OUTPUT,
  type TaskSnapshot,
} from '../operator/contract.js';
import { FRAME_BARRIER } from '../ring/contract.js';
import { barrierPayload } from './barrier.js';
import type { ExchangePort } from './exchange-port.js';
import { handOn, prepareCommits } from './hand-on.js';
import type { SourceHead } from './source-head.js';
import type { SubtaskSink } from './subtask.js';

/** Rows that operators may hand on in one step. */
const STEP_ROWS_MAX = 4096;

/** What a subtask has frozen for a checkpoint, and what it knows without writing. */
export interface FrozenSubtask {
  readonly vertex: number;
  readonly subtask: number;
  readonly trigger: CheckpointTrigger;
  readonly state: TaskSnapshot;
  readonly source: SourceProgress | null;
  readonly commits: readonly SinkCommit[];
  readonly startDelayMs: number;
  readonly alignmentMs: number;
  readonly syncMs: number;
}

/** Takes what subtasks freeze. */
export interface SnapshotCollector {
  /** Whether the state that a subtask froze before has not been written yet. */
  isWriting(vertex: number, subtask: number): boolean;
  add(frozen: FrozenSubtask): void;
}

/** What a barrier passes through. */
export interface SubtaskBarrierParts {
  readonly vertexId: number;
  readonly index: number;
  readonly task: ChainTask;
  readonly source: SourceHead | null;
  readonly sinks: readonly SubtaskSink[];
  readonly ports: readonly ExchangePort[];
  readonly clock: Clock;
  readonly collector: SnapshotCollector;
}

type Phase = 'none' | 'waiting' | 'preparing' | 'handing' | 'committing' | 'sending';

/** Takes one barrier after the other through a subtask. */
export class SubtaskBarrier {
  readonly #parts: SubtaskBarrierParts;
  readonly #cursor = { position: 0 };
  #phase: Phase = 'none';
  #trigger: CheckpointTrigger | null = null;
  #payload: Uint8Array = new Uint8Array(0);
  #commits: SinkCommit[] = [];
  #portsDone = 0;
  #startDelayMs = 0;
  #alignmentMs = 0;
  #syncStartMs = 0;

  constructor(parts: SubtaskBarrierParts) {
    this.#parts = parts;
  }

  /** The last checkpoint whose barrier went through; 0 for none. */
  lastId = 0;

  get isActive(): boolean {
    return this.#phase !== 'none';
  }

  /** A barrier is due; `startedMs` is when it was first seen, by the wall clock. */
  begin(trigger: CheckpointTrigger, startedMs: number, alignmentMs: number): void {
    this.#phase = 'waiting';
    this.#trigger = trigger;
    this.#payload = barrierPayload(trigger);
    this.#startDelayMs = Math.max(0, startedMs - trigger.timestampMs);
    this.#alignmentMs = alignmentMs;
    this.#syncStartMs = this.#parts.clock.monotonicMs();
    this.#cursor.position = 0;
    this.#commits = [];
    this.#portsDone = 0;
  }

  /** Goes on: true when all is done, false when there is more to do, null when an output has no room. */
  step(): boolean | null {
    const { task, ports } = this.#parts;
    if (this.#phase === 'waiting') {
      const { collector, vertexId, index } = this.#parts;
      // Writing goes on in the slot's loop, so this is no reason to park.
      if (collector.isWriting(vertexId, index)) return false;
      this.#phase = 'preparing';
    }
    if (this.#phase === 'preparing') {
      const result = task.prepareBarrier(this.#cursor, STEP_ROWS_MAX);
      if (result === STEP_OUT_OF_OUTPUT) return null;
      if (result !== STEP_DONE) return false;
      this.#phase = 'handing';
    }
    if (this.#phase === 'handing') {
      if (!handOn(this.#parts)) return null;
      this.#phase = 'committing';
    }
    if (this.#phase === 'committing') {
      if (!prepareCommits(this.#parts, this.#commits, false)) return null;
      this.#phase = 'sending';
    }
    while (this.#portsDone < ports.length) {
      if (!ports[this.#portsDone].sendControl(FRAME_BARRIER, this.#payload)) return null;
      this.#portsDone++;
    }
    this.#freeze();
    this.#phase = 'none';
    return true;
  }

  #freeze(): void {
    const { vertexId, index, task, source, clock, collector } = this.#parts;
    const trigger = this.#trigger;
    if (trigger === null) return;
    this.lastId = trigger.id;
    const state = task.beginSnapshot(trigger.isFull, trigger.kind === 'checkpoint');
    collector.add({
      vertex: vertexId,
      subtask: index,
      trigger,
      state,
      source: source?.progress() ?? null,
      commits: this.#commits,
      startDelayMs: this.#startDelayMs,
      alignmentMs: this.#alignmentMs,
      syncMs: clock.monotonicMs() - this.#syncStartMs,
    });
  }
}
