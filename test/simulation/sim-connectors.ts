/**
 * Sources and sinks that behave as badly as their contracts allow: a source finds nothing now and then and says so
 * in every possible moment, a sink takes some rows, or none, and is ready again later. What happens to them is
 * written down for the oracle. Runs on: the test's thread.
 */
import { MillraceError } from '../../src/base/errors.js';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  POLL_WAIT,
  type PollResult,
  type ReaderContext,
  type SinkConnector,
  type SinkWriter,
  type SourceConnector,
  type SourceReader,
  type Split,
  type SplitPosition,
  type WriterContext,
} from '../../src/connector/contract.js';
import { RecordBatcher } from '../../src/connector/iterable/record-batcher.js';
import type { Batch } from '../../src/record/batch.js';
import { compileRowReader, type RowReader } from '../../src/record/row-codec.js';
import type { Schema } from '../../src/record/schema.js';
import type { Row } from './reference-model.js';
import type { SimNode } from './sim-job.js';
import type { Rec } from './sim-records.js';
import type { SimWorld } from './sim-world.js';

/** What happened to a source. */
export interface SourceRecord {
  readonly taken: Rec[];
  opened: number;
  closed: number;
  waits: number;
  /** Whether it threw as planned. */
  failed: boolean;
}

/** What happened to a sink. */
export interface SinkRecord {
  readonly written: Row[];
  opened: number;
  closed: number;
  refusals: number;
  prepared: number;
  /** Writers whose results were committed, and calls. */
  committed: number;
  commits: number;
  aborts: number;
  /** Whether it threw as planned. */
  failed: boolean;
}

/** Makes a source. */
export function simSource(
  node: SimNode & { kind: 'source' },
  world: SimWorld,
  record: SourceRecord,
): SourceConnector<Rec> {
  const { rows } = node;
  const { splits } = node.shape;
  const rowsPerSplit = Math.ceil(rows.length / splits);
  return {
    kind: 'source',
    type: 'sim',
    name: `sim ${node.id}`,
    bounded: true,
    host: false,
    maxParallelism: null,
    guarantee: 'exactly-once',
    projects: false,
    plan: () => ({
      schema: null,
      splits: Array.from({ length: splits }, (_, index) => ({
        id: `${index}`,
        bytes: null,
        rows: null,
        data: [index * rowsPerSplit, Math.min(rows.length, (index + 1) * rowsPerSplit)],
      })),
      bytes: null,
      rows: rows.length,
      data: null,
    }),
    open: (context) => {
      record.opened++;
      return new SimReader(node, world, record, context);
    },
  };
}

class SimReader implements SourceReader {
  batch: Batch | null = null;
  readonly bytesRead = 0;
  readonly #node: SimNode & { kind: 'source' };
  readonly #world: SimWorld;
  readonly #record: SourceRecord;
  readonly #context: ReaderContext;
  readonly #batcher: RecordBatcher;
  #at = 0;
  #end = 0;
  #isReady = true;
  #polls = 0;

  constructor(
    node: SimNode & { kind: 'source' },
    world: SimWorld,
    record: SourceRecord,
    context: ReaderContext,
  ) {
    this.#node = node;
    this.#world = world;
    this.#record = record;
    this.#context = context;
    const { schemas, batchRows } = context;
    this.#batcher = new RecordBatcher({ schemas, batchRows, declared: null });
  }

  addSplit(split: Split): void {
    const [from, to] = split.data as [number, number];
    this.#at = from;
    this.#end = to;
  }

  poll(): PollResult {
    this.batch = null;
    if (this.#polls++ === this.#node.failsAt) {
      this.#record.failed = true;
      throw new MillraceError('SOURCE_FAILED', `planned failure of source ${this.#node.id}`);
    }
    if (!this.#isReady) return POLL_WAIT;
    if (this.#at >= this.#end) return POLL_NEED_SPLIT;
    if (this.#node.waits && this.#world.random.below(4) === 0) return this.#wait();
    const rows = this.#node.rows.slice(this.#at, this.#end);
    const taken = this.#batcher.fill(rows, 0, this.#at);
    this.#record.taken.push(...rows.slice(0, taken));
    this.#at += taken;
    this.batch = this.#batcher.batch;
    return POLL_BATCH;
  }

  /** Is ready again: before this call returns, or when the event loop gets to it. */
  #wait(): PollResult {
    this.#record.waits++;
    this.#isReady = false;
    const ready = (): void => {
      this.#isReady = true;
      this.#context.wake();
    };
    if (this.#world.random.below(5) === 0) ready();
    else this.#world.later(ready);
    return POLL_WAIT;
  }

  positions(): readonly SplitPosition[] {
    return [];
  }

  close(): void {
    this.#record.closed++;
  }
}

/** Makes a sink. */
export function simSink(
  node: SimNode & { kind: 'sink' },
  world: SimWorld,
  record: SinkRecord,
): SinkConnector {
  return {
    kind: 'sink',
    type: 'sim',
    name: `sim ${node.id}`,
    host: false,
    parallelism: null,
    guarantee: 'exactly-once',
    columns: node.columns,
    plan: () => null,
    open: (context) => {
      record.opened++;
      return new SimWriter(node, world, record, context);
    },
    commit: (committables) => {
      record.commits++;
      record.committed += committables.length;
    },
    abort: () => {
      record.aborts++;
    },
  };
}

class SimWriter implements SinkWriter {
  readonly bytesWritten = 0;
  readonly #node: SimNode & { kind: 'sink' };
  readonly #world: SimWorld;
  readonly #record: SinkRecord;
  readonly #context: WriterContext;
  #isReady = true;
  #writes = 0;
  #schema: Schema | null = null;
  #read: RowReader | null = null;
  /** Rows of the batch at hand that were taken already: the next offer starts there. */
  #expected = 0;

  constructor(
    node: SimNode & { kind: 'sink' },
    world: SimWorld,
    record: SinkRecord,
    context: WriterContext,
  ) {
    this.#node = node;
    this.#world = world;
    this.#record = record;
    this.#context = context;
  }

  write(batch: Batch, fromRow: number): number {
    if (fromRow !== this.#expected) {
      throw new Error(`A sink was offered rows from ${fromRow} instead of ${this.#expected}.`);
    }
    if (this.#writes++ === this.#node.failsAt) {
      this.#record.failed = true;
      throw new MillraceError('SINK_FAILED', `planned failure of sink ${this.#node.id}`);
    }
    if (this.#refuses()) return 0;
    const isPartial = this.#node.refuses && this.#world.random.below(4) === 0;
    const count = isPartial ? this.#world.random.below(batch.rows - fromRow) : batch.rows - fromRow;
    if (isPartial) this.#notReady();
    this.#take(batch, fromRow, fromRow + count);
    this.#expected = fromRow + count === batch.rows ? 0 : fromRow + count;
    return count;
  }

  #take(batch: Batch, from: number, to: number): void {
    if (this.#read === null || this.#schema !== batch.schema) {
      this.#schema = batch.schema;
      this.#read = compileRowReader(batch.schema, this.#node.columns);
    }
    for (let row = from; row < to; row++) {
      this.#record.written.push(this.#read(batch, row) as Row);
    }
  }

  flush(): boolean {
    return !this.#refuses();
  }

  prepareCommit(): readonly string[] | null {
    if (this.#refuses()) return null;
    this.#record.prepared++;
    return [`writer ${this.#context.subtask}`];
  }

  #refuses(): boolean {
    if (!this.#isReady) return true;
    if (!this.#node.refuses || this.#world.random.below(4) !== 0) return false;
    this.#notReady();
    return true;
  }

  #notReady(): void {
    this.#record.refusals++;
    this.#isReady = false;
    const ready = (): void => {
      this.#isReady = true;
      this.#context.wake();
    };
    if (this.#world.random.below(5) === 0) ready();
    else this.#world.later(ready);
  }

  close(): void {
    this.#record.closed++;
  }
}
