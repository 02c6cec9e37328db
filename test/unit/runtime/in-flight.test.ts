import { describe, expect, it } from 'vitest';
import type { CheckpointTrigger } from '../../../src/checkpoint/contract.js';
import type { Schema } from '../../../src/record/schema.js';
import {
  FRAME_BARRIER,
  FRAME_DATA,
  FRAME_FINISHED,
  FRAME_WATERMARK,
} from '../../../src/ring/contract.js';
import { barrierPayload } from '../../../src/runtime/barrier.js';
import { BarrierAlignment } from '../../../src/runtime/barrier-alignment.js';
import type { FrameAhead } from '../../../src/runtime/frame-receiver.js';
import { InFlightCapture, type InputFrame } from '../../../src/runtime/in-flight.js';
import { StillClock } from './runtime-harness.js';

const SCHEMA: Schema = { shape: 'object', fields: [] };

function triggerOf(id: number, timestampMs = 0): CheckpointTrigger {
  return { id, timestampMs, kind: 'checkpoint', stop: 'none', isFull: true, isShared: false };
}

/** A channel that is looked at before its turn; data is one byte. */
class Queue implements FrameAhead {
  readonly #messages: NonNullable<ReturnType<FrameAhead['next']>>[] = [];

  data(value: number): this {
    this.#messages.push({ kind: FRAME_DATA, bytes: Uint8Array.of(value), schema: SCHEMA });
    return this;
  }

  barrier(id: number): this {
    const bytes = barrierPayload(triggerOf(id));
    this.#messages.push({ kind: FRAME_BARRIER, bytes, schema: null });
    return this;
  }

  control(kind: typeof FRAME_FINISHED | typeof FRAME_WATERMARK): this {
    this.#messages.push({ kind, bytes: new Uint8Array(8), schema: null });
    return this;
  }

  next(): ReturnType<FrameAhead['next']> {
    return this.#messages.shift() ?? null;
  }
}

describe('what a checkpoint keeps of the channels whose barriers have not come', () => {
  function capture(first: readonly InputFrame[], ...queues: readonly Queue[]) {
    const kept: (readonly InputFrame[] | null)[] = [];
    const channels = queues.map((ahead, input) => ({ input, ahead }));
    const one = new InFlightCapture(5, first, channels, (frames) => kept.push(frames));
    const values = () =>
      kept.map((frames) => frames?.map(({ input, frame }) => [input, frame[0]]) ?? null);
    return { one, values };
  }

  it('is what is at hand, then what comes before the barriers, in the order of each channel', () => {
    const [left, right] = [new Queue().data(1), new Queue().data(7).barrier(5).data(8)];
    const held = { input: 1, schema: SCHEMA, frame: Uint8Array.of(6), first: 0 };
    const { one, values } = capture([held], left, right);
    expect(one.step()).toBe(false);
    expect(values()).toEqual([]);
    left.control(FRAME_WATERMARK).data(2);
    expect(one.step()).toBe(false);
    left.data(3).barrier(5).data(4);
    expect(one.step()).toBe(true);
    // Those of one channel in their order; what is behind a barrier is not kept, and all is given once.
    expect(values()).toEqual([
      [
        [1, 6],
        [0, 1],
        [1, 7],
        [0, 2],
        [0, 3],
      ],
    ]);
    expect(one.step()).toBe(true);
    expect(values()).toHaveLength(1);
  });

  it('passes over barriers of earlier checkpoints, and a channel that has come to its end has no more', () => {
    const { one, values } = capture(
      [],
      new Queue().barrier(4).data(1).control(FRAME_FINISHED),
      new Queue().barrier(5),
    );
    expect(one.step()).toBe(true);
    expect(values()).toEqual([[[0, 1]]]);
  });

  it('is nothing when a channel has left the checkpoint out, or it was given up', () => {
    const passed = capture([], new Queue().data(1).barrier(6));
    expect(passed.one.step()).toBe(true);
    const given = capture([], new Queue().data(1));
    given.one.abandon();
    given.one.abandon();
    expect(given.one.step()).toBe(true);
    expect([passed.values(), given.values()]).toEqual([[null], [null]]);
  });
});

describe('a checkpoint that overtakes', () => {
  const payload = (id: number) => barrierPayload(triggerOf(id));

  it('is taken once, whether or not some of its barriers had come', () => {
    const alignment = new BarrierAlignment(2, new StillClock(), true, {
      timeoutMs: 0,
      inOrder: [false, false],
    });
    expect(alignment.overtake()).toBeNull();
    alignment.tell(triggerOf(1));
    expect(alignment.overtake()?.trigger.id).toBe(1);
    expect([0, 1].map((channel) => alignment.hasOvertaken(channel))).toEqual([true, true]);
    // Its barriers come when their turn is, and mean nothing any more: nobody waits for them.
    expect(alignment.barrier(0, payload(1))).toBeNull();
    expect(alignment.isBlocked(0)).toBe(false);
    expect(alignment.overtake()).toBeNull();
    expect(alignment.barrier(1, payload(1))).toBeNull();
    alignment.barrier(0, payload(2));
    expect(alignment.isBlocked(0)).toBe(true);
    expect(alignment.overtake()?.trigger.id).toBe(2);
    expect([0, 1].map((channel) => alignment.hasOvertaken(channel))).toEqual([false, true]);
    expect(alignment.isBlocked(0)).toBe(false);
  });

  it('waits for its timeout, by the time at which it was triggered, and is aligned if all come before', () => {
    const clock = new StillClock();
    const alignment = new BarrierAlignment(2, clock, true, {
      timeoutMs: 100,
      inOrder: [false, false],
    });
    clock.nowMs = 1050;
    alignment.tell(triggerOf(1, 1000));
    expect(alignment.overtakesAtMs).toBe(1100);
    expect(alignment.overtake()).toBeNull();
    const first = barrierPayload(triggerOf(1, 1000));
    expect(alignment.barrier(0, first)).toBeNull();
    expect(alignment.barrier(1, first)?.trigger.id).toBe(1);
    expect(alignment.overtakesAtMs).toBe(Number.POSITIVE_INFINITY);
    clock.nowMs = 2000;
    expect(alignment.overtake()).toBeNull();
    alignment.tell(triggerOf(2, 1900));
    expect(alignment.overtake()?.trigger.id).toBe(2);
  });

  it('waits for the barriers of channels that keep their order', () => {
    const alignment = new BarrierAlignment(2, new StillClock(), true, {
      timeoutMs: 0,
      inOrder: [true, false],
    });
    alignment.tell(triggerOf(1));
    expect(alignment.overtake()).toBeNull();
    alignment.barrier(0, payload(1));
    expect(alignment.overtake()?.trigger.id).toBe(1);
    alignment.tell(triggerOf(2));
    expect(alignment.overtake()).toBeNull();
    alignment.end(0);
    expect(alignment.overtake()?.trigger.id).toBe(2);
  });

  it('is never a savepoint, nor one of a run whose barriers keep their order', () => {
    const how = { timeoutMs: 0, inOrder: [false] };
    const saving = new BarrierAlignment(1, new StillClock(), true, how);
    saving.tell({ ...triggerOf(1), kind: 'savepoint' });
    expect(saving.overtake()).toBeNull();
    const plain = new BarrierAlignment(1, new StillClock(), true);
    plain.tell(triggerOf(1));
    expect(plain.overtake()).toBeNull();
  });
});
