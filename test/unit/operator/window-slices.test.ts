/** Rows that come in while windows fire: which are let in, and which wait until all that is due has been fired. */
import { describe, expect, it } from 'vitest';
import type { AggregateOperator } from '../../../src/operator/aggregate-fields.js';
import { col } from '../../../src/operator/expression-builder.js';
import type { OperatorSpec } from '../../../src/operator/operator-spec.js';
import { batchOf, chainOf, line, op, untilDone } from './chain-harness.js';

const total = { total: { fn: 'sum', of: col('value') } } as const;
const KEYS = 20;

/** A batch of records of so many keys at one time. */
function batchAt(at: number, keys = 1) {
  const records = Array.from({ length: keys }, (_, key) => ({ key, value: 1, at }));
  return batchOf(records, { times: records.map(() => at) });
}

/** A chain in the middle of firing what is due at `watermarkMs`, with records of each key at `at`. */
function firing(at: number, watermarkMs: number, ...specs: readonly OperatorSpec[]) {
  const chain = chainOf({ operators: line(...specs) });
  const { task, ports } = chain;
  untilDone((cursor) => task.step(0, batchAt(at, KEYS), cursor, 1000));
  const cursor = { position: 0 };
  expect(task.advance(watermarkMs, cursor, 1)).not.toBe(0);
  const finish = (): readonly { total: number; windowStart: number }[] => {
    while (task.advance(watermarkMs, cursor, 1) !== 0);
    untilDone((end) => task.endOfInput(end, 1000));
    untilDone(() => (task.flush() ? 0 : 1));
    return ports[0].left.map(({ record }) => record as { total: number; windowStart: number });
  };
  return { task, late: chain.late, finish };
}

const tumbling = (sizeMs: number, slideMs = sizeMs): AggregateOperator =>
  op.window(['key'], total, { sizeMs, slideMs });

describe('rows between two slices of firing', () => {
  it('are let in when they belong to windows that are not over', () => {
    const { task, finish } = firing(5, 12, tumbling(10));
    expect(task.isBetweenSlices).toBe(true);
    expect([9, 10, 12, 13].map((at) => task.admits(0, batchAt(at), 12))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    untilDone((cursor) => task.step(0, batchAt(11), cursor, 1000));
    const results = finish();
    expect(results).toHaveLength(KEYS);
    expect(new Set(results.map(({ windowStart }) => windowStart))).toEqual(new Set([0]));
    expect(task.isBetweenSlices).toBe(false);
  });

  it('wait when their window is over at the newest watermark of the input', () => {
    const { task } = firing(5, 12, tumbling(10));
    expect(task.admits(0, batchAt(15), 18)).toBe(true);
    expect(task.admits(0, batchAt(15), 19)).toBe(false);
  });

  it('wait when they are in a gap between windows and may be late', () => {
    const { task } = firing(5, 12, tumbling(10, 20));
    expect([13, 14].map((at) => task.admits(0, batchAt(at), 13))).toEqual([false, true]);
  });

  it('wait when one of their sliding windows is over', () => {
    const { task } = firing(5, 12, tumbling(10, 5));
    expect([4, 5, 10].map((at) => task.admits(0, batchAt(at), 13))).toEqual([false, false, true]);
    expect(task.admits(0, batchAt(9), 8)).toBe(true);
  });

  it('wait when they touch a session that is over, which must not go on', () => {
    const { task, finish } = firing(5, 14, op.sessions(['key'], total, { gapMs: 10 }));
    expect([14, 15, 16].map((at) => task.admits(0, batchAt(at), 14))).toEqual([false, false, true]);
    untilDone((cursor) => task.step(0, batchAt(16, KEYS), cursor, 1000));
    expect(finish().map(({ windowStart }) => windowStart)).toEqual(Array(KEYS).fill(5));
  });

  it('are judged by the panes that they are partial results of', () => {
    const merge = { ...tumbling(10), phase: 'merge' } as const;
    const { task } = chainOf({ operators: line(merge) });
    const panes = (start: number, keys = 1) =>
      batchOf(
        Array.from({ length: keys }, (_, key) => ({
          key,
          $pane: start,
          $rows: 1,
          $0: 1,
          '$0.state': 1,
        })),
      );
    untilDone((cursor) => task.step(0, panes(0, KEYS), cursor, 1000));
    expect(task.advance(15, { position: 0 }, 1)).not.toBe(0);
    expect([0, 10].map((start) => task.admits(0, panes(start), 15))).toEqual([false, true]);
    expect(task.admits(0, panes(10), 19)).toBe(false);
  });

  it('wait when they are of another schema', () => {
    const { task } = firing(5, 12, tumbling(10));
    const wider = batchOf([{ key: 1, value: 1, at: 20, more: true }], { times: [20], version: 2 });
    expect(task.admits(0, wider, 12)).toBe(false);
  });

  it('wait where somebody behind the windows has yet to be told of the time', () => {
    const timed = op.process<{ key: number }, { key: number }>(['key'], () => ({
      processElement: (row, out) => out.collect({ key: row.key }),
    }));
    const late = op.window([], { rows: { fn: 'count' } }, { sizeMs: 10 });
    for (const behind of [timed, late, op.assign('windowEnd')]) {
      expect(firing(5, 12, tumbling(10), behind).task.isBetweenSlices).toBe(false);
    }
    const behindMap = firing(
      5,
      12,
      op.map((row) => row),
      tumbling(10),
    );
    expect(behindMap.task.isBetweenSlices).toBe(false);
  });
});
