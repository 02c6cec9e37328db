/**
 * The receiving end of a channel, and the one over a ring, which makes batches of frames. `local-channel.ts` is the one
 * inside a slot. Callers: the input gate. Runs on: the slot's thread of the consumer. Invariant: at most one message is
 * current; what it views stays untouched until `release`.
 */
import type { Batch, SpentBatch } from '../record/batch.js';
import { decodeFrame } from '../record/frame-codec.js';
import type { StreamSchemas } from '../record/schema-registry.js';
import type { FrameKind, RingReader } from '../ring/contract.js';

/** The way from one upstream subtask. */
export interface FrameReceiver {
  /** Makes the next message current; false when there is none. */
  poll(): boolean;
  readonly kind: FrameKind;
  /** Bytes of the current message. */
  readonly bytes: number;
  /** The current message, which is one of data. */
  batch(): Batch;
  /** The payload of the current message, which is a control message. */
  payload(): Uint8Array;
  /** Ends the use of the current message. */
  release(): void;
}

/** Receives from a ring. */
export class RingReceiver implements FrameReceiver {
  readonly #ring: RingReader;
  readonly #schemas: StreamSchemas;
  /** The batch that was current last. */
  #last: SpentBatch | null = null;

  constructor(ring: RingReader, schemas: StreamSchemas) {
    this.#ring = ring;
    this.#schemas = schemas;
  }

  get kind(): FrameKind {
    return this.#ring.kind;
  }

  get bytes(): number {
    return this.#ring.bytes;
  }

  poll(): boolean {
    return this.#ring.poll();
  }

  batch(): Batch {
    const { memory, offset, bytes } = this.#ring;
    this.#last = decodeFrame(memory, offset, bytes, this.#schemas, this.#last);
    return this.#last;
  }

  payload(): Uint8Array {
    const { memory, offset, bytes } = this.#ring;
    return memory.subarray(offset, offset + bytes);
  }

  release(): void {
    this.#ring.release();
  }
}
