/**
 * What `topN` is told: how many records of each key, in which order, and where their rank goes. Callers:
 * `keyed-stream.ts`. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { isPlainObject } from '../record/any-value.js';
import type { TopOrder } from '../operator/operator-spec.js';
import type { OperatorOptions } from './operator-options.js';
import type { FieldsOf, Flat, NoField } from './record-types.js';

/** Records that a key keeps at most. */
const ROWS_MAX = 1000;

/** Fields in order of weight, and how each of them orders. */
export type TopOrderBy = Readonly<Record<string, 'asc' | 'desc'>>;

/** Checks of the fields of an order: each must exist. */
export type CheckOrder<T, O> = {
  readonly [Name in keyof O]: Name extends FieldsOf<T>
    ? O[Name]
    : NoField<Name & string, FieldsOf<T>>;
};

/** Options of `topN`. */
export interface TopOptions<O, R extends string> extends OperatorOptions {
  readonly orderBy: O;
  /** Which of equal records comes first: the `'first'` that came, which is the default, or the `'last'`. */
  readonly ties?: 'first' | 'last';
  /** The field of results that holds their rank, which counts from 1; without one they are the records as they came. */
  readonly rank?: R;
}

/** A record with its rank, if it is asked for. */
export type TopRecord<T, R extends string> = [R] extends [never]
  ? T
  : Flat<T & { readonly [Name in R]: number }>;

/** The options, checked. */
interface Top {
  readonly rows: number;
  readonly order: readonly TopOrder[];
  readonly newestFirst: boolean;
  readonly rank: string | null;
  readonly others: OperatorOptions;
}

/** Checks what `topN` was given. Throws OPTION_INVALID. */
export function topOptions(n: number, options: TopOptions<unknown, string>): Top {
  const {
    orderBy,
    ties = 'first',
    rank = null,
    ...others
  } = Object(options) as typeof options & Readonly<Record<string, unknown>>;
  const order = isPlainObject(orderBy) ? Object.entries(orderBy) : [];
  const isOrder = order.length > 0 && order.every(([, way]) => way === 'asc' || way === 'desc');
  const checks: readonly (readonly [string, boolean])[] = [
    ['n', Number.isInteger(n) && n > 0 && n <= ROWS_MAX],
    ['orderBy', isOrder],
    ['ties', ties === 'first' || ties === 'last'],
    ['rank', rank === null || (typeof rank === 'string' && rank !== '')],
  ];
  const [wrong] = checks.find(([, isRight]) => !isRight) ?? [];
  if (wrong !== undefined) {
    throw new MillraceError('OPTION_INVALID', `topN(...) was given a wrong ${wrong}.`, {
      where: { operator: 'topN', field: wrong },
      advice:
        "Write topN(10, { orderBy: { price: 'desc' }, ties: 'first', rank: 'place' }), " +
        `for 1 to ${ROWS_MAX} records a key.`,
    });
  }
  return {
    rows: n,
    order: order.map(([name, way]) => ({ name, descending: way === 'desc' })),
    newestFirst: ties === 'last',
    rank,
    others,
  };
}

/** The error for inputs without an end. */
export function topNeverEnds(): MillraceError {
  return new MillraceError('FEATURE_UNSUPPORTED', 'topN(...) needs an input that ends.', {
    where: { operator: 'topN' },
    advice: 'Give it bounded input, or rank the records of windows with process().',
  });
}
