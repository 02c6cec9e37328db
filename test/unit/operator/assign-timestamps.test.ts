import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { STEP_DONE, STEP_OUT_OF_BUDGET } from '../../../src/operator/contract.js';
import { col } from '../../../src/operator/expression-builder.js';
import { namesOf, treeOf } from '../../../src/record/field-tree.js';
import { fieldsNeeded } from '../../../src/operator/operator-fields.js';
import type { OperatorSpec, TimestampOrigin } from '../../../src/operator/operator-spec.js';
import type { DataType, Schema } from '../../../src/record/schema.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../../src/time/watermark.js';
import type { WatermarkStrategy } from '../../../src/time/watermark-strategy.js';
import { StillClock } from '../runtime/runtime-harness.js';
import { batchOf, chainOf, type ChainUnderTest, line, op, untilDone } from './chain-harness.js';

const schemaOf = (type: DataType, nullable = false): Schema => ({
  shape: 'object',
  fields: [{ name: 'at', type, nullable, optional: false }],
});

function feed(chain: ChainUnderTest, records: readonly unknown[], schema?: Schema): void {
  const batch = batchOf(records, schema === undefined ? {} : { schema });
  untilDone((cursor) => chain.task.step(0, batch, cursor, 2));
  chain.task.flush();
}

/** Advances the chain's input and gives what is behind its first output. */
function advance(chain: ChainUnderTest, watermarkMs = WATERMARK_MIN): number {
  untilDone((cursor) => chain.task.advance(watermarkMs, cursor, 10));
  chain.task.flush();
  return chain.task.outputWatermark(0);
}

function timesOf(spec: OperatorSpec, records: readonly unknown[], schema?: Schema) {
  const chain = chainOf({ operators: line(spec) });
  feed(chain, records, schema);
  return chain.ports[0].left.map(({ time }) => time);
}

function failure(call: () => unknown): MillraceError {
  try {
    call();
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

const byFunction = (fn: (record: never) => unknown): TimestampOrigin => ({ from: 'function', fn });

describe('event times', () => {
  const day = new Date(86_400_000 * 3);

  it.each<[DataType, unknown, number]>([
    [{ kind: 'timestamp' }, new Date(1234), 1234],
    [{ kind: 'date' }, day, 86_400_000 * 3],
    [{ kind: 'int64' }, -7n, -7],
    [{ kind: 'number' }, 12.75, 12],
    [{ kind: 'float64' }, -0.25, -1],
    [{ kind: 'int32' }, 5, 5],
  ])('come from a field of type %o', (type, value, time) => {
    expect(timesOf(op.assign('at'), [{ at: value }], schemaOf(type))).toEqual([time]);
  });

  it('come from an expression', () => {
    const expression = col('s').mul(1000).expression;
    expect(timesOf(op.assign({ from: 'expression', expression }), [{ s: 2 }, { s: 3 }])).toEqual([
      2000, 3000,
    ]);
  });

  it('come from a function, as a number or a date', () => {
    const fn = (record: { n: number }) => (record.n < 2 ? record.n * 10 : new Date(record.n));
    expect(timesOf(op.assign(byFunction(fn)), [{ n: 1 }, { n: 2000 }])).toEqual([10, 2000]);
  });

  it('are the wall clock at arrival, which does not go back', () => {
    const clock = new StillClock();
    const chain = chainOf({ operators: line(op.assign({ from: 'clock' })), clock });
    for (const nowMs of [500.5, 400, 900]) {
      clock.nowMs = nowMs;
      feed(chain, [{ n: 1 }]);
    }
    expect(chain.ports[0].left.map(({ time }) => time)).toEqual([500, 500, 900]);
  });

  it('stay as they are where only watermarks are made', () => {
    const chain = chainOf({ operators: line(op.assign({ from: 'record' })) });
    const batch = batchOf([{ n: 1 }, { n: 2 }], { times: [70, 50] });
    untilDone((cursor) => chain.task.step(0, batch, cursor, 10));
    chain.task.flush();
    expect(chain.ports[0].left.map(({ time }) => time)).toEqual([70, 50]);
    expect(advance(chain)).toBe(69);
  });

  it('pass through functions, flatMaps and selections behind', () => {
    const operators = line(
      op.assign('at'),
      op.map((r: { at: number }) => ({ ...r, twice: r.at * 2 })),
      op.flatMap((r: { at: number }) => [r, r]),
      op.select({ at: col('at') }),
    );
    const chain = chainOf({ operators });
    feed(chain, [{ at: 5 }, { at: 3 }]);
    expect(chain.ports[0].left.map(({ time }) => time)).toEqual([5, 5, 3, 3]);
    expect(advance(chain)).toBe(4);
  });

  it('fail with the place of a record that has none', () => {
    const missing = (spec: OperatorSpec, records: readonly unknown[], schema?: Schema) =>
      failure(() => timesOf(spec, records, schema));
    const nullable = missing(
      op.assign('at'),
      [{ at: 1 }, { at: null }],
      schemaOf({ kind: 'number' }, true),
    );
    expect(nullable.code).toBe('TIMESTAMP_MISSING');
    expect(nullable.where).toMatchObject({ field: 'at', record: 1, uid: 'assignTimestamps-0' });
    for (const bad of [Number.NaN, Infinity, 9e15, -9e15]) {
      expect(missing(op.assign('at'), [{ at: bad }]).code).toBe('TIMESTAMP_MISSING');
    }
    for (const bad of [undefined, null, 'noon', {}, new Date(Number.NaN)]) {
      expect(missing(op.assign(byFunction(() => bad)), [{ at: 1 }]).code).toBe('TIMESTAMP_MISSING');
    }
    expect(missing(op.assign({ from: 'record' }), [{ at: 1 }]).code).toBe('TIMESTAMP_MISSING');
  });

  it('refuse a type that is no time, with a way out', () => {
    const error = failure(() => timesOf(op.assign('at'), [{ at: 'noon' }]));
    expect(error.code).toBe('TYPE_MISMATCH');
    expect(error.advice).toContain("cast('timestamp')");
  });

  it('need the fields of their origin and of the function that makes watermarks', () => {
    const punctuated: Partial<WatermarkStrategy> = {
      generation: { kind: 'punctuated', fn: (r: { mark: boolean }, t) => (r.mark ? t : null) },
    };
    const custom: Partial<WatermarkStrategy> = {
      generation: { kind: 'custom', create: () => ({ onRecord: () => null }) },
    };
    const needed = (spec: Parameters<typeof fieldsNeeded>[0], names: readonly string[]) =>
      namesOf(fieldsNeeded(spec, treeOf(names)));
    expect(needed(op.assign('at'), ['k'])).toEqual(['at', 'k']);
    expect(needed(op.assign('at', punctuated), [])).toEqual(['at', 'mark']);
    expect(needed(op.assign('at', custom), [])).toBeNull();
    expect(needed(op.assign({ from: 'clock' }), ['k'])).toEqual(['k']);
  });
});

describe('watermarks of a chain', () => {
  const bounded = (outOfOrdernessMs: number): Partial<WatermarkStrategy> => ({
    generation: { kind: 'bounded', outOfOrdernessMs },
  });

  it('are the latest event time less the disorder less one, at ticks only', () => {
    const chain = chainOf({ operators: line(op.assign('at', bounded(2000))) });
    expect(advance(chain)).toBe(WATERMARK_MIN);
    expect(chain.task.needsTicks).toBe(false);
    feed(chain, [{ at: 7000 }, { at: 6000 }]);
    expect(chain.task.outputWatermark(0)).toBe(WATERMARK_MIN);
    expect(chain.task.needsTicks).toBe(true);
    expect(advance(chain)).toBe(4999);
    expect(chain.task.needsTicks).toBe(false);
    feed(chain, [{ at: 100 }]);
    expect(advance(chain)).toBe(4999);
  });

  it('from above are dropped by an assigner, but for the last one', () => {
    const chain = chainOf({ operators: line(op.assign('at')) });
    feed(chain, [{ at: 10 }]);
    expect(advance(chain, 5000)).toBe(9);
    expect(advance(chain, WATERMARK_MAX)).toBe(WATERMARK_MAX);
    expect(chain.task.needsTicks).toBe(false);
  });

  it('pass through operators without time of their own, idleness too', () => {
    const chain = chainOf({ operators: line(op.filter(() => true)) });
    expect(advance(chain, 77)).toBe(77);
    chain.task.inputIdle(true);
    expect(chain.task.isOutputIdle(0)).toBe(true);
  });

  it('differ between the outputs of a tree', () => {
    const chain = chainOf({
      operators: line(op.assign('at')),
      outputs: [{ after: -1 }, { after: 0 }],
    });
    feed(chain, [{ at: 50 }]);
    chain.task.inputIdle(true);
    advance(chain, 20);
    expect([0, 1].map((output) => chain.task.outputWatermark(output))).toEqual([20, 49]);
    expect([0, 1].map((output) => chain.task.isOutputIdle(output))).toEqual([true, false]);
  });

  it('come right behind the record that made them, where it does', () => {
    const punctuated: Partial<WatermarkStrategy> = {
      generation: { kind: 'punctuated', fn: (r: { last: boolean }, t) => (r.last ? t : null) },
    };
    const chain = chainOf({ operators: line(op.assign('at', punctuated)) });
    const batch = batchOf([
      { at: 1, last: false },
      { at: 2, last: true },
      { at: 3, last: true },
    ]);
    const cursor = { position: 0 };
    expect(chain.task.step(0, batch, cursor, 10)).toBe(STEP_OUT_OF_BUDGET);
    expect([cursor.position, chain.task.isTimeDue]).toEqual([2, true]);
    expect(advance(chain)).toBe(2);
    expect(chain.task.isTimeDue).toBe(false);
    expect(chain.task.step(0, batch, cursor, 10)).toBe(STEP_DONE);
    expect(advance(chain)).toBe(3);
  });

  it('of a generator of the user come at ticks too, one generator for each subtask', () => {
    const clock = new StillClock();
    const custom: Partial<WatermarkStrategy> = {
      generation: {
        kind: 'custom',
        create: () => ({ onRecord: () => undefined, onTick: (nowMs) => nowMs - 100 }),
      },
    };
    const chain = chainOf({ operators: line(op.assign('at', custom)), clock });
    clock.nowMs = 1000;
    expect(chain.task.needsTicks).toBe(true);
    expect(advance(chain)).toBe(900);
    clock.nowMs = 900;
    expect(advance(chain)).toBe(900);
  });

  it('refuse what is no watermark, naming the operator', () => {
    const fn = () => Number.NaN;
    const chain = chainOf({
      operators: line(op.assign('at', { generation: { kind: 'punctuated', fn } })),
    });
    const error = failure(() => feed(chain, [{ at: 1 }]));
    expect(error.code).toBe('USER_FUNCTION_FAILED');
    expect(error.where).toMatchObject({ uid: 'assignTimestamps-0', record: 0 });
  });

  /** A chain whose stream is idle after a second, and what tells whether it is at a tick. */
  function tickingChain() {
    const clock = new StillClock();
    const chain = chainOf({ operators: line(op.assign('at', { idleTimeoutMs: 1000 })), clock });
    const tick = (nowMs: number): boolean => {
      clock.nowMs = nowMs;
      advance(chain);
      return chain.task.isOutputIdle(0);
    };
    return { chain, tick };
  }

  it('stop for an idle stream, whose clock stands still while others hold it back', () => {
    const { chain, tick } = tickingChain();
    feed(chain, [{ at: 10 }]);
    expect([tick(0), tick(200), tick(1200)]).toEqual([false, false, false]);
    expect([tick(1201), tick(1202)]).toEqual([false, true]);
    expect(chain.task.needsTicks).toBe(false);
    feed(chain, [{ at: 11 }]);
    expect([tick(1400), tick(1600)]).toEqual([false, false]);
    chain.task.heldBack(5000);
    expect([tick(7000), tick(7700), tick(7701)]).toEqual([false, false, true]);
  });

  it('do not take a process that stood still for a stream that is idle', () => {
    const { chain, tick } = tickingChain();
    feed(chain, [{ at: 10 }]);
    expect([tick(0), tick(200), tick(60_000)]).toEqual([false, false, false]);
    // What arrived while it stood still is read before the next tick.
    feed(chain, [{ at: 11 }]);
    expect([tick(60_200), tick(60_400)]).toEqual([false, false]);
  });
});
