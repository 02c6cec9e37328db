/**
 * A channel inside a slot: one subtask lends its batch to another on the same thread, and goes on when it is given
 * back. Nothing is encoded, copied or queued, so a channel holds no memory, and one batch is all that is ever in
 * flight. Callers: the exchange port at one end, the input gate at the other. Runs on: the slot's thread. Invariant:
 * a message that was offered stays until the other end has released it; a lent batch does not change until then.
 */
import { assert } from '../base/assert.js';
import type { Batch } from '../record/batch.js';
import { decodeFrameAs, lentBytes } from '../record/frame-codec.js';
import { FRAME_BARRIER, FRAME_DATA, type FrameKind, type Waker } from '../ring/contract.js';
import type { FrameAhead, FrameReceiver } from './frame-receiver.js';
import { encoded, type FrameSender, type SenderMetrics } from './frame-sender.js';

/** Nothing is under way. */
const FREE = 0;
/** A message waits for the consumer. */
const OFFERED = 1;
/** The consumer has it as its current message. */
const CURRENT = 2;
/** A batch has been given back, which the producer has not noticed yet. */
const RETURNED = 3;

const NO_PAYLOAD: Uint8Array = new Uint8Array(0);

/** Both ends of a channel between two subtasks of a slot. */
export class LocalChannel implements FrameSender, FrameReceiver {
  readonly isEncoded = false;
  kind: FrameKind = FRAME_DATA;
  bytes = 0;
  readonly #metrics: SenderMetrics;
  readonly #slot: Waker;
  #state: 0 | 1 | 2 | 3 = FREE;
  #batch: Batch | null = null;
  #payload = NO_PAYLOAD;
  /** The message that was offered last. */
  #kind: FrameKind = FRAME_DATA;
  #bytes = 0;
  #offers = 0;
  /** Whether `#batch` is memory of the producer; and what was lent when the producer is to learn that it is not. */
  #isLent = false;
  #copied: Batch | null = null;
  /** A barrier that comes behind the offer of this number, without waiting to be one; and whether it is current. */
  #barrier: Uint8Array | null = null;
  #barrierBehind = 0;
  #isBarrierCurrent = false;

  /** `slot` wakes the slot of both ends: what one did may be all that the other waits for when the slot parks. */
  constructor(metrics: SenderMetrics, slot: Waker) {
    this.#metrics = metrics;
    this.#slot = slot;
  }

  // The producer's end.

  send(batch: Batch): boolean {
    if (this.#copied === batch) {
      this.#copied = null;
      return true;
    }
    if (this.#batch === batch) return this.settle();
    if (this.#copied === null && this.settle()) this.share(batch);
    return false;
  }

  share(batch: Batch): void {
    assert(this.#state === FREE, 'A batch is lent after the one before has been given back.');
    this.#batch = batch;
    this.#offer(FRAME_DATA, lentBytes(batch));
    const { edge, task } = this.#metrics;
    edge.addRows(batch.rows);
    edge.addBytes(this.#bytes);
    edge.setQueued(this.#bytes);
    task.addRowsOut(batch.rows);
    task.addBytesOut(this.#bytes);
  }

  settle(): boolean {
    if (this.#state !== RETURNED) return this.#state === FREE;
    this.#state = FREE;
    this.#batch = null;
    this.#metrics.edge.setQueued(0);
    return true;
  }

  sendControl(kind: FrameKind, payload: Uint8Array): boolean {
    if (!this.settle()) return false;
    this.#payload = payload;
    this.#offer(kind, payload.byteLength);
    return true;
  }

  disown(batch: Batch): 'copied' | 'lent' | 'refused' {
    if (this.#batch !== batch) return 'refused';
    if (this.#state !== OFFERED) return 'lent';
    this.#copy();
    this.#copied = null;
    return 'copied';
  }

  announce(payload: Uint8Array): void {
    this.#barrier = payload;
    this.#barrierBehind = this.#offers;
    this.#slot.wake();
  }

  readonly unsent = null;

  /** Has the consumer read a copy, so that the batch is the producer's again; gives its frame. */
  #copy(): Uint8Array {
    const lent = this.batch();
    const frame = encoded(lent);
    if (this.#isLent) this.#copied = lent;
    this.#isLent = false;
    this.#batch = decodeFrameAs(lent.schema, frame);
    return frame;
  }

  countTime(watermarkMs: number | null, isIdle: boolean): void {
    this.#metrics.edge.setTime(watermarkMs, isIdle);
  }

  #offer(kind: FrameKind, bytes: number): void {
    this.#kind = kind;
    this.#bytes = bytes;
    this.#offers++;
    this.#isLent = kind === FRAME_DATA;
    this.#state = OFFERED;
    this.#slot.wake();
  }

  // The consumer's end.

  poll(): boolean {
    assert(this.#state !== CURRENT, 'The current message is released before the next poll.');
    const isOffered = this.#state === OFFERED;
    const isBehind = this.#offers > this.#barrierBehind;
    if (this.#barrier !== null && (isBehind || !isOffered)) {
      this.#isBarrierCurrent = true;
      this.kind = FRAME_BARRIER;
      this.bytes = this.#barrier.byteLength;
      return true;
    }
    if (!isOffered) return false;
    this.#state = CURRENT;
    this.kind = this.#kind;
    this.bytes = this.#bytes;
    return true;
  }

  batch(): Batch {
    const batch = this.#batch;
    assert(batch !== null, 'A message of data has a batch.');
    return batch;
  }

  payload(): Uint8Array {
    return this.#isBarrierCurrent && this.#barrier !== null ? this.#barrier : this.#payload;
  }

  release(): void {
    if (this.#isBarrierCurrent) {
      this.#isBarrierCurrent = false;
      this.#barrier = null;
      return;
    }
    assert(this.#state === CURRENT, 'Only the current message is released.');
    this.#state = this.kind === FRAME_DATA ? RETURNED : FREE;
    this.#slot.wake();
  }

  /** What is offered is copied, so that the producer goes on with its memory. */
  ahead(): FrameAhead {
    let seen = this.#state === OFFERED ? this.#offers - 1 : this.#offers;
    let shown: Uint8Array | null = null;
    return {
      next: () => {
        const barrier = this.#barrier === shown ? null : this.#barrier;
        const isBehind = barrier !== null && this.#offers > this.#barrierBehind;
        if (this.#state === OFFERED && seen < this.#offers && !isBehind) {
          seen = this.#offers;
          const kind = this.#kind;
          if (kind !== FRAME_DATA) return { kind, bytes: this.#payload, schema: null };
          const { schema } = this.batch();
          return { kind, bytes: this.#copy(), schema };
        }
        if (barrier === null) return null;
        shown = barrier;
        return { kind: FRAME_BARRIER, bytes: barrier, schema: null };
      },
    };
  }
}
