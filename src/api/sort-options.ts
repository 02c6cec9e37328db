/**
 * What `sortBy` is told: by what, and which way round. Callers: streams. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import type { SortOrder } from '../operator/operator-spec.js';
import { isPlainObject } from '../record/any-value.js';
import type { Boundary } from './call-site.js';
import { type CheckReads, type ColumnLike, type HasExpression, isColumn } from './column-types.js';
import type { OperatorOptions, OptionCheck } from './operator-options.js';
import type { CheckField } from './record-types.js';
import type { StreamCore } from './stream-core.js';
import type { CheckOrder, TopOrderBy } from './top-options.js';

/** A field, an expression, or several fields by weight. */
export type SortBy = string | HasExpression | TopOrderBy;

/** `unknown` when records can be sorted by that, else the mistake. */
export type CheckSort<T, B> = B extends string
  ? CheckField<T, B>
  : B extends ColumnLike<unknown, infer N>
    ? CheckReads<T, N>
    : CheckOrder<T, B>;

/** Options of `sortBy`. */
export interface SortOptions extends OperatorOptions {
  /** Whether the greatest comes first; default false. Several fields say it each: `{ price: 'desc', id: 'asc' }`. */
  readonly descending?: boolean;
}

const CHECKS: Readonly<Record<string, OptionCheck>> = {
  descending: (value) => (typeof value === 'boolean' ? null : 'true or false'),
};

/** Adds a sort. Throws OPTION_INVALID, and FEATURE_UNSUPPORTED for inputs without an end. */
export function sorted(
  core: StreamCore,
  keys: readonly string[],
  by: unknown,
  options: SortOptions,
  boundary: Boundary,
): StreamCore {
  const order = sortOrder(core, by, Object(options));
  const call = { verb: 'sortBy', boundary, options, extra: CHECKS };
  return core.operator(call, { kind: 'sort', keys, order, emit: 'final' });
}

function sortOrder(
  core: StreamCore,
  by: unknown,
  { descending }: SortOptions,
): readonly SortOrder[] {
  if (!core.isBounded) {
    throw new MillraceError('FEATURE_UNSUPPORTED', 'sortBy(...) needs an input that ends.', {
      where: { operator: 'sortBy' },
      advice: 'Give it bounded input, or sort the records of windows with process().',
    });
  }
  if (typeof by === 'string' && by !== '') {
    return [{ by: { node: 'column', name: by }, descending: descending === true }];
  }
  if (isColumn(by)) return [{ by: by.expression, descending: descending === true }];
  const fields = isPlainObject(by) ? Object.entries(by) : [];
  const isOrder = fields.every(([, way]) => way === 'asc' || way === 'desc');
  if (fields.length > 0 && isOrder && descending === undefined) {
    return fields.map(([name, way]) => ({
      by: { node: 'column', name },
      descending: way === 'desc',
    }));
  }
  throw new MillraceError('OPTION_INVALID', 'sortBy(...) was not told by what to sort.', {
    where: { operator: 'sortBy' },
    advice:
      "Write sortBy('price', { descending: true }), sortBy(col('price').mul(col('items'))) or " +
      "sortBy({ price: 'desc', id: 'asc' }).",
  });
}
