/**
 * The producing end of a ring; the protocol is described in `spsc-ring.ts`. Callers: `openRingWriter`. Runs on:
 * the producer's thread. Invariant: only space that the consumer has released is written, and `published` moves
 * only after everything before it has been written.
 */
import { assert } from '../base/assert.js';
import type { FrameKind, RingWriter, Waker } from './contract.js';
import { openHeader, wordAt } from './ring-header.js';
import {
  ANNOUNCED_BYTES,
  alignMessage,
  LARGE_PREFIX_BYTES,
  MESSAGE_HEADER_BYTES,
  RING_BARRIER_OFFSET,
  RING_HEADER_BYTES,
  RING_WORDS,
  ringLayout,
  SEGMENT_FIRST,
  SEGMENT_LAST,
  SEGMENT_MIDDLE,
  SEGMENT_WHOLE,
  TAG_PADDING,
} from './ring-layout.js';

/** Writes messages into a ring. */
export class SpscRingWriter implements RingWriter {
  readonly memory: Uint8Array;
  readonly capacityBytes: number;
  readonly claimBytesMax: number;
  readonly messageBytesMax: number;
  readonly #header: Int32Array;
  readonly #announced: Uint8Array;
  readonly #words: Int32Array;
  readonly #consumer: Waker;
  readonly #queueBytesMin: number;
  #queueBytesMax: number;
  /** Position behind the last published message, and the same as an offset in the data area. */
  #position: number;
  #offset = 0;
  /** Cached copy of the consumer's counter; may lag behind it. */
  #released: number;
  /** Size of the open claim, -1 without one, and the padding that goes before it. */
  #claimedBytes = -1;
  #paddingBytes = 0;
  /** Progress of a message sent in segments; the total is -1 when there is none. */
  #largeBytes = -1;
  #largeSent = 0;

  constructor(memory: SharedArrayBuffer, byteOffset: number, byteLength: number, consumer: Waker) {
    const layout = ringLayout(byteLength);
    this.#header = openHeader(memory, byteOffset, layout.dataBytes, RING_WORDS.writerOpened);
    this.#announced = new Uint8Array(memory, byteOffset + RING_BARRIER_OFFSET, ANNOUNCED_BYTES);
    this.memory = new Uint8Array(memory, byteOffset + RING_HEADER_BYTES, layout.dataBytes);
    this.#words = new Int32Array(memory, byteOffset + RING_HEADER_BYTES, layout.dataBytes / 4);
    this.#consumer = consumer;
    this.capacityBytes = layout.dataBytes;
    this.claimBytesMax = layout.claimBytesMax;
    this.messageBytesMax = wordAt(this.#header, RING_WORDS.messageBytesMax);
    this.#queueBytesMin = layout.creditBatchBytes + MESSAGE_HEADER_BYTES;
    this.#queueBytesMax = layout.dataBytes;
    this.#position = Atomics.load(this.#header, RING_WORDS.published);
    this.#released = this.#position;
  }

  get writingLarge(): boolean {
    return this.#largeBytes >= 0;
  }

  claim(bytes: number): number {
    assert(this.#largeBytes < 0, 'A message in segments is finished before the next one starts.');
    return this.#claim(bytes);
  }

  commit(kind: FrameKind, bytes: number): void {
    this.#commit(kind | SEGMENT_WHOLE, bytes);
  }

  abort(): void {
    this.#claimedBytes = -1;
  }

  writeLarge(kind: FrameKind, message: Uint8Array): boolean {
    const total = message.byteLength;
    assert(total <= this.messageBytesMax, 'A message is at most messageBytesMax long.');
    if (this.#largeBytes < 0) {
      this.#largeBytes = total;
      this.#largeSent = 0;
    }
    assert(this.#largeBytes === total, 'A message in segments is resumed with the same bytes.');
    while (this.#writeSegment(kind, message)) {
      if (this.#largeSent < total) continue;
      this.#largeBytes = -1;
      return true;
    }
    return false;
  }

  /**
   * Sends the next piece. Pieces take half of the largest claim, so that the consumer copies one while the
   * producer writes the next. A message of one piece is sent whole.
   */
  #writeSegment(kind: FrameKind, message: Uint8Array): boolean {
    const total = message.byteLength;
    const sent = this.#largeSent;
    const prefix = sent === 0 ? LARGE_PREFIX_BYTES : 0;
    const pieceMax = alignMessage(this.claimBytesMax >> 1) - prefix;
    const piece = Math.min(total - sent, pieceMax);
    const last = sent + piece === total;
    if (sent === 0 && last) return this.#writeWhole(kind, message);
    const at = this.#claim(prefix + piece);
    if (at < 0) return false;
    if (sent === 0) this.#words[at >> 2] = total;
    this.memory.set(message.subarray(sent, sent + piece), at + prefix);
    this.#largeSent = sent + piece;
    const segment = sent === 0 ? SEGMENT_FIRST : last ? SEGMENT_LAST : SEGMENT_MIDDLE;
    this.#commit(kind | segment, prefix + piece);
    return true;
  }

  #writeWhole(kind: FrameKind, message: Uint8Array): boolean {
    const at = this.#claim(message.byteLength);
    if (at < 0) return false;
    this.memory.set(message, at);
    this.#largeSent = message.byteLength;
    this.#commit(kind | SEGMENT_WHOLE, message.byteLength);
    return true;
  }

  tryWriteControl(kind: FrameKind, payload: Uint8Array): boolean {
    const at = this.claim(payload.byteLength);
    if (at < 0) return false;
    this.memory.set(payload, at);
    this.commit(kind, payload.byteLength);
    return true;
  }

  /** The version is odd while the rest changes, so that the consumer never takes half of it. */
  announce(payload: Uint8Array): void {
    assert(payload.byteLength === ANNOUNCED_BYTES, 'An announced barrier has 24 bytes.');
    const header = this.#header;
    Atomics.add(header, RING_WORDS.barrierVersion, 1);
    header[RING_WORDS.barrierPosition] = this.#position;
    this.#announced.set(payload);
    Atomics.add(header, RING_WORDS.barrierVersion, 1);
    const consumer = this.#consumer;
    consumer.wake();
  }

  queuedBytes(): number {
    return (this.#position - Atomics.load(this.#header, RING_WORDS.released)) | 0;
  }

  limitQueue(bytes: number): void {
    this.#queueBytesMax = Math.min(this.capacityBytes, Math.max(this.#queueBytesMin, bytes));
  }

  #claim(bytes: number): number {
    assert(this.#claimedBytes < 0, 'A claim is committed or aborted before the next one.');
    assert(bytes >= 0 && bytes <= this.claimBytesMax, 'A claim has at most claimBytesMax bytes.');
    const needed = MESSAGE_HEADER_BYTES + alignMessage(bytes);
    const room = this.capacityBytes - this.#offset;
    const padding = needed > room ? room : 0;
    if (!this.#hasCredit(padding + needed)) {
      this.#released = Atomics.load(this.#header, RING_WORDS.released);
      if (!this.#hasCredit(padding + needed)) return -1;
    }
    this.#claimedBytes = bytes;
    this.#paddingBytes = padding;
    return (padding === 0 ? this.#offset : 0) + MESSAGE_HEADER_BYTES;
  }

  #hasCredit(bytes: number): boolean {
    const queued = (this.#position - this.#released) | 0;
    return queued + bytes <= this.capacityBytes && queued < this.#queueBytesMax;
  }

  #commit(tag: number, bytes: number): void {
    assert(bytes >= 0 && bytes <= this.#claimedBytes, 'A commit is at most as long as its claim.');
    const words = this.#words;
    const padding = this.#paddingBytes;
    let at = this.#offset;
    if (padding !== 0) {
      words[at >> 2] = padding - MESSAGE_HEADER_BYTES;
      words[(at >> 2) + 1] = TAG_PADDING;
      at = 0;
    }
    words[at >> 2] = bytes;
    words[(at >> 2) + 1] = tag;
    const end = at + MESSAGE_HEADER_BYTES + alignMessage(bytes);
    const position = (this.#position + padding + end - at) | 0;
    this.#offset = end === this.capacityBytes ? 0 : end;
    this.#position = position;
    this.#claimedBytes = -1;
    Atomics.store(this.#header, RING_WORDS.published, position);
    this.#consumer.wake();
  }
}
