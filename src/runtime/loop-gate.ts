/**
 * The input of the head of a loop: first that of the loop, as round 0, then what was fed back, round by round. A round
 * is over when the tail has its watermark, which is its number, in every subtask. Callers: the subtask. Runs on: the
 * slot's thread. Invariant: every record of a batch has its round as event time, and records of a round are handed on
 * only when all of the round before have come back to all heads.
 */
import { assert } from '../base/assert.js';
import type { Batch } from '../record/batch.js';
import { WATERMARK_MIN } from '../time/watermark.js';
import type { FeedbackChannel } from './feedback-channel.js';
import {
  GATE_BATCH,
  GATE_EMPTY,
  GATE_FINISHED,
  GATE_MARKER,
  GATE_TIME,
  type InputGate,
  type SubtaskGate,
} from './input-gate.js';
import type { LoopRounds } from './loop-rounds.js';

/** What a loop gate is made of. */
export interface LoopGateParts {
  readonly input: InputGate;
  /** Number of input edges, which is the number of the one that leads back. */
  readonly inputs: number;
  readonly feedback: FeedbackChannel;
  readonly rounds: LoopRounds;
  /** Null: the loop ends only when nothing is fed back. */
  readonly maxIterations: number | null;
}

/**
 * Reading the input; handing on what was fed back; waiting for the round to come back; waiting for the other heads;
 * done.
 */
type Phase = 'input' | 'handing' | 'going' | 'agreeing' | 'ended';

/** Reads the input of one head. */
export class LoopGate implements SubtaskGate {
  batch: Batch | null = null;
  input = 0;
  bytes = 0;
  isDraining = true;
  readonly time = { watermarkMs: WATERMARK_MIN, isIdle: false };
  /** Jobs with loops take no checkpoints. */
  readonly barrier = null;
  marker: Uint8Array | null = null;
  readonly #parts: LoopGateParts;
  #phase: Phase = 'input';
  #round = 0;
  /** Frames of the round that have not been handed on. */
  #framesLeft = 0;
  #times = new Float64Array(0);

  constructor(parts: LoopGateParts) {
    this.#parts = parts;
  }

  poll(): number {
    assert(this.batch === null, 'The current batch is released before the next poll.');
    if (this.#phase === 'input') return this.#pollInput();
    if (this.#phase === 'going') this.#arrive();
    if (this.#phase === 'agreeing') this.#agree();
    if (this.#phase === 'handing') return this.#handOn();
    return this.#phase === 'ended' ? GATE_FINISHED : GATE_EMPTY;
  }

  /** The loop is given up where it is, in all subtasks. */
  stop(): void {
    this.#parts.rounds.stop();
  }

  release(): void {
    if (this.#phase === 'input') this.#parts.input.release();
    this.batch = null;
  }

  #pollInput(): number {
    const { input, rounds } = this.#parts;
    for (;;) {
      const found = input.poll();
      // What time it is outside means nothing in the loop.
      if (found === GATE_TIME) continue;
      if (found === GATE_EMPTY) return GATE_EMPTY;
      if (found === GATE_MARKER) {
        this.marker = input.marker;
        return GATE_MARKER;
      }
      if (found === GATE_BATCH) {
        // What still comes is taken in, or who sends it would wait for ever.
        if (rounds.isStopped) {
          input.release();
          continue;
        }
        assert(input.batch !== null, 'A gate that has a batch shows it.');
        return this.#show(input.batch, input.input, input.bytes);
      }
      return input.isDraining && !rounds.isStopped ? this.#endOfRound() : this.#giveUp();
    }
  }

  #handOn(): number {
    if (this.#framesLeft === 0) return this.#endOfRound();
    this.#framesLeft--;
    const { batch, bytes } = this.#parts.feedback.take();
    return this.#show(batch, this.#parts.inputs, bytes);
  }

  /** Sends the watermark of the round on its way. */
  #endOfRound(): number {
    this.#phase = 'going';
    this.time.watermarkMs = this.#round;
    return GATE_TIME;
  }

  #arrive(): void {
    const { feedback, rounds } = this.#parts;
    if (rounds.isStopped) this.#giveUp();
    if (this.#phase === 'ended' || feedback.watermarkMs < this.#round) return;
    rounds.arrive(this.#round, feedback.frames > 0);
    this.#phase = 'agreeing';
  }

  #agree(): void {
    const { feedback, rounds, maxIterations } = this.#parts;
    if (rounds.isStopped) this.#giveUp();
    const isFed = rounds.isFed(this.#round);
    if (this.#phase === 'ended' || isFed === null) return;
    this.#round++;
    if (isFed && this.#round !== maxIterations) {
      this.#framesLeft = feedback.frames;
      this.#phase = 'handing';
      return;
    }
    feedback.end(this.#round === maxIterations);
    this.#phase = 'ended';
  }

  /** The input was stopped, here or before another head: the loop ends where it is. */
  #giveUp(): number {
    this.#parts.rounds.stop();
    this.#parts.feedback.end(true);
    this.isDraining = false;
    this.#phase = 'ended';
    return GATE_FINISHED;
  }

  #show(batch: Batch, input: number, bytes: number): number {
    const { schema, schemaVersion, rows, columns, kinds, selection = null } = batch;
    const times = this.#timesOf(selection === null ? rows : highest(selection, rows) + 1);
    this.batch = { schema, schemaVersion, rows, columns, times, kinds, selection };
    this.input = input;
    this.bytes = bytes;
    return GATE_BATCH;
  }

  /** The round, for as many rows. */
  #timesOf(rows: number): Float64Array {
    if (this.#times.length < rows || this.#times[0] !== this.#round) {
      const room = Math.max(rows, this.#times.length);
      this.#times = new Float64Array(room).fill(this.#round);
    }
    return this.#times;
  }
}

function highest(selection: Int32Array, rows: number): number {
  let most = 0;
  for (let at = 0; at < rows; at++) most = Math.max(most, selection[at]);
  return most;
}
