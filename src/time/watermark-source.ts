/**
 * Makes the watermarks of one stream of records: all that passes an assigner of event times in one
 * subtask. Generated code keeps `maxTimeMs` and `hadRecords` in registers while it loops; everything else happens
 * at ticks. Callers: `watermark-assigner.ts`, generated code. Runs on: the slot's thread. Invariant: the
 * watermark never goes back.
 */
import { MillraceError } from '../base/errors.js';
import { Idleness } from './idleness.js';
import { isEventTime, WATERMARK_MIN } from './watermark.js';
import type { WatermarkGenerator, WatermarkStrategy } from './watermark-strategy.js';

/** Times by which a stream may run. */
export interface TickTimes {
  /** The wall clock. */
  readonly epochMs: number;
  /** A monotonic clock that stands still while the stream is held back by others. */
  readonly activeMs: number;
}

/** The watermarks of one stream. */
export class WatermarkSource {
  /** The latest event time of a record so far. */
  maxTimeMs = WATERMARK_MIN;
  /** Whether a record has passed since the last tick. */
  hadRecords = false;
  watermarkMs = WATERMARK_MIN;
  isIdle = false;
  readonly #outOfOrdernessMs: number | null;
  readonly #generator: WatermarkGenerator | null;
  readonly #idleness: Idleness | null;

  constructor(strategy: WatermarkStrategy) {
    const { generation, idleTimeoutMs } = strategy;
    this.#outOfOrdernessMs = generation.kind === 'bounded' ? generation.outOfOrdernessMs : null;
    this.#generator = generatorOf(strategy);
    this.#idleness = idleTimeoutMs === null ? null : new Idleness(idleTimeoutMs);
  }

  /** Whether a tick may change anything. */
  get needsTick(): boolean {
    if (this.#generator?.onTick !== undefined) return true;
    if (this.#idleness !== null && (this.hadRecords || !this.isIdle)) return true;
    return (
      this.#outOfOrdernessMs !== null && this.#bound(this.#outOfOrdernessMs) > this.watermarkMs
    );
  }

  /** Shows a record to the generator of the user; true when the watermark rose. */
  record(record: unknown, timestampMs: number): boolean {
    return this.#generator !== null && this.#take(this.#generator.onRecord(record, timestampMs));
  }

  /** Brings the watermark up to date; true when it or the status changed. */
  tick({ epochMs, activeMs }: TickTimes): boolean {
    const wasIdle = this.isIdle;
    const { hadRecords } = this;
    this.hadRecords = false;
    this.isIdle = this.#idleness !== null && this.#idleness.tick(hadRecords, activeMs);
    const isNew = this.isIdle !== wasIdle;
    if (this.isIdle) return isNew;
    const delay = this.#outOfOrdernessMs;
    const hasRisen =
      delay === null
        ? this.#take(this.#generator?.onTick?.(epochMs))
        : this.#rise(this.#bound(delay));
    return hasRisen || isNew;
  }

  #bound(outOfOrdernessMs: number): number {
    return this.maxTimeMs === WATERMARK_MIN ? WATERMARK_MIN : this.maxTimeMs - outOfOrdernessMs - 1;
  }

  /** Takes what a generator of the user gave. */
  #take(given: number | null | undefined | void): boolean {
    if (given === null || given === undefined) return false;
    if (typeof given === 'number' && isEventTime(given)) return this.#rise(Math.floor(given));
    throw new MillraceError(
      'USER_FUNCTION_FAILED',
      `A watermark generator gave ${String(given)}, which is no event time.`,
      { advice: 'Give milliseconds since the epoch, or null for no watermark.' },
    );
  }

  #rise(watermarkMs: number): boolean {
    if (watermarkMs <= this.watermarkMs) return false;
    this.watermarkMs = watermarkMs;
    return true;
  }
}

function generatorOf({ generation }: WatermarkStrategy): WatermarkGenerator | null {
  if (generation.kind === 'custom') return generation.create();
  if (generation.kind === 'punctuated') return { onRecord: generation.fn };
  return null;
}
