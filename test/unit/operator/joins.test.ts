/** What joins do beside pairing: time to live, records they refuse, event times of what they give. */
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { intervalJoin } from '../../../src/operator/join/interval-join.js';
import { regularJoin } from '../../../src/operator/join/regular-join.js';
import { pairsOf, windowCoGroup } from '../../../src/operator/join/window-join.js';
import { alignedAssigner } from '../../../src/operator/window/assigner.js';
import type { Evictor } from '../../../src/operator/window/evictor.js';
import { KIND_INSERT, KIND_UPDATE_AFTER } from '../../../src/record/batch.js';
import type { Batch } from '../../../src/record/batch.js';
import { WATERMARK_MAX } from '../../../src/time/watermark.js';
import { batchOf, chainOf, line, op, untilDone } from './chain-harness.js';

const KEYS = [['k'], ['k']];
const apply = (left: unknown, right: unknown) => ({ left, right });

const inner = (ttl: number | null = null) =>
  op.coProcess(KEYS, regularJoin({ type: 'inner', ttl, apply }));
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
  const { task, ports, late } = chainOf({ operators: line(operator), inputSides: [0, 1], clock });
  const give = (side: 0 | 1, batch: Batch): void =>
    untilDone((cursor) => task.step(side, batch, cursor, 100));
  const rows = () => {
    untilDone(() => (task.flush() ? 0 : 1));
    return ports[0].left.map(({ record, time }) => ({ record, time }));
  };
  return { task, clock, late, give, rows };
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

  it('makes the pairs of a record as there is room for them, and tells where they fail', () => {
    let made = 0;
    let failsAt = Infinity;
    const counting = op.coProcess(
      KEYS,
      regularJoin({
        type: 'inner',
        ttl: 1e6,
        apply: (left, right) => {
          if (++made === failsAt) throw new RangeError('oops');
          return apply(left, right);
        },
      }),
    );
    let room = 0;
    const { task, ports } = chainOf({
      operators: line(counting),
      inputSides: [0, 1],
      capacity: 16,
      mayTake: () => room-- > 0,
    });
    const lefts = Array.from({ length: 2000 }, (_, n) => ({ k: 1, n }));
    untilDone((cursor) => task.step(0, batchOf(lefts), cursor, 100));
    const right = batchOf([{ k: 1 }]);
    const cursor = { position: 0 };
    const step = () => task.step(1, right, cursor, 100);
    step();
    expect(made).toBeLessThan(300);
    room = 5;
    step();
    expect(made).toBeLessThan(600);
    room = Infinity;
    untilDone(step);
    untilDone(() => (task.flush() ? 0 : 1));
    expect(ports[0].left.map(({ record }) => (record as { left: { n: number } }).left.n)).toEqual(
      lefts.map(({ n }) => n),
    );
    expect(made).toBe(2000);
    failsAt = 2000 + 1000;
    const error = failure(() => untilDone((at) => task.step(1, right, at, 100)));
    expect(error).toMatchObject({ code: 'USER_FUNCTION_FAILED', where: { operator: 'process' } });
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

  it('takes a record at the watermark, drops and counts one before it', () => {
    const { task, late, give, rows } = joined(near);
    give(0, batchOf([{ k: 1 }], { times: [100] }));
    untilDone((cursor) => task.advance(110, cursor, 100));
    give(1, batchOf([{ k: 1 }, { k: 1 }], { times: [110, 109] }));
    expect(rows()).toHaveLength(1);
    expect(late.records).toBe(1);
    give(0, batchOf([{ k: 1 }, { k: 2 }, { k: 1 }], { times: [108, 1, 110] }));
    expect(rows()).toHaveLength(2);
    expect(late.records).toBe(3);
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
    expect(sizes()).toEqual(['left.value', 'timers.event.first']);
    untilDone((cursor) => task.advance(WATERMARK_MAX, cursor, 100));
    expect(sizes()).toEqual([]);
    expect(rows()).toEqual([]);
  });
});

describe('a join in windows', () => {
  const assigner = alignedAssigner({ sizeMs: 100, slideMs: 100, offsetMs: 0 }, 'event');
  const windowed = (parts: Partial<Parameters<typeof windowCoGroup>[0]>) =>
    op.coProcess(
      KEYS,
      windowCoGroup({
        assigner,
        trigger: assigner.defaultTrigger(),
        evictor: null,
        allowedLatenessMs: 0,
        lateTags: [null, null],
        apply: pairsOf('inner', apply),
        ...parts,
      }),
    );

  it('makes the pairs of a window as outputs have room for them', () => {
    let made = 0;
    let taken = 0;
    const count = 300;
    const { task, ports } = chainOf({
      operators: line(
        windowed({
          apply: pairsOf('inner', (left, right) => {
            made++;
            return apply(left, right);
          }),
        }),
      ),
      inputSides: [0, 1],
      capacity: 100,
      mayTake: () => taken++ % 2 === 1,
    });
    const records = Array.from({ length: count }, (_, n) => ({ k: 1, n }));
    const times = records.map(() => 5);
    for (const side of [0, 1]) {
      untilDone((cursor) => task.step(side, batchOf(records, { times }), cursor, 1024));
    }
    const cursor = { position: 0 };
    let most = 0;
    for (let calls = 0; task.advance(99, cursor, 10) !== 0; calls++) {
      most = Math.max(most, made - ports[0].left.length);
      expect(calls).toBeLessThan(100_000);
    }
    untilDone(() => (task.flush() ? 0 : 1));
    // What was made but has not left: a batch, and those taken from the window at a time.
    expect(most).toBeLessThan(300);
    expect(ports[0].left).toHaveLength(count * count);
  });

  it('counts late records of sides without a tag, and refuses updates', () => {
    const { task, late, give, rows } = joined(windowed({}));
    untilDone((cursor) => task.advance(150, cursor, 100));
    give(0, batchOf([{ k: 1 }], { times: [99] }));
    give(1, batchOf([{ k: 1 }], { times: [99] }));
    expect(late.records).toBe(2);
    expect(rows()).toEqual([]);
    const update = batchOf([{ k: 1 }], { times: [200], kinds: [KIND_UPDATE_AFTER] });
    expect(failure(() => give(1, update)).code).toBe('FEATURE_UNSUPPORTED');
  });

  it('refuses evictors that make elements up, and functions that return no records', () => {
    const evictor: Evictor<unknown> = {
      when: 'before',
      evict: (elements) => elements.map((element) => ({ ...element })),
    };
    const fire = (parts: Parameters<typeof windowed>[0]): MillraceError => {
      const { task, give } = joined(windowed(parts));
      give(0, batchOf([{ k: 1 }], { times: [5] }));
      return failure(() => untilDone((cursor) => task.advance(99, cursor, 100)));
    };
    expect(fire({ evictor }).message).toContain('not of its window');
    expect(fire({ apply: (() => 7) as never }).code).toBe('USER_FUNCTION_FAILED');
    expect(fire({ apply: () => [undefined] }).message).toContain('undefined');
  });

  it('gives nothing when the function returns nothing', () => {
    const { task, give, rows } = joined(windowed({ apply: () => undefined }));
    give(0, batchOf([{ k: 1 }], { times: [5] }));
    untilDone((cursor) => task.advance(99, cursor, 100));
    expect(rows()).toEqual([]);
  });
});
