/**
 * The output of a chain into one edge: batches go to the downstream subtasks, each by a channel of its own. Callers:
 * the chain's generated loop, the subtask. Runs on: the slot's thread. Invariant: rows are in a builder, in a batch
 * that is lent, put aside, or have left, so a refused flush loses nothing and is simply repeated; no row is written
 * to a builder between a flush that was refused and its repetition; what was put aside leaves first.
 */
import { assert } from '../base/assert.js';
import type { OutputPort, PortOptions } from '../operator/contract.js';
import type { Batch } from '../record/batch.js';
import type { BatchBuilder } from '../record/batch-builder.js';
import { createBatchBuilder } from '../record/batch-builder.js';
import { decodeFrameAs, schemaVersionOf } from '../record/frame-codec.js';
import type { Schema } from '../record/schema.js';
import type { StreamSchemas } from '../record/schema-registry.js';
import { FRAME_DATA, FRAME_LATENCY_MARKER, type FrameKind } from '../ring/contract.js';
import { encoded, type FrameSender } from './frame-sender.js';
import type { InFlightFrame } from './in-flight.js';
import type { PortMarkers } from './port-markers.js';

/** What an exchange port is made of. */
export interface ExchangePortParts {
  /** By downstream subtask. */
  readonly senders: readonly FrameSender[];
  /** Whether every downstream subtask gets every row; there is one builder then. */
  readonly broadcast: boolean;
  /** The agreed schema of the edge. */
  readonly schemas: StreamSchemas;
  readonly batchRows: number;
  /** Whether barriers may overtake the rows of the edge. */
  readonly mayOvertake?: boolean;
}

/** What a channel had no room for while a barrier was about to overtake it. */
interface PutAside {
  readonly kind: FrameKind;
  readonly bytes: Uint8Array;
  /** The rows, for data. */
  readonly batch: Batch | null;
}

/** Bytes that a port puts aside at most; a barrier that needs more waits for room like any other. */
const ASIDE_BYTES_MAX = 16 * 1024 * 1024;

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
  readonly mayOvertake: boolean;
  /** Whether what channels have no room for is put aside; and by channel, what has been. */
  putsAside = false;
  readonly #aside: PutAside[][];
  #asideBytes = 0;
  #asideCount = 0;
  /** Null where latency is not tracked. */
  markers: PortMarkers | null = null;

  constructor(parts: ExchangePortParts) {
    this.#senders = parts.senders;
    this.#broadcast = parts.broadcast;
    this.#schemas = parts.schemas;
    this.#batchRows = parts.batchRows;
    this.channels = parts.senders.length;
    this.mayOvertake = parts.mayOvertake ?? false;
    this.#aside = parts.senders.map(() => []);
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
      const isSent = this.#broadcast ? this.#sendToAll(batch) : this.#send(channel, batch);
      if (!isSent) return false;
      this.#taken[channel] = null;
      builder.reset();
      this.markers?.send();
    }
    if (this.#broadcast) return this.#settleAll();
    return (this.#clear(channel) && this.#senders[channel].settle()) || this.putsAside;
  }

  send(channel: number, batch: Batch): boolean {
    return this.#broadcast ? this.#sendToAll(batch) : this.#send(channel, batch);
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
    return (this.clear() || this.putsAside) && all;
  }

  /** Sends what was put aside; false while there is more of it. */
  clear(): boolean {
    let all = true;
    if (this.#asideCount === 0) return all;
    for (let channel = 0; channel < this.channels; channel++) {
      if (!this.#clear(channel)) all = false;
    }
    return all;
  }

  /** Sends a control message to every channel, after the rows before it; false: call again with the same one. */
  sendControl(kind: FrameKind, payload: Uint8Array = NO_BYTES): boolean {
    if (!this.flushAll()) return false;
    while (this.#controlNext < this.#senders.length) {
      if (this.markers?.leave(this.#controlNext) === false) return false;
      if (!this.#control(this.#controlNext, kind, payload)) return false;
      this.#controlNext++;
    }
    this.#controlNext = 0;
    return true;
  }

  /** False while the channel has no room. */
  sendMarker(channel: number, marker: Uint8Array): boolean {
    return this.#control(channel, FRAME_LATENCY_MARKER, marker);
  }

  #control(channel: number, kind: FrameKind, payload: Uint8Array): boolean {
    if (this.#clear(channel) && this.#senders[channel].sendControl(kind, payload)) return true;
    return this.putsAside && this.#putAside(channel, { kind, bytes: payload, batch: null });
  }

  #send(channel: number, batch: Batch): boolean {
    const sender = this.#senders[channel];
    if (this.#clear(channel) && sender.send(batch)) return true;
    if (!this.putsAside) return false;
    const state = sender.disown(batch);
    if (state !== 'refused') return state === 'copied';
    if (this.#asideBytes > ASIDE_BYTES_MAX) return false;
    const bytes = encoded(batch);
    const own = decodeFrameAs(batch.schema, bytes);
    return this.#putAside(channel, { kind: FRAME_DATA, bytes, batch: own });
  }

  #putAside(channel: number, one: PutAside): boolean {
    this.#aside[channel].push(one);
    this.#asideCount++;
    this.#asideBytes += one.bytes.byteLength;
    return true;
  }

  #clear(channel: number): boolean {
    const aside = this.#aside[channel];
    const sender = this.#senders[channel];
    while (aside.length > 0) {
      const { kind, bytes, batch } = aside[0];
      if (!(batch === null ? sender.sendControl(kind, bytes) : sender.send(batch))) return false;
      this.#drop(channel, bytes);
    }
    return true;
  }

  #drop(channel: number, { byteLength }: Uint8Array): void {
    this.#aside[channel].shift();
    this.#asideCount--;
    this.#asideBytes -= byteLength;
  }

  /** Tells all channels of a barrier that overtakes what is under way; what nobody else can see of that, by channel. */
  overtake(payload: Uint8Array): readonly (readonly InFlightFrame[])[] {
    this.putsAside = false;
    // Those before have it in its turn.
    const first = this.#controlNext;
    this.#controlNext = 0;
    return this.#senders.map((sender, channel) => {
      if (channel < first) return [];
      const unseen = this.#unseen(channel);
      sender.announce(payload);
      return unseen;
    });
  }

  #unseen(channel: number): readonly InFlightFrame[] {
    const sender = this.#senders[channel];
    const aside = this.#aside[channel];
    this.#clear(channel);
    // The consumer keeps what it has been lent.
    const [head = null] = aside;
    const state = head === null || head.batch === null ? 'refused' : sender.disown(head.batch);
    if (head !== null && state === 'copied') this.#drop(channel, head.bytes);
    const frames = aside.slice(state === 'lent' ? 1 : 0).flatMap(({ batch, bytes }) => {
      return batch === null ? [] : [{ schema: batch.schema, frame: bytes, first: 0 }];
    });
    const { unsent } = sender;
    if (unsent === null) return frames;
    const schema = this.#schemas.get(schemaVersionOf(unsent));
    return [{ schema, frame: unsent, first: 0 }, ...frames];
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
