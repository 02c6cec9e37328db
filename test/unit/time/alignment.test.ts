import { describe, expect, it } from 'vitest';
import { AlignmentMember } from '../../../src/time/alignment.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../../src/time/watermark.js';

const alignment = { group: 'g', maxDriftMs: 100, updateIntervalMs: 10 };

/** Members of one group, behind a stranger whose watermark counts for nobody. */
function group(count: number): AlignmentMember[] {
  const cells = new Float64Array(count + 1).fill(WATERMARK_MIN);
  const members = Array.from({ length: count }, (_, index) => index + 1);
  return members.map((own) => new AlignmentMember(cells, own, members, alignment));
}

describe('AlignmentMember', () => {
  it('is ahead when it is more than the drift before the slowest', () => {
    const [fast, slow] = group(2);
    expect(fast?.isAhead).toBe(false);
    fast?.publish(1000, false);
    expect([fast?.isAhead, slow?.isAhead]).toEqual([true, false]);
    slow?.publish(900, false);
    expect([fast?.isAhead, slow?.isAhead]).toEqual([false, false]);
    fast?.publish(1001, false);
    expect(fast?.isAhead).toBe(true);
  });

  it('does not wait for members that are idle or have ended', () => {
    const [fast, idle, ended] = group(3);
    fast?.publish(1000, false);
    idle?.publish(5, true);
    expect(fast?.isAhead).toBe(true);
    ended?.publish(WATERMARK_MAX, false);
    expect([fast?.isAhead, idle?.isAhead, ended?.isAhead]).toEqual([false, false, false]);
    idle?.publish(5, false);
    expect(fast?.isAhead).toBe(true);
  });
});
