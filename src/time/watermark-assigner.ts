/**
 * The watermarks behind an operator that assigns event times: those of its stream, until the end of the input.
 * Callers: generated code, the chain task. Runs on: the slot's thread. Invariant: the watermark never goes back,
 * and is not asked for before every record that came earlier has passed.
 */
import { WATERMARK_MAX, WATERMARK_MIN } from './watermark.js';
import { type TickTimes, WatermarkSource } from './watermark-source.js';
import type { WatermarkStrategy } from './watermark-strategy.js';

/** The assigner of one subtask. */
export class WatermarkAssigner {
  /** The stream whose records are passing. */
  readonly current: WatermarkSource;
  watermarkMs = WATERMARK_MIN;
  isIdle = false;
  /** Set when a record brought a watermark that is to go out right behind it. */
  isDue = false;

  constructor(strategy: WatermarkStrategy) {
    this.current = new WatermarkSource(strategy);
  }

  /** Whether a tick may change anything. */
  get needsTick(): boolean {
    return this.watermarkMs < WATERMARK_MAX && this.current.needsTick;
  }

  /** Shows a record to the generator of the user; true when its watermark is to go out now. */
  record(record: unknown, timestampMs: number): boolean {
    if (!this.current.record(record, timestampMs)) return false;
    this.isDue = true;
    return true;
  }

  /** Brings watermark and status up to date. */
  tick(times: TickTimes): void {
    this.isDue = false;
    if (this.watermarkMs >= WATERMARK_MAX) return;
    this.current.tick(times);
    this.isIdle = this.current.isIdle;
    this.watermarkMs = Math.max(this.watermarkMs, this.current.watermarkMs);
  }

  /** The input has ended: so has event time. */
  end(): void {
    this.watermarkMs = WATERMARK_MAX;
    this.isIdle = false;
    this.isDue = false;
  }
}
