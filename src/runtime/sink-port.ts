/**
 * The output of a chain into a sink writer in the same slot: full builders are offered to the writer, which
 * takes what it can. Callers: the chain's generated loop, the subtask. Runs on: the slot's thread. Invariant:
 * rows are offered in order and each exactly once, also when the writer takes a batch in parts.
 */
import type { MillraceError } from '../base/errors.js';
import type { Committable, SinkWriter } from '../connector/contract.js';
import type { TaskMetricsWriter } from '../metrics/task-metrics.js';
import type { OutputPort, PortOptions } from '../operator/contract.js';
import type { OperatorIdentity } from '../operator/operator-spec.js';
import type { BatchBuilder } from '../record/batch-builder.js';
import { createBatchBuilder } from '../record/batch-builder.js';
import type { Schema } from '../record/schema.js';
import type { StreamSchemas } from '../record/schema-registry.js';
import { connectorFailure } from './connector-failure.js';
import type { TapSite } from './tap-site.js';

/** What a sink port is made of. */
export interface SinkPortParts {
  readonly writer: SinkWriter;
  /** The sink, which errors name: a chain cannot tell whose output it was writing. */
  readonly identity: OperatorIdentity;
  readonly schemas: StreamSchemas;
  readonly batchRows: number;
  readonly metrics: TaskMetricsWriter;
  readonly tap: TapSite;
}

/** An output port over a sink writer. */
export class SinkPort implements OutputPort {
  readonly channels = 1;
  builders: readonly BatchBuilder[] = [];
  /** Whether the writer refused last time, so that only an event of its thread can help. */
  isWaiting = false;
  readonly #writer: SinkWriter;
  readonly #identity: OperatorIdentity;
  readonly #schemas: StreamSchemas;
  readonly #batchRows: number;
  readonly #metrics: TaskMetricsWriter;
  readonly #tap: TapSite;
  /** Rows of the builder that the writer has taken already. */
  #taken = 0;
  /** Whether it has been offered to the writer, so that nobody sees it twice. */
  #isSeen = false;

  constructor(parts: SinkPortParts) {
    this.#writer = parts.writer;
    this.#identity = parts.identity;
    this.#schemas = parts.schemas;
    this.#batchRows = parts.batchRows;
    this.#metrics = parts.metrics;
    this.#tap = parts.tap;
  }

  open(schema: Schema, options: PortOptions): boolean {
    if (!this.flushAll()) return false;
    const agreed = this.#schemas.propose(schema);
    this.builders = [
      createBatchBuilder(agreed.schema, agreed.version, { capacity: this.#batchRows, ...options }),
    ];
    return true;
  }

  flush(_channel: number): boolean {
    const builder = this.builders[0];
    if (builder.rows === 0) return true;
    this.#taken += this.#write(builder);
    this.isWaiting = this.#taken < builder.rows;
    if (this.isWaiting) return false;
    this.#metrics.addRowsOut(this.#taken);
    this.#metrics.setBytesOut(this.#writer.bytesWritten);
    this.#taken = 0;
    this.#isSeen = false;
    builder.reset();
    return true;
  }

  #write(builder: BatchBuilder): number {
    try {
      const batch = builder.take();
      if (!this.#isSeen) this.#tap.watcher?.look(batch);
      this.#isSeen = true;
      return this.#writer.write(batch, this.#taken);
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  flushAll(): boolean {
    return this.builders.length === 0 || this.flush(0);
  }

  /** Hands over all rows and makes them visible as far as the sink can. */
  flushThrough(): boolean {
    if (!this.flushAll()) return false;
    try {
      this.isWaiting = !this.#writer.flush();
    } catch (cause) {
      throw this.#failed(cause);
    }
    return !this.isWaiting;
  }

  get uid(): string {
    return this.#identity.uid;
  }

  /** Closes what is open and gives what is to be committed; null while the writer cannot yet. */
  prepareCommit(endOfInput: boolean): readonly Committable[] | null {
    try {
      const committables = this.#writer.prepareCommit(endOfInput);
      this.isWaiting = committables === null;
      return committables;
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  #failed(cause: unknown): MillraceError {
    const { name, uid } = this.#identity;
    return connectorFailure(cause, 'SINK_FAILED').at({ operator: name, uid });
  }
}
