import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import type { TaskMetricsWriter } from '../../../src/metrics/task-metrics.js';
import { inferSchema } from '../../../src/record/infer.js';
import { compileRowWriter } from '../../../src/record/row-codec.js';
import { decodeFrame } from '../../../src/record/frame-codec.js';
import {
  FRAME_DATA,
  FRAME_END_OF_DATA,
  FRAME_FINISHED,
  type RingReader,
} from '../../../src/ring/contract.js';
import { silentWaker } from '../../../src/ring/parker.js';
import { createRing } from '../../../src/ring/make-ring.js';
import { openRingReader, openRingWriter } from '../../../src/ring/spsc-ring.js';
import { QueueLimit } from '../../../src/runtime/queue-limit.js';
import { ExchangePort } from '../../../src/runtime/exchange-port.js';
import { RingSender } from '../../../src/runtime/frame-sender.js';
import { MemorySchemas } from '../operator/chain-harness.js';
import { channelMetrics, recordsOf, StillClock, taskMetrics } from './runtime-harness.js';

interface Wired {
  readonly port: ExchangePort;
  readonly readers: readonly RingReader[];
  readonly schemas: MemorySchemas;
  readonly task: TaskMetricsWriter;
}

function wire(
  rings: number,
  options: {
    bytes?: number;
    broadcast?: boolean;
    batchRows?: number;
    messageBytesMax?: number;
  } = {},
): Wired {
  const { bytes = 4096, broadcast = false, batchRows = 4, messageBytesMax = 1 << 20 } = options;
  const memories = Array.from({ length: rings }, () => new SharedArrayBuffer(bytes));
  for (const memory of memories) createRing(memory, 0, bytes, { messageBytesMax });
  const writers = memories.map((memory) => openRingWriter(memory, 0, bytes, silentWaker));
  const schemas = new MemorySchemas();
  const task = taskMetrics();
  const metrics = channelMetrics(rings);
  const senders = writers.map((ring, index) => {
    const limit = new QueueLimit(ring, new StillClock(), 1000);
    return new RingSender(ring, { edge: metrics[index], task }, limit);
  });
  const port = new ExchangePort({ senders, broadcast, schemas, batchRows });
  const readers = memories.map((memory) => openRingReader(memory, 0, bytes, silentWaker));
  return { port, readers, schemas, task };
}

function openFor(port: ExchangePort, record: unknown): void {
  expect(port.open(inferSchema([record]), { times: false, kinds: false })).toBe(true);
}

function put(port: ExchangePort, channel: number, ...records: unknown[]): void {
  const builder = port.builders[channel];
  const write = compileRowWriter(builder.schema);
  for (const record of records) expect(write(builder, record)).toBe(null);
}

/** Everything that can be read from a ring now: records, and kinds of control frames. */
function read(reader: RingReader, schemas: MemorySchemas, messagesMax = 1e9): unknown[] {
  const seen: unknown[] = [];
  for (let left = messagesMax; left > 0 && reader.poll(); left--) {
    if (reader.kind === FRAME_DATA) {
      const { memory, offset, bytes } = reader;
      seen.push(...recordsOf(decodeFrame(memory, offset, bytes, schemas)));
    } else {
      seen.push(`control ${reader.kind}`);
    }
    reader.release();
  }
  return seen;
}

const text = (bytes: number, mark: string): { t: string } => ({ t: mark.repeat(bytes) });

describe('ExchangePort', () => {
  it('keeps rows in the builder while the ring is full, and sends them once', () => {
    const { port, readers, schemas } = wire(1, { batchRows: 1 });
    openFor(port, { v: 0 });
    let sent = 0;
    for (; sent < 1000; sent++) {
      put(port, 0, { v: sent });
      if (!port.flush(0)) break;
    }
    expect(sent).toBeLessThan(1000);
    expect(port.flush(0)).toBe(false);
    const first = read(readers[0], schemas);
    expect(port.flush(0)).toBe(true);
    const seen = [...first, ...read(readers[0], schemas)];
    expect(seen).toEqual(Array.from({ length: sent + 1 }, (_, v) => ({ v })));
  });

  it('sends a frame larger than the ring in segments while it is read, and nothing overtakes it', () => {
    const { port, readers, schemas } = wire(1, { bytes: 2048 });
    const [large, small] = [text(20_000, 'x'), text(3, 'y')];
    openFor(port, small);
    put(port, 0, large);
    expect(port.flush(0)).toBe(false);
    put(port, 0, small);
    expect(port.flush(0)).toBe(false);
    expect(port.sendControl(FRAME_END_OF_DATA, Uint8Array.of(1))).toBe(false);
    const seen: unknown[] = [];
    for (let turns = 0; turns < 100 && seen.length < 3; turns++) {
      seen.push(...read(readers[0], schemas));
      port.sendControl(FRAME_END_OF_DATA, Uint8Array.of(1));
    }
    expect(seen.slice(0, 3)).toEqual([large, small, `control ${FRAME_END_OF_DATA}`]);
  });

  it('gives every ring each broadcast frame once, however slow one of them is', () => {
    const { port, readers, schemas } = wire(3, { bytes: 1024, broadcast: true, batchRows: 2 });
    openFor(port, { v: 0 });
    expect(port.builders.length).toBe(1);
    const seen: unknown[][] = [[], [], []];
    let next = 0;
    for (let turns = 0; turns < 2000 && next < 100; turns++) {
      if (port.flush(0)) {
        put(port, 0, { v: next++ }, { v: next++ });
      }
      seen[0].push(...read(readers[0], schemas));
      seen[1].push(...read(readers[1], schemas));
      if (turns % 10 === 0) seen[2].push(...read(readers[2], schemas, 1));
    }
    while (!port.flushAll()) seen[2].push(...read(readers[2], schemas));
    for (const [index, reader] of readers.entries()) seen[index].push(...read(reader, schemas));
    const all = Array.from({ length: next }, (_, v) => ({ v }));
    expect(next).toBe(100);
    expect(seen).toEqual([all, all, all]);
  });

  it('sends a control frame into every ring once, behind the rows, when some rings were full', () => {
    const { port, readers, schemas } = wire(3, { bytes: 1024, batchRows: 1 });
    openFor(port, { v: 0 });
    let sent = 0;
    do put(port, 1, { v: sent++ });
    while (port.flush(1));
    put(port, 2, { v: -1 });
    const seen: unknown[][] = [[], [], []];
    let calls = 0;
    while (!port.sendControl(FRAME_FINISHED)) {
      calls++;
      for (const [index, reader] of readers.entries())
        seen[index].push(...read(reader, schemas, 1));
    }
    for (const [index, reader] of readers.entries()) seen[index].push(...read(reader, schemas));
    expect(calls).toBeGreaterThan(0);
    const end = `control ${FRAME_FINISHED}`;
    expect(seen[0]).toEqual([end]);
    expect(seen[1]).toEqual([...Array.from({ length: sent }, (_, v) => ({ v })), end]);
    expect(seen[2]).toEqual([{ v: -1 }, end]);
  });

  it('sends rows of an older schema before it makes builders for a wider one', () => {
    const { port, readers, schemas } = wire(2, { bytes: 1024, batchRows: 1 });
    openFor(port, { v: 0 });
    let sent = 0;
    do put(port, 0, { v: sent++ });
    while (port.flush(0));
    const wider = inferSchema([{ v: 1, w: true }]);
    const options = { times: false, kinds: false };
    expect(port.open(wider, options)).toBe(false);
    const seen = read(readers[0], schemas);
    expect(port.open(wider, options)).toBe(true);
    put(port, 0, { v: -1, w: true });
    port.flush(0);
    seen.push(...read(readers[0], schemas));
    expect(seen.length).toBe(sent + 1);
    expect(seen.at(-1)).toEqual({ v: -1, w: true });
  });

  it('opens for the schema that another subtask has widened already', () => {
    const { port, schemas } = wire(1);
    schemas.propose(inferSchema([{ v: 1, other: 'x' }]));
    openFor(port, { v: 0 });
    expect(port.builders[0].schema.fields.map((field) => field.name)).toEqual(['v', 'other']);
  });

  it('refuses what no ring may carry, with the setting to raise', () => {
    const { port } = wire(1, { messageBytesMax: 5000, batchRows: 1 });
    openFor(port, text(1, 'x'));
    put(port, 0, text(6000, 'x'));
    const error = failureOf(() => port.flush(0));
    expect(error.code).toBe('RECORD_TOO_LARGE');
    expect(error.advice).toContain('slot.memory');
  });
});

function failureOf(action: () => unknown): MillraceError {
  try {
    action();
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('It did not fail.');
}
