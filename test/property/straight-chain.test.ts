/**
 * Chains of comparisons and arithmetic on numbers, which run without a branch, against functions over arrays: any
 * numbers, any size of builders, consumers that refuse, and what a row that does not pass must not leave behind.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { col, lit } from '../../src/operator/expression-builder.js';
import type { OperatorSpec } from '../../src/operator/operator-spec.js';
import type { Schema } from '../../src/record/schema.js';
import { batchOf, chainOf, line, op, runChain } from '../unit/operator/chain-harness.js';

interface Row {
  readonly a: number;
  readonly b: number;
}

const SCHEMA: Schema = {
  shape: 'object',
  fields: [
    { name: 'a', type: { kind: 'number' }, nullable: false, optional: false },
    { name: 'b', type: { kind: 'int32' }, nullable: false, optional: false },
  ],
};

/** An operator, and what it does to a row: null drops it. */
interface Modelled {
  readonly spec: OperatorSpec;
  readonly model: (row: Row) => Row | null;
}

const where = (spec: OperatorSpec, passes: (row: Row) => boolean): Modelled => ({
  spec,
  model: (row) => (passes(row) ? row : null),
});

const KINDS: Readonly<Record<string, (c: number) => Modelled>> = {
  greater: (c) => where(op.where(col('a').gt(c)), (r) => r.a > c),
  'less and not equal': (c) =>
    where(op.where(col('b').lte(c).and(col('a').ne(c))), (r) => r.b <= c && r.a !== c),
  'sum is at least': (c) => where(op.where(col('a').add(col('b')).gte(c)), (r) => r.a + r.b >= c),
  'one of two': (c) =>
    where(op.where(col('a').lt(c).or(col('b').eq(c))), (r) => r.a < c || r.b === c),
  scale: (c) => ({
    spec: op.select({ a: col('a').mul(c).sub(col('b')), b: col('b') }),
    model: (r) => ({ a: r.a * c - r.b, b: r.b }),
  }),
  divide: (c) => ({
    spec: op.select({ b: col('b'), a: lit(c).div(col('a').neg()) }),
    model: (r) => ({ a: c / -r.a, b: r.b }),
  }),
};

const numberArbitrary = fc.oneof(
  fc.integer({ min: -8, max: 8 }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5, 1e300),
);

describe('straight chains', () => {
  it('give what the same functions over arrays give', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ a: numberArbitrary, b: fc.integer({ min: -8, max: 8 }) }), {
          minLength: 1,
          maxLength: 100,
        }),
        fc.array(
          fc.record({
            kind: fc.constantFrom(...Object.keys(KINDS)),
            c: fc.integer({ min: -4, max: 4 }),
          }),
          { minLength: 1, maxLength: 5 },
        ),
        fc.record({
          budget: fc.integer({ min: 1, max: 60 }),
          // Smaller and larger than the turns of a loop.
          capacity: fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 8, max: 80 })),
          refuses: fc.boolean(),
          isTimed: fc.boolean(),
        }),
        (rows, chain, drive) => {
          const modelled = chain.map(({ kind, c }) => KINDS[kind](c));
          const results = rows.flatMap((row, time) => {
            let result: Row | null = row;
            for (const { model } of modelled) result = result === null ? null : model(result);
            return result === null ? [] : [{ record: result, time: drive.isTimed ? time : null }];
          });
          let calls = 0;
          const times = drive.isTimed ? { times: rows.map((_, time) => time) } : {};
          const [left] = runChain(
            {
              operators: line(...modelled.map(({ spec }) => spec)),
              capacity: drive.capacity,
              mayTake: () => !drive.refuses || calls++ % 2 === 1,
            },
            [batchOf(rows, { schema: SCHEMA, ...times })],
            drive.budget,
          );
          expect(left.map(({ record, time }) => ({ record, time }))).toEqual(results);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('have no branch in the loop over rows, several of which go through a turn', () => {
    const code = codeOf(op.where(col('a').gt(1).and(col('b').lt(5))));
    expect(code).toMatch(/const kept = 1 & \(a_2 > 1\) & \(b_2 < 5\);/);
    expect(code).not.toMatch(/if \(a/);
    // Those of a turn, and the last ones one by one.
    expect(code.split('rows0 = (rows0 + kept) | 0;')).toHaveLength(1 + 16 + 1);
    // A number that several expressions use is read once.
    expect(code.split('a[row]')).toHaveLength(1 + 16 + 1);
  });

  it('keep the branch where it guards what may fail, waits for others, or is costly', () => {
    const nullable = { ...SCHEMA, fields: SCHEMA.fields.map((f) => ({ ...f, nullable: true })) };
    const positive = op.where(col('a').gt(1));
    expect(codeOf(positive, nullable)).toContain('if (');
    expect(codeOf(positive)).not.toContain('if (a[row] > 1)');
    for (const behind of [
      op.map((row: Row) => row),
      op.select({ a: col('a').cast('utf8') }),
      op.where(col('a').gt(2).or(col('b').gt(3))),
      op.select({ a: Array.from({ length: 30 }).reduce((sum: typeof A) => sum.mul(A), A) }),
    ]) {
      const chain = chainOf({ operators: line(positive, behind) });
      chain.task.step(0, batchOf([{ a: 2, b: 1 }], { schema: SCHEMA }), { position: 0 }, 10);
      expect(chain.task.code()).toContain('if (a[row] > 1)');
    }
  });
});

const A = col('a').add(0);

/** The loop of a condition with arithmetic behind it. */
function codeOf(condition: OperatorSpec, schema = SCHEMA): string {
  const chain = chainOf({ operators: line(condition, op.select({ a: col('a').add(1) })) });
  chain.task.step(0, batchOf([{ a: 2, b: 1 }], { schema }), { position: 0 }, 10);
  return chain.task.code();
}
