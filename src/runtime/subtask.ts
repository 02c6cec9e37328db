/**
 * One subtask: a chain task with its inputs and outputs, stepped by the slot loop. A step does a bounded piece
 * of work and says what it found; nothing here blocks or waits. Callers: the slot loop. Runs on: the slot's
 * thread. Invariant: a batch is released only after all of its rows are consumed, and the FINISHED frame leaves
 * only after every row before it.
 */
import type { Clock } from '../base/clock.js';
import type { CheckpointTrigger, SinkCommit, SourceProgress } from '../checkpoint/contract.js';
import type { SinkWriter } from '../connector/contract.js';
import type { TaskMetricsWriter } from '../metrics/task-metrics.js';
import type { ChainTask, Cursor, StepResult } from '../operator/contract.js';
import { STEP_DONE, STEP_OUT_OF_CALLS, STEP_OUT_OF_OUTPUT } from '../operator/contract.js';
import type { Batch } from '../record/batch.js';
import { FRAME_END_OF_DATA, FRAME_FINISHED } from '../ring/contract.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../time/watermark.js';
import { closeAll } from './close-all.js';
import type { Aligned } from './barrier-alignment.js';
import type { ExchangePort } from './exchange-port.js';
import { handOn, prepareCommits } from './hand-on.js';
import {
  GATE_BARRIER,
  GATE_BATCH,
  GATE_EMPTY,
  GATE_MARKER,
  GATE_TIME,
  type SubtaskGate,
} from './input-gate.js';
import type { LatencyMarkers } from './latency-markers.js';
import type { SinkPort } from './sink-port.js';
import { HEAD_BATCH, HEAD_WAIT, type SourceHead } from './source-head.js';
import type { SubtaskBarrier } from './subtask-barrier.js';
import { framedStep } from './subtask-frame.js';
import type { TapSite } from './tap-site.js';
import { TimeSender } from './time-sender.js';

/** Rows a subtask may process in one step at most. */
const STEP_ROWS_MAX = 4096;
/** The same for what is due: as its slices take turns with input, they are shorter. */
const TIME_ROWS_MAX = 1024;

/** How long a step should take at most, whatever a row costs: barriers, timers and the rest of the slot wait for it. */
const STEP_MS = 10;

/** The step did something; there may be more to do. */
export const SUBTASK_PROGRESS = 0;
/** An output has no room. */
export const SUBTASK_BLOCKED = 1;
/** There is no input now. */
export const SUBTASK_IDLE = 2;
/** All work is done; do not step again. */
export const SUBTASK_FINISHED = 3;
/** It waits for answers to calls that functions of the chain have made. */
export const SUBTASK_WAITING = 4;
export type SubtaskStatus = 0 | 1 | 2 | 3 | 4;

/** A sink of the chain, in this slot. */
export interface SubtaskSink {
  readonly sinkIndex: number;
  readonly port: SinkPort;
  readonly writer: SinkWriter;
}

/** What a subtask is made of; either a source head or an input gate. */
export interface SubtaskParts {
  readonly vertexId: number;
  readonly index: number;
  readonly name: string;
  readonly uid: string;
  readonly task: ChainTask;
  readonly source: SourceHead | null;
  readonly gate: SubtaskGate | null;
  readonly ports: readonly ExchangePort[];
  readonly sinks: readonly SubtaskSink[];
  /** Where its batches may be looked at, by input; those of its source are input 0. */
  readonly taps: readonly TapSite[];
  readonly metrics: TaskMetricsWriter;
  readonly clock: Clock;
  /** How often the chain's own watermarks are brought up to date. */
  readonly tickIntervalMs: number;
  /** Takes barriers through the subtask; null for a run that takes no checkpoints. */
  readonly barrier: SubtaskBarrier | null;
  /** Makes and forwards latency markers; null for a run that tracks no latency. */
  readonly markers: LatencyMarkers | null;
  /**
   * Whether the subtask had finished in the checkpoint that the run goes on from: it has nothing to add then, whatever
   * its inputs' end would make it emit.
   */
  readonly hadFinished: boolean;
}

type Phase =
  | 'running'
  | 'awaiting'
  | 'endOfTime'
  | 'endOfInput'
  | 'flushing'
  | 'committing'
  | 'endOfData'
  | 'closing'
  | 'finished';

/** What the passing of time makes a running subtask do before its next row. */
type TimeWork = 'none' | 'event' | 'processing';

const DRAIN = Uint8Array.of(1);
const NO_DRAIN = Uint8Array.of(0);

/** A steppable subtask. */
export class Subtask {
  readonly parts: SubtaskParts;
  /** Does a bounded piece of work. */
  readonly step: () => SubtaskStatus;
  status: SubtaskStatus = SUBTASK_PROGRESS;
  /** When its last step ended; kept by the slot's loop. */
  lastStepMs = 0;
  /** What its sinks have prepared since the last barrier; filled when the subtask has finished. */
  readonly commits: SinkCommit[] = [];
  #phase: Phase = 'running';
  /** 'drain' emits held-back results at the end, 'stop' does not. */
  #ending: 'drain' | 'stop' = 'drain';
  #batch: Batch | null = null;
  #input = 0;
  readonly #cursor: Cursor = { position: 0 };
  readonly #senders: readonly TimeSender[];
  #timeWork: TimeWork = 'none';
  readonly #timeCursor: Cursor = { position: 0 };
  /** The watermark for which event-time work is being done. */
  #watermarkMs = WATERMARK_MIN;
  /** Whether the gate has told of a time since. */
  #hasNewTime = false;
  /** The wall clock for which processing-time work is being done. */
  #nowMs = 0;
  #nextTickMs: number;
  readonly #tickIntervalMs: number;
  /** How often the chain looks at its group, and whether it has one. */
  readonly #alignIntervalMs: number;
  readonly #isAligned: boolean;
  /** Checkpoints that a source has been told of and has not begun. */
  readonly #triggers: CheckpointTrigger[] = [];
  /** Since when the source is held back to wait for its group; NaN while it is not. */
  #heldSinceMs = Number.NaN;

  constructor(parts: SubtaskParts) {
    this.parts = parts;
    this.step = framedStep(parts.vertexId, parts.index, () => this.#step());
    this.#senders = parts.ports.map((port) => new TimeSender(port));
    this.#alignIntervalMs = parts.task.alignIntervalMs;
    this.#isAligned = this.#alignIntervalMs < Infinity;
    this.#tickIntervalMs = Math.min(parts.tickIntervalMs, this.#alignIntervalMs);
    this.#nextTickMs = parts.clock.monotonicMs() + this.#tickIntervalMs;
  }

  /** How far its source has come; null for a subtask without one. */
  get progress(): SourceProgress | null {
    return this.parts.source?.progress() ?? null;
  }

  /** A checkpoint begins. Only sources answer; it reaches the others as a barrier, unless it overtakes. */
  trigger(trigger: CheckpointTrigger): void {
    if (this.#phase !== 'running') return;
    if (this.parts.source !== null) this.#triggers.push(trigger);
    else this.parts.gate?.tell?.(trigger);
  }

  /** Whether the subtask waits for something that only the event loop of its thread can bring. */
  get waitsForEvents(): boolean {
    // What a client does between two calls, such as closing a connection, needs the event loop as well.
    if (this.parts.task.callsInFlight !== null && this.#phase !== 'finished') return true;
    if (this.parts.source?.isWaiting === true && this.#phase === 'running') return true;
    return this.parts.sinks.some((sink) => sink.port.isWaiting);
  }

  /** Whether a call that the chain has made is to be answered. */
  get awaitsAnswers(): boolean {
    return (this.parts.task.callsReport?.unanswered ?? 0) > 0;
  }

  /** Ends a source before its natural end; other subtasks follow when their inputs finish. */
  stop(ending: 'drain' | 'stop'): void {
    // Without its results a loop may just as well end; to drain one is to let it go round.
    if (ending === 'stop') this.parts.gate?.stop?.();
    if (this.parts.source === null || this.#phase !== 'running') return;
    this.#ending = ending;
    this.#isStopping = true;
    this.#endIfStopping();
  }
  #isStopping = false;

  /** How long the slot may sleep before time makes something due here; `Infinity`: until it is woken. */
  get sleepMs(): number {
    const overtakesInMs = this.#overtakesInMs;
    // What blocks a subtask wakes the slot when it goes away; until then time can change nothing else.
    if (this.status === SUBTASK_BLOCKED || !this.#isTimed) return overtakesInMs;
    const { task, clock } = this.parts;
    const timerMs = task.nextProcessingTimer;
    return Math.min(
      overtakesInMs,
      Number.isNaN(this.#heldSinceMs) ? Infinity : this.#alignIntervalMs,
      this.#markers?.sleepMs ?? Infinity,
      task.needsTicks ? this.#nextTickMs - clock.monotonicMs() : Infinity,
      timerMs === Infinity ? Infinity : timerMs - clock.epochMs(),
    );
  }

  /** How long until a checkpoint that is under way overtakes; `Infinity` when none does, or one does by now. */
  get #overtakesInMs(): number {
    const { barrier, gate, clock } = this.parts;
    if (barrier?.mayOvertake !== true) return Infinity;
    const atMs = Math.min(barrier.overtakesAtMs(), this.#overtakesAtMs(barrier, gate));
    const inMs = atMs - clock.epochMs();
    return inMs > 0 ? inMs : Infinity;
  }

  #overtakesAtMs(barrier: SubtaskBarrier, gate: SubtaskGate | null): number {
    return gate === null
      ? barrier.overtakesAtMs(this.#triggers.at(0) ?? null)
      : (gate.overtakesAtMs ?? Infinity);
  }

  /** Markers, when they may go on. */
  get #markers(): LatencyMarkers | null {
    const isBetween = this.#batch === null && this.#timeWork === 'none';
    return isBetween && this.#phase === 'running' ? this.parts.markers : null;
  }

  /** Whether the passing of time may make something due. */
  get #isTimed(): boolean {
    return this.#phase === 'running' || this.#phase === 'awaiting';
  }

  /** Is told how long the last step took, from which it knows how many rows the next one may process. */
  tookMs(tookMs: number): void {
    const rows = this.#stepped;
    if (rows === 0) return;
    const fitting = Math.floor((rows * STEP_MS) / Math.max(STEP_MS / STEP_ROWS_MAX, tookMs));
    this.#stepRows = Math.max(1, Math.min(STEP_ROWS_MAX, fitting, this.#stepRows * 4));
  }
  /** Of the first step, before it is known what a row costs. */
  #stepRows = 64;
  #stepped = 0;

  #step(): SubtaskStatus {
    this.#stepped = 0;
    this.status = this.#phase === 'running' ? this.#run() : this.#finish();
    const { task, metrics } = this.parts;
    if (task.callsReport !== null) metrics.setCalls(task.callsReport);
    return this.status;
  }

  /** Settles when what `close` began is over; null when nothing takes time. */
  get closed(): PromiseLike<unknown> | null {
    return this.parts.task.closed;
  }

  /** Closes everything; what one thing throws keeps no other from being closed, and is thrown in the end. */
  close(): void {
    const { task, source, sinks } = this.parts;
    closeAll([task, ...(source === null ? [] : [source]), ...sinks.map(({ writer }) => writer)]);
  }

  /** Takes batches in until the step has done enough; small ones would cost more to switch between than to process. */
  #run(): SubtaskStatus {
    const { task, source, metrics, barrier, markers } = this.parts;
    const stepRows = this.#stepRows;
    let rowsLeft = stepRows;
    let isBetween = false;
    while (rowsLeft > 0 && this.#phase === 'running') {
      if (barrier?.mayOvertake === true) this.#overtake(barrier);
      const isFree = this.#batch === null || source !== null || barrier?.isActive === true;
      if (isFree && this.#timeWork === 'none') {
        const status = barrier === null ? null : this.#takeBarriers(barrier);
        if (status !== null) return status;
        if (this.#phase !== 'running') return SUBTASK_PROGRESS;
      }
      if (!this.#areOutputsClear()) return SUBTASK_BLOCKED;
      if (this.#timeWork === 'none') this.#lookAtTime();
      if (this.#timeWork !== 'none' && !isBetween) {
        if (rowsLeft < stepRows) return SUBTASK_PROGRESS;
        const status = this.#workOnTime();
        // Input does not stand still while much is due: rows that it does not concern come in between.
        isBetween = status === SUBTASK_PROGRESS && this.#isBetweenSlices;
        if (status !== null && !isBetween) return status;
        // Rows follow in the same step: where a pass of the slot takes longer than a tick, one is due at every look.
      }
      if (this.#markers?.step() === false) return SUBTASK_BLOCKED;
      if (this.#batch === null) {
        // What follows a barrier waits until it has gone through, and that until what is due is done.
        if (barrier?.isActive === true || markers?.isHolding === true) return SUBTASK_PROGRESS;
        const found = source === null ? this.#pollGate() : this.#pollSource();
        if (found !== SUBTASK_PROGRESS) return rowsLeft < stepRows ? SUBTASK_PROGRESS : found;
        if (this.#batch === null) return found;
        // The way back of a loop is no place of its own.
        this.parts.taps.at(this.#input)?.watcher?.look(this.#batch);
      }
      if (isBetween && !task.admits(this.#input, this.#batch, this.#inputWatermark())) {
        return SUBTASK_PROGRESS;
      }
      const before = this.#cursor.position;
      const result = task.step(this.#input, this.#batch, this.#cursor, rowsLeft);
      const consumed = this.#cursor.position - before;
      metrics.addRowsIn(consumed);
      this.#stepped += consumed;
      rowsLeft -= Math.max(1, consumed);
      if (result === STEP_DONE) this.#batchDone();
      else if (!isStuck(result) || consumed > 0) return SUBTASK_PROGRESS;
      else if (rowsLeft < stepRows - 1) return SUBTASK_PROGRESS;
      else return result === STEP_OUT_OF_CALLS ? SUBTASK_WAITING : SUBTASK_BLOCKED;
    }
    return SUBTASK_PROGRESS;
  }

  /** Whether what was put aside has left: nothing is added to it, or it would grow with each checkpoint. */
  #areOutputsClear(): boolean {
    const { ports, barrier } = this.parts;
    return barrier?.mayOvertake !== true || ports.every((port) => port.putsAside || port.clear());
  }

  /** Begins the checkpoint that overtakes what is here; or has the rest of what it waits for need no room. */
  #overtake(barrier: SubtaskBarrier): void {
    const { gate, clock } = this.parts;
    gate?.look?.();
    if (barrier.isActive) return;
    const atMs = this.#overtakesAtMs(barrier, gate);
    if (atMs === Infinity || clock.epochMs() < atMs) return;
    if (this.#timeWork !== 'none') return barrier.putAside();
    const due = gate === null ? this.#nextTrigger() : (gate.overtake?.() ?? null);
    const keepsFrom = gate === null && this.#batch === null ? null : this.#cursor.position;
    if (due !== null) barrier.begin(due, keepsFrom);
  }

  /** The next checkpoint that a source has been told of. */
  #nextTrigger(): Aligned | null {
    const trigger = this.#triggers.shift();
    const startedMs = this.parts.clock.epochMs();
    return trigger === undefined ? null : { trigger, startedMs, alignmentMs: 0 };
  }

  /** Takes the barriers that are due here through the subtask; null when there are none left. */
  #takeBarriers(barrier: SubtaskBarrier): SubtaskStatus | null {
    for (;;) {
      if (barrier.isActive) {
        const isDone = barrier.step();
        if (isDone !== true) return isDone === null ? SUBTASK_BLOCKED : SUBTASK_PROGRESS;
        // One that has overtaken rows of the batch has made a copy of it.
        if (this.#batch !== null) this.#batch = this.parts.gate?.batch ?? this.#batch;
        this.#endIfStopping();
        if (this.#phase !== 'running') return null;
      }
      const next = this.#nextTrigger();
      if (next === null) return null;
      const { trigger } = next;
      if (trigger.stop === 'drain') {
        // What it is to hold is what the job leaves at its end: those that have finished are part of it as such.
        this.stop('drain');
        return null;
      }
      barrier.begin(next, this.#batch === null ? null : this.#cursor.position);
      if (trigger.stop !== 'suspend') continue;
      // The rest of the batch is for whoever goes on from the savepoint.
      this.#batch = null;
      this.stop('stop');
    }
  }

  #batchDone(): void {
    this.#batch = null;
    this.#cursor.position = 0;
    this.parts.gate?.release();
    this.#endIfStopping();
  }

  /** A stop takes effect between two batches, and never in the middle of what time made due. */
  #endIfStopping(): void {
    if (!this.#isStopping || this.#batch !== null || this.#timeWork !== 'none') return;
    if (this.parts.barrier?.isActive !== true && this.#triggers.length === 0) this.#end();
  }

  /** Finds out whether time makes something due. */
  #lookAtTime(): void {
    const { task, clock } = this.parts;
    if (this.#hasNewTime || task.isTimeDue) {
      this.#beginTimeWork('event');
    } else if (task.needsTicks && clock.monotonicMs() >= this.#nextTickMs) {
      this.#nextTickMs = clock.monotonicMs() + this.#tickIntervalMs;
      this.#beginTimeWork('event');
    } else if (task.nextProcessingTimer < Infinity) {
      this.#nowMs = clock.epochMs();
      if (task.nextProcessingTimer <= this.#nowMs) this.#beginTimeWork('processing');
    }
  }

  #beginTimeWork(work: TimeWork): void {
    this.#timeWork = work;
    this.#timeCursor.position = 0;
    // What comes up meanwhile is for the next time: watermarks are passed on however close they follow each other.
    this.#watermarkMs = this.#inputWatermark();
    if (work === 'event') this.#hasNewTime = false;
  }

  /** Does what is due, then says what time it is behind the outputs; null when rows may follow. */
  #workOnTime(): SubtaskStatus | null {
    const status = this.#advanceTime(this.#timeWork, this.#watermarkMs);
    if (status !== null) return status;
    const { source, task } = this.parts;
    if (source !== null && this.#isAligned) source.pause(task.splitsAhead());
    this.#timeWork = 'none';
    this.#endIfStopping();
    return this.#phase === 'running' && !this.#hasNewTime ? null : SUBTASK_PROGRESS;
  }

  /** Whether time has more to do, and rows may come before. */
  get #isBetweenSlices(): boolean {
    return this.#timeWork !== 'none' && this.parts.task.isBetweenSlices;
  }

  #inputWatermark(): number {
    return this.parts.gate?.time.watermarkMs ?? WATERMARK_MIN;
  }

  /** Null when all is done and said. */
  #advanceTime(work: TimeWork, watermarkMs: number): SubtaskStatus | null {
    const { task, gate, metrics } = this.parts;
    if (gate !== null) task.inputIdle(gate.time.isIdle);
    const result =
      work === 'processing'
        ? task.advanceProcessingTime(this.#nowMs, this.#timeCursor, TIME_ROWS_MAX)
        : task.advance(watermarkMs, this.#timeCursor, TIME_ROWS_MAX);
    if (result === STEP_OUT_OF_OUTPUT) return SUBTASK_BLOCKED;
    if (result !== STEP_DONE) return SUBTASK_PROGRESS;
    for (const [output, sender] of this.#senders.entries()) {
      const watermark = task.outputWatermark(output);
      if (!sender.send(watermark, task.isOutputIdle(output))) return SUBTASK_BLOCKED;
    }
    const { time } = task;
    const behindMs = time.watermarkMs === WATERMARK_MIN ? null : time.watermarkMs;
    metrics.setTime(behindMs, time.isIdle);
    metrics.setSplit(task.heldBySplit);
    return null;
  }

  #pollSource(): SubtaskStatus {
    const { source, metrics } = this.parts;
    if (source === null) return SUBTASK_IDLE;
    if (this.#isHeldBack()) return this.#dry();
    const result = source.poll();
    metrics.setBytesIn(source.bytesRead);
    metrics.addRowsIn(source.takeRowsPassed());
    if (result === HEAD_BATCH) {
      this.#batch = source.batch;
      metrics.addBatchesIn(1);
    } else if (result === HEAD_WAIT) {
      return this.#dry();
    } else {
      this.#end();
    }
    return SUBTASK_PROGRESS;
  }

  /** Whether the source has to wait for its group; the time it waits counts for no idleness. */
  #isHeldBack(): boolean {
    const { task, clock } = this.parts;
    if (!this.#isAligned) return false;
    const nowMs = clock.monotonicMs();
    if (!Number.isNaN(this.#heldSinceMs)) task.heldBack(nowMs - this.#heldSinceMs);
    const { isAhead } = task;
    this.#heldSinceMs = isAhead ? nowMs : Number.NaN;
    return isAhead;
  }

  #pollGate(): SubtaskStatus {
    const { gate, metrics } = this.parts;
    if (gate === null) return SUBTASK_IDLE;
    const result = gate.poll();
    // While what is due is being done there is no end of input, and it has not run dry.
    const isBusy = this.#timeWork !== 'none';
    if (result === GATE_EMPTY) return isBusy ? SUBTASK_PROGRESS : this.#dry();
    if (result === GATE_TIME) {
      this.#hasNewTime = true;
    } else if (result === GATE_BARRIER) {
      const { barrier: due } = gate;
      if (due !== null) this.parts.barrier?.begin(due);
    } else if (result === GATE_MARKER) {
      if (gate.marker !== null) this.parts.markers?.take(gate.marker);
    } else if (result === GATE_BATCH) {
      this.#batch = gate.batch;
      this.#cursor.position = gate.first ?? 0;
      this.#input = gate.input;
      metrics.addBatchesIn(1);
      metrics.addBytesIn(gate.bytes);
    } else if (!isBusy) {
      this.#ending = gate.isDraining ? 'drain' : 'stop';
      this.#end();
    }
    return SUBTASK_PROGRESS;
  }

  /** Input has run dry: hand on what is there, so that slow streams are not held up by half-full frames. */
  #dry(): SubtaskStatus {
    if (!this.parts.task.flush()) return SUBTASK_BLOCKED;
    for (const sink of this.parts.sinks) if (!sink.port.flushThrough()) return SUBTASK_BLOCKED;
    return SUBTASK_IDLE;
  }

  #end(): void {
    this.parts.barrier?.keepOrder();
    this.#cursor.position = 0;
    this.#timeCursor.position = 0;
    const hasCalls = (this.parts.task.callsInFlight ?? 0) > 0;
    this.#phase = hasCalls ? 'awaiting' : this.#firstEnding;
  }

  get #firstEnding(): Phase {
    if (this.parts.hadFinished) return 'endOfData';
    return this.#ending === 'drain' ? 'endOfTime' : 'flushing';
  }

  /** The input has ended, but not the calls that it has set off. */
  #await(): SubtaskStatus {
    if (this.#timeWork === 'none') this.#lookAtTime();
    if (this.#timeWork !== 'none') return this.#workOnTime() ?? SUBTASK_PROGRESS;
    const { task } = this.parts;
    if ((task.callsInFlight ?? 0) > 0) {
      return this.#dry() === SUBTASK_BLOCKED ? SUBTASK_BLOCKED : SUBTASK_WAITING;
    }
    this.#timeCursor.position = 0;
    this.#phase = this.#firstEnding;
    return SUBTASK_PROGRESS;
  }

  /** Walks the phases after the last row; each is repeated until its output has room. */
  #finish(): SubtaskStatus {
    if (this.#phase === 'awaiting') return this.#await();
    if (this.#phase === 'endOfTime') {
      const status = this.#advanceTime('event', WATERMARK_MAX);
      if (status !== null) return status;
      this.#phase = 'endOfInput';
    }
    if (this.#phase === 'endOfInput') {
      const result = this.parts.task.endOfInput(this.#cursor, STEP_ROWS_MAX);
      if (result === STEP_OUT_OF_OUTPUT) return SUBTASK_BLOCKED;
      if (result === STEP_DONE) this.#phase = 'flushing';
      return SUBTASK_PROGRESS;
    }
    if (this.#phase === 'flushing') {
      if (!handOn(this.parts)) return SUBTASK_BLOCKED;
      this.#phase = 'committing';
    }
    if (this.#phase === 'committing') {
      if (!prepareCommits(this.parts, this.commits, true)) return SUBTASK_BLOCKED;
      this.#phase = 'endOfData';
    }
    return this.#sayGoodbye();
  }

  #sayGoodbye(): SubtaskStatus {
    const how = this.#ending === 'drain' ? DRAIN : NO_DRAIN;
    if (this.#phase === 'endOfData') {
      if (!this.#send(FRAME_END_OF_DATA, how)) return SUBTASK_BLOCKED;
      this.#phase = 'closing';
    }
    if (this.#phase === 'closing') {
      if (!this.#send(FRAME_FINISHED, NO_DRAIN)) return SUBTASK_BLOCKED;
      this.#phase = 'finished';
    }
    return SUBTASK_FINISHED;
  }

  /** Sends a control frame through every port; ports that have sent it already are skipped when repeated. */
  #send(kind: typeof FRAME_END_OF_DATA | typeof FRAME_FINISHED, payload: Uint8Array): boolean {
    const { ports } = this.parts;
    while (this.#portsDone < ports.length) {
      if (!ports[this.#portsDone].sendControl(kind, payload)) return false;
      this.#portsDone++;
    }
    this.#portsDone = 0;
    return true;
  }
  #portsDone = 0;
}

/** Whether a task can go on only when somebody else has done something. */
function isStuck(result: StepResult): boolean {
  return result === STEP_OUT_OF_OUTPUT || result === STEP_OUT_OF_CALLS;
}
