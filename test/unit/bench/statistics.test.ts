import { describe, expect, it } from 'vitest';
import { ratioOf, spreadOf } from '../../../bench/lib/statistics.mjs';

describe('spreadOf', () => {
  it('gives the middle of an odd count and between the two in the middle of an even one', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ min: 1, median: 5, max: 9 });
    expect(spreadOf([4, 1, 100, 2])).toEqual({ min: 1, median: 3, max: 100 });
  });

  it('orders by value, not by text', () => {
    expect(spreadOf([10, 9, 100]).median).toBe(10);
  });

  it('refuses nothing', () => {
    expect(() => spreadOf([])).toThrow('nothing');
  });
});

describe('ratioOf', () => {
  it('is above 1 when ours is better, whether much or little is wanted', () => {
    expect(ratioOf(20, 10, 'more')).toBe(2);
    expect(ratioOf(10, 20, 'less')).toBe(2);
  });
});
