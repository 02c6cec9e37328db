import { describe, expect, it } from 'vitest';
import { col } from '../../../src/operator/expression-builder.js';
import type { OperatorSpec } from '../../../src/operator/operator-spec.js';
import { batchOf, chainOf, line, op, runChain, untilDone } from './chain-harness.js';

const KEYS = [0, 1, -1, 7, -0, 0.5, 2 ** 31, -(2 ** 31), 2 ** 40, Number.NaN, 7, 7, 0.5];
const sum = { n: { fn: 'sum', of: col('n') } } as const;
const updates = op.aggregate(['k'], sum, 'updates');

/** Records of all keys, again and again, so that all but the first ones are of keys that are known. */
function recordsOfRound(round: number): readonly { k: number; n: number }[] {
  return KEYS.map((k, index) => ({ k, n: round * 100 + index }));
}

/** What running sums give: key, sum, and whether the key was met before. */
function expected(records: readonly { k: number; n: number }[]): readonly unknown[] {
  const sums = new Map<number, number>();
  return records.map(({ k, n }) => {
    const before = sums.get(k);
    sums.set(k, (before ?? 0) + n);
    return [{ k: k === 0 ? 0 : k, n: sums.get(k) }, before === undefined ? 0 : 2];
  });
}

describe('entries looked up ahead of the rows', () => {
  it('are those of the same keys, new ones in the turn of their first row', () => {
    const rounds = [0, 1, 2].map(recordsOfRound);
    const [left] = runChain(
      { operators: line(updates) },
      rounds.map((records) => batchOf(records)),
    );
    const got = left.map(({ record, kind }) => {
      const { k, n } = record as { k: number; n: number };
      return [{ k: k === 0 ? 0 : k, n }, kind];
    });
    expect(got).toEqual(expected(rounds.flat()));
  });

  it('are those of the rows that a batch names by number', () => {
    const batch = batchOf(recordsOfRound(0));
    const selection = Int32Array.of(12, 3, 10, 0, 3);
    const selected = { ...batch, rows: 5, selection };
    const [left] = runChain({ operators: line(updates) }, [selected, selected]);
    const records = [...selection, ...selection].map((row) => recordsOfRound(0)[row]);
    expect(left.map(({ record, kind }) => [record, kind])).toEqual(expected(records));
  });

  it('go on where a call had to end, without counting a key as known before its row', () => {
    const chain = chainOf({ operators: line(updates) });
    const records = [...recordsOfRound(0), ...recordsOfRound(1)];
    const batch = batchOf(records);
    const cursor = { position: 0 };
    while (chain.task.step(0, batch, cursor, 3) !== 0);
    untilDone((end) => chain.task.endOfInput(end, 1000));
    chain.task.flush();
    expect(chain.ports[0].left.map(({ kind }) => kind)).toEqual(
      expected(records).map((each) => (each as [unknown, number])[1]),
    );
  });

  it('are looked up at the head of a chain only, where every row has its turn', () => {
    const isAhead = (...specs: readonly OperatorSpec[]): boolean => {
      const chain = chainOf({ operators: line(...specs) });
      untilDone((cursor) => chain.task.step(0, batchOf(recordsOfRound(0)), cursor, 1000));
      return chain.task.code().includes('findWritten');
    };
    expect(isAhead(updates)).toBe(true);
    expect(isAhead(op.where(col('n').gt(3)), updates)).toBe(false);
    expect(isAhead(op.aggregate(['k', 'n'], sum, 'updates'))).toBe(false);
  });
});
