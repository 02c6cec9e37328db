/**
 * The output of a chain into the rings of one edge: batches become frames, one ring per downstream subtask (a
 * broadcast port encodes its one builder into every ring). Callers: the chain's generated loop, the subtask.
 * Runs on: the slot's thread. Invariant: rows are in a builder, in a pending message or in
 * the ring, so a refused flush loses nothing and is simply repeated.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import type { EdgeMetricsWriter, TaskMetricsWriter } from '../metrics/task-metrics.js';
import type { OutputPort, PortOptions } from '../operator/contract.js';
import type { BatchBuilder } from '../record/batch-builder.js';
import { createBatchBuilder } from '../record/batch-builder.js';
import { encodeFrame, frameBytes } from '../record/frame-codec.js';
import type { Schema } from '../record/schema.js';
import type { StreamSchemas } from '../record/schema-registry.js';
import { FRAME_DATA, type FrameKind, type RingWriter } from '../ring/contract.js';

/** What a ring port is made of. */
export interface RingPortParts {
  readonly rings: readonly RingWriter[];
  readonly broadcast: boolean;
  /** The agreed schema of the edge. */
  readonly schemas: StreamSchemas;
  readonly batchRows: number;
  /** Counters per ring, of the same order. */
  readonly metrics: readonly EdgeMetricsWriter[];
  /** Keeps each ring's queue short in time, of the same order. */
  readonly limits: readonly QueueLimit[];
  /** Counters of the subtask that writes. */
  readonly task: TaskMetricsWriter;
}
import type { QueueLimit } from './queue-limit.js';

interface PendingMessage {
  readonly message: Uint8Array;
  readonly rows: number;
}

const NO_PAYLOAD = new Uint8Array(0);

/** An output port over rings. */
export class RingPort implements OutputPort {
  readonly channels: number;
  builders: readonly BatchBuilder[] = [];
  readonly #rings: readonly RingWriter[];
  readonly #broadcast: boolean;
  readonly #schemas: StreamSchemas;
  readonly #batchRows: number;
  readonly #metrics: readonly EdgeMetricsWriter[];
  readonly #task: TaskMetricsWriter;
  readonly #limits: readonly QueueLimit[];
  /** Encoded message that a ring has not (wholly) taken yet; its rows have left the builder. */
  readonly #pending: (PendingMessage | null)[];
  #pendingCount = 0;
  /** First ring that has not got the current control message yet. */
  #controlNext = 0;

  constructor(parts: RingPortParts) {
    this.#rings = parts.rings;
    this.#broadcast = parts.broadcast;
    this.#schemas = parts.schemas;
    this.#batchRows = parts.batchRows;
    this.#metrics = parts.metrics;
    this.#task = parts.task;
    this.#limits = parts.limits;
    this.#pending = parts.rings.map(() => null);
    this.channels = parts.rings.length;
  }

  open(schema: Schema, options: PortOptions): boolean {
    if (!this.flushAll()) return false;
    const agreed = this.#schemas.propose(schema);
    const count = this.#broadcast ? 1 : this.#rings.length;
    this.builders = Array.from({ length: count }, () =>
      createBatchBuilder(agreed.schema, agreed.version, { capacity: this.#batchRows, ...options }),
    );
    return true;
  }

  flush(channel: number): boolean {
    const builder = this.builders[channel];
    assert(builder !== undefined, 'A port is flushed on a channel it has opened.');
    if (!this.#sendPending()) return false;
    if (builder.rows === 0) return true;
    if (this.#broadcast) return this.#encodeFor(builder, 0, this.#rings.length);
    const ring = this.#rings[channel];
    const batch = builder.take();
    const bytesMax = frameBytes(batch);
    if (bytesMax > ring.claimBytesMax) return this.#encodeFor(builder, channel, channel + 1);
    const offset = ring.claim(bytesMax);
    if (offset < 0) return false;
    const bytes = encodeFrame(batch, ring.memory, offset);
    ring.commit(FRAME_DATA, bytes);
    this.#count(channel, builder.rows, bytes);
    builder.reset();
    return true;
  }

  /** Hands every builder on; false when one could not be. */
  flushAll(): boolean {
    let all = this.#sendPending();
    for (let channel = 0; channel < this.builders.length; channel++) {
      if (!this.flush(channel)) all = false;
    }
    return all;
  }

  /** Sends a control frame into every ring, after the rows before it; false: call again with the same frame. */
  sendControl(kind: FrameKind, payload: Uint8Array = NO_PAYLOAD): boolean {
    if (!this.flushAll()) return false;
    while (this.#controlNext < this.#rings.length) {
      if (!this.#rings[this.#controlNext].tryWriteControl(kind, payload)) return false;
      this.#controlNext++;
    }
    this.#controlNext = 0;
    return true;
  }

  /** Encodes the builder's rows once into private memory, for the rings `from` to `to` (exclusive). */
  #encodeFor(builder: BatchBuilder, from: number, to: number): boolean {
    const batch = builder.take();
    const memory = new Uint8Array(frameBytes(batch));
    const message = memory.subarray(0, encodeFrame(batch, memory, 0));
    for (let ring = from; ring < to; ring++) {
      const bytesMax = this.#rings[ring].messageBytesMax;
      if (message.byteLength > bytesMax) throw tooLarge(message.byteLength, bytesMax);
      this.#pending[ring] = { message, rows: builder.rows };
    }
    this.#pendingCount += to - from;
    builder.reset();
    return this.#sendPending();
  }

  #sendPending(): boolean {
    if (this.#pendingCount === 0) return true;
    for (let ring = 0; ring < this.#rings.length; ring++) {
      const pending = this.#pending[ring];
      if (pending === null || !this.#rings[ring].writeLarge(FRAME_DATA, pending.message)) continue;
      this.#pending[ring] = null;
      this.#pendingCount--;
      this.#count(ring, pending.rows, pending.message.byteLength);
    }
    return this.#pendingCount === 0;
  }

  #count(channel: number, rows: number, bytes: number): void {
    const metrics = this.#metrics[channel];
    metrics.addRows(rows);
    metrics.addBytes(bytes);
    metrics.setQueued(this.#rings[channel].queuedBytes());
    this.#task.addRowsOut(rows);
    this.#task.addBytesOut(bytes);
    this.#limits[channel].sent(bytes);
  }
}

function tooLarge(bytes: number, bytesMax: number): MillraceError {
  return new MillraceError(
    'RECORD_TOO_LARGE',
    `A frame of ${bytes} bytes exceeds the ${bytesMax} bytes a ring can carry.`,
    { advice: 'Raise slot.memory or its network fraction, or emit smaller records.' },
  );
}
