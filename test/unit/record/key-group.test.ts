import { describe, expect, it } from 'vitest';
import {
  defaultMaxParallelism,
  keyGroupOf,
  keyGroupRange,
  subtaskOf,
} from '../../../src/record/key-group.js';
import { hashNumber, hashText } from '../../../src/record/key-hash.js';

describe('key groups', () => {
  // The golden values of Flink at a maximum parallelism of 128.
  it.each([
    [0, 94],
    [1, 86],
    [2, 127],
    [42, 29],
    [-1, 80],
  ])('puts the number %d into group %d', (key, group) => {
    expect(keyGroupOf(hashNumber(key), 128)).toBe(group);
  });

  it.each([
    ['a', 81],
    ['b', 22],
    ['hello', 35],
    ['flink', 98],
  ])('puts the text "%s" into group %d', (key, group) => {
    expect(keyGroupOf(hashText(key), 128)).toBe(group);
  });

  it.each([
    [
      3,
      [
        [0, 43],
        [43, 86],
        [86, 128],
      ],
    ],
    [
      5,
      [
        [0, 26],
        [26, 52],
        [52, 77],
        [77, 103],
        [103, 128],
      ],
    ],
  ])('deals ranges to %d subtasks as Flink does', (parallelism, ranges) => {
    const dealt = ranges.map((_, subtask) => keyGroupRange(subtask, parallelism, 128));
    expect(dealt.map(({ start, end }) => [start, end])).toStrictEqual(ranges);
  });

  it('gives every group to the subtask in whose range it is', () => {
    for (const [parallelism, max] of [
      [1, 128],
      [7, 128],
      [85, 128],
      [128, 128],
      [300, 512],
      [999, 32768],
    ]) {
      for (let subtask = 0; subtask < parallelism; subtask++) {
        const { start, end } = keyGroupRange(subtask, parallelism, max);
        expect(subtaskOf(start, parallelism, max)).toBe(subtask);
        expect(subtaskOf(end - 1, parallelism, max)).toBe(subtask);
        if (subtask > 0) expect(keyGroupRange(subtask - 1, parallelism, max).end).toBe(start);
      }
    }
  });

  it.each([
    [1, 128],
    [85, 128],
    [86, 256],
    [170, 256],
    [171, 256],
    [200, 512],
    [100_000, 32768],
  ])('has a default maximum for parallelism %d of %d', (parallelism, max) => {
    expect(defaultMaxParallelism(parallelism)).toBe(max);
  });
});
