/**
 * The output of a chain into one edge: batches go to the downstream subtasks, each by a channel of its own. Callers:
 * the chain's generated loop, the subtask. Runs on: the slot's thread. Invariant: rows are in a builder, in a batch
 * that is lent, or have left, so a refused flush loses nothing and is simply repeated; no row is written to a builder
 * between a flush that was refused and its repetition.
 */
import { assert } from '../base/assert.js';
import type { OutputPort, PortOptions } from '../operator/contract.js';
import type { Batch } from '../record/batch.js';
import type { BatchBuilder } from '../record/batch-builder.js';
import { createBatchBuilder } from '../record/batch-builder.js';
import type { Schema } from '../record/schema.js';
import type { StreamSchemas } from '../record/schema-registry.js';
import type { FrameKind } from '../ring/contract.js';
import { encoded, type FrameSender } from './frame-sender.js';

/** What an exchange port is made of. */
export interface ExchangePortParts {
  /** By downstream subtask. */
  readonly senders: readonly FrameSender[];
  /** Whether every downstream subtask gets every row; there is one builder then. */
  readonly broadcast: boolean;
  /** The agreed schema of the edge. */
  readonly schemas: StreamSchemas;
  readonly batchRows: number;
}

const NO_BYTES = new Uint8Array(0);

/** An output port over channels. */
export class ExchangePort implements OutputPort {
  readonly channels: number;
  builders: readonly BatchBuilder[] = [];
  readonly #senders: readonly FrameSender[];
  readonly #broadcast: boolean;
  readonly #schemas: StreamSchemas;
  readonly #batchRows: number;
  /** By builder: its rows as the batch that is being handed on. */
  #taken: (Batch | null)[] = [];
  /** Whether all channels have been given the batch of a broadcast that is under way. */
  #isShared = false;
  /** First channel that has not got the current control message yet. */
  #controlNext = 0;

  constructor(parts: ExchangePortParts) {
    this.#senders = parts.senders;
    this.#broadcast = parts.broadcast;
    this.#schemas = parts.schemas;
    this.#batchRows = parts.batchRows;
    this.channels = parts.senders.length;
  }

  open(schema: Schema, options: PortOptions): boolean {
    if (!this.flushAll()) return false;
    const agreed = this.#schemas.propose(schema);
    const count = this.#broadcast ? 1 : this.#senders.length;
    this.builders = Array.from({ length: count }, () =>
      createBatchBuilder(agreed.schema, agreed.version, { capacity: this.#batchRows, ...options }),
    );
    this.#taken = this.builders.map(() => null);
    return true;
  }

  flush(channel: number): boolean {
    const builder = this.builders[channel];
    assert(builder !== undefined, 'A port is flushed on a channel it has opened.');
    if (builder.rows > 0) {
      const batch = this.#taken[channel] ?? builder.take();
      assert(batch.rows === builder.rows, 'No row is written while a builder is handed on.');
      this.#taken[channel] = batch;
      const isSent = this.#broadcast ? this.#sendToAll(batch) : this.#senders[channel].send(batch);
      if (!isSent) return false;
      this.#taken[channel] = null;
      builder.reset();
    }
    return this.#broadcast ? this.#settleAll() : this.#senders[channel].settle();
  }

  send(channel: number, batch: Batch): boolean {
    return this.#broadcast ? this.#sendToAll(batch) : this.#senders[channel].send(batch);
  }

  lends(channel: number): boolean {
    return !this.#broadcast && !this.#senders[channel].isEncoded;
  }

  /** Hands every builder on; false when one could not be. */
  flushAll(): boolean {
    let all = true;
    for (let channel = 0; channel < this.builders.length; channel++) {
      if (!this.flush(channel)) all = false;
    }
    return all;
  }

  /** Sends a control message to every channel, after the rows before it; false: call again with the same one. */
  sendControl(kind: FrameKind, payload: Uint8Array = NO_BYTES): boolean {
    if (!this.flushAll()) return false;
    while (this.#controlNext < this.#senders.length) {
      if (!this.#senders[this.#controlNext].sendControl(kind, payload)) return false;
      this.#controlNext++;
    }
    this.#controlNext = 0;
    return true;
  }

  /** Notes for the metrics what time has been sent; null before the first watermark. */
  countTime(watermarkMs: number | null, isIdle: boolean): void {
    for (const sender of this.#senders) sender.countTime(watermarkMs, isIdle);
  }

  /** Gives a batch to every channel, encoded once for all that need bytes; false until all have let go of it. */
  #sendToAll(batch: Batch): boolean {
    if (!this.#settleAll()) return false;
    if (!this.#isShared) {
      const isEncoded = this.#senders.some((sender) => sender.isEncoded);
      const frame = isEncoded ? encoded(batch) : NO_BYTES;
      for (const sender of this.#senders) sender.share(batch, frame);
      this.#isShared = true;
      if (!this.#settleAll()) return false;
    }
    this.#isShared = false;
    return true;
  }

  #settleAll(): boolean {
    let all = true;
    for (const sender of this.#senders) if (!sender.settle()) all = false;
    return all;
  }
}
