/**
 * Jobs over records in which a field is null for longer than any sample looks: what comes out must be what a few
 * lines over the whole list give, whatever type the field turns out to have, however late, and in whichever phase.
 */
import fc from 'fast-check';
import {
  avg,
  col,
  collect,
  collectSink,
  count,
  countDistinct,
  first,
  type Flow,
  job,
  last,
  max,
  min,
  run,
  sum,
} from 'millrace';
import { describe, expect, it } from 'vitest';

interface Row {
  readonly key: number;
  readonly value: unknown;
}

interface How {
  readonly parallelism: number;
  readonly iterable: boolean;
  readonly batchRows: number;
  readonly preAggregateKeys: number;
}

const VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  number: fc.integer({ min: -1000, max: 1000 }),
  int64: fc.bigInt({ min: -1000n, max: 1000n }),
  utf8: fc.string({ maxLength: 8 }),
  bool: fc.boolean(),
  timestamp: fc.integer({ min: 0, max: 1e12 }).map((ms) => new Date(ms)),
  list: fc.array(fc.integer(), { maxLength: 3 }),
  struct: fc.record({ inner: fc.option(fc.string({ maxLength: 4 })) }),
};

/** Leading nulls, often beyond the 64 records that functions are sampled by, then values with nulls in between. */
function rowsOf(kinds: readonly string[]): fc.Arbitrary<Row[]> {
  return fc.constantFrom(...kinds).chain((kind) =>
    fc
      .record({
        nulls: fc.constantFrom(0, 1, 63, 64, 65, 200, 700),
        values: fc.array(fc.option(VALUES[kind], { freq: 4 }), { maxLength: 60 }),
        keys: fc.integer({ min: 1, max: 5 }),
      })
      .map(({ nulls, values, keys }) => {
        const all = [...new Array<null>(nulls).fill(null), ...values];
        return all.map((value, index) => ({ key: index % keys, value }));
      }),
  );
}

const hows: fc.Arbitrary<How> = fc.record({
  parallelism: fc.constantFrom(1, 3),
  iterable: fc.boolean(),
  batchRows: fc.constantFrom(16, 1024),
  preAggregateKeys: fc.constantFrom(0, 2, 1000),
});

/** Runs what `build` makes of the rows, which come from an array or from an iterable. */
async function runOver(
  rows: readonly Row[],
  how: How,
  build: (flow: Flow, input: Iterable<Row>) => void,
): Promise<void> {
  function* each(): Generator<Row> {
    yield* rows;
  }
  const definition = job('leading-nulls', (flow) => {
    build(flow, how.iterable ? each() : rows);
  });
  await run(definition, {
    runtime: 'in-thread',
    parallelism: how.parallelism,
    settings: {
      'exchange.batchRows': how.batchRows,
      'aggregate.preAggregateKeys': how.preAggregateKeys,
    },
  });
}

function keysOf(rows: readonly Row[]): number[] {
  return [...new Set(rows.map(({ key }) => key))].toSorted((a, b) => a - b);
}

function valuesOf(rows: readonly Row[], key: number): unknown[] {
  return rows.filter((row) => row.key === key && row.value !== null).map(({ value }) => value);
}

function byKey<R extends { readonly key: number }>(rows: readonly R[]): R[] {
  return rows.toSorted((a, b) => a.key - b.key);
}

/** Dates compare as numbers, everything else as it is. */
function order(value: unknown): number | string | bigint {
  if (value instanceof Date) return value.getTime();
  return typeof value === 'boolean' ? Number(value) : (value as number | string | bigint);
}

function extreme(values: readonly unknown[], sign: 1 | -1): unknown {
  const sorted = values.toSorted((a, b) => {
    if (order(a) === order(b)) return 0;
    return order(a) < order(b) ? -sign : sign;
  });
  return sorted[0] ?? null;
}

function total(values: readonly unknown[]): unknown {
  if (values.length === 0) return null;
  return typeof values[0] === 'bigint'
    ? values.reduce<bigint>((so, value) => so + BigInt(value as bigint), 0n)
    : values.reduce<number>((so, value) => so + Number(value), 0);
}

const ORDERED = ['number', 'int64', 'utf8', 'bool', 'timestamp'];
const COUNTED = ['number', 'int64'];
const RUNS = { numRuns: 60 };

describe('a field that is null at first', () => {
  it('is compared and counted as what it turns out to be', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf(ORDERED), hows, async (rows, how) => {
        const results = collectSink<{ key: number }>();
        await runOver(rows, how, (flow, input) => {
          flow
            .from(input)
            .map(({ key, value }) => ({ key, value }))
            .keyBy('key')
            .aggregate({
              all: count(),
              some: count('value'),
              distinct: countDistinct('value'),
              least: min('value'),
              greatest: max('value'),
            })
            .to(results);
        });
        const expected = keysOf(rows).map((key) => {
          const values = valuesOf(rows, key);
          return {
            key,
            all: rows.filter((row) => row.key === key).length,
            some: values.length,
            distinct: new Set(values.map(order)).size,
            least: extreme(values, 1),
            greatest: extreme(values, -1),
          };
        });
        expect(byKey(results.rows)).toEqual(expected);
      }),
      RUNS,
    );
  });

  it('is added up as what it turns out to be, exactly or not', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf(COUNTED), hows, fc.boolean(), async (rows, how, exact) => {
        const results = collectSink<{ key: number }>();
        await runOver(rows, how, (flow, input) => {
          flow
            .from(input)
            .map(({ key, value }) => ({ key, value }))
            .keyBy('key')
            .aggregate({ sum: sum('value', { exact }), mean: avg('value', { exact }) })
            .to(results);
        });
        const expected = keysOf(rows).map((key) => {
          const values = valuesOf(rows, key);
          const sumOf = total(values);
          return { key, sum: sumOf, mean: sumOf === null ? null : Number(sumOf) / values.length };
        });
        expect(byKey(results.rows)).toEqual(expected);
      }),
      RUNS,
    );
  });

  it('is kept, collected and reduced as what it turns out to be', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf(Object.keys(VALUES)), hows, async (rows, how) => {
        const aggregated = collectSink<{ key: number }>();
        const reduced = collectSink<{ key: number }>();
        await runOver(rows, { ...how, parallelism: 1 }, (flow, input) => {
          const keyed = flow
            .from(input)
            .map(({ key, value }) => ({ key, value }))
            .keyBy('key');
          keyed
            .aggregate({ first: first('value'), last: last('value'), list: collect('value') })
            .to(aggregated);
          keyed.reduce((left, right) => (right.value === null ? left : right)).to(reduced);
        });
        const lists = keysOf(rows).map((key) => ({ key, list: valuesOf(rows, key) }));
        expect(byKey(aggregated.rows)).toEqual(
          lists.map(({ key, list }) => ({
            key,
            first: list[0] ?? null,
            last: list.at(-1) ?? null,
            list,
          })),
        );
        expect(byKey(reduced.rows)).toEqual(
          lists.map(({ key, list }) => ({ key, value: list.at(-1) ?? null })),
        );
      }),
      RUNS,
    );
  });

  it('is calculated with, filtered by and updated from as what it turns out to be', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf(['number']), hows, async (rows, how) => {
        const results = collectSink();
        const updates = collectSink();
        await runOver(rows, { ...how, parallelism: 1 }, (flow, input) => {
          const mapped = flow
            .from(input as Iterable<{ key: number; value: number | null }>)
            .map((row) => row);
          mapped
            .select({
              more: col('value').add(1),
              none: col('value').isNull(),
              filled: col('value').coalesce(-1),
              big: col('value').gt(0).or(col('key').gt(2)),
            })
            .to(results);
          mapped
            .filter(col('value').gt(0))
            .keyBy('value')
            .aggregate({ sum: sum('value') }, { emit: 'updates' })
            .to(updates);
        });
        expect(results.rows).toEqual(
          rows.map(({ key, value }) => ({
            more: value === null ? null : Number(value) + 1,
            none: value === null,
            filled: value ?? -1,
            big: Number(value) > 0 || key > 2 ? true : value === null ? null : false,
          })),
        );
        const positive = rows.map(({ value }) => Number(value)).filter((value) => value > 0);
        expect(updates.rows.length).toBe(positive.length);
      }),
      RUNS,
    );
  });
});
