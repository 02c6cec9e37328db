/** Named aggregates of windows that are not compiled: each by itself, merged at any place, and what they refuse. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BuiltInAggregate } from '../../../src/operator/operator-spec.js';
import { aggregateFold } from '../../../src/operator/window/fold.js';

const FUNCTIONS = [
  'count',
  'sum',
  'min',
  'max',
  'avg',
  'first',
  'last',
  'countDistinct',
  'collect',
] as const;

const spec = (fn: BuiltInAggregate['fn'], name: string | null = 'n'): BuiltInAggregate => ({
  as: fn,
  fn,
  input: name === null ? null : { node: 'column', name },
  filter: null,
  exact: false,
});

/** What the aggregates are of values, by their definition. */
function expected(values: readonly (number | null)[]): object {
  const there = values.filter((value): value is number => value !== null);
  const total = there.reduce((sum, value) => sum + value, 0);
  const isEmpty = there.length === 0;
  return {
    count: there.length,
    sum: isEmpty ? null : total,
    min: isEmpty ? null : Math.min(...there),
    max: isEmpty ? null : Math.max(...there),
    avg: isEmpty ? null : total / there.length,
    first: there[0] ?? null,
    last: there.at(-1) ?? null,
    countDistinct: new Set(there).size,
    collect: there,
  };
}

describe('aggregates of windows of records', () => {
  it('are what they are by definition, merged anywhere', () => {
    const values = fc.array(fc.option(fc.integer({ min: -9, max: 9 })), { minLength: 2 });
    fc.assert(
      fc.property(values, fc.nat(), (all, place) => {
        const fold = aggregateFold(FUNCTIONS.map((fn) => spec(fn)));
        const at = 1 + (place % (all.length - 1));
        const folded = (some: readonly (number | null)[]) => {
          const [first, ...others] = some.map((n) => ({ n }));
          return others.reduce<readonly unknown[]>(
            (value, record) => fold.add(value, record),
            fold.create(first),
          );
        };
        expect(fold.result(folded(all))).toEqual(expected(all));
        const merged = fold.merge(folded(all.slice(0, at)), folded(all.slice(at)));
        expect(fold.result(merged)).toEqual(expected(all));
      }),
    );
  });

  it('count records, add bigints, order dates and NaN', () => {
    const fold = aggregateFold([spec('count', null), spec('sum', 'big'), spec('max'), spec('min')]);
    const [early, late] = [new Date(1), new Date(2)];
    const value = fold.add(fold.create({ big: 2n ** 53n, n: late }), { big: 1n, n: early });
    expect(fold.result(value)).toEqual({ count: 2, sum: 2n ** 53n + 1n, max: late, min: early });
    const extremes = aggregateFold([spec('max'), spec('min')]);
    const nan = extremes.add(extremes.create({ n: Number.NaN }), { n: 1 });
    expect(extremes.result(nan)).toEqual({ max: Number.NaN, min: 1 });
  });

  it('use an aggregator of the user, whose accumulator may change in place', () => {
    const aggregator = {
      create: () => ({ text: '' }),
      add(state: unknown, record: unknown) {
        (state as { text: string }).text += (record as { n: string }).n;
        return undefined;
      },
      merge: (left: unknown, right: unknown) => ({
        text: (left as { text: string }).text + (right as { text: string }).text,
      }),
      result: (state: unknown) => (state as { text: string }).text,
    };
    const fold = aggregateFold([{ as: 'all', fn: 'user', aggregator, filter: null }]);
    const left = fold.add(fold.create({ n: 'a' }), { n: 'b' });
    expect(fold.result(fold.merge(left, fold.create({ n: 'c' })))).toEqual({ all: 'abc' });
    const { merge: _merge, ...whole } = aggregator;
    expect(() => aggregateFold([{ as: 'x', fn: 'user', aggregator: whole, filter: null }])).toThrow(
      'without merge',
    );
  });

  it('refuse sums that are not exact, and values they cannot tell the type of', () => {
    const sum = aggregateFold([spec('sum')]);
    const large = sum.create({ n: Number.MAX_SAFE_INTEGER });
    expect(() => sum.add(large, { n: 1 })).toThrow('too large to be exact');
    expect(() => sum.create({ n: '1.50' })).toThrow('met a string');
    expect(() => aggregateFold([spec('min')]).create({ n: '10' })).toThrow('met a string');
  });
});
