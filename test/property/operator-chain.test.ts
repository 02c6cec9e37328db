import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChainOperator } from '../../src/operator/chain-options.js';
import { col } from '../../src/operator/expression-builder.js';
import type { Schema } from '../../src/record/schema.js';
import { batchOf, op, runChain } from '../unit/operator/chain-harness.js';

/** All operators here take and give this record, so that any of them can follow any other. */
interface Row {
  readonly k: number;
  readonly n: number | null;
  readonly t: string;
}
const SCHEMA: Schema = {
  shape: 'object',
  fields: [
    { name: 'k', type: { kind: 'int32' }, nullable: false, optional: false },
    { name: 'n', type: { kind: 'number' }, nullable: true, optional: false },
    { name: 't', type: { kind: 'utf8' }, nullable: false, optional: false },
  ],
};

/** An operator, and what it does to an array. */
interface Modelled {
  readonly operator: ChainOperator['spec'];
  readonly model: (rows: readonly Row[]) => readonly Row[];
}

const double = (r: Row): Row => ({ k: r.k + 1, n: r.n === null ? null : r.n * 2, t: `${r.t}!` });
const copies = (r: Row): readonly Row[] =>
  Array.from({ length: Math.abs(r.k) % 3 }, (_, copy) => ({ ...r, t: `${r.t}${copy}` }));

const KINDS: Readonly<Record<string, (c: number) => Modelled>> = {
  map: () => ({ operator: op.map(double), model: (rows) => rows.map(double) }),
  'map to columns': () => ({
    operator: op.map(double, SCHEMA),
    model: (rows) => rows.map(double),
  }),
  filter: (c) => {
    const keep = (r: Row): boolean => r.k % (c + 2) !== 0;
    return { operator: op.filter(keep), model: (rows) => rows.filter(keep) };
  },
  where: (c) => ({
    operator: op.where(col('n').gt(c).or(col('t').eq('a'))),
    model: (rows) => rows.filter((r) => (r.n !== null && r.n > c) || r.t === 'a'),
  }),
  flatMap: () => ({ operator: op.flatMap(copies), model: (rows) => rows.flatMap(copies) }),
  split: (c) => {
    const separator = ['!', 'a', 'ü', '0!', ''][c % 5];
    return {
      operator: op.explode('t', col('t').split(separator)),
      model: (rows) => rows.flatMap((r) => r.t.split(separator).map((t) => ({ ...r, t }))),
    };
  },
  words: () => ({
    operator: op.explode('t', col('t').concat(' ', col('t')).words()),
    model: (rows) =>
      rows.flatMap((r) =>
        `${r.t} ${r.t}`
          .split(/\s+/)
          .filter((t) => t !== '')
          .map((t) => ({ ...r, t })),
      ),
  }),
  generator: () => ({
    operator: op.flatMap(function* (r: Row) {
      yield* copies(r);
    }),
    model: (rows) => rows.flatMap(copies),
  }),
  select: (c) => ({
    operator: op.select({ k: col('k').sub(c), n: col('n').coalesce(c), t: col('t') }),
    model: (rows) => rows.map((r) => ({ k: r.k - c, n: r.n ?? c, t: r.t })),
  }),
  distinct: () => ({
    operator: op.distinct('k', 't'),
    model: (rows) =>
      rows.filter((r, at) => rows.findIndex((other) => other.k === r.k && other.t === r.t) === at),
  }),
  aggregate: () => ({
    operator: op.aggregate(
      ['k'],
      { n: { fn: 'sum', of: col('n') }, t: { fn: 'max', of: col('t') } },
      'updates',
    ),
    model: (rows) =>
      rows.map((r, at) => {
        const same = rows.slice(0, at + 1).filter((other) => other.k === r.k);
        const numbers = same.flatMap((other) => other.n ?? []);
        return {
          k: r.k,
          n: numbers.length === 0 ? null : numbers.reduce((a, b) => a + b),
          t: same.map((other) => other.t).reduce((a, b) => (a > b ? a : b)),
        };
      }),
  }),
  reduce: () => {
    const longer = (a: Row, b: Row): Row => ({ ...a, t: a.t.length >= b.t.length ? a.t : b.t });
    return {
      operator: op.reduce(['k'], longer, 'updates'),
      model: (rows) =>
        rows.map((r, at) =>
          rows
            .slice(0, at + 1)
            .filter((other) => other.k === r.k)
            .reduce(longer),
        ),
    };
  },
};

const rowArbitrary = fc.record({
  k: fc.integer({ min: -5, max: 5 }),
  n: fc.option(fc.integer({ min: -100, max: 100 }).map((n) => n / 4)),
  t: fc.oneof(fc.constantFrom('a', 'b', 'ü', '🦉'), fc.string({ maxLength: 3 })),
});

const treeArbitrary = fc.array(
  fc.record({
    kind: fc.constantFrom(...Object.keys(KINDS)),
    c: fc.integer({ min: 0, max: 3 }),
    /** Consumes an earlier operator, or the input. */
    input: fc.nat(),
  }),
  { maxLength: 6 },
);

describe('random chains', () => {
  it('give what the same functions over arrays give', () => {
    fc.assert(
      fc.property(
        fc.array(rowArbitrary, { minLength: 1, maxLength: 40 }),
        treeArbitrary,
        fc.record({
          rowsPerBatch: fc.integer({ min: 1, max: 40 }),
          budget: fc.integer({ min: 1, max: 20 }),
          capacity: fc.integer({ min: 1, max: 5 }),
          refuses: fc.boolean(),
        }),
        (rows, tree, drive) => {
          const inputs = tree.map(({ input }, at) => (input % (at + 1)) - 1);
          const modelled = tree.map(({ kind, c }) => KINDS[kind](c));
          const results: (readonly Row[])[] = [];
          modelled.forEach(({ model }, at) => {
            results.push(model(inputs[at] < 0 ? rows : results[inputs[at]]));
          });
          let calls = 0;
          const batches = [];
          for (let from = 0; from < rows.length; from += drive.rowsPerBatch) {
            const part = rows.slice(from, from + drive.rowsPerBatch);
            batches.push(batchOf(part, { schema: SCHEMA }));
          }
          const left = runChain(
            {
              operators: modelled.map(({ operator: spec }, at) => ({ spec, input: inputs[at] })),
              outputs: [{ after: -1 }, ...tree.map((_, after) => ({ after }))],
              capacity: drive.capacity,
              mayTake: () => !drive.refuses || calls++ % 2 === 1,
            },
            batches,
            drive.budget,
          );
          const records = left.map((port) => port.map(({ record }) => record));
          expect(records).toEqual([rows, ...results]);
        },
      ),
      { numRuns: 150 },
    );
  });
});
