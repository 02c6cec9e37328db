/** Keyed operators whose state is always full against the same ones with all the memory that they want. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { col } from '../../src/index.js';
import type { OperatorSpec } from '../../src/operator/operator-spec.js';
import { SimDisk } from '../simulation/sim-disk.js';
import { batchOf, line, op, runChain } from '../unit/operator/chain-harness.js';

interface Row {
  readonly id: number;
  readonly key: string | number;
  readonly other: bigint;
  readonly n: number | null;
}

const keys = fc.oneof(
  fc.constantFrom('', 'a', 'ü', 'a key of more than twelve bytes'),
  fc.nat({ max: 300 }).map((n) => `key ${n}`),
);
const numbers = fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(0.5, -1, 1e300));
const rowsOf = (key: fc.Arbitrary<string | number>) =>
  fc
    .array(
      fc.record({
        key,
        other: fc.bigInt({ min: 0n, max: 1n }),
        n: fc.option(fc.integer({ min: -9, max: 9 })),
      }),
      { minLength: 50, maxLength: 400 },
    )
    .map((all): readonly Row[] => all.map((row, id) => ({ id, ...row })));

const AGGREGATES = {
  count: { fn: 'count' },
  sum: { fn: 'sum', of: col('n') },
  least: { fn: 'min', of: col('n') },
  first: { fn: 'first', of: col('id') },
  last: { fn: 'last', of: col('n') },
  different: { fn: 'countDistinct', of: col('n') },
  all: { fn: 'collect', of: col('id') },
  own: {
    create: () => [] as number[],
    add: (list: unknown, row: unknown) => [...(list as number[]), (row as Row).id],
    result: (list: unknown) => (list as number[]).join(' '),
  },
} as const;

const OPERATORS: Readonly<Record<string, (keys: readonly string[]) => OperatorSpec>> = {
  aggregate: (by) => op.aggregate(by, AGGREGATES as never),
  'aggregate with updates': (by) => op.aggregate(by, AGGREGATES as never, 'updates'),
  reduce: (by) => ({
    ...op.filter(() => true),
    kind: 'reduce',
    keys: by,
    fn: (a: Row, b: Row) => ({ ...b, id: a.id * 31 + b.id }),
    emit: 'final',
  }),
  top: (by) => op.top(by, 2, [{ name: 'n', descending: true }], { rank: 'rank' }),
  distinct: (by) => ({ ...op.filter(() => true), kind: 'distinct', keys: by }),
};

/** The results of each key in their order, whatever the order of keys. */
function byKey(left: readonly { readonly record: unknown; readonly kind: number | null }[]) {
  const found = new Map<string, unknown[]>();
  for (const { record, kind } of left) {
    const { key, other } = record as Row;
    const name = `${typeof key} ${key} ${other}`;
    found.set(name, [...(found.get(name) ?? []), { record, kind }]);
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

describe('a keyed operator whose state is full', () => {
  it.each(Object.keys(OPERATORS))('gives what it gives with memory: %s', (name) => {
    let nested = 0;
    fc.assert(
      fc.property(
        fc.oneof(rowsOf(keys), rowsOf(numbers)),
        fc.constantFrom(['key'], ['key', 'other'], ['other', 'key']),
        fc.integer({ min: 1, max: 20 }),
        (rows, by, batchRows) => {
          const operators = line(OPERATORS[name]?.(by) ?? op.filter(() => true));
          const batches = Array.from({ length: Math.ceil(rows.length / batchRows) }, (_, at) =>
            batchOf(rows.slice(at * batchRows, (at + 1) * batchRows), { version: at + 1 }),
          );
          const [wanted = []] = runChain({ operators }, batches, batchRows);
          const disk = new SimDisk();
          const space = { budgetBytes: 1, disk, directory: '/tmp' };
          const [found = []] = runChain({ operators, space }, batches, batchRows);
          expect(byKey(found)).toEqual(byKey(wanted));
          expect(disk.scratch.size).toBe(0);
          if (disk.journal.filter((each) => each.startsWith('createScratch')).length > 16) nested++;
        },
      ),
      { numRuns: 25 },
    );
    // Partitions overflow, too.
    expect(nested).toBeGreaterThan(1);
  });

  it('keeps what cannot wait: records that are handed on with their event time', () => {
    const rows = Array.from({ length: 500 }, (_, id) => ({ id, key: id, other: 0n, n: 1 }));
    const batches = [rows.slice(0, 250), rows.slice(250)].map((part) =>
      batchOf(part, { times: part.map(({ id }) => id) }),
    );
    const disk = new SimDisk();
    const space = { budgetBytes: 1, disk, directory: '/tmp' };
    const [left = []] = runChain(
      { operators: line(OPERATORS['distinct']?.(['key']) ?? op.filter(() => true)), space },
      batches,
    );
    expect(left.map(({ time }) => time)).toEqual(rows.map(({ id }) => id));
    expect(disk.journal).toEqual([]);
  });
});
