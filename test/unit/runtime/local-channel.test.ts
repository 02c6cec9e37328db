import { describe, expect, it } from 'vitest';
import {
  FRAME_DATA,
  FRAME_END_OF_DATA,
  FRAME_FINISHED,
  FRAME_WATERMARK,
} from '../../../src/ring/contract.js';
import { silentWaker } from '../../../src/ring/parker.js';
import { ExchangePort } from '../../../src/runtime/exchange-port.js';
import { GATE_BATCH, GATE_EMPTY, GATE_FINISHED } from '../../../src/runtime/input-gate.js';
import { InputGate } from '../../../src/runtime/input-gate.js';
import { LocalChannel } from '../../../src/runtime/local-channel.js';
import { compileRowWriter } from '../../../src/record/row-codec.js';
import { MemorySchemas } from '../operator/chain-harness.js';
import { builderOf, channelMetrics, recordsOf, taskMetrics } from './runtime-harness.js';

function channels(count: number): readonly LocalChannel[] {
  const task = taskMetrics();
  return channelMetrics(count).map((edge) => new LocalChannel({ edge, task }, silentWaker));
}

describe('LocalChannel', () => {
  it('lends a batch until the consumer gives it back, without copying it', () => {
    const [channel] = channels(1);
    const batch = builderOf([{ v: 1 }, { v: 2 }]).take();
    expect(channel.poll()).toBe(false);
    expect(channel.send(batch)).toBe(false);
    expect(channel.send(batch)).toBe(false);
    expect(channel.poll()).toBe(true);
    expect(channel.kind).toBe(FRAME_DATA);
    expect(channel.batch()).toBe(batch);
    expect(channel.send(batch)).toBe(false);
    channel.release();
    expect(channel.poll()).toBe(false);
    expect(channel.send(batch)).toBe(true);
  });

  it('counts each batch once, however often sending it is repeated', () => {
    const task = taskMetrics();
    const [edge] = channelMetrics(1);
    const counted: number[] = [];
    edge.addRows = (rows) => counted.push(rows);
    const channel = new LocalChannel({ edge, task }, silentWaker);
    const batch = builderOf([{ v: 1 }, { v: 2 }]).take();
    for (let call = 0; call < 3; call++) channel.send(batch);
    channel.poll();
    channel.release();
    expect(channel.send(batch)).toBe(true);
    expect(counted).toEqual([2]);
  });

  it('keeps control messages in order with batches, one at a time', () => {
    const [channel] = channels(1);
    const batch = builderOf([{ v: 1 }]).take();
    expect(channel.sendControl(FRAME_WATERMARK, Uint8Array.of(7))).toBe(true);
    expect(channel.send(batch)).toBe(false);
    expect(channel.poll()).toBe(true);
    expect([channel.kind, ...channel.payload()]).toEqual([FRAME_WATERMARK, 7]);
    channel.release();
    expect(channel.send(batch)).toBe(false);
    expect(channel.sendControl(FRAME_FINISHED, new Uint8Array(0))).toBe(false);
    expect(channel.poll()).toBe(true);
    expect(channel.kind).toBe(FRAME_DATA);
    channel.release();
    expect(channel.sendControl(FRAME_FINISHED, new Uint8Array(0))).toBe(true);
    expect(channel.poll()).toBe(true);
    expect(channel.kind).toBe(FRAME_FINISHED);
  });

  it('refuses a second look while a message is in use, and a release of nothing', () => {
    const [channel] = channels(1);
    channel.send(builderOf([{ v: 1 }]).take());
    channel.poll();
    expect(() => channel.poll()).toThrow('released');
    channel.release();
    expect(() => channel.release()).toThrow('current');
  });
});

describe('ExchangePort over local channels', () => {
  it.each([false, true])('gives every row once and in order, broadcast: %s', (broadcast) => {
    const schemas = new MemorySchemas();
    const senders = channels(3);
    const port = new ExchangePort({ senders, broadcast, schemas, batchRows: 16 });
    const gates = senders.map((receiver) => new InputGate([{ input: 0, receiver }]));
    const seen: number[][] = [[], [], []];
    const take = (index: number): number => {
      const found = gates[index].poll();
      if (found !== GATE_BATCH || gates[index].batch === null) return found;
      seen[index].push(...recordsOf(gates[index].batch).map((row) => (row as { v: number }).v));
      gates[index].release();
      return found;
    };
    const schema = builderOf([{ v: 1 }]).schema;
    expect(port.open(schema, { times: false, kinds: false })).toBe(true);
    for (let v = 0; v < 40; v++) {
      const channel = broadcast ? 0 : v % 3;
      compileRowWriter(port.builders[channel].schema)(port.builders[channel], { v });
      if (v % 5 !== 0) continue;
      expect(port.flush(channel)).toBe(false);
      while (!port.flush(channel)) for (let index = 0; index < 3; index++) take(index);
    }
    for (const kind of [FRAME_END_OF_DATA, FRAME_FINISHED] as const) {
      while (!port.sendControl(kind, Uint8Array.of(1))) {
        for (let index = 0; index < 3; index++) take(index);
      }
    }
    for (let index = 0; index < 3; index++) {
      while (take(index) === GATE_BATCH);
      expect(take(index)).toBe(GATE_FINISHED);
    }
    const all = Array.from({ length: 40 }, (_, v) => v);
    const expected = [0, 1, 2].map((index) => all.filter((v) => broadcast || v % 3 === index));
    expect(seen).toEqual(expected);
    expect(take(0)).not.toBe(GATE_EMPTY);
  });
});
