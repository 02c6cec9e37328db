/** Event time against small models: merging of watermarks, order of timers, bounds of windows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimerQueue } from '../../src/time/timer-queue.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../src/time/watermark.js';
import { WatermarkMerge } from '../../src/time/watermark-merge.js';
import {
  lastWindowEndOfPane,
  mergeSession,
  paneMsOf,
  paneStart,
  periodStart,
  windowStarts,
} from '../../src/time/window-arithmetic.js';

/** One channel of the model, with all that it ever did. */
interface Channel {
  watermarkMs: number;
  status: 'active' | 'idle' | 'ended';
  isBehind: boolean;
}

/** The merge as its rules are told in words. */
class MergeModel {
  watermarkMs = WATERMARK_MIN;
  readonly channels: Channel[];

  constructor(count: number) {
    this.channels = Array.from({ length: count }, () => ({
      watermarkMs: WATERMARK_MIN,
      status: 'active',
      isBehind: false,
    }));
  }

  get isIdle(): boolean {
    const live = this.channels.filter((channel) => channel.status !== 'ended');
    return live.length > 0 && live.every((channel) => channel.status === 'idle');
  }

  do(index: number, what: Step['what'], watermarkMs: number): void {
    const channel = this.channels[index];
    if (channel.status === 'ended') return;
    if (what === 'watermark' && channel.status === 'active') {
      channel.watermarkMs = Math.max(channel.watermarkMs, watermarkMs);
      if (channel.watermarkMs >= this.watermarkMs) channel.isBehind = false;
    }
    if (what === 'max') channel.watermarkMs = WATERMARK_MAX;
    if (what === 'max' || what === 'end') channel.status = 'ended';
    if (what === 'idle' && channel.status === 'active') channel.status = 'idle';
    if (what === 'active' && channel.status === 'idle') {
      channel.status = 'active';
      channel.isBehind = channel.watermarkMs < this.watermarkMs;
      return;
    }
    this.watermarkMs = Math.max(this.watermarkMs, this.#merged());
  }

  #merged(): number {
    const of = (status: Channel['status']): Channel[] =>
      this.channels.filter((channel) => channel.status === status);
    const times = (channels: readonly Channel[]): number[] =>
      channels.map((channel) => channel.watermarkMs);
    if (of('ended').length === this.channels.length) {
      // All have to say that event time is over; one that only stopped leaves it where it is.
      const isOver = times(this.channels).every((one) => one === WATERMARK_MAX);
      return isOver ? WATERMARK_MAX : WATERMARK_MIN;
    }
    if (of('active').length === 0) return Math.max(...times(of('idle')));
    const aligned = of('active').filter((channel) => !channel.isBehind);
    return aligned.length === 0 ? WATERMARK_MIN : Math.min(...times(aligned));
  }
}

interface Step {
  readonly channel: number;
  readonly what: 'watermark' | 'idle' | 'active' | 'end' | 'max';
  readonly ms: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  channel: fc.nat(3),
  what: fc.oneof(
    { weight: 8, arbitrary: fc.constant('watermark' as const) },
    { weight: 3, arbitrary: fc.constantFrom('idle' as const, 'active' as const) },
    { weight: 1, arbitrary: fc.constantFrom('end' as const, 'max' as const) },
  ),
  ms: fc.integer({ min: -20, max: 60 }),
});

describe('WatermarkMerge', () => {
  it('is what the rules say, never goes back, and is not infinite while a channel lives', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(step, { maxLength: 60 }),
        (count, all) => {
          const merge = new WatermarkMerge(count);
          const model = new MergeModel(count);
          for (const { channel: any, what, ms } of all) {
            const channel = any % count;
            const before = merge.watermarkMs;
            let rose = false;
            if (what === 'watermark') rose = merge.advance(channel, ms);
            else if (what === 'max') rose = merge.advance(channel, WATERMARK_MAX);
            else if (what === 'idle') rose = merge.idle(channel);
            else if (what === 'end') rose = merge.end(channel);
            else merge.active(channel);
            model.do(channel, what, ms);
            expect(merge.watermarkMs).toBe(model.watermarkMs);
            expect(merge.isIdle).toBe(model.isIdle);
            expect(rose).toBe(merge.watermarkMs > before);
            const isLive = model.channels.some((each) => each.status !== 'ended');
            if (isLive) expect(merge.watermarkMs).toBeLessThan(WATERMARK_MAX);
          }
        },
      ),
    );
  });
});

describe('TimerQueue', () => {
  it('gives timers in order, whatever is added, taken, deleted and compacted in between', () => {
    const action = fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: -50, max: 50 }).map((time) => ({ add: time })) },
      { weight: 3, arbitrary: fc.constant('pop' as const) },
      { weight: 2, arbitrary: fc.nat(1000).map((index) => ({ remove: index })) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
        const queue = new TimerQueue();
        const alive = new Map<number, number>();
        let nextId = 0;
        const order = (): (readonly [number, number])[] =>
          [...alive]
            .map(([id, time]) => [time, id] as const)
            .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        const skipDeleted = (): void => {
          while (queue.size > 0 && !alive.has(queue.firstId)) {
            queue.pop();
            queue.forgotten();
          }
        };
        for (const what of actions) {
          if (what === 'pop') {
            skipDeleted();
            const [first] = order();
            expect(queue.firstTimeMs).toBe(first === undefined ? Infinity : first[0]);
            if (first === undefined) continue;
            expect(queue.firstId).toBe(first[1]);
            queue.pop();
            alive.delete(first[1]);
          } else if ('add' in what) {
            alive.set(nextId, what.add);
            queue.add(what.add, nextId++);
          } else {
            const ids = [...alive.keys()];
            if (ids.length === 0) continue;
            alive.delete(ids[what.remove % ids.length]);
            if (queue.deleted()) queue.compact((_, id) => alive.has(id));
          }
        }
        const rest: (readonly [number, number])[] = [];
        const expected = order();
        for (skipDeleted(); queue.size > 0; skipDeleted()) {
          rest.push([queue.firstTimeMs, queue.firstId]);
          queue.pop();
        }
        expect(rest).toEqual(expected);
      }),
    );
  });
});

describe('windows', () => {
  const time = fc.integer({ min: -1e13, max: 1e13 });
  const length = fc.integer({ min: 1, max: 100_000 });
  const offset = fc.integer({ min: -1e6, max: 1e6 });

  it('begin so that a period holds the time, and one of them at the offset', () => {
    fc.assert(
      fc.property(time, length, offset, (timeMs, periodMs, offsetMs) => {
        const start = periodStart(timeMs, periodMs, offsetMs);
        expect(start <= timeMs && timeMs < start + periodMs).toBe(true);
        expect(Math.abs((start - offsetMs) % periodMs)).toBe(0);
        expect(Object.is(start, -0)).toBe(false);
      }),
    );
  });

  it('that hold a time are those, and only those, whose bounds do', () => {
    const small = fc.integer({ min: 1, max: 30 });
    const near = fc.integer({ min: -200, max: 200 });
    fc.assert(
      fc.property(near, small, small, near, (timeMs, sizeMs, slideMs, offsetMs) => {
        const expected: number[] = [];
        for (let start = timeMs; start > timeMs - sizeMs; start--) {
          if ((start - offsetMs) % slideMs === 0) expected.push(start);
        }
        expect(windowStarts(timeMs, { sizeMs, slideMs, offsetMs })).toEqual(expected);
      }),
    );
  });

  it('are made of whole panes, and a pane lives until its last window ends', () => {
    const small = fc.integer({ min: 1, max: 30 });
    const near = fc.integer({ min: -200, max: 200 });
    fc.assert(
      fc.property(near, small, small, near, (timeMs, sizeMs, slideMs, offsetMs) => {
        const grid = { sizeMs, slideMs, offsetMs };
        const paneMs = paneMsOf(grid);
        const pane = paneStart(timeMs, grid);
        const starts = windowStarts(timeMs, grid);
        for (const start of starts) {
          expect(pane >= start && pane + paneMs <= start + sizeMs).toBe(true);
        }
        expect(windowStarts(pane, grid)).toEqual(starts);
        const ends = starts.map((start) => start + sizeMs);
        expect(lastWindowEndOfPane(pane, grid)).toBe(ends.length === 0 ? null : Math.max(...ends));
      }),
    );
  });

  it('of sessions merge when they overlap or touch, in any order of arrival', () => {
    const span = fc.tuple(fc.integer({ min: -60, max: 60 }), fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(fc.array(span, { maxLength: 25 }), (spans) => {
        const sessions: { start: number; end: number }[] = [];
        for (const [start, gap] of spans) {
          const { from, to, startMs, endMs } = mergeSession(
            sessions.map((session) => session.start),
            sessions.map((session) => session.end),
            sessions.length,
            start,
            start + gap,
          );
          sessions.splice(from, to - from, { start: startMs, end: endMs });
        }
        expect(sessions).toEqual(unionOf(spans));
      }),
    );
  });
});

/** The union of the closed intervals: which touch, are one. */
function unionOf(
  spans: readonly (readonly [number, number])[],
): readonly { start: number; end: number }[] {
  const union: { start: number; end: number }[] = [];
  for (const [start, gap] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = union.at(-1);
    if (last === undefined || last.end < start) union.push({ start, end: start + gap });
    else last.end = Math.max(last.end, start + gap);
  }
  return union;
}
