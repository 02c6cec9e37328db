import { describe, expect, it } from 'vitest';
import { LoopRounds } from '../../../src/runtime/loop-rounds.js';

function headsOf(count: number) {
  const words = new Int32Array(new SharedArrayBuffer(12));
  const woken = { times: 0 };
  const wake = (): void => {
    woken.times++;
  };
  return {
    words,
    woken,
    heads: Array.from({ length: count }, () => new LoopRounds(words, count, wake)),
  };
}

describe('LoopRounds', () => {
  it('decides when all heads have arrived, and wakes them', () => {
    const { heads, woken } = headsOf(3);
    heads[0].arrive(0, false);
    heads[2].arrive(0, true);
    expect(heads.map((head) => head.isFed(0))).toEqual([null, null, null]);
    expect(woken.times).toBe(0);
    heads[1].arrive(0, false);
    expect(heads.map((head) => head.isFed(0))).toEqual([true, true, true]);
    expect(woken.times).toBe(1);
  });

  it('does not take what was fed in one round for that of the next', () => {
    const { heads } = headsOf(2);
    for (const head of heads) head.arrive(0, true);
    heads[0].arrive(1, false);
    expect(heads[0].isFed(1)).toBeNull();
    heads[1].arrive(1, false);
    expect(heads.map((head) => head.isFed(1))).toEqual([false, false]);
  });

  it('goes on when its count of arrivals wraps around', () => {
    const { heads, words } = headsOf(2);
    const round = 2 ** 30 - 1;
    words[0] = (2 * round) | 0;
    expect(heads[0].isFed(round)).toBeNull();
    for (const head of heads) head.arrive(round, true);
    expect(heads[1].isFed(round)).toBe(true);
    expect(heads[1].isFed(round + 1)).toBeNull();
  });

  it('tells all heads that one gave up', () => {
    const { heads, woken } = headsOf(2);
    expect(heads[1].isStopped).toBe(false);
    heads[0].stop();
    expect(heads[1].isStopped).toBe(true);
    expect(woken.times).toBe(1);
  });
});
