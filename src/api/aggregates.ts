/**
 * The aggregates of a keyed stream: `count()`, `sum('price')`, `avg(col('a').mul(col('b')))` and
 * those users write. They are values without a name; `aggregate({ total: sum('price') })` names
 * them. Callers: job functions. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { Expression } from '../operator/expression.js';
import type { AggregateSpec, BuiltInAggregate, UserAggregator } from '../operator/operator-spec.js';
import { type ColumnLike, isColumn, type ValueOf } from './column-types.js';
import type { CheckField, FieldsOf, ListOf, Mistake, NoField, Solid } from './record-types.js';

/** The built-in aggregate functions. */
export type AggregateFn = BuiltInAggregate['fn'];

/** What is to be aggregated: a field by name or an expression. */
export type AggregateInput<V, N extends string> = N | ColumnLike<V, N>;

/** What `aggregate()` is given: something that becomes the spec of a named aggregate. */
export interface NamedLater {
  toSpec(as: string): AggregateSpec;
}

/**
 * A built-in aggregate of values `V` (unknown: of the type of their fields), made from the fields
 * `N`. `Filtered` is true when a filter may leave nothing to aggregate.
 */
export class Aggregate<Fn extends AggregateFn, V, N extends string, Filtered extends boolean>
  implements NamedLater
{
  readonly fn: Fn;
  /** Never set; carries types for inference. */
  declare readonly __types?: { readonly value: V; readonly fields: N; readonly filtered: Filtered };
  readonly #input: Expression | null;
  readonly #filter: Expression | null;
  readonly #exact: boolean;

  constructor(fn: Fn, input: Expression | null, filter: Expression | null, exact: boolean) {
    this.fn = fn;
    this.#input = input;
    this.#filter = filter;
    this.#exact = exact;
  }

  /**
   * The same aggregate over the records for which `predicate` is true only.
   *
   * @example
   * count().where(col('delay').gt(15))
   */
  where<M extends string>(
    predicate: ColumnLike<unknown, M>,
  ): Aggregate<Fn, V, N | FieldNamesOf<M>, true> {
    const added = filterOf(this.fn, predicate);
    const filter = this.#filter === null ? added : both(this.#filter, added);
    return new Aggregate(this.fn, this.#input, filter, this.#exact);
  }

  toSpec(as: string): AggregateSpec {
    return { as, fn: this.fn, input: this.#input, filter: this.#filter, exact: this.#exact };
  }
}

/**
 * Names as far as they are known; an expression that does not tell reads none that can be checked.
 */
type FieldNamesOf<M extends string> = string extends M ? never : M;

/** An aggregate written by the user, over records `In`, giving `Out`. */
export class CustomAggregate<In, Out, Filtered extends boolean> implements NamedLater {
  /** Never set; carries types for inference. */
  declare readonly __types?: { readonly record: (record: In) => void; readonly result: Out };
  declare readonly __filtered?: Filtered;
  readonly #aggregator: UserAggregator;
  readonly #filter: Expression | null;

  constructor(aggregator: UserAggregator, filter: Expression | null) {
    this.#aggregator = aggregator;
    this.#filter = filter;
  }

  /** The same aggregate over the records for which `predicate` is true only. */
  where(predicate: ColumnLike): CustomAggregate<In, Out, true> {
    const added = filterOf('aggregator', predicate);
    const filter = this.#filter === null ? added : both(this.#filter, added);
    return new CustomAggregate(this.#aggregator, filter);
  }

  toSpec(as: string): AggregateSpec {
    return { as, fn: 'user', aggregator: this.#aggregator, filter: this.#filter };
  }
}

/** Options of sums and averages. */
export interface ExactOption {
  /** Makes a sum of fractions independent of the order in which records arrive, at some cost. */
  readonly exact?: boolean;
}

type Over<Fn extends AggregateFn, V, N extends string> = Aggregate<Fn, V, FieldNamesOf<N>, false>;

/** Number of records; with an argument, of those in which it is not null. */
export function count(): Aggregate<'count', number, never, false>;
export function count<V, N extends string>(input: AggregateInput<V, N>): Over<'count', V, N>;
export function count(input?: AggregateInput<unknown, string>): NamedLater {
  return new Aggregate('count', input === undefined ? null : inputOf('count', input), null, false);
}

/**
 * Sum of the values that are not null; null when there are none. Sums of whole numbers never round silently: one that
 * reaches 2^53 fails with `NUMBER_INEXACT`. With a fraction among them, or a number of 2^53 and more, which stands for
 * its neighbours too, it is a sum of floats and rounds as these do. Sums of `int64` and decimals are exact.
 */
export function sum<V, N extends string>(
  input: AggregateInput<V, N>,
  options: ExactOption = {},
): Over<'sum', V, N> {
  return new Aggregate('sum', inputOf('sum', input), null, exactOf('sum', options));
}

/** Arithmetic mean of the values that are not null; null when there are none. */
export function avg<V, N extends string>(
  input: AggregateInput<V, N>,
  options: ExactOption = {},
): Over<'avg', V, N> {
  return new Aggregate('avg', inputOf('avg', input), null, exactOf('avg', options));
}

/** Least value that is not null; null when there is none. */
export function min<V, N extends string>(input: AggregateInput<V, N>): Over<'min', V, N> {
  return new Aggregate('min', inputOf('min', input), null, false);
}

/** Greatest value that is not null; null when there is none. */
export function max<V, N extends string>(input: AggregateInput<V, N>): Over<'max', V, N> {
  return new Aggregate('max', inputOf('max', input), null, false);
}

/** The value in the record that arrived first. */
export function first<V, N extends string>(input: AggregateInput<V, N>): Over<'first', V, N> {
  return new Aggregate('first', inputOf('first', input), null, false);
}

/** The value in the record that arrived last. */
export function last<V, N extends string>(input: AggregateInput<V, N>): Over<'last', V, N> {
  return new Aggregate('last', inputOf('last', input), null, false);
}

/** Number of different values that are not null. */
export function countDistinct<V, N extends string>(
  input: AggregateInput<V, N>,
): Over<'countDistinct', V, N> {
  return new Aggregate('countDistinct', inputOf('countDistinct', input), null, false);
}

/** All values as an array, in order of arrival. It holds as many values as the key has records. */
export function collect<V, N extends string>(input: AggregateInput<V, N>): Over<'collect', V, N> {
  return new Aggregate('collect', inputOf('collect', input), null, false);
}

/**
 * What a user's aggregate consists of. `A` is its accumulator, which must be structured-cloneable.
 */
export interface AggregatorParts<In, A, Out> {
  create(): A;
  /** Returns the new accumulator, or changes the given one and returns nothing. */
  add(accumulator: A, record: In): A | void;
  /** Combines two accumulators; with it the aggregate also runs before the exchange. */
  merge?(left: A, right: A): A | void;
  result(accumulator: A): Out;
}

/**
 * An aggregate of one's own.
 *
 * @example
 * aggregator({ create: () => 1, add: (p, r: { rate: number }) => p * r.rate, result: (p) => p })
 */
export function aggregator<In, A, Out>(
  parts: AggregatorParts<In, A, Out>,
): CustomAggregate<In, Out, false> {
  for (const name of ['create', 'add', 'result'] as const) {
    if (typeof parts[name] === 'function') continue;
    throw new MillraceError('OPTION_INVALID', `aggregator(...) needs a function "${name}".`, {
      where: { field: name },
      advice: 'Write aggregator({ create, add, merge, result }); only merge may be left out.',
    });
  }
  // The object itself is kept, so that methods keep their `this` and their source stays visible.
  const user: UserAggregator = parts;
  return new CustomAggregate(user, null);
}

/** The type of an aggregate's result over records `T`. */
export type AggregateResult<T, A> =
  A extends Aggregate<infer Fn, infer V, infer N, infer Filtered>
    ? BuiltInResult<Fn, ValueOf<T, V, N>, Filtered>
    : A extends CustomAggregate<never, infer Out, boolean>
      ? Out
      : never;

type BuiltInResult<Fn, V, Filtered> = Fn extends 'count' | 'countDistinct'
  ? number
  : Fn extends 'collect'
    ? V[]
    : Fn extends 'first' | 'last'
      ? V | NullIf<Filtered>
      : Fn extends 'sum'
        ? SumOf<NonNullable<V>> | NullWhere<V> | NullIf<Filtered>
        : Fn extends 'avg'
          ? number | NullWhere<V> | NullIf<Filtered>
          : Solid<V> | NullWhere<V> | NullIf<Filtered>;

type SumOf<V> = unknown extends V ? number : V extends number ? number : V;
type NullIf<Condition> = Condition extends true ? null : never;
type NullWhere<V> = unknown extends V ? never : null extends V ? null : never;

/** Values that can be added: numbers, bigints and decimals, which are texts of digits. */
type Addable = number | bigint | `${number}` | null;
type Comparable = Addable | string | boolean | Date;

/** `unknown` when an aggregate suits records `T`, else the mistake. */
export type CheckAggregate<T, A> =
  A extends Aggregate<infer Fn, infer V, infer N, boolean>
    ? [N] extends [FieldsOf<T>]
      ? CheckValue<Fn, ValueOf<T, V, N>, N>
      : NoField<Exclude<N, FieldsOf<T>>, FieldsOf<T>>
    : A extends CustomAggregate<infer In, unknown, boolean>
      ? [T] extends [In]
        ? unknown
        : Mistake<'The aggregator takes records of another type than the stream has'>
      : Mistake<'An aggregate is made by count(), sum(...), min(...) and the like'>;

/** `Name` when an aggregate suits its field, else the mistake. */
export type CheckFieldOf<T, Fn extends AggregateFn, Name extends string> = [Name] extends [
  FieldsOf<T>,
]
  ? CheckAggregate<T, Aggregate<Fn, unknown, Name, false>> & Name
  : CheckField<T, Name>;

type CheckValue<Fn extends string, V, N extends string> = unknown extends V
  ? unknown
  : Fn extends 'sum' | 'avg'
    ? [V] extends [Addable]
      ? unknown
      : Misfit<`${Fn} needs numbers`, N>
    : Fn extends 'min' | 'max'
      ? [V] extends [Comparable]
        ? unknown
        : Misfit<`${Fn} needs values that can be ordered`, N>
      : unknown;

type Misfit<Need extends string, N extends string> =
  ListOf<N> extends infer List extends string
    ? Mistake<`${Need}, which ${List} does not hold`>
    : never;

function inputOf(fn: string, input: AggregateInput<unknown, string>): Expression {
  if (typeof input === 'string' && input !== '') return { node: 'column', name: input };
  if (isColumn(input)) return input.expression;
  throw new MillraceError('OPTION_INVALID', `${fn}(...) aggregates a field or an expression.`, {
    where: { operator: fn },
    advice: `Write ${fn}('price') or ${fn}(col('price').mul(2)).`,
  });
}

function filterOf(fn: string, predicate: unknown): Expression {
  if (isColumn(predicate)) return predicate.expression;
  throw new MillraceError('OPTION_INVALID', `${fn}(...).where(...) takes an expression.`, {
    where: { operator: fn },
    advice: "Write .where(col('delay').gt(15)).",
  });
}

function both(left: Expression, right: Expression): Expression {
  return { node: 'call', fn: 'and', args: [left, right] };
}

function exactOf(fn: string, options: ExactOption): boolean {
  for (const name of Object.keys(options)) {
    if (name === 'exact') continue;
    throw new MillraceError('OPTION_UNKNOWN', `${fn}(...) has no option "${name}".`, {
      where: { operator: fn, field: name },
      advice: didYouMean(name, ['exact']),
    });
  }
  return options.exact === true;
}
