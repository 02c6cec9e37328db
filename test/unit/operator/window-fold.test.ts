/** Aggregates of windows that are not compiled: merged at any place, of all types, with types that become known. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferSchema } from '../../../src/record/infer.js';
import type { DataType, Schema } from '../../../src/record/schema.js';
import { col } from '../../../src/operator/expression-builder.js';
import type { UserAggregator } from '../../../src/operator/operator-spec.js';
import { OperatorStateStore } from '../../../src/state/operator-state.js';
import { AggregateFold } from '../../../src/operator/window/aggregate-fold.js';
import { type AggregateText, aggregatesOf } from './chain-harness.js';

const n = col('n');
const ALL: Readonly<Record<string, AggregateText>> = {
  count: { fn: 'count', of: n },
  sum: { fn: 'sum', of: n },
  exact: { fn: 'sum', of: n.mul(0.25), exact: true },
  min: { fn: 'min', of: n },
  max: { fn: 'max', of: n },
  avg: { fn: 'avg', of: n },
  first: { fn: 'first', of: n },
  last: { fn: 'last', of: n },
  countDistinct: { fn: 'countDistinct', of: n },
  collect: { fn: 'collect', of: n },
};

function foldOf(
  aggregates: Readonly<Record<string, AggregateText>>,
  states = new OperatorStateStore('fold'),
): AggregateFold {
  const specs = aggregatesOf(aggregates);
  const spec = {
    name: 'fold',
    keys: [],
    aggregates: specs,
    phase: 'single',
    window: null,
  } as const;
  return new AggregateFold(spec, states);
}

function schemaOf(types: Readonly<Record<string, DataType>>): Schema {
  const fields = Object.entries(types).map(([name, type]) => {
    return { name, type, nullable: true, optional: false };
  });
  return { shape: 'object', fields };
}

/** Folds records, whose schema grows with each. */
function folded(fold: AggregateFold, records: readonly object[]): unknown[] {
  let value: unknown[] | null = null;
  for (const record of records) {
    fold.adopt(inferSchema([record]));
    value = value === null ? fold.create(record) : fold.add(value, record);
  }
  if (value === null) throw new Error('There are records.');
  return value;
}

/** What the aggregates are of values, by their definition. */
function expected(values: readonly (number | null)[]): object {
  const there = values.filter((value): value is number => value !== null);
  const total = there.reduce((sum, value) => sum + value, 0);
  const isEmpty = there.length === 0;
  return {
    count: there.length,
    sum: isEmpty ? null : total,
    exact: isEmpty ? null : total / 4,
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
  it('are what they are by definition, merged anywhere, whenever their type becomes known', () => {
    const values = fc.array(fc.option(fc.integer({ min: -9, max: 9 }), { freq: 2 }), {
      minLength: 2,
    });
    fc.assert(
      fc.property(values, fc.nat(), (all, place) => {
        const at = 1 + (place % (all.length - 1));
        const records = all.map((one) => ({ n: one }));
        const whole = foldOf(ALL);
        expect(whole.result(folded(whole, records))).toEqual(expected(all));
        const fold = foldOf(ALL);
        const left = folded(fold, records.slice(0, at));
        const merged = fold.merge(left, folded(fold, records.slice(at)));
        expect(fold.result(merged)).toEqual(expected(all));
      }),
    );
  });

  it('go on after a restore, before a record has come and after one of which less is known', () => {
    const states = new OperatorStateStore('fold');
    const before = foldOf(ALL, states);
    const value = structuredClone(folded(before, [{ n: 4 }, { n: null }]));
    const after = foldOf(ALL, states);
    expect(after.result(value)).toEqual(expected([4, null]));
    after.adopt(inferSchema([{ n: null, other: 1 }]));
    expect(after.result(after.add(value, { n: null, other: 1 }))).toEqual(
      expected([4, null, null]),
    );
  });

  it('are of all types', () => {
    const fold = foldOf({
      big: { fn: 'sum', of: col('big') },
      money: { fn: 'sum', of: col('money') },
      latest: { fn: 'max', of: col('at') },
      earliest: { fn: 'min', of: col('at') },
      text: { fn: 'max', of: col('text') },
      days: { fn: 'countDistinct', of: col('at') },
      texts: { fn: 'collect', of: col('text').upper() },
      prices: { fn: 'collect', of: col('money') },
      flag: { fn: 'last', of: col('flag') },
    });
    fold.adopt(
      schemaOf({
        big: { kind: 'int64' },
        money: { kind: 'decimal', precision: 10, scale: 2 },
        at: { kind: 'timestamp' },
        text: { kind: 'utf8' },
        flag: { kind: 'bool' },
      }),
    );
    const [early, late] = [new Date(1), new Date(2)];
    const first = { big: 2n ** 53n, money: '0.10', at: late, text: 'b', flag: false };
    const value = fold.add(fold.create(first), {
      ...{ big: 1n, money: '1.25', at: early, text: 'a', flag: true },
    });
    expect(fold.result(value)).toEqual({
      big: 2n ** 53n + 1n,
      money: '1.35',
      latest: late,
      earliest: early,
      text: 'b',
      days: 2,
      texts: ['B', 'A'],
      prices: ['0.10', '1.25'],
      flag: true,
    });
    const extremes = foldOf({ max: { fn: 'max', of: n }, min: { fn: 'min', of: n } });
    const nan = folded(extremes, [{ n: Number.NaN }, { n: 1 }]);
    expect(extremes.result(nan)).toEqual({ max: Number.NaN, min: 1 });
  });

  it('use an aggregator of the user, whose accumulator may change in place, behind a filter', () => {
    const aggregator: UserAggregator = {
      create: () => ({ text: '' }),
      add(state, record) {
        (state as { text: string }).text += (record as { n: string }).n;
        return undefined;
      },
      merge: (left, right) => ({
        text: (left as { text: string }).text + (right as { text: string }).text,
      }),
      result: (state) => (state as { text: string }).text,
    };
    const specs = aggregatesOf({ all: aggregator });
    const filtered = specs.map((spec) => ({ ...spec, filter: n.ne('x').expression }));
    const of = { name: 'fold', keys: [], phase: 'single', window: null } as const;
    const fold = new AggregateFold({ ...of, aggregates: filtered }, new OperatorStateStore('fold'));
    const left = folded(fold, [{ n: 'a' }, { n: 'x' }, { n: 'b' }]);
    expect(fold.result(fold.merge(left, folded(fold, [{ n: 'c' }])))).toEqual({ all: 'abc' });
  });

  it('refuse sums that are not exact, fields that are not there, and types that change', () => {
    const sum = foldOf({ sum: { fn: 'sum', of: n } });
    const large = folded(sum, [{ n: Number.MAX_SAFE_INTEGER }]);
    expect(() => sum.add(large, { n: 1 })).toThrow('no longer exact');
    expect(() => sum.adopt(inferSchema([{ n: '1.50' }]))).toThrow('is applied to any');
    expect(() => foldOf({ sum: { fn: 'sum', of: n } }).adopt(inferSchema([{ m: 1 }]))).toThrow(
      'There is no field "n"',
    );
    for (const [was, is] of [
      [{ kind: 'date' }, { kind: 'timestamp' }],
      [{ kind: 'utf8' }, { kind: 'number' }],
      [{ kind: 'bool' }, { kind: 'int64' }],
    ] as const) {
      const last = foldOf({ last: { fn: 'last', of: n } });
      last.adopt(schemaOf({ n: { kind: 'null' } }));
      last.adopt(schemaOf({ n: was }));
      expect(() => last.adopt(schemaOf({ n: is }))).toThrow('have changed their type');
    }
  });
});
