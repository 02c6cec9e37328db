/** What joins do beside pairing: time to live, records they refuse, event times of what they give. */
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { intervalJoin } from '../../../src/operator/join/interval-join.js';
import { regularJoin } from '../../../src/operator/join/regular-join.js';
import { KIND_INSERT, KIND_UPDATE_AFTER } from '../../../src/record/batch.js';
import type { Batch } from '../../../src/record/batch.js';
import { WATERMARK_MAX } from '../../../src/time/watermark.js';
import { batchOf, chainOf, line, op, untilDone } from './chain-harness.js';

const KEYS = [['k'], ['k']];
const apply = (left: unknown, right: unknown) => ({ left, right });

const inner = (ttlMs: number | null = null) =>
  op.coProcess(KEYS, regularJoin({ type: 'inner', ttlMs, apply }));
const near = op.coProcess(
  KEYS,
  intervalJoin({
    lowerMs: 0,
    upperMs: 10,
    leftLate: null,
    rightLate: null,
    process: (left, right, pair) => pair.collect(apply(left, right)),
  }),
);

/** A chain of one join, and what steps it. */
function joined(operator: ReturnType<typeof op.coProcess>) {
  const clock = { now: 0, epochMs: () => clock.now, monotonicMs: () => clock.now };
  const { task, ports } = chainOf({ operators: line(operator), inputSides: [0, 1], clock });
  const give = (side: 0 | 1, batch: Batch): void =>
    untilDone((cursor) => task.step(side, batch, cursor, 100));
  const rows = () => {
    untilDone(() => (task.flush() ? 0 : 1));
    return ports[0].left.map(({ record, time }) => ({ record, time }));
  };
  return { task, clock, give, rows };
}

function failure(call: () => unknown): MillraceError {
  try {
    call();
  } catch (error) {
    if (MillraceError.is(error)) return error;
  }
  throw new Error('Nothing was thrown.');
}

describe('a regular join', () => {
  it('forgets a record when its time to live is over', () => {
    const { clock, give, rows } = joined(inner(1000));
    give(0, batchOf([{ k: 1, n: 1 }]));
    clock.now = 600;
    give(0, batchOf([{ k: 1, n: 2 }]));
    clock.now = 1200;
    give(1, batchOf([{ k: 1, n: 3 }]));
    expect(rows().map(({ record }) => record)).toEqual([
      { left: { k: 1, n: 2 }, right: { k: 1, n: 3 } },
    ]);
  });

  it('refuses updates of earlier records, and takes first ones', () => {
    const { give, rows } = joined(inner());
    give(0, batchOf([{ k: 1 }], { kinds: [KIND_INSERT] }));
    give(1, batchOf([{ k: 1 }], { kinds: [KIND_INSERT] }));
    expect(rows()).toHaveLength(1);
    const error = failure(() => give(1, batchOf([{ k: 1 }], { kinds: [KIND_UPDATE_AFTER] })));
    expect(error.code).toBe('FEATURE_UNSUPPORTED');
    expect(error.where.operator).toBe('process');
    expect(error.message).toContain('update');
  });
});

describe('an interval join', () => {
  it('gives pairs the later of their event times', () => {
    const { give, rows } = joined(near);
    give(0, batchOf([{ k: 1 }, { k: 1 }], { times: [100, 90] }));
    give(1, batchOf([{ k: 1 }], { times: [100] }));
    give(0, batchOf([{ k: 1 }], { times: [95] }));
    expect(rows().map(({ time }) => time)).toEqual([100, 100, 100]);
  });

  it('takes a record at the watermark and drops one before it', () => {
    const { task, give, rows } = joined(near);
    give(0, batchOf([{ k: 1 }], { times: [100] }));
    untilDone((cursor) => task.advance(110, cursor, 100));
    give(1, batchOf([{ k: 1 }, { k: 1 }], { times: [110, 109] }));
    expect(rows()).toHaveLength(1);
  });

  it('fails at a record without an event time', () => {
    const { give } = joined(near);
    const error = failure(() => give(0, batchOf([{ k: 1 }])));
    expect(error.code).toBe('TIMESTAMP_MISSING');
    expect(error.where).toMatchObject({ operator: 'process', record: 0 });
  });

  it('keeps nothing that cannot be paired any more', () => {
    const { task, give, rows } = joined(near);
    give(0, batchOf([{ k: 1 }, { k: 1 }, { k: 2 }], { times: [100, 130, 100] }));
    untilDone((cursor) => task.advance(111, cursor, 100));
    const pieces: string[] = [];
    const sizes = () => {
      pieces.length = 0;
      task.snapshot({ put: (_uid, name) => pieces.push(name) });
      return pieces.filter((name) => /^(left|right|timers)/.test(name)).toSorted();
    };
    expect(sizes()).toEqual(['left.value', 'timers.event']);
    untilDone((cursor) => task.advance(WATERMARK_MAX, cursor, 100));
    expect(sizes()).toEqual([]);
    expect(rows()).toEqual([]);
  });
});
