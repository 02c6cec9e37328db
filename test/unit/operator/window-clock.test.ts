/** Windows that go by the wall clock: which one a record is in, when they end, and what happens to them at the end. */
import { describe, expect, it } from 'vitest';
import { col } from '../../../src/operator/expression-builder.js';
import { openWindows } from '../../../src/operator/window/window-operator.js';
import {
  continuousProcessingTimeTrigger,
  countTrigger,
  endOfInputTrigger,
  processingTimeoutTrigger,
  type MergeContext,
  purgingTrigger,
  type Trigger,
  type TriggerResult,
} from '../../../src/operator/window/trigger.js';
import {
  alignedAssigner,
  globalAssigner,
  sessionAssigner,
  type WindowAssigner,
} from '../../../src/operator/window/assigner.js';
import type { OperatorSpec } from '../../../src/operator/operator-spec.js';
import type { TimeWindow } from '../../../src/operator/window/window.js';
import { WATERMARK_MAX } from '../../../src/time/watermark.js';
import { batchOf, chainOf, line, MemorySnapshot, op, untilDone } from './chain-harness.js';

interface Row {
  readonly id: number;
}

/** A chain of one operator with a clock that the test sets. */
function atClock(spec: OperatorSpec) {
  let nowMs = 0;
  const parts = {
    operators: line(spec),
    clock: { epochMs: () => nowMs, monotonicMs: () => nowMs },
  };
  let chain = chainOf(parts);
  return {
    next: () => chain.task.nextProcessingTimer,
    give(atMs: number, ...ids: readonly number[]) {
      nowMs = atMs;
      const batch = batchOf(ids.map((id) => ({ id })));
      untilDone((cursor) => chain.task.step(0, batch, cursor, 10));
    },
    pass(toMs: number) {
      nowMs = toMs;
      untilDone((cursor) => chain.task.advanceProcessingTime(toMs, cursor, 1));
    },
    move() {
      const snapshot = new MemorySnapshot();
      chain.task.snapshot(snapshot);
      chain = chainOf({ ...parts, from: chain });
      chain.task.restore(snapshot);
    },
    end() {
      untilDone((cursor) => chain.task.advance(WATERMARK_MAX, cursor, 10));
      untilDone((cursor) => chain.task.endOfInput(cursor, 10));
    },
    results() {
      untilDone(() => (chain.task.flush() ? 0 : 1));
      return chain.ports[0].left.map(({ record }) => record);
    },
  };
}

const IDS = { ids: { fn: 'collect', of: col('id') } } as const;

describe('compiled windows by the wall clock', () => {
  it('take records by when they come, and end with their last millisecond', () => {
    const run = atClock(op.window([], IDS, { sizeMs: 100, time: 'processing' }));
    run.give(1005.5, 1);
    run.give(1099.9, 2);
    expect(run.next()).toBe(1100);
    run.pass(1099.9);
    expect(run.results()).toEqual([]);
    run.pass(1100);
    expect(run.results()).toEqual([{ windowStart: 1000, windowEnd: 1100, ids: [1, 2] }]);
    expect(run.next()).toBe(Number.POSITIVE_INFINITY);
    run.give(1100, 3);
    run.move();
    run.pass(5000);
    expect(run.results().at(-1)).toEqual({ windowStart: 1100, windowEnd: 1200, ids: [3] });
  });

  it('slide too, and do not go back with the clock', () => {
    const run = atClock(op.window([], IDS, { sizeMs: 200, slideMs: 100, time: 'processing' }));
    run.give(1050, 1);
    run.pass(1150);
    run.give(1000, 2);
    run.pass(1300);
    expect(run.results()).toEqual([
      { windowStart: 900, windowEnd: 1100, ids: [1] },
      { windowStart: 1000, windowEnd: 1200, ids: [1, 2] },
      { windowStart: 1100, windowEnd: 1300, ids: [2] },
    ]);
  });

  it('give nothing that has not ended when the input does', () => {
    const run = atClock(op.window([], IDS, { sizeMs: 100, time: 'processing' }));
    run.give(1050, 1);
    run.end();
    expect(run.results()).toEqual([]);
  });

  it('give what has not ended when the input does, once, where that was asked for', () => {
    const spec = { sizeMs: 200, slideMs: 100, time: 'processing', firesAtEnd: true } as const;
    const run = atClock(op.window([], IDS, spec));
    run.give(1050, 1);
    run.pass(1150);
    run.give(1160, 2);
    run.move();
    run.end();
    expect(run.results()).toEqual([
      { windowStart: 900, windowEnd: 1100, ids: [1] },
      { windowStart: 1000, windowEnd: 1200, ids: [1, 2] },
      { windowStart: 1100, windowEnd: 1300, ids: [2] },
    ]);
    expect(run.next()).toBe(Number.POSITIVE_INFINITY);
  });
});

/** Windows of ids, of one key. */
function general(assigner: WindowAssigner<Row>, trigger?: Trigger<Row>): OperatorSpec {
  return op.process<Row, unknown>(['id'], (context) =>
    openWindows<Row, never, unknown>(
      {
        assigner,
        trigger: trigger ?? assigner.defaultTrigger(),
        evictor: null,
        allowedLatenessMs: 0,
        lateTag: null,
        fold: null,
        fn: (rows, { window, collect }) =>
          collect({ start: window.start, end: window.end, rows: rows.length }),
      },
      context,
    ),
  );
}

describe('windows of records by the wall clock', () => {
  it('are sessions that end when no record has come for the gap', () => {
    const run = atClock(general(sessionAssigner(() => 100, 'processing')));
    run.give(1000, 7);
    run.give(1080, 7);
    run.pass(1179);
    expect(run.results()).toEqual([]);
    run.move();
    run.pass(1180);
    expect(run.results()).toEqual([{ start: 1000, end: 1180, rows: 2 }]);
  });

  it('fire at every multiple of an interval with a continuous trigger', () => {
    const assigner = alignedAssigner({ sizeMs: 100, slideMs: 100, offsetMs: 0 }, 'processing');
    const run = atClock(general(assigner, continuousProcessingTimeTrigger(40)));
    run.give(1010, 7);
    run.pass(1041);
    run.give(1050, 7);
    run.pass(1081);
    run.pass(1200);
    expect(run.results()).toEqual([
      { start: 1000, end: 1100, rows: 1 },
      { start: 1000, end: 1100, rows: 2 },
      { start: 1000, end: 1100, rows: 2 },
    ]);
  });

  it('fire when no record has come for a while with a timeout', () => {
    const assigner = alignedAssigner({ sizeMs: 1000, slideMs: 1000, offsetMs: 0 }, 'processing');
    const trigger = processingTimeoutTrigger(assigner.defaultTrigger(), 50);
    const run = atClock(general(assigner, trigger));
    run.give(10, 7);
    run.give(40, 7);
    run.pass(89);
    expect(run.results()).toEqual([]);
    run.pass(91);
    expect(run.results()).toEqual([{ start: 0, end: 1000, rows: 2 }]);
    run.pass(2000);
    expect(run.results().length).toBe(2);
  });

  it.each([
    ['aligned', alignedAssigner({ sizeMs: 100, slideMs: 100, offsetMs: 0 }, 'processing', true)],
    ['sessions', sessionAssigner(() => 100, 'processing', true)],
  ])('give what has not ended when the input does: %s', (_, assigner) => {
    const run = atClock(general(assigner));
    run.give(1000, 7);
    run.give(1040, 7);
    run.pass(1140);
    run.give(1210, 7, 7);
    run.give(1220, 7);
    run.move();
    run.end();
    expect(run.results().map((result) => (result as { rows: number }).rows)).toEqual([2, 3]);
  });

  it('are given by triggers of a class as by those of an object, also when others wrap them', () => {
    /** Fires at every third record. */
    class Third implements Trigger<unknown> {
      readonly #count = 3;
      onElement(...[, , , context]: Parameters<Trigger<unknown>['onElement']>): TriggerResult {
        const seen = Number(context.get('seen') ?? 0) + 1;
        context.set('seen', seen % this.#count);
        return seen === this.#count ? 'fire' : 'continue';
      }
      onMerge(_window: TimeWindow, context: MergeContext): void {
        const seen = context.merged('seen').reduce<number>((sum, one) => sum + Number(one), 0);
        context.set('seen', seen % this.#count);
      }
    }
    const wraps: readonly (readonly [(third: Third) => Trigger<unknown>, readonly number[]])[] = [
      [(third) => third, [3]],
      [(third) => purgingTrigger(third), [3]],
      [(third) => endOfInputTrigger(third), [3, 5]],
      [(third) => purgingTrigger(endOfInputTrigger(third)), [3, 2]],
      [(third) => endOfInputTrigger(purgingTrigger(third)), [3, 2]],
      [(third) => processingTimeoutTrigger(third, '1h'), [3]],
    ];
    for (const [wrap, expected] of wraps) {
      const trigger = wrap(new Third());
      const run = atClock(general(globalAssigner(), trigger));
      run.give(1000, 7, 7, 7, 7, 7);
      run.end();
      expect(run.results().map((result) => (result as { rows: number }).rows)).toEqual(expected);
      const set = new Map<string, unknown>();
      trigger.onMerge?.({ start: 0, end: 1 }, {
        merged: () => [1, 1, 2],
        set: (name: string, value: unknown) => set.set(name, value),
        registerEventTime: () => {},
      } as Partial<MergeContext> as MergeContext);
      expect([...set]).toEqual([['seen', 1]]);
    }
  });

  it('of records give those that do not fill a window when the input ends', () => {
    const counted = purgingTrigger(countTrigger(2));
    const run = atClock(general(globalAssigner(), endOfInputTrigger(counted)));
    run.give(1000, 7, 7, 7, 8, 8);
    run.end();
    expect(run.results().map((result) => (result as { rows: number }).rows)).toEqual([2, 2, 1]);
  });
});
