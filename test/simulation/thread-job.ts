/**
 * The random jobs of the simulation on real threads. Each slot draws the job of the seed anew; sources wait and sinks
 * refuse by real timers, and what sinks take reaches the caller's thread as their commit. Runs on: slots and the main
 * thread.
 */
import { job } from '../../src/api/job.js';
import { MillraceError } from '../../src/base/errors.js';
import { SeededRandom } from '../../src/base/random.js';
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
  type WriterContext,
} from '../../src/connector/contract.js';
import { RecordBatcher } from '../../src/connector/iterable/record-batcher.js';
import type { Batch } from '../../src/record/batch.js';
import { compileRowReader } from '../../src/record/row-codec.js';
import { randomJob } from './random-job.js';
import type { Row } from './reference-model.js';
import { buildFlow } from './sim-flow.js';
import type { SimNode } from './sim-job.js';
import type { Rec } from './sim-records.js';

/** What sinks committed, by node; filled on the caller's thread. */
export const COMMITTED = new Map<number, Row[]>();
/** Sinks that were told to clean up. */
export const ABORTED = new Set<number>();

export const threadJob = job('threads', (flow, { seed = 1 }) => {
  buildFlow(flow, randomJob(seed).nodes, {
    source: (node) => source(node),
    sink: (node) => sink(node),
  });
});

function source(node: SimNode & { kind: 'source' }): SourceConnector<Rec> {
  const { rows, shape } = node;
  const rowsPerSplit = Math.ceil(rows.length / shape.splits);
  return {
    kind: 'source',
    type: 'threads',
    name: `threads ${node.id}`,
    bounded: true,
    host: false,
    maxParallelism: null,
    guarantee: 'exactly-once',
    projects: false,
    plan: () => ({
      schema: null,
      splits: Array.from({ length: shape.splits }, (_, index) => ({
        id: `${index}`,
        bytes: null,
        rows: null,
        data: [index * rowsPerSplit, Math.min(rows.length, (index + 1) * rowsPerSplit)],
      })),
      bytes: null,
      rows: rows.length,
      data: null,
    }),
    open: (context) => new ThreadReader(node, context),
  };
}

/** Becomes ready again at once, in this turn of the event loop, in the next one, or after some time. */
class Readiness {
  isReady = true;
  readonly #random: SeededRandom;
  readonly #wake: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(seed: number, wake: () => void) {
    this.#random = new SeededRandom(seed);
    this.#wake = wake;
  }

  /** Draws whether it is time for a pause, and begins it. */
  pauses(share: number): boolean {
    if (!this.isReady) return true;
    if (this.#random.below(share) !== 0) return false;
    this.isReady = false;
    const ready = (): void => {
      this.isReady = true;
      this.#wake();
    };
    const when = this.#random.below(4);
    if (when === 0) ready();
    else if (when === 1) queueMicrotask(ready);
    else if (when === 2) setImmediate(ready);
    else this.#timer = setTimeout(ready, this.#random.below(3));
    return true;
  }

  part(rows: number): number {
    return this.#random.below(rows);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}

class ThreadReader implements SourceReader {
  batch: Batch | null = null;
  readonly bytesRead = 0;
  readonly #node: SimNode & { kind: 'source' };
  readonly #readiness: Readiness;
  readonly #batcher: RecordBatcher;
  #at = 0;
  #end = 0;
  #polls = 0;

  constructor(node: SimNode & { kind: 'source' }, context: ReaderContext) {
    this.#node = node;
    this.#readiness = new Readiness(node.id * 31 + context.subtask, () => context.wake());
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
    const { failsAt, id, rows, waits } = this.#node;
    if (this.#polls++ === failsAt) throw new MillraceError('SOURCE_FAILED', `planned, node ${id}`);
    if (waits && this.#readiness.pauses(6)) return POLL_WAIT;
    if (this.#at >= this.#end) return POLL_NEED_SPLIT;
    this.#at += this.#batcher.fill(rows.slice(this.#at, this.#end), 0, this.#at);
    this.batch = this.#batcher.batch;
    return POLL_BATCH;
  }

  positions(): readonly never[] {
    return [];
  }

  close(): void {
    this.#readiness.close();
  }
}

function sink(node: SimNode & { kind: 'sink' }): SinkConnector {
  return {
    kind: 'sink',
    type: 'threads',
    name: `threads ${node.id}`,
    host: false,
    parallelism: null,
    guarantee: 'exactly-once',
    columns: node.columns,
    plan: () => null,
    open: (context) => new ThreadWriter(node, context),
    commit: (committables) => {
      COMMITTED.set(node.id, (committables as Row[][]).flat());
    },
    abort: () => {
      ABORTED.add(node.id);
    },
  };
}

class ThreadWriter implements SinkWriter {
  readonly bytesWritten = 0;
  readonly #node: SimNode & { kind: 'sink' };
  readonly #readiness: Readiness;
  readonly #taken: Row[] = [];
  #writes = 0;

  constructor(node: SimNode & { kind: 'sink' }, context: WriterContext) {
    this.#node = node;
    this.#readiness = new Readiness(node.id * 37 + context.subtask, () => context.wake());
  }

  write(batch: Batch, fromRow: number): number {
    const { failsAt, id, columns, refuses } = this.#node;
    if (this.#writes++ === failsAt) throw new MillraceError('SINK_FAILED', `planned, node ${id}`);
    const pauses = refuses && this.#readiness.pauses(6);
    const to = pauses ? fromRow + this.#readiness.part(batch.rows - fromRow) : batch.rows;
    const read = compileRowReader(batch.schema, columns);
    for (let row = fromRow; row < to; row++) this.#taken.push(read(batch, row) as Row);
    return to - fromRow;
  }

  flush(): boolean {
    return !this.#node.refuses || !this.#readiness.pauses(6);
  }

  prepareCommit(): readonly (readonly Row[])[] | null {
    return this.flush() ? [this.#taken] : null;
  }

  close(): void {
    this.#readiness.close();
  }
}
