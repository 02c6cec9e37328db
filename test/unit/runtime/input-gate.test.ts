import { describe, expect, it } from 'vitest';
import { encodeFrame, frameBytes } from '../../../src/record/frame-codec.js';
import {
  FRAME_ACTIVE,
  FRAME_DATA,
  FRAME_END_OF_DATA,
  FRAME_FINISHED,
  FRAME_IDLE,
  FRAME_WATERMARK,
  type RingWriter,
} from '../../../src/ring/contract.js';
import { silentWaker } from '../../../src/ring/parker.js';
import { createRing } from '../../../src/ring/make-ring.js';
import { openRingReader, openRingWriter } from '../../../src/ring/spsc-ring.js';
import { RingReceiver } from '../../../src/runtime/frame-receiver.js';
import {
  GATE_BATCH,
  GATE_EMPTY,
  GATE_FINISHED,
  GATE_TIME,
  InputGate,
} from '../../../src/runtime/input-gate.js';
import { watermarkPayload } from '../../../src/runtime/time-sender.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../../src/time/watermark.js';
import { MemorySchemas } from '../operator/chain-harness.js';
import { builderOf, recordsOf } from './runtime-harness.js';

interface Wired {
  readonly gate: InputGate;
  readonly writers: readonly RingWriter[];
}

function wire(inputs: readonly number[], bytes = 8192): Wired {
  const schemas = new MemorySchemas();
  schemas.propose(builderOf([{ v: 1 }]).schema);
  const memories = inputs.map(() => new SharedArrayBuffer(bytes));
  for (const memory of memories) createRing(memory, 0, bytes);
  const writers = memories.map((memory) => openRingWriter(memory, 0, bytes, silentWaker));
  const channels = memories.map((memory, index) => ({
    input: inputs[index],
    receiver: new RingReceiver(openRingReader(memory, 0, bytes, silentWaker), schemas),
  }));
  return { gate: new InputGate(channels), writers };
}

function send(writer: RingWriter, v: number): boolean {
  const batch = builderOf([{ v }]).take();
  const at = writer.claim(frameBytes(batch));
  if (at < 0) return false;
  writer.commit(FRAME_DATA, encodeFrame(batch, writer.memory, at));
  return true;
}

function end(writer: RingWriter, drain: boolean): void {
  writer.tryWriteControl(FRAME_END_OF_DATA, Uint8Array.of(drain ? 1 : 0));
  writer.tryWriteControl(FRAME_FINISHED, new Uint8Array(0));
}

/** Polls until nothing is found; gives the values in order. */
function drain(gate: InputGate, max = 1e9): { values: unknown[]; last: number } {
  const values: unknown[] = [];
  let last = gate.poll();
  for (; last === GATE_BATCH; last = gate.poll()) {
    if (gate.batch !== null)
      values.push(...recordsOf(gate.batch).map((r) => (r as { v: number }).v));
    gate.release();
    if (values.length === max) break;
  }
  return { values, last };
}

describe('InputGate', () => {
  it('takes one batch of each channel in turn, so that a flood holds nobody up', () => {
    const { gate, writers } = wire([0, 0, 0]);
    for (let v = 0; v < 20; v++) send(writers[1], 100 + v);
    send(writers[0], 1);
    send(writers[2], 2);
    const { values } = drain(gate, 6);
    expect(values.indexOf(1)).toBeLessThan(3);
    expect(values.indexOf(2)).toBeLessThan(3);
    send(writers[0], 3);
    expect(drain(gate, 3).values).toContain(3);
  });

  it('serves a channel that is always full no oftener than the others', () => {
    const { gate, writers } = wire([0, 0], 4096);
    const counts = [0, 0];
    for (let turn = 0; turn < 200; turn++) {
      while (send(writers[0], 0));
      while (send(writers[1], 1));
      gate.poll();
      if (gate.batch !== null) counts[(recordsOf(gate.batch)[0] as { v: number }).v]++;
      gate.release();
    }
    expect(counts).toEqual([100, 100]);
  });

  it('tells the input edge and the bytes of a batch', () => {
    const { gate, writers } = wire([0, 1]);
    send(writers[1], 7);
    expect(gate.poll()).toBe(GATE_BATCH);
    expect(gate.input).toBe(1);
    expect(gate.bytes).toBeGreaterThan(8);
    gate.release();
    expect(gate.batch).toBe(null);
  });

  it('finishes when every channel has, and rows before the end still come', () => {
    const { gate, writers } = wire([0, 0]);
    send(writers[0], 1);
    end(writers[0], true);
    expect(drain(gate)).toEqual({ values: [1], last: GATE_EMPTY });
    send(writers[1], 2);
    end(writers[1], true);
    expect(drain(gate)).toEqual({ values: [2], last: GATE_FINISHED });
    expect(gate.poll()).toBe(GATE_FINISHED);
    expect(gate.isDraining).toBe(true);
  });

  it('remembers a channel that ended without draining', () => {
    const { gate, writers } = wire([0, 0]);
    end(writers[0], false);
    end(writers[1], true);
    expect(drain(gate).last).toBe(GATE_FINISHED);
    expect(gate.isDraining).toBe(false);
  });

  it('is finished at once without channels', () => {
    expect(new InputGate([]).poll()).toBe(GATE_FINISHED);
  });

  it('refuses to look further while a batch is in use', () => {
    const { gate, writers } = wire([0]);
    send(writers[0], 1);
    gate.poll();
    expect(() => gate.poll()).toThrow('released');
  });

  it('tells of a watermark when all channels have one, before the rows behind it', () => {
    const { gate, writers } = wire([0, 1]);
    const watermark = (channel: number, ms: number): boolean =>
      writers[channel].tryWriteControl(FRAME_WATERMARK, watermarkPayload(ms));
    send(writers[0], 1);
    watermark(0, 10);
    send(writers[0], 2);
    expect(drain(gate)).toEqual({ values: [1, 2], last: GATE_EMPTY });
    expect(gate.time.watermarkMs).toBe(WATERMARK_MIN);
    watermark(1, 7);
    send(writers[1], 3);
    expect([gate.poll(), gate.time.watermarkMs]).toEqual([GATE_TIME, 7]);
    expect(drain(gate)).toEqual({ values: [3], last: GATE_EMPTY });
  });

  it('tells when all of its input is idle, and when it is not any more', () => {
    const { gate, writers } = wire([0, 0]);
    const control = (channel: number, kind: 4 | 5): boolean =>
      writers[channel].tryWriteControl(kind, new Uint8Array(0));
    control(0, FRAME_IDLE);
    expect([gate.poll(), gate.time.isIdle]).toEqual([GATE_EMPTY, false]);
    control(1, FRAME_IDLE);
    expect([gate.poll(), gate.time.isIdle]).toEqual([GATE_TIME, true]);
    control(1, FRAME_ACTIVE);
    expect([gate.poll(), gate.time.isIdle]).toEqual([GATE_TIME, false]);
  });

  it('does not wait for the time of a channel that has finished', () => {
    const { gate, writers } = wire([0, 0]);
    writers[0].tryWriteControl(FRAME_WATERMARK, watermarkPayload(10));
    writers[1].tryWriteControl(FRAME_WATERMARK, watermarkPayload(WATERMARK_MAX));
    expect([gate.poll(), gate.time.watermarkMs]).toEqual([GATE_TIME, 10]);
    end(writers[1], true);
    expect(gate.poll()).toBe(GATE_EMPTY);
    writers[0].tryWriteControl(FRAME_WATERMARK, watermarkPayload(WATERMARK_MAX));
    end(writers[0], true);
    expect([gate.poll(), gate.time.watermarkMs]).toEqual([GATE_TIME, WATERMARK_MAX]);
    expect(gate.poll()).toBe(GATE_FINISHED);
  });
});
