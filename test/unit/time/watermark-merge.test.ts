import { describe, expect, it } from 'vitest';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../../src/time/watermark.js';
import { WatermarkMerge } from '../../../src/time/watermark-merge.js';

describe('WatermarkMerge', () => {
  it('is the least of all channels, once each has one', () => {
    const merge = new WatermarkMerge(2);
    expect([merge.advance(0, 10), merge.watermarkMs]).toEqual([false, WATERMARK_MIN]);
    expect([merge.advance(1, 7), merge.watermarkMs]).toEqual([true, 7]);
    expect([merge.advance(1, 12), merge.watermarkMs]).toEqual([true, 10]);
    expect(merge.advance(0, 3)).toBe(false);
  });

  it('does not wait for idle channels, and lets one that lags catch up first', () => {
    const merge = new WatermarkMerge(2);
    merge.advance(0, 10);
    expect([merge.idle(1), merge.watermarkMs, merge.isIdle]).toEqual([true, 10, false]);
    expect(merge.advance(1, 99)).toBe(false);
    merge.active(1);
    expect([merge.advance(1, 5), merge.advance(0, 20), merge.watermarkMs]).toEqual([
      false,
      true,
      20,
    ]);
    expect([merge.advance(1, 25), merge.advance(0, 30), merge.watermarkMs]).toEqual([
      false,
      true,
      25,
    ]);
  });

  it('gives the greatest watermark before all is idle', () => {
    const merge = new WatermarkMerge(2);
    merge.advance(0, 10);
    merge.advance(1, 30);
    merge.idle(0);
    expect([merge.watermarkMs, merge.isIdle]).toEqual([30, false]);
    merge.idle(1);
    expect([merge.watermarkMs, merge.isIdle]).toEqual([30, true]);
  });

  it('leaves out channels that have ended, also when the others are idle', () => {
    const merge = new WatermarkMerge(3);
    merge.advance(0, 10);
    merge.advance(1, 20);
    merge.advance(2, WATERMARK_MAX);
    expect([merge.watermarkMs, merge.hasEnded(2)]).toEqual([10, true]);
    merge.idle(0);
    merge.idle(1);
    expect([merge.watermarkMs, merge.isIdle]).toEqual([20, true]);
    merge.advance(0, WATERMARK_MAX);
    expect([merge.advance(1, WATERMARK_MAX), merge.watermarkMs, merge.isIdle]).toEqual([
      true,
      WATERMARK_MAX,
      false,
    ]);
  });

  it('does not end event time when a channel stopped without draining', () => {
    const merge = new WatermarkMerge(2);
    merge.advance(0, 10);
    merge.advance(1, 20);
    merge.end(1);
    merge.advance(0, WATERMARK_MAX);
    expect([merge.watermarkMs, merge.isIdle]).toEqual([10, false]);
  });
});
