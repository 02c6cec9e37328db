/**
 * The upstream end of a part under test: what a subtask upstream would send, in the place of a source's reader.
 * Callers: `test-input.ts` sends, the input gate of the first chain receives. Runs on: the test's thread. Invariant:
 * messages arrive in the order in which they were sent; a batch stays as it is until it has been released.
 */
import { assert } from '../base/assert.js';
import { RecordBatcher } from '../connector/iterable/record-batcher.js';
import { NO_EVENT_TIME } from '../operator/flow-row.js';
import type { Batch } from '../record/batch.js';
import type { Schema } from '../record/schema.js';
import { mergeSchemas } from '../record/schema-merge.js';
import type { StreamSchemas } from '../record/schema-registry.js';
import {
  FRAME_ACTIVE,
  FRAME_DATA,
  FRAME_END_OF_DATA,
  FRAME_FINISHED,
  FRAME_IDLE,
  FRAME_WATERMARK,
  type FrameKind,
} from '../ring/contract.js';
import type { FrameReceiver } from '../runtime/frame-receiver.js';
import { watermarkPayload } from '../runtime/time-sender.js';
import { WATERMARK_MIN } from '../time/watermark.js';

/** A record that is sent, with event time and the number of its kind. */
export interface FedRecord {
  readonly record: unknown;
  readonly timestamp: number | null;
  readonly kind: number;
}

interface Message {
  readonly kind: FrameKind;
  readonly batch: Batch | null;
  readonly payload: Uint8Array;
}

const EMPTY = new Uint8Array(0);
/** With an end of data: what is held back is to be emitted. */
const DRAIN = Uint8Array.of(1);

/** Sends what a test pushes. */
export class TestFeed implements FrameReceiver {
  watermarkMs = WATERMARK_MIN;
  isIdle = false;
  hasEnded = false;
  readonly #batcher: RecordBatcher;
  readonly #queue: Message[] = [];
  #current: Message | null = null;
  #sent = 0;

  constructor(batchRows: number, declared: Schema | null) {
    this.#batcher = new RecordBatcher({ schemas: new FeedSchemas(), batchRows, declared });
  }

  /** Sends as many of the records from `from` on as make one batch; gives how many those are. */
  sendRecords(all: readonly FedRecord[], from: number): number {
    const records = all.slice(from).map(({ record }) => record);
    const rows = this.#batcher.fill(records, 0, this.#sent);
    const sent = all.slice(from, from + rows);
    const { batch } = this.#batcher;
    assert(batch !== null, 'A batcher that was filled has a batch.');
    const hasTimes = sent.some(({ timestamp }) => timestamp !== null);
    const hasKinds = sent.some(({ kind }) => kind !== 0);
    const times = sent.map(({ timestamp }) => timestamp ?? NO_EVENT_TIME);
    this.#send(FRAME_DATA, EMPTY, {
      ...batch,
      times: hasTimes ? Float64Array.from(times) : null,
      kinds: hasKinds ? Uint8Array.from(sent, ({ kind }) => kind) : null,
    });
    this.#sent += rows;
    return rows;
  }

  sendWatermark(watermarkMs: number): void {
    this.watermarkMs = watermarkMs;
    this.#send(FRAME_WATERMARK, watermarkPayload(watermarkMs));
  }

  sendIdle(isIdle: boolean): void {
    this.isIdle = isIdle;
    this.#send(isIdle ? FRAME_IDLE : FRAME_ACTIVE, EMPTY);
  }

  sendEnd(): void {
    this.hasEnded = true;
    this.#send(FRAME_END_OF_DATA, DRAIN);
    this.#send(FRAME_FINISHED, EMPTY);
  }

  /** Says the time again to an instance that has just been restored; snapshots hold none. */
  resume(): void {
    this.#queue.length = 0;
    if (this.watermarkMs > WATERMARK_MIN) this.sendWatermark(this.watermarkMs);
    if (this.isIdle) this.sendIdle(true);
  }

  #send(kind: FrameKind, payload: Uint8Array, batch: Batch | null = null): void {
    this.#queue.push({ kind, batch, payload });
  }

  get kind(): FrameKind {
    return this.#message.kind;
  }

  get bytes(): number {
    return this.#message.payload.byteLength;
  }

  poll(): boolean {
    this.#current = this.#queue.shift() ?? null;
    return this.#current !== null;
  }

  batch(): Batch {
    const { batch } = this.#message;
    assert(batch !== null, 'A message of data has a batch.');
    return batch;
  }

  payload(): Uint8Array {
    return this.#message.payload;
  }

  release(): void {
    this.#current = null;
  }

  get #message(): Message {
    assert(this.#current !== null, 'A message is looked at while it is current.');
    return this.#current;
  }
}

/** The evolving schema of what is pushed. */
class FeedSchemas implements StreamSchemas {
  readonly #versions: Schema[] = [];

  current(): { readonly schema: Schema; readonly version: number } | null {
    const schema = this.#versions.at(-1);
    return schema === undefined ? null : { schema, version: this.#versions.length };
  }

  propose(schema: Schema): { readonly schema: Schema; readonly version: number } {
    const current = this.#versions.at(-1);
    const merged = current === undefined ? schema : mergeSchemas(current, schema);
    if (merged !== current) this.#versions.push(merged);
    return { schema: merged, version: this.#versions.length };
  }

  get(version: number): Schema {
    return this.#versions[version - 1];
  }
}
