/**
 * Event time in a chain: the watermark that each operator has, the one behind it, and who acts when time passes.
 * An operator has the watermark of the one it consumes; one that assigns event times makes its own for all that is
 * behind. Callers: the chain task walks it, generated code reads it. Runs on: the slot's thread. Invariant: what
 * is behind an operator rises only after all that the operator's own watermark made due has been handed on.
 */
import type { Clock } from '../base/clock.js';
import { NO_SPLIT, WatermarkAssigner } from '../time/watermark-assigner.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../time/watermark.js';
import type { AlignmentMember } from '../time/alignment.js';
import type { ChainOperator, ChainTaskOptions } from './chain-options.js';
import { assert } from '../base/assert.js';

/** An operator that acts when time passes: one with timers or windows. */
export interface TimedOperator {
  /**
   * Fires one thing that the operator's watermark made due; false when nothing is. What it hands on waits as pending
   * records of the operator, or has gone on through generated code.
   */
  fireEventTime(watermarkMs: number): boolean;
  /** The same for what was to happen at a time of the wall clock before `nowMs`. */
  fireProcessingTime(nowMs: number): boolean;
  /** When `fireProcessingTime` is next worth calling, by the wall clock; `Infinity` for never. */
  readonly nextProcessingTimer: number;
}

/** An operator that heads a chain and holds its watermarks back until what came before them has been handed on. */
export interface HeldTime {
  /** What time it is behind the operator. */
  readonly watermarkMs: number;
  /** Whether nothing is held. */
  readonly isEmpty: boolean;
  /** Whether a walk through the chain would bring the time behind the operator up to date. */
  isDue(watermarkMs: number, isIdle: boolean): boolean;
  /** The walk is over: all operators behind have the watermark. */
  passed(): void;
}

/** Time in one chain. */
export class ChainTime {
  /** By operator: the watermark by which it judges its records. Generated code reads it. */
  readonly watermarks: Float64Array;
  /** By operator: the one that acts when time passes; operators put themselves here. */
  readonly timed: (TimedOperator | null)[];
  /** The first operator, when it holds watermarks back. */
  held: HeldTime | null = null;
  /** Time for which others held the task back; idleness does not count it. */
  heldBackMs = 0;
  isInputIdle = false;
  readonly #assigners: readonly (WatermarkAssigner | null)[];
  readonly #aligned: readonly (AlignmentMember | null)[];
  // The same without gaps: every batch asks them, in most chains there are none, and callbacks would be garbage.
  readonly #acting: readonly WatermarkAssigner[];
  readonly #members: readonly AlignmentMember[];
  /** Those that have a stream for every split of the chain's source. */
  readonly #bySplit: readonly WatermarkAssigner[];
  /** Behind each operator, the chain's input first. */
  readonly #behind: Float64Array;
  /** How often the members of the groups look at each other; `Infinity` for no group. */
  readonly alignIntervalMs: number;
  readonly #operators: readonly ChainOperator[];
  readonly #clock: Clock;
  #ingestionMs = WATERMARK_MIN;

  constructor({ operators, clock, aligned }: ChainTaskOptions) {
    this.#operators = operators;
    this.#clock = clock;
    this.#assigners = operators.map(({ spec }) =>
      spec.kind === 'assignTimestamps' ? new WatermarkAssigner(spec.watermarks) : null,
    );
    this.#acting = this.#assigners.filter((assigner) => assigner !== null);
    this.#aligned = operators.map((_, operator) => aligned?.(operator) ?? null);
    this.#members = this.#aligned.filter((member) => member !== null);
    const intervals = this.#members.map((member) => member.alignment.updateIntervalMs);
    this.alignIntervalMs = Math.min(Infinity, ...intervals);
    this.#bySplit = this.#acting.filter((assigner) =>
      isAtSource(operators, this.#assigners.indexOf(assigner)),
    );
    this.timed = operators.map(() => null);
    this.watermarks = new Float64Array(operators.length).fill(WATERMARK_MIN);
    this.#behind = new Float64Array(operators.length + 1).fill(WATERMARK_MIN);
  }

  /** The assigner that an operator is. */
  assigner(operator: number): WatermarkAssigner {
    const assigner = this.#assigners[operator];
    assert(assigner !== null, 'Only an operator that assigns event times has an assigner.');
    return assigner;
  }

  /** Whether an operator of the chain assigns event times. */
  get makesWatermarks(): boolean {
    return this.#acting.length > 0;
  }

  /** Whether a tick may change a watermark of the chain. */
  get needsTicks(): boolean {
    for (let at = 0; at < this.#acting.length; at++) if (this.#acting[at].needsTick) return true;
    return false;
  }

  /** Whether a watermark has come up in the chain itself, which is to go out before the next record. */
  get isDue(): boolean {
    if (this.held?.isDue(this.watermarks[0], this.isInputIdle) === true) return true;
    for (let at = 0; at < this.#acting.length; at++) if (this.#acting[at].isDue) return true;
    return false;
  }

  /** Whether an operator is too far ahead of its group. */
  get isAhead(): boolean {
    for (let at = 0; at < this.#members.length; at++) if (this.#members[at].isAhead) return true;
    return false;
  }

  /** The rows to come are of a split of the chain's source. */
  enterSplit(split: number): void {
    for (const assigner of this.#bySplit) assigner.enterSplit(split);
  }

  /** A split of the chain's source has given its last row. */
  endSplit(split: number): void {
    for (const assigner of this.#bySplit) assigner.endSplit(split);
  }

  /** Splits that are too far ahead of the group, or of others of this subtask, to be read on now. */
  splitsAhead(): readonly number[] {
    const ahead = this.#assigners.flatMap((assigner, operator) => {
      const member = this.#aligned[operator];
      if (assigner === null || member === null || !this.#bySplit.includes(assigner)) return [];
      return assigner.pauseAhead(member.limitMs);
    });
    return [...new Set(ahead)];
  }

  /** The split that holds the chain's watermark back; `NO_SPLIT` when that is none. */
  get heldBySplit(): number {
    let holder: WatermarkAssigner | null = null;
    for (const assigner of this.#bySplit) {
      if (holder === null || assigner.watermarkMs < holder.watermarkMs) holder = assigner;
    }
    return holder === null ? NO_SPLIT : holder.heldBySplit;
  }

  /** When the first operator wants to act by the wall clock. */
  get nextProcessingTimer(): number {
    let next = Number.POSITIVE_INFINITY;
    for (let at = 0; at < this.timed.length; at++) {
      const timed = this.timed[at];
      if (timed !== null) next = Math.min(next, timed.nextProcessingTimer);
    }
    return next;
  }

  /** The chain's input has a watermark. */
  enter(watermarkMs: number): void {
    if (watermarkMs > this.#behind[0]) this.#behind[0] = watermarkMs;
  }

  /** An operator takes the watermark of what it consumes: from now on it is the one that counts there. */
  take(operator: number): number {
    const watermarkMs = this.#behind[this.#operators[operator].input + 1];
    this.watermarks[operator] = watermarkMs;
    return watermarkMs;
  }

  /** All that was due at an operator has been handed on, so what is behind it may know. */
  leave(operator: number): void {
    const watermarkMs = this.watermarks[operator];
    const assigner = this.#assigners[operator];
    if (assigner === null) {
      const { held } = this;
      this.#behind[operator + 1] = operator === 0 && held !== null ? held.watermarkMs : watermarkMs;
      return;
    }
    // What comes from above says nothing about the times assigned here, but for its end.
    if (watermarkMs >= WATERMARK_MAX) assigner.end();
    else this.#tick(assigner);
    this.#aligned[operator]?.publish(assigner.watermarkMs, assigner.isIdle);
    this.#behind[operator + 1] = assigner.watermarkMs;
  }

  #tick(assigner: WatermarkAssigner): void {
    assigner.tick({
      epochMs: this.#clock.epochMs(),
      activeMs: this.#clock.monotonicMs() - this.heldBackMs,
    });
  }

  /** The watermark behind an operator, -1 for the chain's input. */
  behind(operator: number): number {
    return this.#behind[operator + 1];
  }

  /** Whether nothing is to be expected behind an operator for now. */
  isIdleBehind(operator: number): boolean {
    for (let at = operator; at >= 0; at = this.#operators[at].input) {
      const assigner = this.#assigners[at];
      if (assigner !== null) return assigner.isIdle;
    }
    // What is held is still to come.
    return this.isInputIdle && this.held?.isEmpty !== false;
  }

  /** The wall clock as an event time: it does not go back when the machine's clock is set. */
  ingestionTimeMs(): number {
    this.#ingestionMs = Math.max(this.#ingestionMs, Math.floor(this.#clock.epochMs()));
    return this.#ingestionMs;
  }
}

/** What hands each row on at once, or before the next batch: those behind it are still of the split of that batch. */
const PASSING: ReadonlySet<string> = new Set([
  'map',
  'filter',
  'where',
  'flatMap',
  'select',
  'explode',
  'assignTimestamps',
]);

/** Whether an operator is given the rows of a batch of its chain's input before the next one is taken. */
function isAtSource(operators: readonly ChainOperator[], operator: number): boolean {
  for (let at = operators[operator].input; at >= 0; at = operators[at].input) {
    if (!PASSING.has(operators[at].spec.kind)) return false;
  }
  return true;
}
