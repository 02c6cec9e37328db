/**
 * The interval join as a process function with two sides: pairs each record with those of the other side whose event
 * time lies within bounds of its own. Callers: the api makes it, `chain-process.ts` calls it. Runs on: the slot's
 * thread. Invariant: a pair is given exactly once, when the later of its records arrives, and exactly when neither
 * is late and their times are within the bounds; so results do not depend on how the two sides interleave.
 */
import { MillraceError } from '../../base/errors.js';
import type { AggregatingState } from '../../state/state-handles.js';
import type {
  ElementContext,
  OpenProcess,
  OutputTag,
  ProcessContext,
} from '../process-function.js';
import {
  dropBefore,
  firstAtOrAfter,
  insertInOrder,
  type IntervalBuffer,
  newBuffer,
} from './interval-buffer.js';
import { requireInsert } from './regular-join.js';

/** What a function that joins is given beside the pair. Valid during the call only. */
export interface PairContext<Out> {
  /** Event times of the two, and the later of them, which is that of the result. */
  readonly leftTimestamp: number;
  readonly rightTimestamp: number;
  readonly timestamp: number;
  collect(record: Out): void;
  /** Gives a record to a side output. */
  output<T>(tag: OutputTag<T>, record: T): void;
}

/** What an interval join is. Bounds are whole milliseconds of right minus left, both inclusive. */
export interface IntervalJoin {
  readonly lowerMs: number;
  readonly upperMs: number;
  readonly process: (left: unknown, right: unknown, pair: PairContext<unknown>) => void;
  readonly leftLate: OutputTag<unknown> | null;
  readonly rightLate: OutputTag<unknown> | null;
}

type Context = ElementContext<unknown, unknown>;
/** A change of a buffer, made in place. */
type Edit = (buffer: IntervalBuffer) => void;
type Buffer = AggregatingState<Edit, IntervalBuffer>;

/** Makes the functions of a join. */
export function intervalJoin(join: IntervalJoin): OpenProcess<unknown, unknown, unknown, unknown> {
  return function openIntervalJoin(context) {
    const run = new IntervalJoinRun(join, context);
    return {
      processElement: (left, call) => run.left(left, call),
      processElement2: (right, call) => run.right(right, call),
      onTimer: (_timestamp, call) => run.clean(call),
    };
  };
}

/** The join in one subtask. */
class IntervalJoinRun {
  readonly #join: IntervalJoin;
  readonly #lefts: Buffer;
  readonly #rights: Buffer;
  readonly #pair = new Pair();
  readonly #countLate: (records: number) => void;

  constructor(join: IntervalJoin, { state, countLate }: ProcessContext) {
    this.#join = join;
    this.#lefts = bufferState(state, 'left');
    this.#rights = bufferState(state, 'right');
    this.#countLate = countLate;
  }

  left(record: unknown, context: Context): void {
    const { lowerMs, upperMs, leftLate, process } = this.#join;
    const timeMs = this.#timeInOrder(record, leftLate, context);
    if (timeMs === null) return;
    const rights = this.#rights.get();
    if (rights !== undefined) {
      const last = timeMs + upperMs;
      for (let at = firstAtOrAfter(rights, timeMs + lowerMs); at < rights.times.length; at++) {
        if (rights.times[at] > last) break;
        process(record, rights.records[at], this.#pair.of(timeMs, rights.times[at], context));
      }
    }
    keep(this.#lefts, timeMs, upperMs, record, context);
  }

  right(record: unknown, context: Context): void {
    const { lowerMs, upperMs, rightLate, process } = this.#join;
    const timeMs = this.#timeInOrder(record, rightLate, context);
    if (timeMs === null) return;
    const lefts = this.#lefts.get();
    if (lefts !== undefined) {
      const last = timeMs - lowerMs;
      for (let at = firstAtOrAfter(lefts, timeMs - upperMs); at < lefts.times.length; at++) {
        if (lefts.times[at] > last) break;
        process(lefts.records[at], record, this.#pair.of(lefts.times[at], timeMs, context));
      }
    }
    keep(this.#rights, timeMs, -lowerMs, record, context);
  }

  /**
   * The event time of a record; null for a late one, which is then done with. Late is what lies before the watermark;
   * at the watermark is still in time, as in Flink's interval join and unlike in windows.
   */
  #timeInOrder(record: unknown, late: OutputTag<unknown> | null, context: Context): number | null {
    requireInsert(context);
    const { timestamp } = context;
    if (timestamp === null) throw timeMissing();
    if (timestamp >= context.timers.currentWatermark) return timestamp;
    this.#countLate(1);
    if (late !== null) context.output(late, record);
    return null;
  }

  /** Drops what no record can meet any more. */
  clean(context: Context): void {
    const { lowerMs, upperMs } = this.#join;
    dropMet(this.#lefts, upperMs, context);
    dropMet(this.#rights, -lowerMs, context);
  }
}

function bufferState(state: ProcessContext['state'], name: string): Buffer {
  return state.aggregating<Edit, IntervalBuffer, IntervalBuffer>(
    { name },
    {
      create: newBuffer,
      add: (buffer, edit) => {
        edit(buffer);
        return undefined;
      },
      result: (buffer) => buffer,
    },
  );
}

/** Keeps a record until the watermark has passed what it may be paired with, `reachMs` after its own time. */
function keep(
  buffer: Buffer,
  timeMs: number,
  reachMs: number,
  record: unknown,
  { timers }: Context,
): void {
  if (timeMs + reachMs < timers.currentWatermark) return;
  buffer.add((kept) => {
    // Each time a timer fires it sets the next one, so only a new first record needs its own.
    if (kept.times.length === 0 || timeMs < kept.times[0]) {
      timers.registerEventTime(timeMs + reachMs + 1);
    }
    insertInOrder(kept, timeMs, record);
  });
}

function dropMet(buffer: Buffer, reachMs: number, { timers }: Context): void {
  const kept = buffer.get();
  if (kept === undefined) return;
  const from = timers.currentWatermark - reachMs;
  const living = firstAtOrAfter(kept, from);
  if (living === kept.times.length) return buffer.clear();
  timers.registerEventTime(kept.times[living] + reachMs + 1);
  if (living > 0) buffer.add((changed) => dropBefore(changed, from));
}

/** What the function is given beside a pair; one for all calls. */
class Pair implements PairContext<unknown> {
  leftTimestamp = 0;
  rightTimestamp = 0;
  timestamp = 0;
  #context: Context | null = null;

  readonly collect = (record: unknown): void => {
    this.#context?.collect(record, this.timestamp);
  };

  readonly output = <T>(tag: OutputTag<T>, record: T): void => {
    this.#context?.output(tag, record, this.timestamp);
  };

  of(leftMs: number, rightMs: number, context: Context): this {
    this.leftTimestamp = leftMs;
    this.rightTimestamp = rightMs;
    this.timestamp = Math.max(leftMs, rightMs);
    this.#context = context;
    return this;
  }
}

function timeMissing(): MillraceError {
  return new MillraceError(
    'TIMESTAMP_MISSING',
    'An interval join met a record without an event time.',
    { advice: 'Assign event times on both sides with assignTimestamps() before keyBy().' },
  );
}
