/**
 * The frame ring in shared memory: one producer, one consumer, messages of any size, in order. Callers: runtime
 * (exchange wiring opens the two ends). Runs on: the writer on the producer's thread, the reader on the
 * consumer's; both may be the same thread.
 *
 * Positions count bytes, wrap in int32 and are compared by difference only. `published` is stored by the
 * producer alone, `released` by the consumer alone, each after plain accesses to the data it covers.
 * Invariants: 0 <= published - released <= dataBytes; the consumer touches only bytes between the two, the
 * producer only the others; a message is contiguous. Each side works on a cached copy of the other's counter
 * and looks at the shared one only when the copy says "full" or "empty", so that in steady flow the cache
 * lines rarely travel.
 */
import { assert } from '../base/assert.js';
import {
  FRAME_BARRIER,
  FRAME_DATA,
  type FrameKind,
  type RingReader,
  type RingWriter,
  type Waker,
} from './contract.js';
import {
  alignMessage,
  LARGE_PREFIX_BYTES,
  MESSAGE_HEADER_BYTES,
  RING_BARRIER_ID,
  RING_HEADER_BYTES,
  RING_MAGIC,
  RING_WORDS,
  ringLayout,
  SEGMENT_FIRST,
  SEGMENT_LAST,
  SEGMENT_MIDDLE,
  SEGMENT_WHOLE,
  TAG_KIND_MASK,
  TAG_PADDING,
} from './ring-layout.js';

/** What a ring may be told when it is made. */
export interface RingOptions {
  /** Largest message at all, sent in segments; default 1 GiB. Wiring derives it from the network memory. */
  readonly messageBytesMax?: number;
  /** Where positions start; tests start shortly before they wrap. */
  readonly firstPosition?: number;
}

const MESSAGE_BYTES_MAX = 2 ** 30;
/** A reassembly buffer above this many times the ring is given back after use. */
const LARGE_KEPT_RINGS = 4;

/** Makes an empty ring in a region of `memory`, before either end is opened. */
export function createRing(
  memory: SharedArrayBuffer,
  byteOffset: number,
  byteLength: number,
  options: RingOptions = {},
): void {
  const { dataBytes } = ringLayout(byteLength);
  const messageBytesMax = options.messageBytesMax ?? MESSAGE_BYTES_MAX;
  assert(
    messageBytesMax >= 0 && messageBytesMax <= MESSAGE_BYTES_MAX,
    'A message in a ring has at most 1 GiB.',
  );
  const header = headerWords(memory, byteOffset);
  header.fill(0);
  header[RING_WORDS.dataBytes] = dataBytes;
  header[RING_WORDS.messageBytesMax] = messageBytesMax;
  header[RING_WORDS.published] = options.firstPosition ?? 0;
  header[RING_WORDS.released] = options.firstPosition ?? 0;
  Atomics.store(header, RING_WORDS.magic, RING_MAGIC);
}

/** Opens the producing end; once per ring. `consumer` is woken when messages arrive. */
export function openRingWriter(
  memory: SharedArrayBuffer,
  byteOffset: number,
  byteLength: number,
  consumer: Waker,
): RingWriter {
  return new SpscRingWriter(memory, byteOffset, byteLength, consumer);
}

/** Opens the consuming end; once per ring. `producer` is woken when credit returns. */
export function openRingReader(
  memory: SharedArrayBuffer,
  byteOffset: number,
  byteLength: number,
  producer: Waker,
): RingReader {
  return new SpscRingReader(memory, byteOffset, byteLength, producer);
}

function headerWords(memory: SharedArrayBuffer, byteOffset: number): Int32Array {
  assert(byteOffset % 8 === 0, 'A ring is aligned to eight bytes.');
  return new Int32Array(memory, byteOffset, RING_HEADER_BYTES / 4);
}

/** Checks the header and takes one end of the ring, which nobody may have taken before. */
function openHeader(
  memory: SharedArrayBuffer,
  byteOffset: number,
  dataBytes: number,
  end: number,
): Int32Array {
  const header = headerWords(memory, byteOffset);
  assert(Atomics.load(header, RING_WORDS.magic) === RING_MAGIC, 'A ring is made before opening.');
  assert(
    header[RING_WORDS.dataBytes] === dataBytes,
    'A ring is opened with the size it was made with.',
  );
  assert(Atomics.exchange(header, end, 1) === 0, 'Each end of a ring is opened once.');
  return header;
}

class SpscRingWriter implements RingWriter {
  readonly memory: Uint8Array;
  readonly capacityBytes: number;
  readonly claimBytesMax: number;
  readonly messageBytesMax: number;
  readonly #header: Int32Array;
  readonly #barrierId: Float64Array;
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
    this.#barrierId = new Float64Array(memory, byteOffset + RING_BARRIER_ID * 8, 1);
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
    assert(kind !== FRAME_BARRIER, 'A barrier is a control message and is never sent in segments.');
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
    if (tag === FRAME_BARRIER) this.#announceBarrier(at, padding, bytes);
    const end = at + MESSAGE_HEADER_BYTES + alignMessage(bytes);
    const position = (this.#position + padding + end - at) | 0;
    this.#offset = end === this.capacityBytes ? 0 : end;
    this.#position = position;
    this.#claimedBytes = -1;
    Atomics.store(this.#header, RING_WORDS.published, position);
    this.#consumer.wake();
  }

  /**
   * Tells the consumer of a barrier before it is in reach. The version is odd while the other fields change,
   * so that the consumer never takes half of them; being told first, it never meets an untold barrier.
   */
  #announceBarrier(at: number, padding: number, bytes: number): void {
    assert(bytes >= 8, 'The payload of a barrier starts with its checkpoint id.');
    const id = new Float64Array(
      this.memory.buffer,
      this.memory.byteOffset + at + MESSAGE_HEADER_BYTES,
      1,
    );
    const header = this.#header;
    Atomics.add(header, RING_WORDS.barrierVersion, 1);
    header[RING_WORDS.barrierPosition] = (this.#position + padding) | 0;
    this.#barrierId[0] = id[0] ?? -1;
    Atomics.add(header, RING_WORDS.barrierVersion, 1);
  }
}

class SpscRingReader implements RingReader {
  kind: FrameKind = FRAME_DATA;
  memory: Uint8Array;
  offset = 0;
  bytes = 0;
  readonly #ring: Uint8Array;
  readonly #header: Int32Array;
  readonly #barrierId: Float64Array;
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
  /** Twice the number of barriers that have been current, comparable with the producer's version. */
  #barrierVersion = 0;
  /** The newest announcement that was read whole. */
  #announcedVersion = 0;
  #announcedId = -1;
  #announcedPosition = 0;

  constructor(memory: SharedArrayBuffer, byteOffset: number, byteLength: number, producer: Waker) {
    const layout = ringLayout(byteLength);
    this.#header = openHeader(memory, byteOffset, layout.dataBytes, RING_WORDS.readerOpened);
    this.#barrierId = new Float64Array(memory, byteOffset + RING_BARRIER_ID * 8, 1);
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
    while (this.#hasNext()) {
      const tag = this.#enterMessage();
      if (tag <= TAG_KIND_MASK) {
        this.#makeCurrent(tag, this.#ring, this.#offset + MESSAGE_HEADER_BYTES, this.bytes);
        return true;
      }
      if (this.#takeSegment(tag)) return true;
    }
    return false;
  }

  release(): void {
    assert(this.#hasCurrent, 'Only a current message is released.');
    this.#hasCurrent = false;
    if (this.#currentBytes === 0) this.#dropLarge();
    else this.#advance();
    // A control message may be the last one that this side ever polls, so nothing is kept back behind it.
    if (this.kind !== FRAME_DATA) this.#returnCredit();
  }

  queuedBytes(): number {
    return (Atomics.load(this.#header, RING_WORDS.published) - this.#position) | 0;
  }

  barrierAhead(): number {
    this.#readAnnouncement();
    return this.#barrierIsAhead() ? this.#announcedId : -1;
  }

  barrierAheadBytes(): number {
    this.#readAnnouncement();
    return this.#barrierIsAhead() ? (this.#announcedPosition - this.#position) | 0 : 0;
  }

  /** The announcement may be older than the barriers met since, when its successor could not be read yet. */
  #barrierIsAhead(): boolean {
    return ((this.#announcedVersion - this.#barrierVersion) | 0) > 0;
  }

  /** Whether a message starts at `#position`. An empty ring gets all its credit back. */
  #hasNext(): boolean {
    if (this.#position !== this.#published) return true;
    this.#published = Atomics.load(this.#header, RING_WORDS.published);
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
    if (this.kind === FRAME_BARRIER) this.#barrierVersion = (this.#barrierVersion + 2) | 0;
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
    const id = this.#barrierId[0] ?? -1;
    if (Atomics.add(header, RING_WORDS.barrierVersion, 0) !== version) return;
    this.#announcedVersion = version;
    this.#announcedPosition = position;
    this.#announcedId = id;
  }
}

/** Typed arrays are typed as possibly undefined at any index; the callers' indices are inside. */
function wordAt(words: Int32Array, index: number): number {
  return words[index] ?? 0;
}

function frameKind(tag: number): FrameKind {
  const kind = tag & TAG_KIND_MASK;
  assert(isFrameKind(kind), 'A message has a known kind.');
  return kind;
}

function isFrameKind(kind: number): kind is FrameKind {
  return kind <= 9;
}
