/** Watermarks and partial aggregations in one chain: what they hold goes out before the watermark. */
import { expect, it } from 'vitest';
import { WATERMARK_MAX } from '../../../src/time/watermark.js';
import { batchOf, chainOf, line, op, untilDone } from './chain-harness.js';

/** Each record comes out by a timer, and is counted before the exchange. */
const counted = () =>
  chainOf({
    operators: line(
      op.process<{ k: number; at: number }, { k: number }>(['k'], () => ({
        processElement: (row, out) => out.timers.registerEventTime(row.at),
        onTimer: (_time, out) => out.collect({ k: (out.key as { k: number }).k }),
      })),
      { ...op.aggregate(['k'], { n: { fn: 'count' } }), phase: 'partial' },
    ),
  });

it('hands on what timers gave to a partial aggregation before the watermark is behind it', () => {
  const { task, ports } = counted();
  const batch = batchOf([
    { k: 1, at: 10 },
    { k: 1, at: 20 },
    { k: 2, at: 30 },
  ]);
  untilDone((cursor) => task.step(0, batch, cursor, 100));
  const cursor = { position: 0 };
  while (task.advance(20, cursor, 1) !== 0);
  expect(task.outputWatermark(0)).toBe(20);
  const rows = () => {
    untilDone(() => (task.flush() ? 0 : 1));
    return ports[0].left.length;
  };
  expect(rows()).toBe(1);
  // The caller repeats the call while it cannot send the watermark on; nothing is written meanwhile.
  expect(task.advance(20, cursor, 100)).toBe(0);
  expect(rows()).toBe(1);
  untilDone((next) => task.advance(WATERMARK_MAX, next, 100));
  expect(rows()).toBe(2);
});
