/**
 * Triggers decide when a window gives its result. Callers: the window operator calls them, job functions make them.
 * Runs on: the slot's thread. Invariant: a trigger keeps nothing but in its context, so that what it remembers is
 * part of snapshots; one value serves all keys and windows.
 */
import { type Duration, parseDurationMs } from '../../base/units.js';
import { WATERMARK_MAX } from '../../time/watermark.js';
import { countOf, lastInstant, type TimeWindow } from './window.js';

/** What a trigger wants done: give the result, forget the content, both, or nothing. */
export type TriggerResult = 'continue' | 'fire' | 'purge' | 'fireAndPurge';

/** What a trigger may use; all of it is of the current key and window. */
export interface TriggerContext {
  readonly currentWatermark: number;
  readonly currentProcessingTime: number;
  registerEventTime(timeMs: number): void;
  registerProcessingTime(timeMs: number): void;
  deleteEventTime(timeMs: number): void;
  deleteProcessingTime(timeMs: number): void;
  /** What the trigger has put under a name; undefined at first. */
  get(name: string): unknown;
  /** Remembers a value; undefined forgets it. */
  set(name: string, value: unknown): void;
}

/** The same when windows become one. */
export interface MergeContext extends TriggerContext {
  /** What was put under a name for the windows that became this one. */
  merged(name: string): readonly unknown[];
}

/** Decides when windows of records `T` give their results. */
export interface Trigger<T> {
  onElement(record: T, timeMs: number, window: TimeWindow, context: TriggerContext): TriggerResult;
  /** A timer of event time that was registered for this window has come up. */
  onEventTime?(timeMs: number, window: TimeWindow, context: TriggerContext): TriggerResult;
  onProcessingTime?(timeMs: number, window: TimeWindow, context: TriggerContext): TriggerResult;
  /** Windows have become `window`; without this method windows that merge refuse the trigger. */
  onMerge?(window: TimeWindow, context: MergeContext): void;
  /** The window is over: timers are to be deleted. What was put into the context is forgotten by itself. */
  clear?(window: TimeWindow, context: TriggerContext): void;
}

/** Fires when event time passes the end of the window, and again for each late record. */
export function eventTimeTrigger(): Trigger<unknown> {
  return {
    onElement(_record, _timeMs, window, context) {
      const last = lastInstant(window);
      if (last <= context.currentWatermark) return 'fire';
      context.registerEventTime(last);
      return 'continue';
    },
    onEventTime: (timeMs, window) => (timeMs === lastInstant(window) ? 'fire' : 'continue'),
    onMerge(window, context) {
      // Where the end has passed, the record that made the windows one fires.
      const last = lastInstant(window);
      if (last > context.currentWatermark) context.registerEventTime(last);
    },
    clear: (window, context) => context.deleteEventTime(lastInstant(window)),
  };
}

/** Fires when the wall clock passes the end of the window. */
export function processingTimeTrigger(): Trigger<unknown> {
  return {
    onElement(_record, _timeMs, window, context) {
      context.registerProcessingTime(lastInstant(window));
      return 'continue';
    },
    onProcessingTime: () => 'fire',
    onMerge(window, context) {
      const last = lastInstant(window);
      if (last > context.currentProcessingTime) context.registerProcessingTime(last);
    },
    clear: (window, context) => context.deleteProcessingTime(lastInstant(window)),
  };
}

/** Never fires. */
export function neverTrigger(): Trigger<unknown> {
  return { onElement: () => 'continue', onMerge: () => {} };
}

/** Fires when the window has had `count` records since it last fired. */
export function countTrigger(count: number): Trigger<unknown> {
  countOf('countTrigger', count);
  return {
    onElement(_record, _timeMs, _window, context) {
      const seen = numberOf(context.get('count')) + 1;
      context.set('count', seen >= count ? undefined : seen);
      return seen >= count ? 'fire' : 'continue';
    },
    onMerge(_window, context) {
      const seen = context.merged('count').reduce<number>((sum, one) => sum + numberOf(one), 0);
      context.set('count', seen === 0 ? undefined : seen);
    },
  };
}

/** Fires at every multiple of an interval of event time, and at the end of the window. */
export function continuousEventTimeTrigger(interval: Duration): Trigger<unknown> {
  const trigger = continuousTrigger('continuousEventTimeTrigger', interval, {
    now: (_context, timeMs) => timeMs,
    register: (context, timeMs) => context.registerEventTime(timeMs),
    delete: (context, timeMs) => context.deleteEventTime(timeMs),
  });
  return {
    ...trigger,
    // A record that comes when the window is over already makes it fire at once.
    onElement: (record, timeMs, window, context) =>
      lastInstant(window) <= context.currentWatermark
        ? 'fire'
        : trigger.onElement(record, timeMs, window, context),
    onEventTime: trigger.onTimer,
  };
}

/** Fires at every multiple of an interval of the wall clock, and at the end of the window. */
export function continuousProcessingTimeTrigger(interval: Duration): Trigger<unknown> {
  const trigger = continuousTrigger('continuousProcessingTimeTrigger', interval, {
    now: (context) => Math.floor(context.currentProcessingTime),
    register: (context, timeMs) => context.registerProcessingTime(timeMs),
    delete: (context, timeMs) => context.deleteProcessingTime(timeMs),
  });
  return { ...trigger, onProcessingTime: trigger.onTimer };
}

/** One of the two clocks that timers go by. */
interface TriggerClock {
  /** The time of a record. */
  now(context: TriggerContext, timeMs: number): number;
  register(context: TriggerContext, timeMs: number): void;
  delete(context: TriggerContext, timeMs: number): void;
}

/** Each timer of a window sets the next one, up to the end of the window. */
function continuousTrigger(
  verb: string,
  interval: Duration,
  clock: TriggerClock,
): Trigger<unknown> & { readonly onTimer: NonNullable<Trigger<unknown>['onEventTime']> } {
  const intervalMs = countOf(verb, parseDurationMs(interval, 'interval'));
  const set = (at: number, context: TriggerContext): void => {
    context.set('next', at);
    clock.register(context, at);
  };
  const setNext = (timeMs: number, window: TimeWindow, context: TriggerContext): void => {
    const multiple = Math.floor(timeMs / intervalMs) * intervalMs + intervalMs;
    set(Math.min(multiple, lastInstant(window)), context);
  };
  return {
    onElement(_record, timeMs, window, context) {
      if (context.get('next') === undefined) setNext(clock.now(context, timeMs), window, context);
      return 'continue';
    },
    onTimer(timeMs, window, context) {
      if (context.get('next') !== timeMs) return 'continue';
      if (timeMs < lastInstant(window)) setNext(timeMs, window, context);
      return 'fire';
    },
    onMerge(_window, context) {
      const earliest = leastOf(context.merged('next'));
      if (earliest !== undefined) set(earliest, context);
    },
    clear(_window, context) {
      const at = context.get('next');
      if (typeof at === 'number') clock.delete(context, at);
    },
  };
}

/** Fires for a record that `delta` finds more than `threshold` away from the one that fired last. */
export function deltaTrigger<T>(
  threshold: number,
  delta: (last: T, record: T) => number,
): Trigger<T> {
  return {
    onElement(record, _timeMs, _window, context) {
      const last = context.get('last');
      if (last === undefined) {
        context.set('last', { record });
        return 'continue';
      }
      if (delta((last as { readonly record: T }).record, record) <= threshold) return 'continue';
      context.set('last', { record });
      return 'fire';
    },
  };
}

/** Another trigger, which also forgets the content of the window whenever it fires. */
export function purgingTrigger<T>(trigger: Trigger<T>): Trigger<T> {
  const purged = (result: TriggerResult): TriggerResult =>
    result === 'fire' ? 'fireAndPurge' : result;
  return {
    ...mergeOf(trigger),
    onElement: (...args) => purged(trigger.onElement(...args)),
    onEventTime: (...args) => purged(trigger.onEventTime?.(...args) ?? 'continue'),
    onProcessingTime: (...args) => purged(trigger.onProcessingTime?.(...args) ?? 'continue'),
    clear: (...args) => trigger.clear?.(...args),
  };
}

/** How a trigger merges, if it does. Who wraps a trigger names each method, as those of a class are no own ones. */
function mergeOf<T>(trigger: Trigger<T>): Pick<Trigger<T>, 'onMerge'> {
  const { onMerge } = trigger;
  return onMerge === undefined ? {} : { onMerge: (...args) => onMerge.apply(trigger, args) };
}

/** Another trigger, which also fires when the input ends: windows that are not over then give what they hold. */
export function endOfInputTrigger<T>(trigger: Trigger<T>): Trigger<T> {
  const { onMerge } = mergeOf(trigger);
  return {
    onProcessingTime: (...args) => trigger.onProcessingTime?.(...args) ?? 'continue',
    onElement(record, timeMs, window, context) {
      context.registerEventTime(WATERMARK_MAX);
      return trigger.onElement(record, timeMs, window, context);
    },
    onEventTime(timeMs, window, context) {
      const result = trigger.onEventTime?.(timeMs, window, context) ?? 'continue';
      if (timeMs < WATERMARK_MAX || result === 'fireAndPurge') return result;
      return result === 'purge' ? 'fireAndPurge' : 'fire';
    },
    ...(onMerge === undefined
      ? {}
      : {
          onMerge(window: TimeWindow, context: MergeContext) {
            context.registerEventTime(WATERMARK_MAX);
            onMerge(window, context);
          },
        }),
    clear(window, context) {
      context.deleteEventTime(WATERMARK_MAX);
      trigger.clear?.(window, context);
    },
  };
}

/** Options of `processingTimeoutTrigger`. */
export interface TimeoutOptions {
  /** Whether each record begins the time anew (the default), or only the first one does. */
  readonly resetOnRecord?: boolean;
}

/** Another trigger, which also fires when the window has had no record for so long by the wall clock. */
export function processingTimeoutTrigger<T>(
  trigger: Trigger<T>,
  timeout: Duration,
  { resetOnRecord = true }: TimeoutOptions = {},
): Trigger<T> {
  const timeoutMs = countOf('processingTimeoutTrigger', parseDurationMs(timeout, 'timeout'));
  const forget = (context: TriggerContext): void => {
    const at = context.get('timeout');
    if (typeof at !== 'number') return;
    context.deleteProcessingTime(at);
    context.set('timeout', undefined);
  };
  const settled = (result: TriggerResult, context: TriggerContext): TriggerResult => {
    if (result === 'fire' || result === 'fireAndPurge') forget(context);
    return result;
  };
  return {
    // The record that makes windows one begins the time anew.
    ...mergeOf(trigger),
    onElement(record, timeMs, window, context) {
      const result = trigger.onElement(record, timeMs, window, context);
      if (result === 'fire' || result === 'fireAndPurge') return settled(result, context);
      if (resetOnRecord) forget(context);
      if (context.get('timeout') === undefined) {
        const at = Math.floor(context.currentProcessingTime) + timeoutMs;
        context.set('timeout', at);
        context.registerProcessingTime(at);
      }
      return result;
    },
    onEventTime: (timeMs, window, context) =>
      settled(trigger.onEventTime?.(timeMs, window, context) ?? 'continue', context),
    onProcessingTime(timeMs, window, context) {
      const inner = trigger.onProcessingTime?.(timeMs, window, context) ?? 'continue';
      if (context.get('timeout') !== timeMs) return settled(inner, context);
      context.set('timeout', undefined);
      return inner === 'continue' || inner === 'fire' ? 'fire' : 'fireAndPurge';
    },
    clear(window, context) {
      forget(context);
      trigger.clear?.(window, context);
    },
  };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function leastOf(values: readonly unknown[]): number | undefined {
  const numbers = values.filter((value): value is number => typeof value === 'number');
  return numbers.length === 0 ? undefined : Math.min(...numbers);
}
