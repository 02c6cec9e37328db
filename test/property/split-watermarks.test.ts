/**
 * The watermarks of a source that reads several splits, against a model that looks at all that has happened anew for
 * every tick: whatever the splits do, and whichever are held back.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WATERMARK_MIN } from '../../src/time/watermark.js';
import { NO_SPLIT, WatermarkAssigner } from '../../src/time/watermark-assigner.js';

const SPLITS = 3;
const DELAY_MS = 2;
const IDLE_MS = 50;

type Deed =
  | { readonly does: 'read'; readonly split: number; readonly times: readonly number[] }
  | { readonly does: 'end'; readonly split: number }
  | { readonly does: 'tick'; readonly afterMs: number }
  | { readonly does: 'align'; readonly driftMs: number };

const split = fc.nat(SPLITS - 1);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('read' as const),
      split,
      times: fc.array(fc.nat(400), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('end' as const), split }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('tick' as const), afterMs: fc.nat(40) }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('align' as const), driftMs: fc.nat(200) }),
  },
);

/** What is known of a split: each tick says when it was and whether the split had records or was paused since. */
class ModelSplit {
  readonly times: number[] = [];
  watermarkMs = WATERMARK_MIN;
  isPaused = false;
  hadRecords = false;
  /** Time without records, not counting that in which it was paused; null until the first tick without any. */
  quietMs: number | null = null;
  /** Ticks in a row that have found this to be too long. */
  ticksOver = 0;

  tick(afterMs: number): void {
    if (this.hadRecords) this.quietMs = null;
    else if (this.quietMs === null) this.quietMs = 0;
    else if (!this.isPaused) this.quietMs += afterMs;
    this.hadRecords = false;
    this.ticksOver = this.quietMs !== null && this.quietMs > IDLE_MS ? this.ticksOver + 1 : 0;
    if (this.isIdle || this.times.length === 0) return;
    this.watermarkMs = Math.max(...this.times) - DELAY_MS - 1;
  }

  get isIdle(): boolean {
    return this.ticksOver > 1;
  }
}

class Model {
  readonly splits = new Map<number, ModelSplit>();
  watermarkMs = WATERMARK_MIN;
  isIdle = false;

  get active(): readonly [number, ModelSplit][] {
    return [...this.splits].filter(([, one]) => !one.isIdle);
  }

  tick(afterMs: number): void {
    for (const one of this.splits.values()) one.tick(afterMs);
    this.isIdle = this.splits.size > 0 && this.active.length === 0;
    if (this.active.length === 0) return;
    const least = Math.min(...this.active.map(([, one]) => one.watermarkMs));
    this.watermarkMs = Math.max(this.watermarkMs, least);
  }

  align(limitMs: number): readonly number[] {
    for (const [number, one] of this.splits) {
      one.isPaused = number !== NO_SPLIT && !one.isIdle && one.watermarkMs > limitMs;
    }
    return [...this.splits].filter(([, one]) => one.isPaused).map(([number]) => number);
  }
}

describe('watermarks by split', () => {
  it('are the least of those that are read and not idle', () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
        const assigner = new WatermarkAssigner({
          generation: { kind: 'bounded', outOfOrdernessMs: DELAY_MS },
          idleTimeoutMs: IDLE_MS,
          alignment: null,
        });
        const model = new Model();
        const ended = new Set<number>();
        let nowMs = 1000;
        // Before the first record of a split the assigner is that of a stream without splits.
        model.splits.set(NO_SPLIT, new ModelSplit());
        for (const one of deeds) {
          if (one.does === 'tick') {
            nowMs += one.afterMs;
            assigner.tick({ epochMs: 0, activeMs: nowMs });
            model.tick(one.afterMs);
            expect([assigner.watermarkMs, assigner.isIdle]).toEqual([
              model.watermarkMs,
              model.isIdle,
            ]);
            const least = Math.min(...model.active.map(([, { watermarkMs }]) => watermarkMs));
            const holders = model.active.filter(([, { watermarkMs }]) => watermarkMs === least);
            if (holders.length === 0) expect(assigner.heldBySplit).toBe(NO_SPLIT);
            else expect(holders.map(([number]) => number)).toContain(assigner.heldBySplit);
          } else if (one.does === 'align') {
            const limitMs = model.watermarkMs + one.driftMs;
            expect(assigner.pauseAhead(limitMs)).toEqual(model.align(limitMs));
          } else if (one.does === 'end') {
            if (!model.splits.delete(one.split)) continue;
            ended.add(one.split);
            assigner.endSplit(one.split);
          } else if (!ended.has(one.split)) {
            model.splits.delete(NO_SPLIT);
            const own = model.splits.get(one.split) ?? new ModelSplit();
            if (own.isPaused) continue;
            model.splits.set(one.split, own);
            own.times.push(...one.times);
            own.hadRecords = true;
            assigner.enterSplit(one.split);
            const { current } = assigner;
            current.maxTimeMs = Math.max(current.maxTimeMs, ...one.times);
            current.hadRecords = true;
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
