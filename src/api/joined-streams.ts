/**
 * Two keyed streams whose records are paired or grouped by key: what `join` and `coGroup` give. Callers: job functions.
 * Runs on: any thread.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import type { Duration } from '../base/units.js';
import type { EngineProcessContext } from '../operator/engine-functions.js';
import type { JoinType } from '../operator/join/regular-join.js';
import { type StateTtl, timeToLive, ttlText } from '../state/time-to-live.js';
import { sideOfStream, type StreamSide } from './connected-streams.js';
import type { KeyedStream } from './keyed-stream.js';
import type { Boundary } from './call-site.js';
import type { JoinBody, ProcessBody } from './graph-builder.js';
import {
  type CheckClash,
  type CheckSide,
  joinSelection,
  type JoinSelected,
  type SideSelection,
} from './join-selection.js';
import { WindowedCoGroup, WindowedJoin } from './joined-windows.js';
import type { StreamFactory } from './stream-factory.js';
import type { ListOf, Mistake } from './record-types.js';
import { RETURNS, type ReturnsOptions } from './returns-option.js';
import type { Stream } from './stream.js';
import { requireFunction, type StreamCore } from './stream-core.js';
import { requireWindows, type Windows } from './windows.js';

/** How a join pairs. */
export interface JoinOptions<J extends JoinType = JoinType> {
  /**
   * `'inner'` gives pairs only. `'left'`, `'right'` and `'full'` also give the records of the first side, the second
   * or both that found no partner, with null in its place, when the input has ended; they need inputs that end.
   * Absent: `'inner'`.
   */
  readonly type?: J;
  /**
   * How long a record waits for partners since it arrived, by processing time, such as `'1h'`, or a `StateTtl` that
   * says more; for ever when absent. Only for `'inner'`: an outer join must know until the end who has found one.
   */
  readonly ttl?: Duration | StateTtl;
}

/** What errors call it. */
const TTL_OF = 'join(...): ttl';

/** The first record of a pair. */
export type LeftOf<T, J> = J extends 'right' | 'full' ? T | null : T;
/** The second record of a pair. */
export type RightOf<U, J> = J extends 'left' | 'full' ? U | null : U;

/** `unknown` when keys of both sides may be equal, else the mistake. */
export type CheckJoinKeys<K1, K2> = [K1[keyof K1]] extends [K2[keyof K2]]
  ? unknown
  : [K2[keyof K2]] extends [K1[keyof K1]]
    ? unknown
    : KeysDiffer<ListOf<keyof K1 & string>, ListOf<keyof K2 & string>>;

type KeysDiffer<
  First extends string,
  Second extends string,
> = Mistake<`The first side is keyed by ${First}, the second by ${Second}; their types differ`>;

const TYPES: readonly unknown[] = ['inner', 'left', 'right', 'full'];

/** Two keyed streams side by side, as a core that holds the inputs of both. */
export interface SidePair {
  readonly core: StreamCore;
  readonly keys: readonly (readonly string[] | null)[];
  readonly stream: StreamFactory;
}

/** Two sides for an operator that pairs them. Throws unless both are keyed streams of one job. */
export function pairSides(
  verb: string,
  first: StreamSide,
  other: unknown,
  stream: StreamFactory,
): SidePair {
  const second = sideOfStream(verb, other);
  if (first.core.builder !== second.core.builder) {
    throw new MillraceError('GRAPH_INVALID', `${verb}(...) was given a stream of another job.`, {
      where: { operator: verb },
      advice: 'Make all streams of a job from the flow its function is given.',
    });
  }
  if (second.keys === null) {
    throw new MillraceError('GRAPH_INVALID', `${verb}(...) was given a stream without a key.`, {
      where: { operator: verb },
      advice: `Write orders.keyBy('id').${verb}(payments.keyBy('order')).`,
    });
  }
  return { core: first.core.besides(second.core), keys: [first.keys, second.keys], stream };
}

/** Records of type `T` and `U` to be joined by key, as join type `J` says. */
export class JoinedStreams<T, U, J extends JoinType, K = unknown> {
  readonly #sides: SidePair;
  readonly #type: JoinType;
  readonly #ttl: Duration | StateTtl | null;

  /** Made by `join`. */
  constructor(sides: SidePair, options: JoinOptions<J>) {
    const { type = 'inner', ttl } = options;
    this.#sides = sides;
    this.#type = type;
    this.#ttl = ttl ?? null;
    checkJoin(options);
  }

  /**
   * Pairs records of one key that are in one window too, when the window is over. Outer joins give what has found no
   * partner in its window, so they need no end of the inputs. Sessions are those of the records of both sides.
   *
   * @example
   * orders.keyBy('id').join(payments.keyBy('order'), { type: 'left' }).window(tumbling('1m'))
   *   .apply((order, payment) => ({ id: order.id, paid: payment?.at ?? null }))
   */
  window(windows: Windows<T | U>): WindowedJoin<T, U, K, J> {
    requireWindows('window', windows);
    if (this.#ttl !== null) throw ttlOfWindow();
    const sides = this.#sides;
    const parts = { sides, windows, allowedLatenessMs: null, lateTags: [null, null] as const };
    return new WindowedJoin<T, U, K, J>(parts, this.#type);
  }

  /**
   * Makes a record of each pair. It has the event time of the later to arrive of the two.
   *
   * @example
   * orders.keyBy('id').join(payments.keyBy('order'))
   *   .apply((order, payment) => ({ id: order.id, total: order.total, paid: payment.at }))
   */
  apply<Out>(
    fn: (left: LeftOf<T, J>, right: RightOf<U, J>) => Out,
    options: ReturnsOptions = {},
  ): Stream<Out> {
    requireFunction('join', fn, 'join(other).apply((left, right) => ({ ...left, ...right }))');
    const apply = fn as (a: unknown, b: unknown) => unknown;
    const at = { boundary: this.apply, options };
    if (this.#isPlain) return this.#compiled({ columns: null, apply }, at);
    return this.#joined(apply, { of: { apply } }, at);
  }

  /**
   * Makes a record of chosen fields of each pair: some of the first side, then some of the second, by name or under
   * other names. Other fields are not carried to the join and not kept.
   *
   * @example
   * orders.keyBy('id').join(payments.keyBy('order')).select(['id', 'total'], { paid: 'amount' })
   */
  select<const A extends SideSelection, const B extends SideSelection>(
    left: A & CheckSide<T, A>,
    right: B & CheckSide<U, B> & CheckClash<A, B>,
    options: ReturnsOptions = {},
  ): Stream<JoinSelected<LeftOf<T, J>, RightOf<U, J>, A, B>> {
    const { apply, columns, reads, texts } = joinSelection(left, right);
    if (this.#isPlain) {
      return this.#compiled({ columns, apply: null }, { boundary: this.select, options });
    }
    const made = { reads, of: { 'select of the first': texts[0], 'of the second': texts[1] } };
    return this.#joined(apply, made, { boundary: this.select, options });
  }

  /** Whether nothing is ever given for records without a partner, and none is forgotten. */
  get #isPlain(): boolean {
    return this.#type === 'inner' && this.#ttl === null;
  }

  #compiled<Out>(
    results: Pick<JoinBody, 'columns' | 'apply'>,
    { boundary, options }: { readonly boundary: Boundary; readonly options: ReturnsOptions },
  ): Stream<Out> {
    const { core, keys, stream } = this.#sides;
    const [left, right] = keys;
    assert(left != null && right != null, 'The sides of a join are keyed.');
    const call = { verb: 'join', boundary, options, extra: RETURNS };
    const returns = options.returns ?? null;
    const body = { kind: 'join', keys: [left, right], returns, ...results } as JoinBody;
    return stream(core.operator(call, body));
  }

  #joined<Out>(
    apply: (left: unknown, right: unknown) => unknown,
    made: Pick<ProcessBody, 'reads' | 'of'>,
    { boundary, options }: { readonly boundary: Boundary; readonly options: ReturnsOptions },
  ): Stream<Out> {
    const { core, keys, stream } = this.#sides;
    const [type, ttl] = [this.#type, this.#ttl];
    if (type !== 'inner' && !core.isBounded) throw neverEnds(type);
    const call = { verb: 'join', boundary, options, extra: RETURNS };
    const open = ({ engine, ...context }: EngineProcessContext): unknown =>
      engine.regularJoin({ type, ttl, apply })(context);
    const lives = ttl === null ? null : ttlText(timeToLive(ttl, TTL_OF));
    const of = { join: type, ttl: lives, ...made.of };
    const returns = options.returns ?? null;
    return stream(core.operator(call, { ...made, kind: 'process', keys, open, of, returns }));
  }
}

function checkJoin(options: JoinOptions): void {
  const { type = 'inner', ttl } = options;
  const where = { operator: 'join' };
  const unknown = Object.keys(options).find((name) => name !== 'type' && name !== 'ttl');
  if (unknown !== undefined) {
    throw new MillraceError('OPTION_UNKNOWN', `join(...) has no option "${unknown}".`, {
      where: { ...where, field: unknown },
      advice: "It has type and ttl; uid, name and others go to apply(fn, { uid: 'paid' }).",
    });
  }
  if (!TYPES.includes(type)) {
    throw new MillraceError('OPTION_INVALID', `join(...): no type ${JSON.stringify(type)}.`, {
      where: { ...where, field: 'type' },
      advice: "It must be 'inner', 'left', 'right' or 'full'.",
    });
  }
  if (ttl === undefined) return;
  timeToLive(ttl, TTL_OF);
  if (type !== 'inner') {
    throw new MillraceError('OPTION_INVALID', `join(...): a ${type} join takes no ttl.`, {
      where: { ...where, field: 'ttl' },
      advice: 'It must know until the end of the input which records have found a partner.',
    });
  }
}

function neverEnds(type: JoinType): MillraceError {
  return new MillraceError(
    'FEATURE_UNSUPPORTED',
    `A ${type} join needs inputs that end: before that, a partner may still come.`,
    {
      where: { operator: 'join' },
      advice: "Join in windows, use type 'inner', or an interval join.",
    },
  );
}

function ttlOfWindow(): MillraceError {
  return new MillraceError('OPTION_INVALID', 'join(...): a join in windows takes no ttl.', {
    where: { operator: 'join', field: 'ttl' },
    advice: 'Leave it out: records are kept until their window is over.',
  });
}

/** Records of type `T` and `U` to be grouped by key and window. */
export class CoGroupedStreams<T, U, K> {
  readonly #sides: SidePair;

  /** Made by `coGroup`. */
  constructor(sides: SidePair) {
    this.#sides = sides;
  }

  /**
   * Divides the records of each key into windows, the same for both sides.
   *
   * @example
   * orders.keyBy('id').coGroup(payments.keyBy('order')).window(session('30m'))
   *   .apply((orders, payments) => [{ orders: orders.length, payments: payments.length }])
   */
  window(windows: Windows<T | U>): WindowedCoGroup<T, U, K> {
    requireWindows('window', windows);
    const sides = this.#sides;
    return new WindowedCoGroup<T, U, K>({
      sides,
      windows,
      allowedLatenessMs: null,
      lateTags: [null, null],
    });
  }
}

/** The second side of a join of streams with keys `K1` and `K2`. */
export type JoinSide<U, K1, K2> = KeyedStream<U, K2> & CheckJoinKeys<K1, K2>;
