/**
 * The sending end of a channel, and the one over a ring, which turns batches into frames. `local-channel.ts` is the one
 * inside a slot. Callers: the exchange port. Runs on: the slot's thread of the producer. Invariant: messages leave in
 * the order in which they were given; a call that was refused is repeated with the same message.
 */
import { MillraceError } from '../base/errors.js';
import type { EdgeMetricsWriter, TaskMetricsWriter } from '../metrics/task-metrics.js';
import type { Batch } from '../record/batch.js';
import { encodeFrame, frameBytes } from '../record/frame-codec.js';
import { FRAME_DATA, type FrameKind, type RingWriter } from '../ring/contract.js';
import type { QueueLimit } from './queue-limit.js';

/** The way to one downstream subtask. */
export interface FrameSender {
  /** Whether batches become bytes, so that a broadcast had better encode them once for all. */
  readonly isEncoded: boolean;
  /** Hands a batch on; false while it is still needed: call again with the same batch. */
  send(batch: Batch): boolean;
  /** Takes over a batch that other channels get too; `settle` tells when it is no longer needed. */
  share(batch: Batch, frame: Uint8Array): void;
  /** False while something that was taken over has not left wholly; nothing new is taken until then. */
  settle(): boolean;
  /** Sends a control message; false while there is no room. */
  sendControl(kind: FrameKind, payload: Uint8Array): boolean;
  /**
   * What has become of a batch that was refused: it has been copied, so that its memory is free and `send` need not be
   * repeated; it is still looked at; or it has not been taken over.
   */
  disown(batch: Batch): 'copied' | 'lent' | 'refused';
  /** Tells of a barrier that overtakes what is under way; it comes behind that, and needs no room. */
  announce(payload: Uint8Array): void;
  /** A frame that has not wholly left, and that the consumer cannot see before it has; null for none. */
  readonly unsent: Uint8Array | null;
  /** Notes for the metrics what time has been sent; null before the first watermark. */
  countTime(watermarkMs: number | null, isIdle: boolean): void;
}

/** Counters of a channel and of the subtask that sends into it. */
export interface SenderMetrics {
  readonly edge: EdgeMetricsWriter;
  readonly task: TaskMetricsWriter;
}

/** A frame that the ring has not wholly taken yet. */
interface PendingFrame {
  readonly frame: Uint8Array;
  readonly rows: number;
}

/** Sends into a ring. */
export class RingSender implements FrameSender {
  readonly isEncoded = true;
  readonly #ring: RingWriter;
  readonly #metrics: SenderMetrics;
  readonly #limit: QueueLimit;
  #pending: PendingFrame | null = null;

  /** `limit` keeps the queue of the ring short in time. */
  constructor(ring: RingWriter, metrics: SenderMetrics, limit: QueueLimit) {
    this.#ring = ring;
    this.#metrics = metrics;
    this.#limit = limit;
  }

  send(batch: Batch): boolean {
    if (!this.settle()) return false;
    const bytesMax = frameBytes(batch);
    if (bytesMax > this.#ring.claimBytesMax) {
      this.share(batch, encoded(batch));
      this.settle();
      return true;
    }
    const offset = this.#ring.claim(bytesMax);
    if (offset < 0) return false;
    const bytes = encodeFrame(batch, this.#ring.memory, offset);
    this.#ring.commit(FRAME_DATA, bytes);
    this.#count(batch.rows, bytes);
    return true;
  }

  share({ rows }: Batch, frame: Uint8Array): void {
    const bytesMax = this.#ring.messageBytesMax;
    if (frame.byteLength > bytesMax) throw tooLarge(frame.byteLength, bytesMax);
    this.#pending = { frame, rows };
  }

  settle(): boolean {
    const pending = this.#pending;
    if (pending === null) return true;
    if (!this.#ring.writeLarge(FRAME_DATA, pending.frame)) return false;
    this.#pending = null;
    this.#count(pending.rows, pending.frame.byteLength);
    return true;
  }

  sendControl(kind: FrameKind, payload: Uint8Array): boolean {
    const isSent = this.settle() && this.#ring.tryWriteControl(kind, payload);
    // Told here too, since no frame may follow for long.
    this.#metrics.edge.setQueued(this.#ring.queuedBytes());
    return isSent;
  }

  disown(): 'refused' {
    return 'refused';
  }

  announce(payload: Uint8Array): void {
    this.#ring.announce(payload);
  }

  get unsent(): Uint8Array | null {
    return this.#pending?.frame ?? null;
  }

  countTime(watermarkMs: number | null, isIdle: boolean): void {
    this.#metrics.edge.setTime(watermarkMs, isIdle);
  }

  #count(rows: number, bytes: number): void {
    const { edge, task } = this.#metrics;
    edge.addRows(rows);
    edge.addBytes(bytes);
    edge.setQueued(this.#ring.queuedBytes());
    task.addRowsOut(rows);
    task.addBytesOut(bytes);
    this.#limit.sent(bytes);
    edge.setCapacity(this.#limit.bytes);
  }
}

/** A batch as a frame in memory of its own. */
export function encoded(batch: Batch): Uint8Array {
  const memory = new Uint8Array(frameBytes(batch));
  return memory.subarray(0, encodeFrame(batch, memory, 0));
}

function tooLarge(bytes: number, bytesMax: number): MillraceError {
  return new MillraceError(
    'RECORD_TOO_LARGE',
    `A frame of ${bytes} bytes exceeds the ${bytesMax} bytes a ring can carry.`,
    { advice: 'Raise slot.memory or its network fraction, or emit smaller records.' },
  );
}
