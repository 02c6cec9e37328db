/**
 * The ring against a queue: any interleaving of operations on a tiny ring gives the messages of a plain array, in
 * order and undamaged, whatever their sizes. Runs on: the test's thread.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FRAME_BARRIER,
  FRAME_DATA,
  FRAME_WATERMARK,
  type FrameKind,
  type RingReader,
  type RingWriter,
} from '../../src/ring/contract.js';
import { silentWaker } from '../../src/ring/parker.js';
import { RING_HEADER_BYTES } from '../../src/ring/ring-layout.js';
import { createRing, openRingReader, openRingWriter } from '../../src/ring/spsc-ring.js';

interface Sent {
  readonly kind: FrameKind;
  readonly content: Uint8Array;
}

/** Both ends of a ring, and what a queue would hold. */
class Model {
  readonly writer: RingWriter;
  readonly reader: RingReader;
  readonly queue: Sent[] = [];
  /** Offered to `writeLarge` and not wholly taken yet. */
  #large: Sent | null = null;
  #holds = false;
  #sent = 0;
  #barriers = 0;

  constructor(dataBytes: number, firstPosition: number) {
    const bytes = RING_HEADER_BYTES + dataBytes;
    const memory = new SharedArrayBuffer(bytes);
    createRing(memory, 0, bytes, { firstPosition });
    this.writer = openRingWriter(memory, 0, bytes, silentWaker);
    this.reader = openRingReader(memory, 0, bytes, silentWaker);
  }

  write(bytes: number, shorterBy: number): void {
    if (this.#large !== null) return this.#continueLarge();
    const size = Math.min(bytes, this.writer.claimBytesMax);
    const at = this.writer.claim(size);
    if (at < 0) return;
    expect(at % 8).toBe(0);
    const content = this.#content(Math.max(0, size - shorterBy));
    this.writer.memory.set(content, at);
    this.writer.commit(FRAME_DATA, content.byteLength);
    this.queue.push({ kind: FRAME_DATA, content });
  }

  abort(bytes: number): void {
    if (this.#large !== null) return;
    if (this.writer.claim(Math.min(bytes, this.writer.claimBytesMax)) >= 0) this.writer.abort();
  }

  writeLarge(bytes: number): void {
    this.#large ??= { kind: FRAME_DATA, content: this.#content(bytes) };
    this.#continueLarge();
  }

  writeControl(): void {
    if (this.#large !== null) return this.#continueLarge();
    const content = this.#content(16);
    if (this.writer.tryWriteControl(FRAME_WATERMARK, content)) {
      this.queue.push({ kind: FRAME_WATERMARK, content });
    }
  }

  writeBarrier(): void {
    if (this.#large !== null) return this.#continueLarge();
    const content = new Uint8Array(Float64Array.of(this.#barriers + 1).buffer);
    if (!this.writer.tryWriteControl(FRAME_BARRIER, content)) return;
    this.#barriers++;
    this.queue.push({ kind: FRAME_BARRIER, content });
  }

  /** Takes the next message, or gives the current one back. */
  read(): void {
    if (this.#holds) {
      this.reader.release();
      this.#holds = false;
      return;
    }
    const expected = this.queue.shift();
    const found = this.reader.poll();
    expect(found).toBe(expected !== undefined);
    if (expected === undefined) return;
    this.#holds = true;
    const { kind, memory, offset, bytes } = this.reader;
    expect(kind).toBe(expected.kind);
    expect(Buffer.compare(memory.subarray(offset, offset + bytes), expected.content)).toBe(0);
  }

  checkBarriers(): void {
    const newest = this.queue.findLast((message) => message.kind === FRAME_BARRIER);
    const id = newest === undefined ? -1 : new Float64Array(newest.content.slice().buffer)[0];
    expect(this.reader.barrierAhead()).toBe(id);
  }

  /** Everything still queued arrives, and then the ring is empty. */
  drain(): void {
    if (this.#holds) this.read();
    while (this.#large !== null || this.queue.length > 0) {
      if (this.#large !== null) this.#continueLarge();
      if (this.queue.length === 0) expect(this.reader.poll()).toBe(false);
      else {
        this.read();
        this.read();
      }
    }
    expect(this.reader.poll()).toBe(false);
    expect(this.writer.queuedBytes()).toBe(0);
    expect(this.writer.claim(this.writer.claimBytesMax)).toBeGreaterThan(0);
  }

  #continueLarge(): void {
    if (this.#large === null || !this.writer.writeLarge(this.#large.kind, this.#large.content)) {
      return;
    }
    this.queue.push(this.#large);
    this.#large = null;
  }

  #content(bytes: number): Uint8Array {
    const number = ++this.#sent;
    return Uint8Array.from({ length: bytes }, (_, index) => (number * 31 + index) & 0xff);
  }
}

const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write'), bytes: fc.nat(300) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('read'), bytes: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort'), bytes: fc.nat(300) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('large'), bytes: fc.nat(1500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('control'), bytes: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('barrier'), bytes: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('limit'), bytes: fc.nat(600) }) },
);

describe('a ring', () => {
  it('behaves like a queue', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 32, max: 90 }).map((eighths) => eighths * 8),
        fc.constantFrom(0, 0x7fffff00, -64),
        fc.array(operation, { maxLength: 150 }),
        (dataBytes, firstPosition, operations) => {
          const model = new Model(dataBytes, firstPosition);
          for (const { do: what, bytes } of operations) {
            if (what === 'write') model.write(bytes, bytes % 5);
            else if (what === 'read') model.read();
            else if (what === 'abort') model.abort(bytes);
            else if (what === 'large') model.writeLarge(bytes);
            else if (what === 'control') model.writeControl();
            else if (what === 'barrier') model.writeBarrier();
            else model.writer.limitQueue(bytes);
            model.checkBarriers();
          }
          model.drain();
        },
      ),
      { numRuns: 1500 },
    );
  });
});
