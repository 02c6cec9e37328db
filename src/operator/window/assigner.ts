/**
 * Assigners say which windows a record is in. Callers: the window operator calls them, job functions make them. Runs
 * on: any thread; pure.
 */
import { type WindowGrid, windowStarts } from '../../time/window-arithmetic.js';
import {
  endOfInputTrigger,
  eventTimeTrigger,
  neverTrigger,
  processingTimeTrigger,
  type Trigger,
} from './trigger.js';
import { GLOBAL_WINDOW, type TimeWindow } from './window.js';

/** Which clock windows go by; `none`: they end only when their trigger says so. */
export type WindowTime = 'event' | 'processing' | 'none';

/** Says which windows a record of type `T` is in. */
export interface WindowAssigner<T> {
  readonly time: WindowTime;
  /** Whether windows of a key that overlap or touch become one. */
  readonly merges: boolean;
  /** The windows of a record; `timeMs` is its event time, or the wall clock. */
  assign(record: T, timeMs: number): Iterable<TimeWindow>;
  /** The trigger of windows that were given none. */
  defaultTrigger(): Trigger<T>;
}

/** Windows of one size, one every slide. */
export function alignedAssigner(
  grid: WindowGrid,
  time: WindowTime,
  firesAtEnd = false,
): WindowAssigner<unknown> {
  return {
    time,
    merges: false,
    assign: (_record, timeMs) =>
      windowStarts(timeMs, grid).map((start) => ({ start, end: start + grid.sizeMs })),
    defaultTrigger: () => triggerOf(time, firesAtEnd),
  };
}

/** Windows of activity, which end when no record came for `gapMs(record)`. */
export function sessionAssigner<T>(
  gapMs: (record: T) => number,
  time: WindowTime,
  firesAtEnd = false,
): WindowAssigner<T> {
  return {
    time,
    merges: true,
    assign: (record, timeMs) => [{ start: timeMs, end: timeMs + gapMs(record) }],
    defaultTrigger: () => triggerOf(time, firesAtEnd),
  };
}

/** One window of all time. */
export function globalAssigner(): WindowAssigner<unknown> {
  const windows = [GLOBAL_WINDOW];
  return { time: 'none', merges: false, assign: () => windows, defaultTrigger: neverTrigger };
}

function triggerOf(time: WindowTime, firesAtEnd: boolean): Trigger<unknown> {
  const trigger = time === 'event' ? eventTimeTrigger() : processingTimeTrigger();
  return firesAtEnd ? endOfInputTrigger(trigger) : trigger;
}
