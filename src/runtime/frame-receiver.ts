/**
 * The receiving end of a channel, and the one over a ring, which makes batches of frames. `local-channel.ts` is the one
 * inside a slot. Callers: the input gate. Runs on: the slot's thread of the consumer. Invariant: at most one message is
 * current; what it views stays untouched until `release`.
 */
import type { Batch, SpentBatch } from '../record/batch.js';
import { decodeFrame, schemaVersionOf } from '../record/frame-codec.js';
import type { Schema } from '../record/schema.js';
import type { StreamSchemas } from '../record/schema-registry.js';
import {
  type AheadMessage,
  FRAME_DATA,
  type FrameKind,
  type RingAhead,
  type RingLookParts,
  type RingReader,
} from '../ring/contract.js';

/** How to look at the messages of a ring before their turn. */
export type RingLooking = (from: RingLookParts) => RingAhead;

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
  /** Begins to look at what comes behind the current message; channels of jobs can. */
  ahead?(look: RingLooking): FrameAhead;
}

/** Looks at messages before their turn; to be asked until it has none before each `poll`. */
export interface FrameAhead {
  /** The next message, null when there is none now; data as a frame with its schema. */
  next(): (AheadMessage & { readonly schema: Schema | null }) | null;
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

  ahead(looking: RingLooking): FrameAhead {
    const look = this.#ring.ahead(looking);
    return {
      next: () => {
        const message = look.next();
        if (message === null) return null;
        const isData = message.kind === FRAME_DATA;
        return {
          ...message,
          schema: isData ? this.#schemas.get(schemaVersionOf(message.bytes)) : null,
        };
      },
    };
  }
}
