/**
 * Two keyed streams in windows they share: what `join(...).window(...)` and `coGroup(...).window(...)` give. Callers:
 * job functions. Runs on: any thread.
 */
import type { Duration } from '../base/units.js';
import type { JoinType } from '../operator/join/regular-join.js';
import type { EngineProcessContext } from '../operator/engine-functions.js';
import type { CoGroupFunction } from '../operator/join/window-join.js';
import type { UserFunction } from '../operator/operator-spec.js';
import type { OutputTag } from '../operator/process-function.js';
import type { Evictor } from '../operator/window/evictor.js';
import type { Trigger } from '../operator/window/trigger.js';
import type { Boundary } from './call-site.js';
import type { ProcessBody } from './graph-builder.js';
import {
  type CheckClash,
  type CheckSide,
  joinSelection,
  type JoinSelected,
  type SideSelection,
} from './join-selection.js';
import type { LeftOf, RightOf, SidePair } from './joined-streams.js';
import { RETURNS, type ReturnsOptions } from './returns-option.js';
import type { Stream } from './stream.js';
import { requireFunction } from './stream-core.js';
import {
  lateTagId,
  windowParts,
  type WindowSettings,
  windowsText,
  withEvictor,
  withLateness,
  withTrigger,
} from './window-settings.js';
import type { WindowInfo } from './windowed-stream.js';

/** What windows of two streams are made of. */
export interface JoinedWindowsParts<T, U> extends WindowSettings<T | U> {
  readonly sides: SidePair;
  /** Ids of the tags for late records, by side. */
  readonly lateTags: readonly [string | null, string | null];
}

/** What can be said of the windows of two streams. */
abstract class JoinedWindows<T, U> {
  protected readonly parts: JoinedWindowsParts<T, U>;

  constructor(parts: JoinedWindowsParts<T, U>) {
    this.parts = parts;
  }

  /**
   * Keeps windows for so long after their end. A record that comes for one that has given its result already makes
   * it give the whole result again, with `isLateFiring` true. Without it, such records are late.
   */
  allowedLateness(lateness: Duration): this {
    return this.with(withLateness(this.parts, lateness));
  }

  /** Records of the first side that are late for all their windows go to this tag; without one they are dropped. */
  sideOutputLeftLateData(tag: OutputTag<T>): this {
    const left = lateTagId('sideOutputLeftLateData', this.parts, tag);
    return this.with({ lateTags: [left, this.parts.lateTags[1]] });
  }

  /** The same for the second side. */
  sideOutputRightLateData(tag: OutputTag<U>): this {
    const right = lateTagId('sideOutputRightLateData', this.parts, tag);
    return this.with({ lateTags: [this.parts.lateTags[0], right] });
  }

  /** Replaces the trigger, which decides when a window gives its result. It sees the records of both sides. */
  trigger(trigger: Trigger<T | U>): this {
    return this.with(withTrigger(trigger));
  }

  /** Drops records of a window before its function sees them, or after: of both sides, in order of arrival. */
  evictor(evictor: Evictor<T | U>): this {
    return this.with(withEvictor(evictor));
  }

  /** The same windows with other parts. */
  protected abstract with(parts: Partial<JoinedWindowsParts<T, U>>): this;

  /** The results of a function, which is called for each key and window. `of` says what it was made of. */
  protected grouped<Out>(
    verb: string,
    apply: (engine: EngineProcessContext['engine']) => CoGroupFunction,
    made: Pick<ProcessBody, 'reads' | 'of'>,
    call: { readonly boundary: Boundary; readonly options: ReturnsOptions },
  ): Stream<Out> {
    const { sides, lateTags } = this.parts;
    const [left, right] = lateTags.map((id) => (id === null ? null : { id }));
    const parts = windowParts(verb, this.parts);
    const open = ({ engine, ...context }: EngineProcessContext): unknown =>
      engine.windowCoGroup({
        ...parts,
        lateTags: [left ?? null, right ?? null],
        apply: apply(engine),
      })(context);
    const said = { ...made.of, 'late left': lateTags[0], 'late right': lateTags[1] };
    const returns = call.options.returns ?? null;
    const body = { ...made, keys: sides.keys, open, of: said, returns };
    const node = sides.core.operator(
      { verb, extra: RETURNS, ...call },
      { kind: 'process', ...body },
    );
    return sides.stream(node);
  }
}

/** Two keyed streams whose records are paired within windows, as join type `J` says. */
export class WindowedJoin<T, U, K, J extends JoinType> extends JoinedWindows<T, U> {
  readonly #type: JoinType;

  /** Made by `join(...).window(...)`. */
  constructor(parts: JoinedWindowsParts<T, U>, type: JoinType) {
    super(parts);
    this.#type = type;
  }

  protected override with(parts: Partial<JoinedWindowsParts<T, U>>): this {
    return new WindowedJoin<T, U, K, J>({ ...this.parts, ...parts }, this.#type) as this;
  }

  /**
   * Makes a record of each pair when its window is over. Its event time is the last instant of the window.
   *
   * @example
   * orders.keyBy('id').join(payments.keyBy('order')).window(tumbling('1m'))
   *   .apply((order, payment, { window }) => ({ id: order.id, paid: payment.at, until: window.end }))
   */
  apply<Out, Key = K>(
    fn: (left: LeftOf<T, J>, right: RightOf<U, J>, window: WindowInfo<Key>) => Out,
    options: ReturnsOptions = {},
  ): Stream<Out> {
    requireFunction('apply', fn, 'apply((left, right) => ({ ...left, ...right }))');
    const of = { [`${this.#type} join in`]: windowsText(this.parts), apply: fn };
    return this.#joined(fn as UserFunction, { of }, { boundary: this.apply, options });
  }

  /**
   * Makes a record of chosen fields of each pair: some of the first side, then some of the second, by name or under
   * other names. Where windows, trigger and evictor do not look at records, other fields are not carried to the join.
   *
   * @example
   * orders.keyBy('id').join(payments.keyBy('order')).window(tumbling('1m'))
   *   .select(['id', 'total'], { paid: 'amount' })
   */
  select<const A extends SideSelection, const B extends SideSelection>(
    left: A & CheckSide<T, A>,
    right: B & CheckSide<U, B> & CheckClash<A, B>,
    options: ReturnsOptions = {},
  ): Stream<JoinSelected<LeftOf<T, J>, RightOf<U, J>, A, B>> {
    const { apply, reads, texts } = joinSelection(left, right);
    const { windows, trigger, evictor, lateTags } = this.parts;
    const isBlind = windows.kind === 'aligned' && trigger === undefined && evictor === undefined;
    const made = {
      // Late records leave as they came.
      reads: reads.map((names, side) => (isBlind && lateTags[side] === null ? names : null)),
      of: {
        [`${this.#type} join in`]: windowsText(this.parts),
        'select of the first': texts[0],
        'of the second': texts[1],
      },
    };
    const call = { boundary: this.select, options };
    return this.#joined(apply, made, call);
  }

  #joined<Out>(
    apply: UserFunction,
    made: Pick<ProcessBody, 'reads' | 'of'>,
    call: { readonly boundary: Boundary; readonly options: ReturnsOptions },
  ): Stream<Out> {
    const type = this.#type;
    return this.grouped('join', (engine) => engine.pairsOf(type, apply), made, call);
  }
}

/** Two keyed streams whose records of one key and window are given to a function together. */
export class WindowedCoGroup<T, U, K> extends JoinedWindows<T, U> {
  protected override with(parts: Partial<JoinedWindowsParts<T, U>>): this {
    return new WindowedCoGroup<T, U, K>({ ...this.parts, ...parts }) as this;
  }

  /**
   * Makes any number of records of those that the two sides have of a key in a window, of which one may have none.
   * The event time of the results is the last instant of the window. A function that returns an iterable, such as a
   * generator, is asked for records as there is room for them.
   *
   * @example
   * orders.keyBy('id').coGroup(payments.keyBy('order')).window(tumbling('1h'))
   *   .apply((orders, payments, { key }) => {
   *     const due = orders.reduce((sum, { total }) => sum + total, 0);
   *     const paid = payments.reduce((sum, { amount }) => sum + amount, 0);
   *     return due === paid ? [] : [{ id: key.id, due, paid }];
   *   })
   */
  apply<Out, Key = K>(
    fn: (
      lefts: readonly T[],
      rights: readonly U[],
      window: WindowInfo<Key>,
    ) => Iterable<Out> | null | undefined,
    options: ReturnsOptions = {},
  ): Stream<Out> {
    requireFunction('apply', fn, 'apply((lefts, rights) => [{ ... }])');
    const of = { 'co-group in': windowsText(this.parts), apply: fn };
    const apply = fn as (lefts: never, rights: never, window: never) => Iterable<unknown>;
    const call = { boundary: this.apply, options };
    return this.grouped('coGroup', () => apply as CoGroupFunction, { of }, call);
  }
}
