/** Sorts against `Array.prototype.sort`: chains with hardly any memory, and whole jobs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { col, collectSink, job, run } from '../../src/index.js';
import type { SortOrder } from '../../src/operator/operator-spec.js';
import { SimDisk } from '../simulation/sim-disk.js';
import { batchOf, line, op, runChain } from '../unit/operator/chain-harness.js';

interface Row {
  readonly id: number;
  readonly n: number | null;
  readonly big: bigint;
  readonly text: string | null;
  readonly is: boolean;
  readonly at: Date;
  readonly more?: string;
}

const FIELDS = ['n', 'big', 'text', 'is', 'at'] as const;
type Name = (typeof FIELDS)[number];
type Order = readonly { readonly name: Name; readonly descending: boolean }[];

const values = {
  n: fc.option(fc.oneof(fc.integer({ min: -2, max: 2 }), fc.double())),
  big: fc.bigInt({ min: -2n, max: 2n }),
  text: fc.option(fc.constantFrom('', 'a', 'ab', 'ü', '\ue000', '😀')),
  is: fc.boolean(),
  at: fc.constantFrom(0, 1, -1, 1e12).map((ms) => new Date(ms)),
};
const rows = fc
  .array(fc.record(values), { minLength: 1, maxLength: 60 })
  .map((all): readonly Row[] => all.map((row, id) => ({ id, ...row })));
const orders: fc.Arbitrary<Order> = fc
  .shuffledSubarray([...FIELDS], { minLength: 1 })
  .chain((names) =>
    fc
      .array(fc.boolean(), { minLength: names.length, maxLength: names.length })
      .map((ways) => names.map((name, at) => ({ name, descending: ways[at] ?? false }))),
  );

/** Null is before all others, NaN behind all numbers, and -0 is 0. */
function compareValues(a: Row[Name], b: Row[Name]): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null);
  const [isNaNA, isNaNB] = [Number.isNaN(a), Number.isNaN(b)];
  if (isNaNA || isNaNB) return Number(isNaNA) - Number(isNaNB);
  return a < b ? -1 : a > b ? 1 : 0;
}

function model(all: readonly Row[], order: Order): readonly Row[] {
  return all.toSorted((a, b) => {
    for (const { name, descending } of order) {
      const difference = compareValues(a[name], b[name]);
      if (difference !== 0) return descending ? -difference : difference;
    }
    return a.id - b.id;
  });
}

const specOf = (order: Order): readonly SortOrder[] =>
  order.map(({ name, descending }) => ({ by: { node: 'column', name }, descending }));

describe('a sort', () => {
  it('gives what sorting gives, through files and with fields that come later', () => {
    let spills = 0;
    let version = 0;
    fc.assert(
      fc.property(rows, orders, fc.integer({ min: 1, max: 30 }), (some, order, batchRows) => {
        // Enough for a few files, and a field more in the last half of them.
        const all = Array.from({ length: 40 }, () => some)
          .flat()
          .map((row, id) => ({ ...row, id, pad: 'x'.repeat((id * 7) % 400) }))
          .map((row, at, { length }) => (at * 2 < length ? row : { ...row, more: `${at}` }));
        const disk = new SimDisk();
        const space = { budgetBytes: 64 * 1024, disk, directory: '/tmp' };
        const middle = Math.ceil(all.length / 2);
        const batches = [all.slice(0, middle), all.slice(middle)].flatMap((half) =>
          Array.from({ length: Math.ceil(half.length / 300) }, (_, at) =>
            batchOf(half.slice(at * 300, (at + 1) * 300), { version: ++version }),
          ),
        );
        const parts = { operators: line(op.sort([], specOf(order))), space };
        const [left] = runChain(parts, batches, batchRows);
        expect(left?.map(({ record }) => record)).toEqual(model(all, order));
        spills += disk.journal.length > 0 ? 1 : 0;
        expect(disk.scratch.size).toBe(0);
        expect(disk.files().size).toBe(0);
      }),
      { numRuns: 40 },
    );
    expect(spills).toBeGreaterThan(10);
  });

  it('does so as a whole job, for all records and for those of each key', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        orders,
        fc.constantFrom(1, 3, 1024),
        fc.boolean(),
        async (all, order, batchRows, isKeyed) => {
          const sorted = collectSink<Row>();
          const by = Object.fromEntries(
            order.map(({ name, descending }) => [name, descending ? 'desc' : 'asc'] as const),
          ) as Record<Name, 'asc' | 'desc'>;
          const definition = job('sort', (flow) => {
            const stream = flow.from(all);
            (isKeyed ? stream.keyBy('is').sortBy(by) : stream.sortBy(by)).to(sorted);
          });
          const settings = { 'exchange.batchRows': batchRows };
          await run(definition, { runtime: 'in-thread', settings });
          const key = { name: 'is', descending: false } as const;
          expect(sorted.rows).toEqual(model(all, isKeyed ? [key, ...order] : order));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('sorts by an expression, and by a key that a function gives', async () => {
    const found = collectSink<{ readonly a: number; readonly b: number }>();
    const pairs = Array.from({ length: 50 }, (_, a) => ({ a, b: (a * 7) % 11 }));
    const definition = job('expression', (flow) => {
      flow
        .from(pairs)
        .keyBy((pair) => (pair.a % 2 === 0 ? 'even' : 'odd'))
        .sortBy(col('a').add(col('b')), { descending: true })
        .to(found);
    });
    await run(definition, { runtime: 'in-thread' });
    const sum = ({ a, b }: { a: number; b: number }): number => a + b;
    expect(found.rows).toEqual(
      pairs.toSorted((x, y) => (x.a % 2) - (y.a % 2) || sum(y) - sum(x) || x.a - y.a),
    );
  });
});
