/**
 * The inputs of a subtask: one channel per upstream subtask of every input edge, read in turn so that no channel
 * starves. Callers: the subtask. Runs on: the slot's thread. Invariant: at most one message is current, and its
 * memory stays untouched until `release`.
 */
import { assert } from '../base/assert.js';
import type { CheckpointTrigger } from '../checkpoint/contract.js';
import type { Batch } from '../record/batch.js';
import { decodeFrameAs } from '../record/frame-codec.js';
import {
  FRAME_ACTIVE,
  FRAME_BARRIER,
  FRAME_DATA,
  FRAME_END_OF_DATA,
  FRAME_FINISHED,
  FRAME_IDLE,
  FRAME_LATENCY_MARKER,
  FRAME_WATERMARK,
} from '../ring/contract.js';
import { WatermarkMerge } from '../time/watermark-merge.js';
import type { Aligned, BarrierAlignment } from './barrier-alignment.js';
import type { FrameReceiver } from './frame-receiver.js';
import { encoded } from './frame-sender.js';
import type { InFlightCapture, InputFrame } from './in-flight.js';
import { watermarkOf } from './time-sender.js';

/** One upstream subtask. */
export interface InputChannel {
  /** Index of the input edge within the vertex. */
  readonly input: number;
  readonly receiver: FrameReceiver;
}

/** A batch is current; consume it, then `release`. */
export const GATE_BATCH = 0;
/** No channel has anything. */
export const GATE_EMPTY = 1;
/** All channels have finished. */
export const GATE_FINISHED = 2;
/** The watermark rose, or the input became idle or active: take that before the next batch. */
export const GATE_TIME = 3;

/** The barrier of a checkpoint has come on all channels: take it before the next batch. */
export const GATE_BARRIER = 4;

/** A latency marker has come: forward it before anything behind it. */
export const GATE_MARKER = 5;

/** What a subtask reads. */
export interface SubtaskGate {
  readonly batch: Batch | null;
  /** Input edge and frame bytes of the current batch. */
  readonly input: number;
  readonly bytes: number;
  /** The row of the current batch to begin with; omitted: the first. */
  readonly first?: number;
  /** False once an upstream subtask ended without draining: held-back results must not be emitted. */
  readonly isDraining: boolean;
  readonly time: { readonly watermarkMs: number; readonly isIdle: boolean };
  /** The checkpoint that the last GATE_BARRIER was about. */
  readonly barrier: Aligned | null;
  /** What the last GATE_MARKER was about. */
  readonly marker: Uint8Array | null;
  /** One of the GATE constants. */
  poll(): number;
  /** Ends the use of the current batch. */
  release(): void;
  /** Ends before its natural end what only the gate can end: a loop. */
  stop?(): void;
  /** A checkpoint has begun. */
  tell?(trigger: CheckpointTrigger): void;
  /** When that overtakes what waits here, by the wall clock; `Infinity` for never. */
  readonly overtakesAtMs?: number;
  /** Takes the checkpoint that overtakes by now, null for none; `capture` follows before anything else is read. */
  overtake?(): Aligned | null;
  /**
   * Keeps what comes before the barriers of that checkpoint, from row `position` of the current batch on, which becomes
   * a copy in memory of its own. `done` is given all of it, null when it is given up.
   */
  capture?(position: number, done: (frames: readonly InputFrame[] | null) => void): void;
  /** Looks at what has come before those barriers, as often as may be. */
  look?(): void;
  /** Gives up what is being kept. */
  abandon?(): void;
}

/** Reads the channels of one subtask. */
export class InputGate implements SubtaskGate {
  batch: Batch | null = null;
  /** Input edge, frame bytes and first row of the current batch. */
  input = 0;
  bytes = 0;
  first = 0;
  /** False once an upstream subtask ended without draining: held-back results must not be emitted. */
  isDraining = true;
  /** The watermarks of the channels, and of the input as a whole. */
  readonly time: WatermarkMerge;
  barrier: Aligned | null = null;
  marker: Uint8Array | null = null;
  readonly #alignment: BarrierAlignment | null;
  readonly #channels: readonly InputChannel[];
  readonly #finished: boolean[];
  #open: number;
  #current = -1;
  #next = 0;
  /** Whether time has changed together with the barrier that was told last. */
  #isTimeNew = false;
  /** What was under way when the checkpoint was taken that the run goes on from: it comes before anything new. */
  readonly #recovered: InputFrame[];
  #capture: InFlightCapture | null = null;

  /** `alignment` is null for a run that takes no checkpoints. */
  constructor(
    channels: readonly InputChannel[],
    alignment: BarrierAlignment | null = null,
    recovered: readonly InputFrame[] = [],
  ) {
    this.#recovered = [...recovered];
    this.#channels = channels;
    this.#alignment = alignment;
    this.#finished = channels.map(() => false);
    this.#open = channels.length;
    this.time = new WatermarkMerge(channels.length);
  }

  poll(): number {
    assert(this.batch === null, 'The current batch is released before the next poll.');
    this.look();
    if (this.#recovered.length > 0) return this.#recover();
    if (this.#isTimeNew) {
      this.#isTimeNew = false;
      return GATE_TIME;
    }
    if (this.#open === 0) return GATE_FINISHED;
    for (let looked = 0; looked < this.#channels.length; looked++) {
      const index = this.#next;
      this.#next = index + 1 === this.#channels.length ? 0 : index + 1;
      if (this.#finished[index] || this.#isBlocked(index)) continue;
      const found = this.#pollChannel(index);
      if (found === GATE_BARRIER) return found;
      if (this.#open === 0) return GATE_FINISHED;
      if (found !== GATE_EMPTY) return found;
    }
    return GATE_EMPTY;
  }

  release(): void {
    if (this.#current >= 0) this.#channels[this.#current].receiver.release();
    this.#current = -1;
    this.batch = null;
    this.first = 0;
  }

  tell(trigger: CheckpointTrigger): void {
    this.#alignment?.tell(trigger);
  }

  get overtakesAtMs(): number {
    return this.#alignment?.overtakesAtMs ?? Number.POSITIVE_INFINITY;
  }

  overtake(): Aligned | null {
    return this.#alignment?.overtake() ?? null;
  }

  capture(position: number, done: (frames: readonly InputFrame[] | null) => void): void {
    const { batch, input } = this;
    const frames: InputFrame[] = [];
    if (batch !== null) {
      const { schema } = batch;
      const frame = encoded(batch);
      if (position < batch.rows) frames.push({ input, schema, frame, first: position });
      this.release();
      this.batch = decodeFrameAs(schema, frame);
    }
    const channels = this.#channels.flatMap(({ input, receiver }, index) => {
      const ahead = this.#alignment?.aheadOf(index, receiver);
      return ahead === undefined ? [] : [{ input, ahead }];
    });
    const all = [...frames, ...this.#recovered];
    this.#capture = this.#alignment?.capture(all, channels, done) ?? null;
    this.look();
  }

  /** Keeps what has come for a checkpoint that has overtaken it; before anything is read, and as often as may be. */
  look(): void {
    if (this.#capture?.step() === true) this.#capture = null;
  }

  /** Gives up what is being kept. */
  abandon(): void {
    this.#capture?.abandon();
    this.#capture = null;
  }

  #recover(): number {
    const next = this.#recovered.shift();
    assert(next !== undefined, 'There is something to recover.');
    this.batch = decodeFrameAs(next.schema, next.frame);
    this.input = next.input;
    this.bytes = next.frame.byteLength;
    this.first = next.first;
    return GATE_BATCH;
  }

  #isBlocked(index: number): boolean {
    return this.#alignment?.isBlocked(index) === true;
  }

  /** Handles control messages of a channel until it has something to say, or there is none. */
  #pollChannel(index: number): number {
    const { receiver, input } = this.#channels[index];
    while (!this.#finished[index] && receiver.poll()) {
      if (receiver.kind === FRAME_DATA) {
        this.batch = receiver.batch();
        this.input = input;
        this.bytes = receiver.bytes;
        this.#current = index;
        return GATE_BATCH;
      }
      if (receiver.kind === FRAME_LATENCY_MARKER) {
        this.marker = receiver.payload().slice();
        receiver.release();
        return GATE_MARKER;
      }
      const { watermarkMs, isIdle } = this.time;
      const aligned = this.#control(index, receiver);
      receiver.release();
      const isTimeNew = this.time.watermarkMs > watermarkMs || this.time.isIdle !== isIdle;
      if (aligned !== null) {
        this.barrier = aligned;
        this.#isTimeNew = isTimeNew;
        return GATE_BARRIER;
      }
      if (isTimeNew) return GATE_TIME;
      if (this.#isBlocked(index)) return GATE_EMPTY;
    }
    return GATE_EMPTY;
  }

  /** The checkpoint that is aligned with this message, null for none. */
  #control(index: number, receiver: FrameReceiver): Aligned | null {
    switch (receiver.kind) {
      case FRAME_WATERMARK:
        this.time.advance(index, watermarkOf(receiver.payload()));
        break;
      case FRAME_IDLE:
        this.time.idle(index);
        break;
      case FRAME_ACTIVE:
        this.time.active(index);
        break;
      case FRAME_END_OF_DATA:
        if (receiver.payload()[0] === 0) this.isDraining = false;
        break;
      case FRAME_BARRIER:
        return this.#alignment?.barrier(index, receiver.payload()) ?? null;
      default:
        assert(
          receiver.kind === FRAME_FINISHED,
          'A job sends data, times, markers, barriers, end-of-data and finished.',
        );
        this.#finished[index] = true;
        this.#open--;
        this.time.end(index);
        return this.#alignment?.end(index) ?? null;
    }
    return null;
  }
}
