/** Both ends of a ring: `spsc-ring-writer.ts`, `spsc-ring-reader.ts`, `ring-look.ts`, opened by `spsc-ring.ts`. */
import { describe, expect, it } from 'vitest';
import {
  FRAME_BARRIER,
  FRAME_DATA,
  FRAME_FINISHED,
  FRAME_WATERMARK,
  type RingReader,
  type RingWriter,
  type Waker,
} from '../../../src/ring/contract.js';
import { createRing, type RingOptions } from '../../../src/ring/make-ring.js';
import { RING_HEADER_BYTES } from '../../../src/ring/ring-layout.js';
import { RingLook } from '../../../src/ring/ring-look.js';
import { openRingReader, openRingWriter } from '../../../src/ring/spsc-ring.js';

class CountingWaker implements Waker {
  wakes = 0;

  wake(): void {
    this.wakes++;
  }
}

interface Ends {
  readonly writer: RingWriter;
  readonly reader: RingReader;
  readonly consumer: CountingWaker;
  readonly producer: CountingWaker;
}

function openRing(dataBytes = 1024, options: RingOptions = {}): Ends {
  const bytes = RING_HEADER_BYTES + dataBytes;
  const memory = new SharedArrayBuffer(64 + bytes);
  const consumer = new CountingWaker();
  const producer = new CountingWaker();
  createRing(memory, 64, bytes, options);
  const writer = openRingWriter(memory, 64, bytes, consumer);
  return { writer, reader: openRingReader(memory, 64, bytes, producer), consumer, producer };
}

function send(writer: RingWriter, bytes: number): boolean {
  const at = writer.claim(bytes);
  if (at >= 0) writer.commit(FRAME_DATA, bytes);
  return at >= 0;
}

function announced(id: number): Uint8Array {
  return new Uint8Array(Float64Array.of(id, 0, 0).buffer);
}

function idOf({ memory, offset }: RingReader): number | undefined {
  return new Float64Array(memory.slice(offset, offset + 8).buffer)[0];
}

describe('ring', () => {
  it('hands a message over in place and wakes the consumer', () => {
    const { writer, reader, consumer } = openRing();
    const at = writer.claim(20);
    writer.memory.fill(7, at, at + 12);
    expect(reader.poll()).toBe(false);
    writer.commit(FRAME_DATA, 12);
    expect(consumer.wakes).toBe(1);
    expect(reader.poll()).toBe(true);
    expect([reader.kind, reader.bytes, reader.offset]).toEqual([FRAME_DATA, 12, at]);
    expect([...reader.memory.subarray(at, at + 12)]).toEqual(Array(12).fill(7));
    expect(reader.memory.buffer).toBe(writer.memory.buffer);
  });

  it('takes no more than there is room for, and all of it again once it is released', () => {
    const { writer, reader, producer } = openRing(1024);
    while (send(writer, 56));
    expect(writer.queuedBytes()).toBe(1024);
    expect(reader.queuedBytes()).toBe(1024);
    expect(producer.wakes).toBe(0);
    while (reader.poll()) reader.release();
    expect(producer.wakes).toBeGreaterThan(0);
    expect([writer.queuedBytes(), reader.queuedBytes()]).toEqual([0, 0]);
    expect(send(writer, writer.claimBytesMax)).toBe(true);
  });

  it('returns the credit of many small messages together, that of control messages at once', () => {
    const { writer, reader, producer } = openRing(1024);
    for (let index = 0; index < 8; index++) send(writer, 8);
    reader.poll();
    reader.release();
    expect(producer.wakes).toBe(0);
    for (let index = 1; index < 8; index++) {
      reader.poll();
      reader.release();
    }
    expect(producer.wakes).toBe(1);
    writer.tryWriteControl(FRAME_FINISHED, new Uint8Array(0));
    reader.poll();
    reader.release();
    expect(producer.wakes).toBe(2);
    expect(writer.queuedBytes()).toBe(0);
  });

  it('gives an aborted claim back', () => {
    const { writer, reader } = openRing();
    writer.claim(100);
    writer.abort();
    expect(writer.queuedBytes()).toBe(0);
    expect(reader.poll()).toBe(false);
    expect(send(writer, 8)).toBe(true);
  });

  it('carries a message many times its size, whatever is around it', () => {
    const { writer, reader } = openRing(512);
    const message = Uint8Array.from({ length: 10_001 }, (_, index) => index % 251);
    send(writer, 8);
    let calls = 1;
    let taken: Uint8Array | null = null;
    const takeOne = (): void => {
      if (!reader.poll()) return;
      if (reader.bytes > 8)
        taken = reader.memory.slice(reader.offset, reader.offset + reader.bytes);
      reader.release();
    };
    while (!writer.writeLarge(FRAME_DATA, message)) {
      calls++;
      expect(writer.writingLarge).toBe(true);
      expect(() => writer.claim(8)).toThrow('A message in segments is finished');
      takeOne();
    }
    expect(writer.writingLarge).toBe(false);
    expect(calls).toBeGreaterThan(10);
    takeOne();
    expect(taken).toEqual(message);
    expect(reader.poll()).toBe(false);
    expect(writer.queuedBytes()).toBe(0);
  });

  it('gives the memory of an outsize message back', () => {
    const { writer, reader } = openRing(256);
    const message = new Uint8Array(5000).fill(1);
    while (!writer.writeLarge(FRAME_DATA, message)) expect(reader.poll()).toBe(false);
    expect(reader.poll()).toBe(true);
    const first = reader.memory.buffer;
    expect(first.byteLength).toBe(5000);
    reader.release();
    while (!writer.writeLarge(FRAME_DATA, message)) expect(reader.poll()).toBe(false);
    expect(reader.poll()).toBe(true);
    expect(reader.memory.buffer).not.toBe(first);
  });

  it('gives an announced barrier behind what was there, though there is no room for it', () => {
    const { writer, reader } = openRing();
    send(writer, 24);
    while (writer.tryWriteControl(FRAME_WATERMARK, new Uint8Array(8)));
    writer.announce(announced(41));
    const kinds: number[] = [];
    while (reader.poll()) {
      kinds.push(reader.kind);
      if (reader.kind === FRAME_BARRIER) expect(idOf(reader)).toBe(41);
      reader.release();
    }
    expect(kinds.at(0)).toBe(FRAME_DATA);
    expect(kinds.indexOf(FRAME_BARRIER)).toBe(kinds.length - 1);
    send(writer, 8);
    expect(reader.poll()).toBe(true);
    expect(reader.kind).toBe(FRAME_DATA);
  });

  it('gives only the newest of the barriers that nobody has come to', () => {
    const { writer, reader } = openRing();
    send(writer, 24);
    writer.announce(announced(1));
    send(writer, 24);
    writer.announce(announced(2));
    send(writer, 24);
    const seen: string[] = [];
    while (reader.poll()) {
      seen.push(reader.kind === FRAME_BARRIER ? `barrier ${idOf(reader)}` : 'data');
      reader.release();
    }
    expect(seen).toEqual(['data', 'data', 'barrier 2', 'data']);
  });

  it('shows what comes before its turn, up to the barrier, and leaves it where it is', () => {
    const { writer, reader } = openRing();
    for (let turn = 0; turn < 40; turn++) {
      send(writer, 64);
      send(writer, 24);
      expect(reader.poll()).toBe(true);
      const ahead = reader.ahead((from) => new RingLook(from));
      writer.announce(announced(turn));
      send(writer, 8);
      expect(ahead.next()?.bytes.length).toBe(24);
      expect(ahead.next()?.kind).toBe(FRAME_BARRIER);
      // One that is no longer wanted does not hide what is behind it.
      expect(ahead.next()?.bytes.length).toBe(8);
      expect(ahead.next()).toBeNull();
      expect(reader.bytes).toBe(64);
      reader.release();
      const kinds: number[] = [];
      while (reader.poll()) {
        kinds.push(reader.kind);
        reader.release();
      }
      expect(kinds).toEqual([FRAME_DATA, FRAME_BARRIER, FRAME_DATA]);
    }
  });

  it('announces a barrier in the middle of a message in segments', () => {
    const { writer, reader } = openRing(1024);
    const message = Uint8Array.from({ length: 5000 }, (_, index) => index & 0xff);
    expect(writer.writeLarge(FRAME_DATA, message)).toBe(false);
    writer.announce(announced(7));
    const before = reader.ahead((from) => new RingLook(from));
    expect(before.next()?.kind).toBe(FRAME_BARRIER);
    expect(reader.poll()).toBe(true);
    expect([reader.kind, idOf(reader)]).toEqual([FRAME_BARRIER, 7]);
    reader.release();
    const after = reader.ahead((from) => new RingLook(from));
    while (!writer.writeLarge(FRAME_DATA, message)) {
      expect(after.next()).toBeNull();
      expect(reader.poll()).toBe(false);
    }
    expect(after.next()?.bytes).toEqual(message);
    expect(reader.poll()).toBe(true);
    expect(reader.memory.slice(reader.offset, reader.offset + reader.bytes)).toEqual(message);
  });

  it('keeps the queue below its limit and never stops because of it', () => {
    const { writer, reader } = openRing(4096);
    writer.limitQueue(1000);
    while (send(writer, 56));
    expect(writer.queuedBytes()).toBeGreaterThanOrEqual(1000);
    expect(writer.queuedBytes()).toBeLessThanOrEqual(1064);
    writer.limitQueue(0);
    let received = 0;
    for (let sent = 0; sent < 1000; ) {
      if (send(writer, 8)) sent++;
      else if (reader.poll()) {
        received++;
        reader.release();
      } else throw new Error('Neither side can move.');
    }
    expect(received).toBeGreaterThan(900);
    writer.limitQueue(writer.capacityBytes);
    while (send(writer, 56));
    expect(writer.queuedBytes()).toBeGreaterThan(4000);
  });

  it('goes on when its counters wrap', () => {
    const { writer, reader } = openRing(256, { firstPosition: 0x7fffffc0 });
    for (let index = 0; index < 100; index++) {
      expect(send(writer, index)).toBe(true);
      expect(writer.queuedBytes()).toBeGreaterThan(0);
      expect(reader.poll()).toBe(true);
      expect(reader.bytes).toBe(index);
      reader.release();
    }
    expect(reader.poll()).toBe(false);
    expect(writer.queuedBytes()).toBe(0);
  });
});

describe('ring misuse', () => {
  it('is an assertion that says what is wrong', () => {
    const { writer, reader } = openRing(256, { messageBytesMax: 2000 });
    expect(() => writer.commit(FRAME_DATA, 0)).toThrow('at most as long as its claim');
    expect(() => writer.claim(writer.claimBytesMax + 1)).toThrow('at most claimBytesMax');
    expect(() => writer.writeLarge(FRAME_DATA, new Uint8Array(2001))).toThrow('messageBytesMax');
    expect(() => reader.release()).toThrow('Only a current message');
    writer.claim(8);
    expect(() => writer.claim(8)).toThrow('committed or aborted');
    writer.commit(FRAME_WATERMARK, 8);
    reader.poll();
    expect(() => reader.poll()).toThrow('released before the next poll');
    expect(() => writer.announce(new Uint8Array(8))).toThrow('24 bytes');
  });

  it('is refused when a ring is opened', () => {
    const bytes = RING_HEADER_BYTES + 256;
    const memory = new SharedArrayBuffer(4096);
    const waker = new CountingWaker();
    expect(() => openRingWriter(memory, 0, bytes, waker)).toThrow('made before opening');
    createRing(memory, 0, bytes);
    expect(() => openRingWriter(memory, 0, bytes + 8, waker)).toThrow('the size it was made with');
    openRingWriter(memory, 0, bytes, waker);
    expect(() => openRingWriter(memory, 0, bytes, waker)).toThrow('opened once');
    openRingReader(memory, 0, bytes, waker);
    expect(() => openRingReader(memory, 0, bytes, waker)).toThrow('opened once');
    expect(() => createRing(memory, 4, bytes)).toThrow('aligned to eight');
  });

  it('is found when the memory of a ring is overwritten', () => {
    const { writer, reader } = openRing(256);
    send(writer, 8);
    new Int32Array(writer.memory.buffer, writer.memory.byteOffset, 1)[0] = 4096;
    expect(() => reader.poll()).toThrow('within the data area');
  });
});
