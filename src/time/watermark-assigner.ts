/**
 * The watermarks behind an operator that assigns event times, until the end of the input. In the chain of a source
 * every split has a generator of its own, and the least watermark of those that are read and not idle counts;
 * elsewhere there is one generator for all records. Callers: generated code, the chain task. Runs on: the slot's
 * thread. Invariant: the watermark never goes back, and is not asked for before every record that came earlier has
 * passed.
 */
import { assert } from '../base/assert.js';
import { WATERMARK_MAX, WATERMARK_MIN } from './watermark.js';
import { type TickTimes, WatermarkSource } from './watermark-source.js';
import type { WatermarkStrategy } from './watermark-strategy.js';

/** Stands for no split. */
export const NO_SPLIT = -1;

/** The records of one split, or of all. */
interface AssignedStream {
  readonly split: number;
  readonly source: WatermarkSource;
  /** For how long it was paused, which counts for no idleness, and since when it is; NaN while it is not. */
  pausedMs: number;
  pausedSinceMs: number;
}

/** The assigner of one subtask. */
export class WatermarkAssigner {
  /** The stream whose records are passing. */
  current: WatermarkSource;
  watermarkMs = WATERMARK_MIN;
  isIdle = false;
  /** Set when a record brought a watermark that is to go out right behind it. */
  isDue = false;
  readonly #strategy: WatermarkStrategy;
  #streams: AssignedStream[];
  /** Whether a split has ended since the last tick, so that the others alone count. */
  #hasEnded = false;
  #activeMs = 0;

  constructor(strategy: WatermarkStrategy) {
    this.#strategy = strategy;
    const stream = this.#stream(NO_SPLIT);
    this.#streams = [stream];
    this.current = stream.source;
  }

  /** Whether a tick may change anything. */
  get needsTick(): boolean {
    if (this.watermarkMs >= WATERMARK_MAX) return false;
    if (this.#hasEnded) return true;
    for (let at = 0; at < this.#streams.length; at++) {
      const { source, pausedSinceMs } = this.#streams[at];
      // One that is paused asks at every tick whether it still has to be.
      if (source.needsTick || !Number.isNaN(pausedSinceMs)) return true;
    }
    return false;
  }

  /** The split that no other is behind; `NO_SPLIT` where there are none, or all are idle. */
  get heldBySplit(): number {
    return this.#least()?.split ?? NO_SPLIT;
  }

  /** The records to come are of a split. */
  enterSplit(split: number): void {
    let stream = this.#streams.find((one) => one.split === split);
    if (stream === undefined) {
      stream = this.#stream(split);
      // Where there are splits, every record is of one.
      this.#streams = this.#streams.filter((one) => one.split !== NO_SPLIT);
      this.#streams.push(stream);
    }
    this.current = stream.source;
  }

  /** A split has ended, so nobody waits for it; the watermark stays where it is until others have passed it. */
  endSplit(split: number): void {
    this.#streams = this.#streams.filter((one) => one.split !== split);
    this.#hasEnded = true;
  }

  /** Splits whose watermark is later than `limitMs`; they are paused from now on, and the others are not. */
  pauseAhead(limitMs: number): readonly number[] {
    const ahead: number[] = [];
    for (const stream of this.#streams) {
      if (stream.split === NO_SPLIT) continue;
      const isPaused = !Number.isNaN(stream.pausedSinceMs);
      if (stream.source.watermarkMs > limitMs && !stream.source.isIdle) {
        ahead.push(stream.split);
        if (!isPaused) stream.pausedSinceMs = this.#activeMs;
      } else if (isPaused) {
        stream.pausedMs += this.#activeMs - stream.pausedSinceMs;
        stream.pausedSinceMs = Number.NaN;
      }
    }
    return ahead;
  }

  /** Shows a record to the generator of the user; true when its watermark is to go out now. */
  record(record: unknown, timestampMs: number): boolean {
    if (!this.current.record(record, timestampMs)) return false;
    this.isDue = true;
    return true;
  }

  /** Brings watermark and status up to date. */
  tick({ epochMs, activeMs }: TickTimes): void {
    this.isDue = false;
    this.#hasEnded = false;
    this.#activeMs = activeMs;
    if (this.watermarkMs >= WATERMARK_MAX) return;
    for (const { source, pausedMs, pausedSinceMs } of this.#streams) {
      const untilMs = Number.isNaN(pausedSinceMs) ? activeMs : pausedSinceMs;
      source.tick({ epochMs, activeMs: untilMs - pausedMs });
    }
    const least = this.#least();
    this.isIdle = least === null && this.#streams.length > 0;
    if (least === null) return;
    this.watermarkMs = Math.max(this.watermarkMs, least.source.watermarkMs);
  }

  /** The input has ended: so has event time. */
  end(): void {
    this.watermarkMs = WATERMARK_MAX;
    this.isIdle = false;
    this.isDue = false;
  }

  /** Of the streams that are not idle, the one that is least far. */
  #least(): AssignedStream | null {
    let least: AssignedStream | null = null;
    for (const stream of this.#streams) {
      if (stream.source.isIdle) continue;
      if (least === null || stream.source.watermarkMs < least.source.watermarkMs) least = stream;
    }
    return least;
  }

  #stream(split: number): AssignedStream {
    assert(split >= NO_SPLIT, 'Splits are numbered from 0.');
    const source = new WatermarkSource(this.#strategy);
    return { split, source, pausedMs: 0, pausedSinceMs: Number.NaN };
  }
}
