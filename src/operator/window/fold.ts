/**
 * Ways to fold the records of a window into one value as they come: by a function of the user, or by named
 * aggregates of fields. Callers: the window operator, the api. Runs on: the slot's thread; pure. Invariant: what is
 * folded is plain data, so that it is part of snapshots, and a result does not depend on how sessions were merged.
 */
import { unreachable } from '../../base/assert.js';
import { MillraceError } from '../../base/errors.js';
import type { AggregateSpec, BuiltInAggregate } from '../operator-spec.js';

/** Folds records `T` into one value `A`, which may be changed in place. */
export interface Fold<T, A> {
  create(record: T): A;
  add(value: A, record: T): A;
  merge(left: A, right: A): A;
}

/** Folds by a function of two records. */
export function reduceFold<T>(fn: (left: T, right: T) => T): Fold<T, T> {
  return { create: (record) => record, add: fn, merge: fn };
}

/** Named aggregates as a fold, and the fields that its value becomes. */
export interface AggregateFold extends Fold<unknown, readonly unknown[]> {
  result(value: readonly unknown[]): Readonly<Record<string, unknown>>;
}

/** One aggregate over values that are there. */
interface Part {
  readonly empty: () => unknown;
  readonly add: (state: unknown, record: unknown) => unknown;
  readonly merge: (left: unknown, right: unknown) => unknown;
  readonly result: (state: unknown) => unknown;
}

/** Folds by aggregates. Throws FEATURE_UNSUPPORTED for those that only compiled windows have. */
export function aggregateFold(specs: readonly AggregateSpec[]): AggregateFold {
  const parts = specs.map(partOf);
  const add = (value: readonly unknown[], record: unknown): readonly unknown[] =>
    parts.map((part, index) => part.add(value[index], record));
  return {
    create: (record) =>
      add(
        parts.map((part) => part.empty()),
        record,
      ),
    add,
    merge: (left, right) => parts.map((part, index) => part.merge(left[index], right[index])),
    result: (value) =>
      Object.fromEntries(specs.map(({ as }, index) => [as, parts[index].result(value[index])])),
  };
}

function partOf(spec: AggregateSpec): Part {
  if (spec.filter !== null) throw unsupported(spec, 'a filter');
  if (spec.fn === 'user') return userPart(spec);
  if (spec.exact) throw unsupported(spec, 'exact sums');
  const { input } = spec;
  if (input === null) {
    const count = (state: unknown): unknown => (state as number) + 1;
    return { empty: () => 0, add: count, merge: plus, result: same };
  }
  if (input.node !== 'column') throw unsupported(spec, 'an expression');
  const { name } = input;
  const values = valuesPart(spec);
  return {
    ...values,
    add(state, record) {
      const value: unknown =
        typeof record === 'object' && record !== null ? Reflect.get(record, name) : undefined;
      return value === null || value === undefined ? state : values.add(state, value);
    },
  };
}

function userPart(spec: Extract<AggregateSpec, { fn: 'user' }>): Part {
  const { aggregator } = spec;
  if (aggregator.merge === undefined) throw unsupported(spec, 'an aggregator without merge');
  return {
    empty: () => aggregator.create(),
    // Undefined means that the accumulator was changed in place.
    add: (state, record) => aggregator.add(state, record) ?? state,
    merge: (left, right) => aggregator.merge?.(left, right) ?? left,
    result: (state) => aggregator.result(state),
  };
}

/** The aggregate of values that are not null. */
function valuesPart(spec: BuiltInAggregate): Part {
  switch (spec.fn) {
    case 'count':
      return { empty: () => 0, add: (state) => plus(state, 1), merge: plus, result: same };
    case 'sum': {
      const sum = summed(spec);
      return { empty: () => null, add: sum, merge: sum, result: same };
    }
    case 'avg': {
      const add = summed(spec);
      return {
        empty: () => [null, 0],
        add: (state, value) => pairOf(state, (sum, count) => [add(sum, value), count + 1]),
        merge: (left, right) =>
          pairOf(left, (sum, count) =>
            pairOf(right, (more, others) => [add(sum, more), count + others]),
          ),
        result: (state) => {
          const [sum, count] = state as readonly [number | bigint | null, number];
          return sum === null ? null : Number(sum) / count;
        },
      };
    }
    case 'min':
    case 'max': {
      const pick = extreme(spec);
      return { empty: () => null, add: pick, merge: pick, result: same };
    }
    case 'first':
      return { empty: () => null, add: firstOf, merge: firstOf, result: same };
    case 'last':
      return { empty: () => null, add: lastOf, merge: lastOf, result: same };
    case 'collect':
      return {
        empty: () => [],
        add: (state, value) => appended(state, [value]),
        merge: appended,
        result: (state) => [...(state as readonly unknown[])],
      };
    case 'countDistinct':
      return {
        empty: () => new Set(),
        add: (state, value) => (state as Set<unknown>).add(plain(value)),
        merge: united,
        result: (state) => (state as Set<unknown>).size,
      };
    default:
      return unreachable(spec.fn, 'aggregate');
  }
}

function pairOf(
  state: unknown,
  use: (sum: unknown, count: number) => readonly [unknown, number],
): readonly [unknown, number] {
  const [sum, count] = state as readonly [unknown, number];
  return use(sum, count);
}

const same = (state: unknown): unknown => state;
const plus = (left: unknown, right: unknown): unknown => (left as number) + (right as number);
const firstOf = (state: unknown, value: unknown): unknown => state ?? value;
const lastOf = (state: unknown, value: unknown): unknown => value ?? state;

/** A list with the elements of another one behind its own. */
function appended(state: unknown, more: unknown): unknown {
  const list = state as unknown[];
  for (const element of more as readonly unknown[]) list.push(element);
  return list;
}

function united(left: unknown, right: unknown): unknown {
  const values = left as Set<unknown>;
  for (const value of right as Set<unknown>) values.add(value);
  return values;
}

/** A value by which equal ones are equal. */
function plain(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : value;
}

/** Adds numbers, or bigints; whole sums of numbers that are no longer exact are refused. */
function summed(spec: BuiltInAggregate): (state: unknown, value: unknown) => unknown {
  return (state, value) => {
    if (value === null || value === undefined) return state;
    if (typeof value === 'bigint') return ((state ?? 0n) as bigint) + value;
    if (typeof value !== 'number') throw mismatch(spec, value, 'numbers and bigints');
    const before = (state ?? 0) as number;
    const sum = before + value;
    const isWhole = Number.isInteger(before) && Number.isInteger(value);
    if (spec.fn === 'sum' && isWhole && !Number.isSafeInteger(sum)) throw inexact(spec);
    return sum;
  };
}

/** The lesser or greater of two values; NaN is greater than every number. */
function extreme(spec: BuiltInAggregate): (state: unknown, value: unknown) => unknown {
  const isMin = spec.fn === 'min';
  return (state, value) => {
    if (value === null || value === undefined) return state;
    const isOrdered =
      typeof value === 'number' ||
      typeof value === 'bigint' ||
      typeof value === 'boolean' ||
      value instanceof Date;
    // Texts may be decimals, which have an order of their own.
    if (!isOrdered) throw mismatch(spec, value, 'numbers, bigints, booleans and dates');
    if (state === null || state === undefined) return value;
    const [left, right] = [plain(state) as number, plain(value) as number];
    const isGreater = right > left || (right !== right && left === left);
    const isLess = right < left || (left !== left && right === right);
    return (isMin ? isLess : isGreater) ? value : state;
  };
}

function unsupported({ as }: AggregateSpec, what: string): MillraceError {
  return new MillraceError(
    'FEATURE_UNSUPPORTED',
    `"${as}" has ${what}, which these windows do not take with these aggregates.`,
    {
      where: { operator: 'aggregate', field: as },
      advice: 'Compute the value in a select() before, or use reduce(fn, finish) or process(fn).',
    },
  );
}

function mismatch({ as, fn }: BuiltInAggregate, value: unknown, takes: string): MillraceError {
  return new MillraceError(
    'TYPE_MISMATCH',
    `${fn}() of "${as}" met a ${typeof value}; in these windows it takes ${takes}.`,
    { where: { field: as }, advice: 'Cast the value in a select() before, or use process(fn).' },
  );
}

function inexact({ as }: BuiltInAggregate): MillraceError {
  return new MillraceError('NUMBER_INEXACT', `The sum "${as}" is too large to be exact.`, {
    where: { field: as },
    advice: 'Cast the value to int64 for exact sums of whole numbers.',
  });
}
