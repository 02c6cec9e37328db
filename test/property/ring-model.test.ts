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
import { createRing } from '../../src/ring/make-ring.js';
import { RingLook } from '../../src/ring/ring-look.js';
import { openRingReader, openRingWriter } from '../../src/ring/spsc-ring.js';

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
  /** Announced barriers that nobody has come to, and how many messages come before each; newer ones take their place. */
  #announced: (Sent & { behind: number })[] = [];

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

  announce(): void {
    const content = this.#content(24);
    this.writer.announce(content);
    this.#announced.push({ kind: FRAME_BARRIER, content, behind: this.queue.length });
  }

  /** The barrier that was met comes where it was announced, and the newest is never passed. */
  #met(content: Uint8Array): void {
    const at = this.#announced.findIndex((one) => Buffer.compare(one.content, content) === 0);
    expect(this.#announced[at]?.behind).toBe(0);
    this.#announced = this.#announced.slice(at + 1);
  }

  /** Takes the next message, or gives the current one back. */
  read(): void {
    if (this.#holds) {
      this.reader.release();
      this.#holds = false;
      return;
    }
    const found = this.reader.poll();
    const newest = this.#announced.at(-1);
    expect(found).toBe(this.queue.length > 0 || newest !== undefined);
    if (!found) return;
    this.#holds = true;
    const { kind, memory, offset, bytes } = this.reader;
    if (kind === FRAME_BARRIER) return this.#met(memory.slice(offset, offset + bytes));
    expect(newest?.behind).not.toBe(0);
    const expected = this.queue.shift() as Sent;
    this.#announced = this.#announced.filter(({ behind }) => behind > 0);
    for (const one of this.#announced) one.behind--;
    expect(kind).toBe(expected.kind);
    expect(Buffer.compare(memory.subarray(offset, offset + bytes), expected.content)).toBe(0);
  }

  /** What is there before its turn is what comes in its turn, up to the barrier. */
  look(): void {
    const ahead = this.reader.ahead((from) => new RingLook(from));
    const newest = this.#announced.at(-1);
    const before = this.queue.slice(0, newest?.behind);
    for (const { kind, content } of newest === undefined ? before : [...before, newest]) {
      const found = ahead.next();
      expect(found?.kind).toBe(kind);
      expect(Buffer.compare(found?.bytes ?? content.subarray(1), content)).toBe(0);
    }
    if (newest === undefined) expect(ahead.next()).toBeNull();
  }

  /** Everything still queued arrives, and then the ring is empty. */
  drain(): void {
    if (this.#holds) this.read();
    while (this.#large !== null || this.queue.length > 0 || this.#announced.length > 0) {
      if (this.#large !== null) this.#continueLarge();
      const isEmpty = this.queue.length === 0 && this.#announced.length === 0;
      if (isEmpty) expect(this.reader.poll()).toBe(false);
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
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look'), bytes: fc.constant(0) }) },
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
            else if (what === 'barrier') model.announce();
            else if (what === 'look') model.look();
            else model.writer.limitQueue(bytes);
          }
          model.drain();
        },
      ),
      { numRuns: 1500 },
    );
  });
});
