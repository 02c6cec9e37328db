import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { col } from '../../../src/operator/expression-builder.js';
import type { UserAggregator } from '../../../src/operator/operator-spec.js';
import { canPreAggregate, splitAggregate } from '../../../src/operator/pre-aggregate.js';
import type { Field, Schema } from '../../../src/record/schema.js';
import { batchOf, line, op, recordsOf, runChain } from './chain-harness.js';

const rows = [
  { k: 'a', n: 1, t: 'x', d: new Date(10), b: true, i: 5n },
  { k: 'b', n: 2.5, t: 'y', d: new Date(20), b: false, i: 6n },
  { k: 'a', n: null, t: 'w', d: new Date(5), b: false, i: 7n },
  { k: 'a', n: 3, t: 'x', d: new Date(30), b: true, i: 8n },
];
const everything = {
  rows: { fn: 'count' },
  numbers: { fn: 'count', of: col('n') },
  total: { fn: 'sum', of: col('n') },
  exact: { fn: 'sum', of: col('n'), exact: true },
  whole: { fn: 'sum', of: col('i') },
  mean: { fn: 'avg', of: col('n') },
  meanWhole: { fn: 'avg', of: col('i') },
  least: { fn: 'min', of: col('n') },
  most: { fn: 'max', of: col('d') },
  leastText: { fn: 'min', of: col('t') },
  mostTrue: { fn: 'max', of: col('b') },
  oldest: { fn: 'first', of: col('t') },
  newest: { fn: 'last', of: col('n') },
  kinds: { fn: 'countDistinct', of: col('t') },
  list: { fn: 'collect', of: col('n') },
  late: { fn: 'count', filter: col('n').gt(2) },
  lateSum: { fn: 'sum', of: col('n'), filter: col('n').gt(2) },
} as const;
const a = {
  k: 'a',
  rows: 3,
  numbers: 2,
  total: 4,
  exact: 4,
  whole: 20n,
  mean: 2,
  meanWhole: 20 / 3,
  least: 1,
  most: new Date(30),
  leastText: 'w',
  mostTrue: true,
  oldest: 'x',
  newest: 3,
  kinds: 2,
  list: [1, 3],
  late: 1,
  lateSum: 3,
};
const b = {
  k: 'b',
  rows: 1,
  numbers: 1,
  total: 2.5,
  exact: 2.5,
  whole: 6n,
  mean: 2.5,
  meanWhole: 6,
  least: 2.5,
  most: new Date(20),
  leastText: 'y',
  mostTrue: false,
  oldest: 'y',
  newest: 2.5,
  kinds: 1,
  list: [2.5],
  late: 1,
  lateSum: 2.5,
};

/** Weighted mean, as a user would write it. */
const weighted: UserAggregator = {
  create: () => ({ sum: 0, weight: 0 }),
  add: (acc, value) => {
    const sum = acc as { sum: number; weight: number };
    const record = value as { n: number | null; k: string };
    sum.sum += record.n ?? 0;
    sum.weight++;
    return undefined;
  },
  merge: (left, right) => {
    const [l, r] = [left, right] as { sum: number; weight: number }[];
    return { sum: l.sum + r.sum, weight: l.weight + r.weight };
  },
  result: (acc) => {
    const sum = acc as { sum: number; weight: number };
    return { mean: sum.sum / sum.weight };
  },
};

describe('aggregations', () => {
  it('computes every aggregate, one row per key at the end', () => {
    expect(recordsOf({ operators: line(op.aggregate(['k'], everything)) }, rows)).toEqual([a, b]);
  });

  it('emits an update per record', () => {
    const updates = op.aggregate(['k'], { n: { fn: 'sum', of: col('n') } }, 'updates');
    const [left] = runChain({ operators: line(updates) }, [batchOf(rows)]);
    expect(left.map(({ record, kind }) => [record, kind])).toEqual([
      [{ k: 'a', n: 1 }, 0],
      [{ k: 'b', n: 2.5 }, 0],
      [{ k: 'a', n: 1 }, 2],
      [{ k: 'a', n: 4 }, 2],
    ]);
  });

  it('gives null for sums and extremes of nothing', () => {
    const spec = op.aggregate(['k'], {
      sum: { fn: 'sum', of: col('n') },
      avg: { fn: 'avg', of: col('n') },
      min: { fn: 'min', of: col('n') },
      first: { fn: 'first', of: col('n') },
      list: { fn: 'collect', of: col('n') },
    });
    const records = recordsOf({ operators: line(spec) }, [
      { k: 'x', n: null },
      { k: 'y', n: 1 },
    ]);
    expect(records[0]).toEqual({ k: 'x', sum: null, avg: null, min: null, first: null, list: [] });
  });

  it('aggregates without a key', () => {
    const spec = op.aggregate([], { n: { fn: 'count' }, t: { fn: 'max', of: col('t') } });
    expect(recordsOf({ operators: line(spec) }, rows)).toEqual([{ n: 4, t: 'y' }]);
  });

  it('counts NaN as greatest', () => {
    const spec = op.aggregate([], {
      max: { fn: 'max', of: col('n') },
      min: { fn: 'min', of: col('n') },
    });
    const input = [{ n: Number.NaN }, { n: 1 }, { n: 2 }];
    expect(recordsOf({ operators: line(spec) }, input)).toEqual([{ max: Number.NaN, min: 1 }]);
    expect(recordsOf({ operators: line(spec) }, input.toReversed())).toEqual([
      { max: Number.NaN, min: 1 },
    ]);
  });

  it('takes aggregators of the user', () => {
    const spec = op.aggregate(['k'], { w: weighted, n: { fn: 'count' } });
    expect(recordsOf({ operators: line(spec) }, rows)).toEqual([
      { k: 'a', w: { mean: 4 / 3 }, n: 3 },
      { k: 'b', w: { mean: 2.5 }, n: 1 },
    ]);
  });

  it('gives aggregators of the user the fields that they read, beside one that reads all', () => {
    const sum: UserAggregator = {
      create: () => 0,
      add(before, { n, unknown }: Record<string, number | null>) {
        return (before as number) + (n ?? 0) + (unknown ?? 0);
      },
      result: (after) => after,
    };
    const spec = op.aggregate(['k'], { sum, w: weighted });
    const operators = line(op.where(col('n').isNull().or(col('n').gt(0))), spec);
    const all = rows.map(({ k, n }) => ({ k, n, other: 'x' }));
    const sums = (key: string) =>
      all.filter(({ k }) => k === key).reduce((before, { n }) => before + (n ?? 0), 0);
    const found = recordsOf({ operators }, all) as readonly { k: string; sum: number }[];
    expect(found.map(({ k, sum }) => ({ k, sum }))).toEqual(
      ['a', 'b'].map((k) => ({ k, sum: sums(k) })),
    );
  });

  it('keys by a function', () => {
    const operators = line(
      op.computeKey((r: { t: string }) => r.t.length),
      op.aggregate(['$key'], { n: { fn: 'count' } }),
    );
    expect(recordsOf({ operators }, rows)).toEqual([{ key: 1, n: 4 }]);
  });

  it('reduces and finds distinct records', () => {
    const add = (x: { n: number }, y: { n: number }) => ({ ...x, n: x.n + y.n });
    const input = [
      { k: 1, n: 1 },
      { k: 2, n: 2 },
      { k: 1, n: 3 },
    ];
    expect(recordsOf({ operators: line(op.reduce(['k'], add)) }, input)).toEqual([
      { k: 1, n: 4 },
      { k: 2, n: 2 },
    ]);
    expect(recordsOf({ operators: line(op.reduce(['k'], add, 'updates')) }, input)).toEqual([
      { k: 1, n: 1 },
      { k: 2, n: 2 },
      { k: 1, n: 4 },
    ]);
    expect(recordsOf({ operators: line(op.distinct('k')) }, input)).toEqual(input.slice(0, 2));
  });
});

describe('sums', () => {
  const sum = (values: readonly unknown[], type: Field['type'] | null = null, exact = false) => {
    const spec = op.aggregate([], { s: { fn: 'sum', of: col('n'), exact } });
    const schema: Schema | undefined =
      type === null
        ? undefined
        : { shape: 'object', fields: [{ name: 'n', type, nullable: false, optional: false }] };
    return recordsOf(
      { operators: line(spec) },
      values.map((n) => ({ n })),
      schema,
    )[0];
  };

  it('fail rather than round, when all is whole', () => {
    expect(sum([2 ** 53 - 2, 1])).toEqual({ s: 2 ** 53 - 1 });
    const failing = () => sum([2 ** 53 - 2, 1, 1]);
    expect(failing).toThrow(MillraceError);
    expect(failing).toThrow(/no longer exact/);
    expect(() => sum([2n ** 63n - 1n, 1n])).toThrow(/leaves the range/);
  });

  it('round where fractions or floats are declared', () => {
    expect(sum([2 ** 53, 1, 2.5])).toEqual({ s: 2 ** 53 + 2 });
    expect(sum([2 ** 53 - 1, 2], { kind: 'float64' })).toEqual({ s: 2 ** 53 });
    expect(sum([1, Number.POSITIVE_INFINITY])).toEqual({ s: Number.POSITIVE_INFINITY });
  });

  it('are independent of order with exact', () => {
    const values = [1e100, 1, -1e100, 0.1, 1e300, 1e308, 1e308, -1e308, -1e308, -1e300];
    expect(sum(values, null, true)).toEqual({ s: 1.1 });
    expect(sum(values.toReversed(), null, true)).toEqual({ s: 1.1 });
    expect(sum([1e308, 1e308], null, true)).toEqual({ s: Number.POSITIVE_INFINITY });
  });

  it('of decimals are exact', () => {
    const type = { kind: 'decimal', precision: 10, scale: 2 } as const;
    expect(sum(['0.10', '0.20'], type)).toEqual({ s: '0.30' });
  });
});

describe('pre-aggregation', () => {
  const mergeable = op.aggregate(['k'], {
    rows: everything.rows,
    numbers: everything.numbers,
    total: everything.total,
    exact: everything.exact,
    whole: everything.whole,
    mean: everything.mean,
    meanWhole: everything.meanWhole,
    least: everything.least,
    most: everything.most,
    leastText: everything.leastText,
    mostTrue: everything.mostTrue,
    late: everything.late,
    lateSum: everything.lateSum,
    w: weighted,
  });

  it('gives what one phase gives, at any bound on its keys', () => {
    expect(canPreAggregate(mergeable)).toBe(true);
    const { partial, merge } = splitAggregate(mergeable);
    const expected = recordsOf({ operators: line(mergeable) }, rows);
    for (const preAggregateKeysMax of [1, 2, 100]) {
      const parts = { operators: line(partial, merge), preAggregateKeysMax };
      expect(recordsOf(parts, rows)).toEqual(expected);
    }
  });

  it('turns itself off when it does not pay', () => {
    const { partial } = splitAggregate(op.aggregate(['k'], { n: { fn: 'count' } }));
    const input = Array.from({ length: 100 }, (_, k) => ({ k: k % 97 }));
    const parts = { operators: line(partial), preAggregateKeysMax: 10 };
    expect(recordsOf(parts, input)).toHaveLength(100);
    const paying = Array.from({ length: 100 }, (_, k) => ({ k: Math.floor(k / 10) }));
    // The tenth key fills the table, and its other rows come after that flush.
    expect(recordsOf(parts, paying)).toHaveLength(11);
  });

  it('is refused where the order matters', () => {
    for (const fn of ['first', 'last', 'collect', 'countDistinct'] as const) {
      expect(canPreAggregate(op.aggregate(['k'], { x: { fn, of: col('n') } }))).toBe(false);
    }
    const updates = op.aggregate(['k'], { n: { fn: 'count' } }, 'updates');
    expect(canPreAggregate(updates)).toBe(false);
  });
});
