/**
 * The window operator of Flink as a process function: an assigner says which windows a record is in, a trigger when
 * they give results, an evictor what is dropped of them. It takes what compiled aggregations do not: functions,
 * triggers and evictors of one's own, sessions, windows by count. Callers: the api makes it, `chain-process.ts` runs
 * it. Runs on: the slot's thread. Invariant: a window is gone, with its timers and all that was kept for it, when its
 * cleanup time has passed; windows without an end stay.
 */
import { assert } from '../../base/assert.js';
import { MillraceError } from '../../base/errors.js';
import { WATERMARK_MAX } from '../../time/watermark.js';
import type {
  AggregatingFunction,
  ElementContext,
  EngineContext,
  FiredTimer,
  OutputTag,
  ProcessContext,
  ProcessFunction,
  TimerService,
} from '../process-function.js';
import { ZoneClock } from '../../time/zone-clock.js';
import type { Schema } from '../../record/schema.js';
import { LATE_FIRING, WINDOW_END, WINDOW_START } from '../aggregate-fields.js';
import type { Aggregation } from '../operator-spec.js';
import { AggregateFold, canMergeAll } from './aggregate-fold.js';
import type { WindowAssigner } from './assigner.js';
import type { Evictor } from './evictor.js';
import type { Fold } from './fold.js';
import type { MergeContext, Trigger, TriggerResult } from './trigger.js';
import { GLOBAL_WINDOW, lastInstant, type TimeWindow, windowId } from './window.js';
import { type Session, Sessions, TriggerMemory, WindowContents } from './window-state.js';

/** What the function of a window is given beside its records. */
export interface WindowContext<K, Out> {
  readonly key: K;
  readonly window: TimeWindow;
  /** Whether a late record made the window give its result once more. */
  readonly isLateFiring: boolean;
  readonly currentWatermark: number;
  readonly currentProcessingTime: number;
  /** Gives a record; its event time is the last instant of the window. */
  collect(record: Out): void;
  /** Gives a record to a side output. */
  output<S>(tag: OutputTag<S>, record: S): void;
}

/** What functions of the engine are given beside that. */
export interface EngineWindowContext<K, Out> extends WindowContext<K, Out> {
  /** Gives records that are made as there is room for them: `collectAll` of `EngineContext`. */
  collectAll(records: Iterable<Out> | null | undefined): void;
}

/** The function of a window: is given its records in order of arrival, or the one value they were reduced to. */
export interface WindowFunction<T, K, Out> {
  (records: readonly T[], context: WindowContext<K, Out>): void;
  readonly length: number;
}

/** A late record for a side output. */
export interface LateRecord {
  readonly tag: OutputTag<unknown>;
  readonly record: unknown;
}

/** What a window operator is made of. */
export interface WindowOperatorParts<T, K, Out> {
  readonly assigner: WindowAssigner<T>;
  readonly trigger: Trigger<T>;
  readonly evictor: Evictor<T> | null;
  readonly allowedLatenessMs: number;
  readonly lateTag: OutputTag<T> | null;
  /** Where records have tags of their own, in place of `lateTag`: that of one, and what is given to it. */
  readonly lateTagOf?: (record: T) => LateRecord | null;
  /**
   * How records are folded: by a function, or by aggregates; null keeps them all. With an evictor, and where what was
   * folded could not be merged, they are kept and folded at the end.
   */
  readonly fold: Fold<T, unknown> | Aggregation | null;
  /**
   * Is given the records, or the one value that they were folded into. Null for aggregates: results are those of
   * compiled windows.
   */
  readonly fn: WindowFunction<never, K, Out> | null;
}

/** Makes the window operator of one subtask. */
export function openWindows<T, K, Out>(
  parts: WindowOperatorParts<T, K, Out>,
  context: ProcessContext,
): ProcessFunction<T, K, Out> {
  return new WindowOperator(parts, context);
}

/** Makes the results of aggregates. */
function collectorOf({ keys, window }: Aggregation): WindowFunction<object, object, object> {
  const tellsLate = window !== null && window.allowedLatenessMs !== null;
  return ([value], { key, window: { start, end }, isLateFiring, collect }) =>
    collect({
      ...(keys.length === 0 ? {} : key),
      [WINDOW_START]: start,
      [WINDOW_END]: end,
      ...(tellsLate ? { [LATE_FIRING]: isLateFiring } : {}),
      ...value,
    });
}

/** A window at hand, and the name of its content. */
interface Bound {
  readonly window: TimeWindow;
  readonly content: string;
}

class WindowOperator<T, K, Out> implements AggregatingFunction<T, K, Out> {
  readonly #parts: WindowOperatorParts<T, K, Out>;
  readonly #aggregates: AggregateFold | null;
  readonly #fold: Fold<T, unknown> | null;
  readonly #fn: WindowFunction<never, K, Out>;
  /** Whether records are folded as they come. */
  readonly #foldsAtOnce: boolean;
  readonly #contents: WindowContents<T>;
  readonly #memory: TriggerMemory;
  readonly #sessions: Sessions | null;
  readonly #timers: TimerService;
  readonly #countLate: () => void;
  readonly #zone: ZoneClock | null;
  /** The window that the trigger's context is about, and those that became it. */
  #window: TimeWindow = GLOBAL_WINDOW;
  #merged: readonly TimeWindow[] = [];
  readonly #triggerContext: MergeContext;

  constructor(parts: WindowOperatorParts<T, K, Out>, context: ProcessContext) {
    this.#parts = parts;
    const { assigner, evictor, fold, fn } = parts;
    const isAggregated = fold !== null && 'aggregates' in fold;
    this.#aggregates = isAggregated ? new AggregateFold(fold, context.operatorState) : null;
    this.#fold = isAggregated ? this.#aggregates : fold;
    const made = isAggregated ? (collectorOf(fold) as WindowFunction<never, K, Out>) : fn;
    assert(made !== null, 'Records of windows that are not aggregated have a function.');
    this.#fn = made;
    const canMerge = !isAggregated || !assigner.merges || canMergeAll(fold);
    this.#foldsAtOnce = fold !== null && evictor === null && canMerge;
    this.#contents = new WindowContents(context.state, this.#foldsAtOnce ? this.#fold : null);
    this.#memory = new TriggerMemory(context.state);
    this.#sessions = assigner.merges ? new Sessions(context.state) : null;
    this.#zone = assigner.timeZone === undefined ? null : new ZoneClock(assigner.timeZone);
    this.#countLate = () => context.countLate(1);
    this.#timers = context.timerService('windows', ['start', 'end'], (timer, out) =>
      this.#onTimer(timer, out as ElementContext<K, Out>),
    );
    this.#triggerContext = this.#contextOfTrigger();
  }

  adopt(records: Schema): boolean {
    return this.#aggregates?.adopt(records) ?? false;
  }

  get resultSchema(): Schema | null {
    return this.#aggregates?.resultSchema ?? null;
  }

  processElement(record: T, out: ElementContext<K, Out>): void {
    const timeMs = this.#timeOf(out);
    let isIn = false;
    for (const assigned of this.#windowsOf(record, timeMs)) {
      const bound = this.#enter(assigned);
      if (bound === null) continue;
      isIn = true;
      const { window, content } = bound;
      this.#contents.add(content, record, timeMs);
      this.#window = window;
      const { trigger } = this.#parts;
      const result = trigger.onElement(record, timeMs, window, this.#triggerContext);
      const isOver = this.#isEvent && lastInstant(window) <= this.#timers.currentWatermark;
      this.#act(result, bound, isOver, out);
      this.#registerCleanup(window);
    }
    if (!isIn && this.#isLate(timeMs)) this.#giveLate(record, out);
  }

  /** The windows of a record, as instants. */
  #windowsOf(record: T, timeMs: number): Iterable<TimeWindow> {
    const { assigner } = this.#parts;
    const zone = this.#zone;
    if (zone === null) return assigner.assign(record, timeMs);
    const windows = [...assigner.assign(record, zone.local(timeMs))];
    return windows.map(({ start, end }) => ({
      start: zone.instant(start),
      end: zone.instant(end),
    }));
  }

  /** The window of a record, one with others when windows merge; null when it is over. */
  #enter(assigned: TimeWindow): Bound | null {
    if (this.#sessions === null) {
      if (this.#isOver(assigned)) return null;
      return { window: assigned, content: windowId(assigned) };
    }
    const { session, merged } = this.#sessions.add(assigned);
    if (merged.length > 0) this.#merge(session, merged);
    if (!this.#isOver(session)) return { window: session, content: session.content };
    this.#sessions.remove(session);
    return null;
  }

  #merge(session: Session, merged: readonly Session[]): void {
    const { trigger } = this.#parts;
    this.#window = session;
    this.#merged = merged;
    trigger.onMerge?.(session, this.#triggerContext);
    for (const old of merged) {
      this.#window = old;
      trigger.clear?.(old, this.#triggerContext);
      this.#memory.clear(old);
      this.#deleteCleanup(old);
    }
    const others = merged.map(({ content }) => content).filter((id) => id !== session.content);
    this.#contents.merge(session.content, others);
  }

  #onTimer({ timeMs, domain, space }: FiredTimer, out: ElementContext<K, Out>): void {
    const window = { start: space[0], end: space[1] };
    const content = this.#contentOf(window);
    if (content === null) return;
    this.#window = window;
    const { trigger } = this.#parts;
    const result =
      domain === 'event'
        ? trigger.onEventTime?.(timeMs, window, this.#triggerContext)
        : trigger.onProcessingTime?.(timeMs, window, this.#triggerContext);
    this.#act(result ?? 'continue', { window, content }, false, out);
    const isCleanup = (domain === 'event') === this.#isEvent && timeMs === this.#cleanupMs(window);
    if (isCleanup) this.#clear({ window, content });
  }

  /** The name of a window's content; null when the window is gone. */
  #contentOf(window: TimeWindow): string | null {
    if (this.#sessions === null) return windowId(window);
    return this.#sessions.find(window)?.content ?? null;
  }

  #act(result: TriggerResult, bound: Bound, isLate: boolean, out: ElementContext<K, Out>): void {
    if (result === 'fire' || result === 'fireAndPurge') this.#fire(bound, isLate, out);
    if (result === 'purge' || result === 'fireAndPurge') this.#contents.clear(bound.content);
  }

  #fire({ window, content }: Bound, isLateFiring: boolean, out: ElementContext<K, Out>): void {
    const { evictor } = this.#parts;
    const fn = this.#fn;
    const context = this.#contextOfFunction(window, isLateFiring, out);
    if (this.#foldsAtOnce) {
      const folded = this.#contents.folded(content);
      if (folded !== null)
        fn([this.#valueOf(folded[0])] as readonly unknown[] as readonly never[], context);
      return;
    }
    const held = this.#contents.get(content);
    if (held.length === 0) return;
    const before = evictor?.when === 'before' ? evictor.evict(held, window) : held;
    fn(this.#folded(before.map(({ record }) => record)) as readonly never[], context);
    if (evictor === null) return;
    const left = evictor.when === 'after' ? evictor.evict(before, window) : before;
    if (left.length !== held.length) this.#contents.set(content, left);
  }

  /** With an evictor, records are folded only when it has dropped what it drops. */
  #folded(records: readonly T[]): readonly unknown[] {
    const fold = this.#fold;
    const [first, ...others] = records;
    if (fold === null || first === undefined) return records;
    const value = others.reduce((folded, record) => fold.add(folded, record), fold.create(first));
    return [this.#valueOf(value)];
  }

  /** What the function is given of a value that records were folded into. */
  #valueOf(folded: unknown): unknown {
    return this.#aggregates === null ? folded : this.#aggregates.result(folded as unknown[]);
  }

  #clear({ window, content }: Bound): void {
    this.#contents.clear(content);
    this.#window = window;
    this.#parts.trigger.clear?.(window, this.#triggerContext);
    this.#memory.clear(window);
    this.#sessions?.remove(window);
  }

  get #isEvent(): boolean {
    return this.#parts.assigner.time === 'event';
  }

  #timeOf(out: ElementContext<K, Out>): number {
    const { time } = this.#parts.assigner;
    if (time === 'processing') return Math.floor(this.#timers.currentProcessingTime);
    if (out.timestamp !== null) return out.timestamp;
    if (time === 'none') return Math.floor(this.#timers.currentProcessingTime);
    throw new MillraceError(
      'TIMESTAMP_MISSING',
      'A record has no event time, which its window needs.',
      {
        advice:
          'Assign event times with assignTimestamps() before, or use windows of processing time.',
      },
    );
  }

  /** When a window is forgotten, by its own clock; not at all when it has no end. */
  #cleanupMs(window: TimeWindow): number {
    const lateness = this.#isEvent ? this.#parts.allowedLatenessMs : 0;
    return lastInstant(window) + lateness;
  }

  #isOver(window: TimeWindow): boolean {
    return this.#isEvent && this.#cleanupMs(window) <= this.#timers.currentWatermark;
  }

  #isLate(timeMs: number): boolean {
    const { allowedLatenessMs } = this.#parts;
    return this.#isEvent && timeMs + allowedLatenessMs <= this.#timers.currentWatermark;
  }

  #giveLate(record: T, out: ElementContext<K, Out>): void {
    const { lateTag, lateTagOf } = this.#parts;
    const late = lateTagOf?.(record) ?? (lateTag === null ? null : { tag: lateTag, record });
    this.#countLate();
    if (late !== null) out.output<unknown>(late.tag, late.record);
  }

  #registerCleanup(window: TimeWindow): void {
    const timeMs = this.#cleanupMs(window);
    if (timeMs >= WATERMARK_MAX || this.#parts.assigner.time === 'none') return;
    if (this.#isEvent) this.#timers.registerEventTime(timeMs, window.start, window.end);
    else this.#timers.registerProcessingTime(timeMs, window.start, window.end);
  }

  #deleteCleanup(window: TimeWindow): void {
    const timeMs = this.#cleanupMs(window);
    if (this.#isEvent) this.#timers.deleteEventTime(timeMs, window.start, window.end);
    else this.#timers.deleteProcessingTime(timeMs, window.start, window.end);
  }

  #contextOfFunction(
    window: TimeWindow,
    isLateFiring: boolean,
    out: ElementContext<K, Out>,
  ): EngineWindowContext<K, Out> {
    const last = lastInstant(window);
    // A window without an end has no last instant: its results have the time of what made it fire.
    const timestamp = Number.isFinite(last) ? last : undefined;
    const { currentWatermark, currentProcessingTime } = this.#timers;
    return {
      key: out.key,
      window: { start: window.start, end: window.end },
      isLateFiring,
      currentWatermark,
      currentProcessingTime,
      collect: (record) => out.collect(record, timestamp),
      collectAll: (records) => (out as EngineContext<K, Out>).collectAll(records, timestamp),
      output: (tag, record) => out.output(tag, record, timestamp),
    };
  }

  #contextOfTrigger(): MergeContext {
    const timers = this.#timers;
    const memory = this.#memory;
    const at = (): readonly [number, number] => [this.#window.start, this.#window.end];
    return {
      get currentWatermark() {
        return timers.currentWatermark;
      },
      get currentProcessingTime() {
        return timers.currentProcessingTime;
      },
      registerEventTime: (timeMs) => timers.registerEventTime(timeMs, ...at()),
      registerProcessingTime: (timeMs) => timers.registerProcessingTime(timeMs, ...at()),
      deleteEventTime: (timeMs) => timers.deleteEventTime(timeMs, ...at()),
      deleteProcessingTime: (timeMs) => timers.deleteProcessingTime(timeMs, ...at()),
      get: (name) => memory.get(this.#window, name),
      set: (name, value) => memory.set(this.#window, name, value),
      merged: (name) =>
        this.#merged
          .map((window) => memory.get(window, name))
          .filter((value) => value !== undefined),
    };
  }
}
