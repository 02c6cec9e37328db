/**
 * What a subtask does when the barrier of a checkpoint is due: its operators hand on what belongs before it, its sinks
 * prepare what they have written, the barrier goes downstream, and the state is frozen. Callers: the subtask. Runs on:
 * the slot's thread, between two rows. Invariant: no row is processed between the barrier that leaves and the state
 * that is frozen, so both are of the same instant.
 */
import type { Clock } from '../base/clock.js';
import { inFlightName } from '../checkpoint/in-flight-pieces.js';
import type { CheckpointTrigger, SinkCommit, SourceProgress } from '../checkpoint/contract.js';
import {
  type ChainTask,
  STEP_DONE,
  STEP_OUT_OF_OUTPUT,
  type TaskSnapshot,
} from '../operator/contract.js';
import { FRAME_BARRIER } from '../ring/contract.js';
import { barrierPayload } from './barrier.js';
import type { Aligned } from './barrier-alignment.js';
import type { ExchangePort } from './exchange-port.js';
import { handOn, prepareCommits } from './hand-on.js';
import { encodeInFlight, type InFlightFrame, type InputFrame } from './in-flight.js';
import type { SubtaskGate } from './input-gate.js';
import { overtakesAtMs } from './overtaking.js';
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
  /** Records that the checkpoint has overtaken, as pieces of whoever receives them. */
  readonly inFlight: readonly InFlightBytes[];
  readonly startDelayMs: number;
  readonly alignmentMs: number;
  readonly syncMs: number;
}

/** Records on their way to an operator. */
export interface InFlightBytes {
  readonly uid: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Takes what subtasks freeze. */
export interface SnapshotCollector {
  /** Whether the state that a subtask froze before has not been written yet. */
  isWriting(vertex: number, subtask: number): boolean;
  add(frozen: FrozenSubtask): void;
  /** What a subtask has frozen will not be whole; what its sinks have prepared counts. */
  drop(frozen: FrozenSubtask): void;
}

/** An input edge of a vertex, by the uid that its records are kept under. */
export interface InFlightAddress {
  readonly uid: string;
  readonly input: number;
}

/** How barriers overtake what is under way. */
export interface BarrierOvertaking {
  readonly timeoutMs: number;
  /** The vertex itself as a receiver, and by port where that leads. */
  readonly uid: string;
  readonly outputs: readonly InFlightAddress[];
}

/** What a barrier passes through. */
export interface SubtaskBarrierParts {
  readonly vertexId: number;
  readonly index: number;
  readonly task: ChainTask;
  readonly source: SourceHead | null;
  readonly sinks: readonly SubtaskSink[];
  readonly gate: SubtaskGate | null;
  readonly ports: readonly ExchangePort[];
  readonly clock: Clock;
  /** Null for a run whose barriers keep their order. */
  readonly overtaking: BarrierOvertaking | null;
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
  #overtakesAtMs = Number.POSITIVE_INFINITY;
  #isOvertaking = false;
  /** The next row of the current batch, where a barrier comes before its turn; null otherwise. */
  #keepsFrom: number | null = null;
  /** What has been put aside, by piece. */
  #sent: InFlightBytes[] = [];
  #isCapturing = false;

  constructor(parts: SubtaskBarrierParts) {
    this.#parts = parts;
  }

  /** The last checkpoint whose barrier went through; 0 for none. */
  lastId = 0;

  get isActive(): boolean {
    return this.#phase !== 'none';
  }

  /** Whether barriers of the run may overtake. */
  get mayOvertake(): boolean {
    return this.#parts.overtaking !== null;
  }

  /** When a checkpoint overtakes what is before it, by the wall clock; without one, that which is active. */
  overtakesAtMs(trigger: CheckpointTrigger | null = this.isActive ? this.#trigger : null): number {
    const { overtaking } = this.#parts;
    if (overtaking === null || trigger === null) return Number.POSITIVE_INFINITY;
    return overtakesAtMs(trigger, overtaking.timeoutMs);
  }

  /** Rows need no room to leave from now on, so that a barrier that overtakes them is soon due. */
  putAside(): void {
    for (const port of this.#parts.ports) port.putsAside = port.mayOvertake;
  }

  /** No barrier follows: rows, and that there are no more of them, leave only where there is room from now on. */
  keepOrder(): void {
    for (const port of this.#parts.ports) port.putsAside = false;
  }

  /**
   * A barrier is due. One that overtakes, or is a source's own, may come at row `keepsFrom` of the current batch: the
   * gate is to keep what comes before it from there on, and a source goes on there.
   */
  begin({ trigger, startedMs, alignmentMs }: Aligned, keepsFrom: number | null = null): void {
    const { gate } = this.#parts;
    if (this.#isCapturing) gate?.abandon?.();
    this.keepOrder();
    this.#overtakesAtMs = this.overtakesAtMs(trigger);
    this.#isOvertaking = false;
    this.#keepsFrom = keepsFrom;
    this.#sent = [];
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
    const { task, ports, clock } = this.#parts;
    if (!this.#isOvertaking && this.#overtakesAtMs < Number.POSITIVE_INFINITY) {
      this.#isOvertaking = clock.epochMs() >= this.#overtakesAtMs;
      if (this.#isOvertaking) this.putAside();
    }
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
      if (!this.#send(this.#portsDone)) return null;
      this.#portsDone++;
    }
    this.#freeze();
    this.#phase = 'none';
    return true;
  }

  /** Sends the barrier through a port; false while that has no room. */
  #send(index: number): boolean {
    const { ports, overtaking } = this.#parts;
    const port = ports[index];
    if (!this.#isOvertaking || !port.mayOvertake || overtaking === null) {
      return port.sendControl(FRAME_BARRIER, this.#payload);
    }
    for (const [to, frames] of port.overtake(this.#payload).entries()) {
      this.#keep(overtaking.outputs[index], to, 'sent', frames);
    }
    return true;
  }

  #keep(
    { uid, input }: InFlightAddress,
    to: number,
    stage: 'received' | 'sent',
    frames: readonly InFlightFrame[],
  ): void {
    if (frames.length === 0) return;
    this.#sent.push({
      uid,
      name: inFlightName({ input, to, stage }),
      bytes: encodeInFlight(frames),
    });
  }

  #freeze(): void {
    const { vertexId, index, task, source, gate, clock, collector } = this.#parts;
    const trigger = this.#trigger;
    if (trigger === null) return;
    this.lastId = trigger.id;
    const frozen: FrozenSubtask = {
      vertex: vertexId,
      subtask: index,
      trigger,
      state: task.beginSnapshot(trigger.isFull, trigger.kind === 'checkpoint'),
      source: source?.progress(this.#keepsFrom ?? undefined) ?? null,
      commits: this.#commits,
      inFlight: this.#sent,
      startDelayMs: this.#startDelayMs,
      alignmentMs: this.#alignmentMs,
      syncMs: clock.monotonicMs() - this.#syncStartMs,
    };
    if (this.#keepsFrom === null || gate === null) return collector.add(frozen);
    this.#isCapturing = true;
    gate.capture?.(this.#keepsFrom, (frames) => this.#captured(frozen, frames));
  }

  /** All that came before the barriers is there, or will not be. */
  #captured(frozen: FrozenSubtask, frames: readonly InputFrame[] | null): void {
    const { overtaking, index, collector } = this.#parts;
    this.#isCapturing = false;
    if (frames === null || overtaking === null) return collector.drop(frozen);
    const { uid } = overtaking;
    for (const input of new Set(frames.map((frame) => frame.input))) {
      const own = frames.filter((frame) => frame.input === input);
      this.#keep({ uid, input }, index, 'received', own);
    }
    collector.add({ ...frozen, inFlight: this.#sent });
  }
}
