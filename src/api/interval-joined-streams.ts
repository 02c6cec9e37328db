/**
 * Two keyed streams whose records are paired by key and event time: what `intervalJoin` gives. Callers: job
 * functions. Runs on: any thread.
 */
import { MillraceError } from '../base/errors.js';
import { type Duration, parseDurationMs } from '../base/units.js';
import type { EngineProcessContext } from '../operator/engine-functions.js';
import type { PairContext } from '../operator/join/interval-join.js';
import type { OutputTag } from '../operator/process-function.js';
import type { ProcessBody } from './graph-builder.js';
import {
  type CheckClash,
  type CheckSide,
  joinSelection,
  type JoinSelected,
  type SideSelection,
} from './join-selection.js';
import type { SidePair } from './joined-streams.js';
import { RETURNS, type ReturnsOptions } from './returns-option.js';
import type { Stream } from './stream.js';
import { requireFunction } from './stream-core.js';

/** Which bounds of an interval do not belong to it; both do when absent. */
export interface IntervalBounds {
  readonly lowerExclusive?: boolean;
  readonly upperExclusive?: boolean;
}

/** Two keyed streams to be joined; `between` says by which interval. */
export class IntervalJoin<T, U> {
  readonly #sides: SidePair;

  /** Made by `intervalJoin`. */
  constructor(sides: SidePair) {
    this.#sides = sides;
  }

  /**
   * How much later than the first record the second of a pair may be: durations, negative for earlier. Both bounds
   * are inclusive, unless they are said not to be.
   *
   * @example
   * orders.keyBy('id').intervalJoin(payments.keyBy('order')).between('-5s', '1h')
   */
  between(
    lower: Duration,
    upper: Duration,
    bounds: IntervalBounds = {},
  ): IntervalJoinedStreams<T, U> {
    checkBounds(bounds);
    const lowerMs = boundMs(lower, 'lower') + (bounds.lowerExclusive === true ? 1 : 0);
    const upperMs = boundMs(upper, 'upper') - (bounds.upperExclusive === true ? 1 : 0);
    if (lowerMs > upperMs) {
      const given = `between(${JSON.stringify(lower)}, ${JSON.stringify(upper)})`;
      throw new MillraceError('OPTION_INVALID', `${given} leaves no time between its bounds.`, {
        where: { operator: 'intervalJoin' },
        advice: "Give the lower bound first, as in between('-5s', '5s').",
      });
    }
    const parts = { sides: this.#sides, lowerMs, upperMs, leftLate: null, rightLate: null };
    return new IntervalJoinedStreams(parts);
  }
}

interface IntervalParts {
  readonly sides: SidePair;
  readonly lowerMs: number;
  readonly upperMs: number;
  readonly leftLate: OutputTag<unknown> | null;
  readonly rightLate: OutputTag<unknown> | null;
}

/** Two keyed streams to be joined by an interval of event time. */
export class IntervalJoinedStreams<T, U> {
  readonly #parts: IntervalParts;

  /** Made by `between`. */
  constructor(parts: IntervalParts) {
    this.#parts = parts;
  }

  /** Records of the first side that come behind the watermark go to this tag; without one they are dropped. */
  sideOutputLeftLateData(tag: OutputTag<T>): IntervalJoinedStreams<T, U> {
    return new IntervalJoinedStreams({ ...this.#parts, leftLate: tag });
  }

  /** The same for the second side. */
  sideOutputRightLateData(tag: OutputTag<U>): IntervalJoinedStreams<T, U> {
    return new IntervalJoinedStreams({ ...this.#parts, rightLate: tag });
  }

  /**
   * Makes a record of each pair. Its event time is the later of the two.
   *
   * @example
   * orders.keyBy('id').intervalJoin(payments.keyBy('order')).between(0, '1h')
   *   .apply((order, payment) => ({ id: order.id, paid: payment.at }))
   */
  apply<Out>(fn: (left: T, right: U) => Out, options: ReturnsOptions = {}): Stream<Out> {
    requireFunction('apply', fn, 'apply((left, right) => ({ ...left, ...right }))');
    const process = (left: unknown, right: unknown, pair: PairContext<unknown>): void => {
      pair.collect(fn(left as T, right as U));
    };
    return this.#join(process, { of: { apply: fn } }, this.apply, options);
  }

  /**
   * Makes a record of chosen fields of each pair: some of the first side, then some of the second, by name or under
   * other names. Other fields are not carried to the join and not kept.
   *
   * @example
   * orders.keyBy('id').intervalJoin(payments.keyBy('order')).between(0, '1h')
   *   .select(['id', 'total'], { paid: 'amount' })
   */
  select<const A extends SideSelection, const B extends SideSelection>(
    left: A & CheckSide<T, A>,
    right: B & CheckSide<U, B> & CheckClash<A, B>,
    options: ReturnsOptions = {},
  ): Stream<JoinSelected<T, U, A, B>> {
    const { apply, reads, texts } = joinSelection(left, right);
    const { leftLate, rightLate } = this.#parts;
    const process = (first: unknown, second: unknown, pair: PairContext<unknown>): void => {
      pair.collect(apply(first, second));
    };
    const made = {
      // Late records leave as they came.
      reads: [leftLate === null ? reads[0] : null, rightLate === null ? reads[1] : null],
      of: { 'select of the first': texts[0], 'of the second': texts[1] },
    };
    return this.#join(process, made, this.select, options);
  }

  /**
   * Calls a function with each pair, which may give any number of records, to the result and to side outputs.
   *
   * @example
   * orders.keyBy('id').intervalJoin(payments.keyBy('order')).between(0, '1h')
   *   .process((order, payment, pair) => {
   *     const waitedMs = pair.rightTimestamp - pair.leftTimestamp;
   *     if (payment.amount < order.total) pair.output(short, { order, payment });
   *     else pair.collect({ id: order.id, waitedMs });
   *   })
   */
  process<Out>(
    fn: (left: T, right: U, pair: PairContext<Out>) => void,
    options: ReturnsOptions = {},
  ): Stream<Out> {
    requireFunction('process', fn, 'process((left, right, pair) => pair.collect({ ... }))');
    return this.#join(
      fn as (left: unknown, right: unknown, pair: PairContext<unknown>) => void,
      { of: { process: fn } },
      this.process,
      options,
    );
  }

  #join<Out>(
    process: (left: unknown, right: unknown, pair: PairContext<unknown>) => void,
    made: Pick<ProcessBody, 'reads' | 'of'>,
    boundary: (...args: never[]) => unknown,
    options: ReturnsOptions,
  ): Stream<Out> {
    const { sides, lowerMs, upperMs, leftLate, rightLate } = this.#parts;
    const call = { verb: 'intervalJoin', boundary, options, extra: RETURNS };
    const join = { lowerMs, upperMs, leftLate, rightLate, process };
    const open = ({ engine, ...context }: EngineProcessContext): unknown =>
      engine.intervalJoin(join)(context);
    const of = {
      'interval join between': `${lowerMs} ms and ${upperMs} ms`,
      'late left': leftLate?.id ?? null,
      'late right': rightLate?.id ?? null,
      ...made.of,
    };
    const body = { ...made, keys: sides.keys, open, of, returns: options.returns ?? null };
    return sides.stream(sides.core.operator(call, { ...body, kind: 'process' }));
  }
}

function checkBounds(bounds: IntervalBounds): void {
  const names = ['lowerExclusive', 'upperExclusive'];
  for (const [name, value] of Object.entries(bounds)) {
    if (names.includes(name) && (value === undefined || typeof value === 'boolean')) continue;
    const known = names.includes(name);
    throw new MillraceError(
      known ? 'OPTION_INVALID' : 'OPTION_UNKNOWN',
      known
        ? `between(...): "${name}" is ${String(value)}.`
        : `between(...) has no option "${name}".`,
      { where: { operator: 'intervalJoin', field: name }, advice: `It has ${names.join(', ')}.` },
    );
  }
}

/** Whole milliseconds of a bound, which may be negative. */
function boundMs(bound: Duration, what: string): number {
  const isBefore = typeof bound === 'number' ? bound < 0 : /^\s*-/.test(bound);
  const size = typeof bound === 'number' ? Math.abs(bound) : bound.replace(/^\s*-/, '');
  const ms = parseDurationMs(size, `between: the ${what} bound`);
  if (!Number.isSafeInteger(ms)) {
    throw new MillraceError('OPTION_INVALID', `between: the ${what} bound is ${ms} ms.`, {
      where: { operator: 'intervalJoin', field: what },
      advice: 'Event times are whole milliseconds, so are the distances between them.',
    });
  }
  return isBefore ? -ms : ms;
}
