/** Top-n against a model that sorts. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { collectSink, job, run } from '../../src/index.js';

interface Row {
  readonly id: number;
  readonly key: string;
  readonly big: bigint;
  readonly score: number | null;
}

const rows = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'ü'),
      big: fc.bigInt({ min: -2n, max: 2n }),
      score: fc.option(fc.integer({ min: -2, max: 2 })),
    }),
    { minLength: 1, maxLength: 80 },
  )
  .map((all): readonly Row[] => all.map((row, id) => ({ id, ...row })));

/** The rank of null is below that of all values. */
function compare<V extends number | bigint | string>(a: V | null, b: V | null): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null);
  return a < b ? -1 : a > b ? 1 : 0;
}

function model(all: readonly Row[], n: number, ties: 'first' | 'last') {
  const sorted = all.toSorted(
    (a, b) =>
      -compare(a.score, b.score) ||
      compare(a.big, b.big) ||
      (ties === 'first' ? a.id - b.id : b.id - a.id),
  );
  return ['a', 'b', 'ü'].flatMap((key) =>
    sorted
      .filter((row) => row.key === key)
      .slice(0, n)
      .map((row, at) => ({ ...row, place: at + 1 })),
  );
}

it('topN gives what sorting gives, in any batches', async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom('first', 'last'),
      fc.constantFrom(1, 3, 1024),
      async (all, n, ties, batchRows) => {
        const best = collectSink<Row & { readonly place: number }>();
        const definition = job('top', (flow) => {
          flow
            .from(all)
            .keyBy('key')
            .topN(n, { orderBy: { score: 'desc', big: 'asc' }, ties, rank: 'place' })
            .to(best);
        });
        const settings = { 'exchange.batchRows': batchRows };
        await run(definition, { runtime: 'in-thread', settings });
        const found = best.rows.toSorted(
          (a, b) => compare(a.key, b.key) || compare(a.place, b.place),
        );
        expect(found).toEqual(model(all, n, ties));
      },
    ),
    { numRuns: 60 },
  );
});
