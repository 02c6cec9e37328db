/**
 * Chains of functions that only calculate, several rows of which go through a turn of their loop, against the same
 * functions over arrays: records that change their type, functions that fail, and consumers that refuse, in any place
 * of a turn.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/base/errors.js';
import type { OperatorSpec } from '../../src/operator/operator-spec.js';
import {
  batchOf,
  chainOf,
  line,
  op,
  recordsOf,
  runChain,
  untilDone,
} from '../unit/operator/chain-harness.js';

interface Row {
  readonly a: number;
  readonly b: number;
}
interface Mixed {
  readonly v: number | string;
  readonly w: number;
}

const mix = (r: Row): Mixed => ({ v: r.a > 7 ? 'many' : r.b * 2, w: r.a });
const keep = (r: Mixed): boolean => r.w !== 3;
const twice = (r: Mixed): Mixed => ({ v: r.v, w: r.w > 6 ? r.w : r.w * 2 });
const OPERATORS: readonly OperatorSpec[] = [op.map(mix), op.filter(keep), op.map(twice)];

const rowsArbitrary = fc.array(
  fc.record({ a: fc.integer({ min: 0, max: 9 }), b: fc.integer({ min: -3, max: 3 }) }),
  { minLength: 1, maxLength: 80 },
);

describe('chains of functions that only calculate', () => {
  it('give what the same functions over arrays give', () => {
    fc.assert(
      fc.property(
        rowsArbitrary,
        fc.record({
          budget: fc.integer({ min: 1, max: 60 }),
          capacity: fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 8, max: 80 })),
          refuses: fc.boolean(),
        }),
        (rows, { budget, capacity, refuses }) => {
          let calls = 0;
          const [left] = runChain(
            {
              operators: line(...OPERATORS),
              outputs: [{ after: OPERATORS.length - 1, columns: ['v'] }],
              capacity,
              mayTake: () => !refuses || calls++ % 2 === 1,
            },
            [batchOf(rows), batchOf(rows)],
            budget,
          );
          const results = rows
            .map(mix)
            .filter(keep)
            .map(twice)
            .map(({ v }) => ({ v }));
          expect(left.map(({ record }) => record)).toEqual([...results, ...results]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('name the record whose function fails', () => {
    fc.assert(
      fc.property(rowsArbitrary, fc.integer({ min: 0, max: 79 }), (rows, at) => {
        const bad = at % rows.length;
        const input = rows.map((row, index) => ({ ...row, bad: index === bad ? null : { x: 1 } }));
        const operators = line(
          op.filter((r: Row) => r.a < 20),
          op.map((r: Row & { bad: { x: number } }) => ({ v: r.bad.x })),
        );
        try {
          recordsOf({ operators }, [...input.filter((_, index) => index !== bad), ...input]);
        } catch (error) {
          if (!MillraceError.is(error)) throw error;
          expect(error.code).toBe('USER_FUNCTION_FAILED');
          expect(error.where).toMatchObject({ operator: 'map', record: rows.length - 1 + bad });
          return;
        }
        throw new Error('The chain did not fail.');
      }),
      { numRuns: 100 },
    );
  });

  it('go through a turn several at a time, unless they are long or call others', () => {
    const rowsOf = (...operators: readonly OperatorSpec[]): number => {
      const outputs = [{ after: operators.length - 1, columns: ['a'] }];
      const chain = chainOf({ operators: line(...operators), outputs });
      const batch = batchOf([{ a: 2, b: 1 }]);
      // The code for records of a known type comes with the second batch.
      untilDone((cursor) => chain.task.step(0, batch, cursor, 10));
      untilDone((cursor) => chain.task.step(0, batch, cursor, 10));
      const code = chain.task.code().split('return function rows0').at(-1) ?? '';
      // The last rows go one by one.
      return code.split('// map "map"').length - 2;
    };
    const map = op.map((r: Row) => ({ a: r.a, b: r.b }));
    const root = op.filter((r: Row) => Math.sqrt(r.a) > 1);
    expect(rowsOf(map)).toBe(4);
    expect(rowsOf(map, ...Array.from({ length: 14 }, () => op.filter((r: Row) => r.a > 1)))).toBe(
      2,
    );
    expect(rowsOf(map, root)).toBe(0);
  });
});
