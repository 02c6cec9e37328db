/**
 * Evictors drop records of a window before its function sees them, or after. Callers: the window operator calls
 * them, job functions make them. Runs on: the slot's thread; pure.
 */
import { type Duration, parseDurationMs } from '../../base/units.js';
import { countOf, type TimeWindow } from './window.js';

/** A record of a window with its event time, or the wall clock when it came where windows go by that. */
export interface WindowElement<T> {
  readonly record: T;
  readonly timeMs: number;
}

/** Drops records of windows. */
export interface Evictor<T> {
  /** Before the function sees the records, or after: what is left then is what the window holds. */
  readonly when: 'before' | 'after';
  /** The records that stay, in order. */
  evict(elements: readonly WindowElement<T>[], window: TimeWindow): readonly WindowElement<T>[];
}

/** When an evictor acts. */
export interface EvictorOptions {
  /** Whether records are dropped after the function has seen them; before it when absent. */
  readonly after?: boolean;
}

/** Keeps the last `count` records. */
export function countEvictor<T>(count: number, options: EvictorOptions = {}): Evictor<T> {
  countOf('countEvictor', count);
  return {
    when: whenOf(options),
    evict: (elements) => elements.slice(Math.max(0, elements.length - count)),
  };
}

/** Keeps the records that are less than `length` older than the latest. */
export function timeEvictor<T>(length: Duration, options: EvictorOptions = {}): Evictor<T> {
  const lengthMs = countOf('timeEvictor', parseDurationMs(length, 'length'));
  return {
    when: whenOf(options),
    evict(elements) {
      const latest = elements.reduce(
        (most, { timeMs }) => Math.max(most, timeMs),
        Number.NEGATIVE_INFINITY,
      );
      return elements.filter(({ timeMs }) => timeMs > latest - lengthMs);
    },
  };
}

/** Keeps the records that `delta` finds less than `threshold` away from the last one. */
export function deltaEvictor<T>(
  threshold: number,
  delta: (record: T, last: T) => number,
  options: EvictorOptions = {},
): Evictor<T> {
  return {
    when: whenOf(options),
    evict(elements) {
      const last = elements.at(-1);
      if (last === undefined) return elements;
      return elements.filter(({ record }) => delta(record, last.record) < threshold);
    },
  };
}

function whenOf({ after = false }: EvictorOptions): 'before' | 'after' {
  return after ? 'after' : 'before';
}
