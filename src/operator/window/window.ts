/**
 * What a window is to assigners, triggers and evictors. Callers: the window operator, job functions. Runs on: any
 * thread; pure.
 */

import { MillraceError } from '../../base/errors.js';

/** The time from `start` up to `end`, in whole milliseconds since the epoch; `end` is not part of it. */
export interface TimeWindow {
  readonly start: number;
  readonly end: number;
}

/** The one window of all time. */
export const GLOBAL_WINDOW: TimeWindow = Object.freeze({
  start: Number.NEGATIVE_INFINITY,
  end: Number.POSITIVE_INFINITY,
});

/** The last instant of a window: the event time of its results, and when event time is past it. */
export function lastInstant({ end }: TimeWindow): number {
  return end - 1;
}

/** The name of a window in state. */
export function windowId({ start, end }: TimeWindow): string {
  return `${start}/${end}`;
}

/** A number of records or milliseconds that a trigger or evictor was given; throws OPTION_INVALID for none above 0. */
export function countOf(verb: string, count: number): number {
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new MillraceError(
    'OPTION_INVALID',
    `${verb}(${String(count)}) is given no whole number above 0.`,
    {
      where: { operator: verb },
      advice: 'Count records, or give a duration such as "10s".',
    },
  );
}
