/**
 * Looks at the messages of a ring before their turn, which stay where they are: what a checkpoint that overtakes them
 * has to keep. Callers: whoever aligns barriers, when it is loaded. Runs on: the consumer's thread. Invariant: it is
 * never behind the reader, because whoever looks ahead does so before each message that is taken.
 */
import { assert } from '../base/assert.js';
import {
  type AheadMessage,
  FRAME_BARRIER,
  type FrameKind,
  type RingAhead,
  type RingLookParts,
} from './contract.js';
import { wordAt } from './ring-header.js';
import {
  alignMessage,
  LARGE_PREFIX_BYTES,
  MESSAGE_HEADER_BYTES,
  SEGMENT_FIRST,
  SEGMENT_LAST,
  TAG_KIND_MASK,
  TAG_PADDING,
} from './ring-layout.js';

/** One look ahead, message by message. */
export class RingLook implements RingAhead {
  readonly #parts: RingLookParts;
  #position: number;
  #offset: number;
  #large: Uint8Array | null;
  #largeTaken: number;
  /** The barrier that was shown last: what comes behind one that is no longer wanted is shown as well. */
  #barrier: Uint8Array | null = null;

  constructor(parts: RingLookParts) {
    this.#parts = parts;
    this.#position = parts.position;
    this.#offset = parts.offset;
    this.#large = parts.large;
    this.#largeTaken = parts.largeTaken;
  }

  next(): AheadMessage | null {
    const { reader } = this.#parts;
    for (;;) {
      const end = reader.publishedByNow();
      const barrier = reader.barrierAt(this.#position);
      if (barrier !== null && barrier !== this.#barrier) {
        this.#barrier = barrier;
        return { kind: FRAME_BARRIER, bytes: barrier };
      }
      if (this.#position === end) return null;
      const message = this.#step();
      if (message !== null) return message;
    }
  }

  /** Steps over one message or segment; the message that is whole with it, if one is. */
  #step(): AheadMessage | null {
    const { words, ring } = this.#parts;
    if (wordAt(words, (this.#offset >> 2) + 1) === TAG_PADDING) {
      this.#position = (this.#position + ring.byteLength - this.#offset) | 0;
      this.#offset = 0;
    }
    const at = this.#offset;
    const bytes = wordAt(words, at >> 2);
    const tag = wordAt(words, (at >> 2) + 1);
    const taken = MESSAGE_HEADER_BYTES + alignMessage(bytes);
    this.#offset = at + taken === ring.byteLength ? 0 : at + taken;
    this.#position = (this.#position + taken) | 0;
    const start = at + MESSAGE_HEADER_BYTES;
    const kind = (tag & TAG_KIND_MASK) as FrameKind;
    if (tag <= TAG_KIND_MASK) return { kind, bytes: ring.slice(start, start + bytes) };
    return this.#segment(kind, tag & ~TAG_KIND_MASK, start, start + bytes);
  }

  #segment(kind: FrameKind, segment: number, start: number, end: number): AheadMessage | null {
    const { words, ring } = this.#parts;
    let from = start;
    if (segment === SEGMENT_FIRST) {
      this.#large = new Uint8Array(wordAt(words, start >> 2));
      this.#largeTaken = 0;
      from += LARGE_PREFIX_BYTES;
    }
    const large = this.#large;
    assert(large !== null, 'A message in segments begins with its first.');
    large.set(ring.subarray(from, end), this.#largeTaken);
    this.#largeTaken += end - from;
    if (segment !== SEGMENT_LAST) return null;
    this.#large = null;
    return { kind, bytes: large };
  }
}
