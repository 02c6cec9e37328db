import { describe, expect, it } from 'vitest';
import { differenceOf, mixCell, sortedAnswer } from '../../../bench/lib/answer.mjs';

describe('differenceOf', () => {
  it('takes sums that differ by rounding as equal, and others not', () => {
    expect(differenceOf([['a', 0.1 + 0.2]], [['a', 0.3]])).toBeNull();
    expect(differenceOf([['a', 1_000_000]], [['a', 1_000_001]])).toContain('row 0');
  });

  it('tells of missing rows, other keys and missing cells', () => {
    expect(differenceOf([['a', 1]], [])).toContain('0 rows instead of 1');
    expect(differenceOf([['a', 1]], [['b', 1]])).toContain('"b"');
    expect(differenceOf([['a', 1, 2]], [['a', 1]])).not.toBeNull();
  });

  it('takes a number and the same text as different', () => {
    expect(differenceOf([[1]], [['1']])).not.toBeNull();
  });

  it('names only the first differences', () => {
    const expected = Array.from({ length: 100 }, (_, row) => [`key ${row}`, row]);
    const actual = expected.map(([key]) => [key, -1]);
    expect(differenceOf(expected, actual)?.split('; ')).toHaveLength(3);
  });
});

describe('sortedAnswer', () => {
  it('orders rows by their texts, else by their first number', () => {
    const rows = sortedAnswer([
      ['b', 1],
      ['a', 2],
    ]);
    expect(rows).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(sortedAnswer([[10], [9]])).toEqual([[9], [10]]);
  });
});

describe('mixCell', () => {
  it('depends on each cell, on their order, and on the upper half of large numbers', () => {
    const mixed = (...cells: number[]) => cells.reduce(mixCell, 0);
    const all = [mixed(1, 2), mixed(2, 1), mixed(1, 3), mixed(2 ** 32 + 1, 2), mixed(-1, 2)];
    expect(new Set(all).size).toBe(all.length);
  });
});
