/**
 * Assigners say which windows a record is in. Callers: the window operator calls them, job functions make them. Runs
 * on: any thread; pure.
 */
import {
  lastWindowStart,
  periodStart,
  type WindowGrid,
  windowStarts,
} from '../../time/window-arithmetic.js';
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
  /**
   * The time zone by whose clocks `assign` counts: the time that it is given, and the windows that it gives, are what
   * those clocks show, as milliseconds since 1970 began there. UTC when absent.
   */
  readonly timeZone?: string | undefined;
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
    timeZone: grid.timeZone,
    assign: (_record, timeMs) =>
      windowStarts(timeMs, grid).map((start) => ({ start, end: start + grid.sizeMs })),
    defaultTrigger: () => triggerOf(time, firesAtEnd),
  };
}

/** Windows that begin together, one every `sizeMs` of the grid, and end one `stepMs` after the other. */
export function cumulativeAssigner(
  grid: WindowGrid,
  stepMs: number,
  time: WindowTime,
  firesAtEnd = false,
): WindowAssigner<unknown> {
  return {
    time,
    merges: false,
    timeZone: grid.timeZone,
    assign(_record, timeMs) {
      const start = lastWindowStart(timeMs, grid);
      const windows: TimeWindow[] = [];
      const first = periodStart(timeMs, stepMs, start) + stepMs;
      for (let end = first; end <= start + grid.sizeMs; end += stepMs) windows.push({ start, end });
      return windows;
    },
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
