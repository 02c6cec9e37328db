/**
 * The numbers of event time: what a watermark is before anything is known and when nothing more will come, and
 * which numbers are event times. Callers: everything that deals with time. Runs on: any thread; pure. Invariant:
 * a watermark is whole milliseconds since the epoch; `WATERMARK_MIN < every event time < WATERMARK_MAX`.
 */

/** The watermark before the first one: nothing is known of the time yet. */
export const WATERMARK_MIN = Number.MIN_SAFE_INTEGER;
/** The watermark of an input that has ended: every event time is behind it. */
export const WATERMARK_MAX = Number.MAX_SAFE_INTEGER;

/** The first and last instant that a `Date` can be: the bounds of event times. */
export const EVENT_TIME_MIN = -8.64e15;
export const EVENT_TIME_MAX = 8.64e15;

/** Whether a number is an event time, whole or not; NaN and the infinities are none. */
export function isEventTime(timeMs: number): boolean {
  return timeMs >= EVENT_TIME_MIN && timeMs <= EVENT_TIME_MAX;
}
