/**
 * The consuming end of a ring; the protocol is described in `spsc-ring.ts`. Callers: `openRingReader`. Runs on:
 * the consumer's thread. Invariant: only published bytes are read, and `released` moves only past messages that
 * nobody looks at any more.
 */
import { assert } from '../base/assert.js';
import {
  FRAME_BARRIER,
  FRAME_DATA,
  type FrameKind,
  type LookedAt,
  type RingAhead,
  type RingLookParts,
  type RingReader,
  type Waker,
} from './contract.js';
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
  TAG_KIND_MASK,
  TAG_PADDING,
} from './ring-layout.js';

/** A reassembly buffer above this many times the ring is given back after use. */
const LARGE_KEPT_RINGS = 4;
/** In the place of the bytes of the current message in the ring: it is the announced barrier. */
const ANNOUNCED = -1;

/** Reads messages from a ring. */
export class SpscRingReader implements RingReader, LookedAt {
  kind: FrameKind = FRAME_DATA;
  memory: Uint8Array;
  offset = 0;
  bytes = 0;
  readonly #ring: Uint8Array;
  readonly #header: Int32Array;
  readonly #announced: Uint8Array;
  readonly #words: Int32Array;
  readonly #producer: Waker;
  readonly #dataBytes: number;
  readonly #messageBytesMax: number;
  readonly #creditBatchBytes: number;
  /** Position of the current message, or of the next one, and the same as an offset in the data area. */
  #position: number;
  #offset = 0;
  /** Cached copy of the producer's counter; may lag behind it. */
  #published: number;
  /** What the consumer's own counter says; credit behind `#position` is kept back until a batch is together. */
  #returned: number;
  /** Size of the current message in the ring with its header; 0 for one that was reassembled. */
  #currentBytes = 0;
  #hasCurrent = false;
  /** Where a message sent in segments is put together, and how far that is; the total is -1 without one. */
  #large = new Uint8Array(0);
  #largeBytes = -1;
  #largeTaken = 0;
  /** The newest announcement that was read whole, and the one that has been current last. */
  #announcedVersion = 0;
  #announcedPosition = 0;
  #barrier = new Uint8Array(0);
  #takenVersion = 0;

  constructor(memory: SharedArrayBuffer, byteOffset: number, byteLength: number, producer: Waker) {
    const layout = ringLayout(byteLength);
    this.#header = openHeader(memory, byteOffset, layout.dataBytes, RING_WORDS.readerOpened);
    this.#announced = new Uint8Array(memory, byteOffset + RING_BARRIER_OFFSET, ANNOUNCED_BYTES);
    this.#ring = new Uint8Array(memory, byteOffset + RING_HEADER_BYTES, layout.dataBytes);
    this.#words = new Int32Array(memory, byteOffset + RING_HEADER_BYTES, layout.dataBytes / 4);
    this.memory = this.#ring;
    this.#producer = producer;
    this.#dataBytes = layout.dataBytes;
    this.#messageBytesMax = wordAt(this.#header, RING_WORDS.messageBytesMax);
    this.#creditBatchBytes = layout.creditBatchBytes;
    this.#position = Atomics.load(this.#header, RING_WORDS.released);
    this.#published = this.#position;
    this.#returned = this.#position;
  }

  poll(): boolean {
    assert(!this.#hasCurrent, 'The current message is released before the next poll.');
    for (;;) {
      const hasNext = this.#hasNext();
      if (this.barrierAt(this.#position) !== null) {
        this.#takenVersion = this.#announcedVersion;
        this.#currentBytes = ANNOUNCED;
        this.#makeCurrent(FRAME_BARRIER, this.#barrier, 0, ANNOUNCED_BYTES);
        return true;
      }
      if (!hasNext) return false;
      const tag = this.#enterMessage();
      if (tag <= TAG_KIND_MASK) {
        this.#makeCurrent(tag, this.#ring, this.#offset + MESSAGE_HEADER_BYTES, this.bytes);
        return true;
      }
      if (this.#takeSegment(tag)) return true;
    }
  }

  release(): void {
    assert(this.#hasCurrent, 'Only a current message is released.');
    this.#hasCurrent = false;
    if (this.#currentBytes === 0) this.#dropLarge();
    else if (this.#currentBytes !== ANNOUNCED) this.#advance();
    // A control message may be the last one that this side ever polls, so nothing is kept back behind it.
    if (this.kind !== FRAME_DATA) this.#returnCredit();
  }

  queuedBytes(): number {
    return (Atomics.load(this.#header, RING_WORDS.published) - this.#position) | 0;
  }

  ahead(look: (from: RingLookParts) => RingAhead): RingAhead {
    const isInRing = this.#hasCurrent && this.#currentBytes > 0;
    const behind = isInRing ? this.#currentBytes : 0;
    const offset = this.#offset + behind;
    const isPartial = !this.#hasCurrent || this.#currentBytes === ANNOUNCED;
    return look({
      ring: this.#ring,
      words: this.#words,
      position: (this.#position + behind) | 0,
      offset: offset === this.#dataBytes ? 0 : offset,
      large: isPartial && this.#largeBytes >= 0 ? this.#large.slice(0, this.#largeBytes) : null,
      largeTaken: this.#largeTaken,
      reader: this,
    });
  }

  /** The position behind the newest message; looks for an announced barrier afterwards. */
  publishedByNow(): number {
    const published = Atomics.load(this.#header, RING_WORDS.published);
    // A barrier is announced before what comes behind it is published.
    this.#readAnnouncement();
    return published;
  }

  /** The announced barrier, if it comes at a position and has not been current. */
  barrierAt(position: number): Uint8Array | null {
    if (this.#announcedVersion === this.#takenVersion) return null;
    return this.#announcedPosition === position ? this.#barrier : null;
  }

  /** Whether a message starts at `#position`. An empty ring gets all its credit back. */
  #hasNext(): boolean {
    if (this.#position !== this.#published) return true;
    this.#published = this.publishedByNow();
    if (this.#position !== this.#published) return true;
    this.#returnCredit();
    return false;
  }

  /** Skips padding, checks the header of the message behind it, sets `bytes` and returns the tag. */
  #enterMessage(): number {
    const words = this.#words;
    let at = this.#offset;
    if (wordAt(words, (at >> 2) + 1) === TAG_PADDING) {
      this.#position = (this.#position + this.#dataBytes - at) | 0;
      this.#offset = 0;
      at = 0;
    }
    const bytes = wordAt(words, at >> 2);
    const end = at + MESSAGE_HEADER_BYTES + alignMessage(bytes);
    assert(
      bytes >= 0 && end <= this.#dataBytes,
      'A message lies within the data area of its ring.',
    );
    this.bytes = bytes;
    this.#currentBytes = end - at;
    return wordAt(words, (at >> 2) + 1);
  }

  /** Copies a segment into the private buffer and frees its space; true when the message is whole. */
  #takeSegment(tag: number): boolean {
    const segment = tag & ~TAG_KIND_MASK;
    let from = this.#offset + MESSAGE_HEADER_BYTES;
    const end = from + this.bytes;
    if (segment === SEGMENT_FIRST) {
      assert(this.#largeBytes < 0, 'A message in segments ends before the next one starts.');
      this.#openLarge(wordAt(this.#words, from >> 2));
      from += LARGE_PREFIX_BYTES;
    }
    const taken = this.#largeTaken;
    assert(taken + end - from <= this.#largeBytes, 'Segments are together as long as announced.');
    this.#large.set(this.#ring.subarray(from, end), taken);
    this.#largeTaken = taken + end - from;
    this.#advance();
    if (segment !== SEGMENT_LAST) return false;
    assert(this.#largeTaken === this.#largeBytes, 'Segments are together as long as announced.');
    this.#currentBytes = 0;
    this.#makeCurrent(tag, this.#large, 0, this.#largeBytes);
    return true;
  }

  #openLarge(total: number): void {
    assert(
      total > 0 && total <= this.#messageBytesMax,
      'A message is at most messageBytesMax long.',
    );
    if (this.#large.byteLength < total) this.#large = new Uint8Array(alignMessage(total));
    this.#largeBytes = total;
    this.#largeTaken = 0;
  }

  /** Forgets the reassembled message; its buffer stays for the next one unless it was an outlier. */
  #dropLarge(): void {
    this.#largeBytes = -1;
    if (this.#large.byteLength > LARGE_KEPT_RINGS * this.#dataBytes)
      this.#large = new Uint8Array(0);
  }

  #makeCurrent(tag: number, memory: Uint8Array, offset: number, bytes: number): void {
    this.kind = frameKind(tag);
    this.memory = memory;
    this.offset = offset;
    this.bytes = bytes;
    this.#hasCurrent = true;
  }

  /**
   * Steps over the message at `#position`. Its credit is kept back until an eighth of the ring is together or
   * the ring is empty: one store and one look at the producer's parker for many small messages. The layout's
   * largest claim leaves that eighth out, so that nobody ever waits for credit kept back by an idle consumer.
   */
  #advance(): void {
    const next = this.#offset + this.#currentBytes;
    this.#offset = next === this.#dataBytes ? 0 : next;
    this.#position = (this.#position + this.#currentBytes) | 0;
    if (((this.#position - this.#returned) | 0) >= this.#creditBatchBytes) this.#returnCredit();
  }

  #returnCredit(): void {
    if (this.#returned === this.#position) return;
    this.#returned = this.#position;
    Atomics.store(this.#header, RING_WORDS.released, this.#position);
    this.#producer.wake();
  }

  /**
   * Takes the newest announcement unless the producer is in the middle of it; the next look gets it then. The
   * second look adds zero instead of loading, because a mere load would not keep the plain reads before it.
   */
  #readAnnouncement(): void {
    const header = this.#header;
    const version = Atomics.load(header, RING_WORDS.barrierVersion);
    if (version === this.#announcedVersion || (version & 1) !== 0) return;
    const position = wordAt(header, RING_WORDS.barrierPosition);
    const barrier = this.#announced.slice();
    if (Atomics.add(header, RING_WORDS.barrierVersion, 0) !== version) return;
    this.#announcedVersion = version;
    this.#announcedPosition = position;
    this.#barrier = barrier;
  }
}

function frameKind(tag: number): FrameKind {
  const kind = tag & TAG_KIND_MASK;
  assert(isFrameKind(kind), 'A message has a known kind.');
  return kind;
}

function isFrameKind(kind: number): kind is FrameKind {
  return kind <= 9;
}
