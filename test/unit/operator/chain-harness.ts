/**
 * A chain task in a test: ports that collect what is handed on, schemas agreed in memory, state tables, and a
 * driver that steps the task through batches. Callers: tests of chains.
 */
import type { Clock } from '../../../src/base/clock.js';
import { SeededRandom } from '../../../src/base/random.js';
import type { AsyncRetry, OpenAsync } from '../../../src/operator/async/async-function.js';
import type { AsyncOrder } from '../../../src/operator/async/async-queue.js';
import { createChainTask } from '../../../src/operator/chain-task.js';
import type {
  ChainOperator,
  ChainTaskOptions,
  CompiledChain,
  SpillSpace,
} from '../../../src/operator/chain-options.js';
import type {
  OutputPort,
  PortOptions,
  SnapshotSink,
  SnapshotSource,
  StepResult,
} from '../../../src/operator/contract.js';
import { STEP_DONE } from '../../../src/operator/contract.js';
import type { InputSide } from '../../../src/operator/operator-sides.js';
import type { AggregateOperator } from '../../../src/operator/aggregate-fields.js';
import type { ColumnLike } from '../../../src/operator/expression-builder.js';
import type {
  AggregateSpec,
  BuiltInAggregate,
  JoinColumn,
  OperatorSpec,
  Partitioner,
  TimestampOrigin,
  SortOrder,
  TopOrder,
  UserAggregator,
  UserFunction,
  AlignedSpec,
  SessionSpec,
} from '../../../src/operator/operator-spec.js';
import type { OpenProcess } from '../../../src/operator/process-function.js';
import type { Batch } from '../../../src/record/batch.js';
import type { BatchBuilder } from '../../../src/record/batch-builder.js';
import { createBatchBuilder } from '../../../src/record/batch-builder.js';
import { keyGroupRange } from '../../../src/record/key-group.js';
import { decodeFrame, encodeFrame, frameBytes } from '../../../src/record/frame-codec.js';
import { inferSchema } from '../../../src/record/infer.js';
import {
  compileRowReader,
  compileRowWriter,
  type RowReader,
  type RowWriter,
} from '../../../src/record/row-codec.js';
import type { Schema } from '../../../src/record/schema.js';
import { mergeSchemas } from '../../../src/record/schema-merge.js';
import type { StreamSchemas } from '../../../src/record/schema-registry.js';
import { createTieredTable } from '../../../src/state/cold/tiered-table.js';
import type { StateTable, TableSpec } from '../../../src/state/contract.js';
import type { WatermarkStrategy } from '../../../src/time/watermark-strategy.js';
import { MemoryScratch } from '../../contract/memory-scratch.js';
import * as computing from '../../../src/operator/computing.js';
import * as sorting from '../../../src/operator/sorting.js';
import * as stateful from '../../../src/operator/stateful.js';
import { metricsPlace } from '../metrics/metrics-place.js';

/** Schemas of a stream, agreed by its producers in one thread. */
export class MemorySchemas implements StreamSchemas {
  readonly versions: Schema[] = [];

  current(): { schema: Schema; version: number } | null {
    const schema = this.versions.at(-1);
    return schema === undefined ? null : { schema, version: this.versions.length };
  }

  propose(schema: Schema): { schema: Schema; version: number } {
    const current = this.versions.at(-1);
    const merged = current === undefined ? schema : mergeSchemas(current, schema);
    if (merged !== current) this.versions.push(merged);
    return { schema: merged, version: this.versions.length };
  }

  get(version: number): Schema {
    return this.versions[version - 1];
  }
}

const READERS = new WeakMap<Schema, RowReader>();
const WRITERS = new WeakMap<Schema, RowWriter>();

function readerOf(schema: Schema): RowReader {
  const read = READERS.get(schema) ?? compileRowReader(schema, null);
  READERS.set(schema, read);
  return read;
}

function writerOf(schema: Schema): RowWriter {
  const write = WRITERS.get(schema) ?? compileRowWriter(schema);
  WRITERS.set(schema, write);
  return write;
}

/** A row as it left a chain. */
export interface Left {
  readonly channel: number;
  readonly record: unknown;
  readonly time: number | null;
  readonly kind: number | null;
}

/** A port that keeps what it is given, and may refuse. */
export class CollectingPort implements OutputPort {
  readonly channels: number;
  builders: readonly BatchBuilder[] = [];
  readonly left: Left[] = [];
  /** Schemas of the batches handed on, in order of first use. */
  readonly schemas = new MemorySchemas();
  opened = 0;
  /** Batches that came whole. */
  sent = 0;
  /** Whether it is one inside a slot, whose consumer reads the memory of the producer. */
  isLent = false;
  readonly #broadcast: boolean;
  readonly #capacity: number;
  readonly #mayTake: () => boolean;

  constructor(channels: number, broadcast: boolean, capacity: number, mayTake: () => boolean) {
    this.channels = channels;
    this.#broadcast = broadcast;
    this.#capacity = capacity;
    this.#mayTake = mayTake;
  }

  open(schema: Schema, options: PortOptions): boolean {
    for (let channel = 0; channel < this.builders.length; channel++) {
      if (!this.flush(channel)) return false;
    }
    const agreed = this.schemas.propose(schema);
    this.builders = Array.from({ length: this.#broadcast ? 1 : this.channels }, () =>
      createBatchBuilder(agreed.schema, agreed.version, { capacity: this.#capacity, ...options }),
    );
    this.opened++;
    return true;
  }

  flush(channel: number): boolean {
    const builder = this.builders[channel];
    if (builder.rows === 0) return true;
    if (!this.#mayTake()) return false;
    this.#collect(channel, builder.take());
    builder.reset();
    return true;
  }

  lends(): boolean {
    return this.isLent;
  }

  /** Takes a batch as a consumer in another slot gets it: as a frame. */
  send(channel: number, batch: Batch): boolean {
    if (!this.#mayTake()) return false;
    const memory = new Uint8Array(frameBytes(batch));
    const bytes = encodeFrame(batch, memory, 0);
    this.#collect(channel, decodeFrame(memory, 0, bytes, this.schemas));
    this.sent++;
    return true;
  }

  #collect(channel: number, batch: Batch): void {
    const read = readerOf(batch.schema);
    for (let row = 0; row < batch.rows; row++) {
      this.left.push({
        channel,
        record: read(batch, row),
        time: batch.times === null ? null : batch.times[row],
        kind: batch.kinds === null ? null : batch.kinds[row],
      });
    }
  }
}

/** A batch of records; the schema is inferred when it is not given. */
export function batchOf(
  records: readonly unknown[],
  options: {
    readonly schema?: Schema;
    readonly times?: readonly number[];
    readonly kinds?: readonly number[];
    readonly version?: number;
  } = {},
): Batch {
  const schema = options.schema ?? inferSchema(records);
  const builder = createBatchBuilder(schema, options.version ?? 1, {
    capacity: Math.max(1, records.length),
    times: options.times !== undefined,
    kinds: options.kinds !== undefined,
  });
  const write = writerOf(schema);
  records.forEach((record, row) => {
    if (builder.times !== null) builder.times[row] = options.times?.[row] ?? 0;
    if (builder.kinds !== null) builder.kinds[row] = options.kinds?.[row] ?? 0;
    const misfit = write(builder, record);
    if (misfit !== null) throw new Error(`Record ${row} does not fit: ${misfit}.`);
  });
  return builder.take();
}

/** Pieces of a snapshot in memory. */
export class MemorySnapshot implements SnapshotSink, SnapshotSource {
  readonly pieces: { uid: string; name: string; keyGroup: number; bytes: Uint8Array }[] = [];

  put(uid: string, name: string, keyGroup: number, bytes: Uint8Array): void {
    this.pieces.push({ uid, name, keyGroup, bytes });
  }

  get(uid: string, name: string): { keyGroup: number; bytes: Uint8Array }[] {
    return this.pieces.filter((piece) => piece.uid === uid && piece.name === name);
  }
}

/** Parts of a chain under test; everything but the operators has a default. */
export interface ChainParts {
  readonly operators: readonly ChainOperator[];
  readonly outputs?: readonly {
    readonly after: number;
    readonly partitioner?: Partitioner;
    readonly channels?: number;
    readonly columns?: readonly string[] | null;
  }[];
  /** The side that each input feeds; one input of the first side when absent. */
  readonly inputSides?: readonly InputSide[];
  readonly capacity?: number;
  readonly preAggregateKeysMax?: number;
  readonly mayTake?: () => boolean;
  readonly subtask?: number;
  readonly parallelism?: number;
  readonly clock?: Clock;
  /** Where operators put what does not fit; nothing may be put on disk when absent. */
  readonly space?: SpillSpace;
  readonly wake?: () => void;
  /** Whether state leaves memory whenever it may; false when absent. */
  readonly isTiered?: boolean;
  /** Ports and schemas of an earlier instance, to go on with after a restore. */
  readonly from?: ChainUnderTest;
}

/** A chain task with what surrounds it. */
export interface ChainUnderTest {
  readonly task: CompiledChain;
  readonly ports: readonly CollectingPort[];
  readonly schemas: readonly MemorySchemas[];
  readonly control: Int32Array;
  /** Records that came too late for their windows. */
  readonly late: { records: number };
}

/** Operators in a line. */
export function line(...specs: readonly OperatorSpec[]): readonly ChainOperator[] {
  return specs.map((spec, index) => ({ spec, input: index - 1 }));
}

/** Builds a chain; without outputs it gets one at its end. */
export function chainOf(parts: ChainParts): ChainUnderTest {
  const operators = parts.operators.map(({ spec, input }, index) => ({
    spec: { ...spec, uid: `${spec.uid}-${index}` },
    input,
  }));
  const outputs = parts.outputs ?? [{ after: operators.length - 1 }];
  const ports = outputs.map(
    ({ channels = 1, partitioner }, index) =>
      parts.from?.ports[index] ??
      new CollectingPort(
        channels,
        partitioner?.kind === 'broadcast',
        parts.capacity ?? 1024,
        parts.mayTake ?? (() => true),
      ),
  );
  const schemas = parts.from?.schemas ?? operators.map(() => new MemorySchemas());
  const control = new Int32Array(2);
  const late = { records: 0 };
  const { subtask = 0, parallelism = 1 } = parts;
  const options: ChainTaskOptions = {
    vertexName: 'chain under test',
    operators,
    inputSides: parts.inputSides ?? [0],
    outputs: outputs.map(({ after, partitioner, columns }, index) => ({
      port: ports[index],
      after,
      partitioner: partitioner ?? { kind: 'forward' },
      columns: columns ?? null,
    })),
    streamSchemas: (index) => schemas[index],
    subtask,
    parallelism,
    maxParallelism: 128,
    clock: parts.clock ?? { epochMs: () => 0, monotonicMs: () => 0 },
    random: new SeededRandom(7),
    control,
    parts: { computing, stateful, sorting },
    space: parts.space ?? null,
    ...tablesOf(parts),
    userMetrics: metricsPlace(),
    countLate: (records) => {
      late.records += records;
    },
    preAggregateKeysMax: parts.preAggregateKeysMax ?? 1000,
    ...(parts.wake === undefined ? {} : { wake: parts.wake }),
  };
  const task = createChainTask(options);
  if (task.open() !== null) throw new Error('Functions of chains under test open at once.');
  return { task, ports, schemas, control, late };
}

/** Makes the tables of a chain: all in memory, or with next to nothing of what may leave it. */
function tablesOf({ subtask = 0, parallelism = 1, isTiered = false }: ChainParts) {
  const keyGroups = keyGroupRange(subtask, parallelism, 128);
  const tiered: StateTable[] = [];
  const space = { disk: new MemoryScratch(), directory: '', budgetBytes: 1 };
  return {
    tables: (_uid: string, spec: TableSpec) => {
      if (!isTiered || spec.isEvictable !== true)
        return stateful.createHotTable(spec, { keyGroups });
      const table = createTieredTable(spec, { keyGroups, space });
      tiered.push(table);
      return table;
    },
    makeRoom: () => {
      for (const table of tiered) table.makeRoom?.();
    },
  };
}

/** Calls a resumable method until it is done; fails when it never is. */
export function untilDone(call: (cursor: { position: number }) => StepResult): void {
  const cursor = { position: 0 };
  for (let calls = 0; calls < 100_000; calls++) {
    if (call(cursor) === STEP_DONE) return;
  }
  throw new Error('The call never ends.');
}

/** Runs batches through a chain to the end, and gives what left by each port. */
export function runChain(
  parts: ChainParts,
  batches: readonly Batch[],
  budgetRows = 1024,
): readonly (readonly Left[])[] {
  const chain = chainOf(parts);
  for (const batch of batches) {
    untilDone((cursor) => chain.task.step(0, batch, cursor, budgetRows));
  }
  untilDone((cursor) => chain.task.endOfInput(cursor, budgetRows));
  untilDone(() => (chain.task.flush() ? STEP_DONE : 1));
  return chain.ports.map((port) => port.left);
}

/** The records that leave by the first port. */
export function recordsOf(
  parts: ChainParts,
  records: readonly unknown[],
  schema?: Schema,
): readonly unknown[] {
  const batch = batchOf(records, schema === undefined ? {} : { schema });
  return runChain(parts, [batch])[0].map((left) => left.record);
}

/** An aggregate: a function, optionally its input and filter; or one of the user. */
export type AggregateText =
  | {
      readonly fn: BuiltInAggregate['fn'];
      readonly of?: ColumnLike;
      readonly filter?: ColumnLike;
      readonly exact?: boolean;
    }
  | UserAggregator;

function aggregateOf(as: string, text: AggregateText): AggregateSpec {
  if (!('fn' in text)) return { as, fn: 'user', aggregator: text, filter: null };
  return {
    as,
    fn: text.fn,
    input: text.of?.expression ?? null,
    filter: text.filter?.expression ?? null,
    exact: text.exact ?? false,
  };
}

/** Named aggregates. */
export function aggregatesOf(
  aggregates: Readonly<Record<string, AggregateText>>,
): readonly AggregateSpec[] {
  return Object.entries(aggregates).map(([as, text]) => aggregateOf(as, text));
}

const identity = (name: string) => ({ uid: name, name, createdAt: 'job.ts:1:2' });

/** Shorthand for operators. */
export const op = {
  map: (fn: (record: never) => unknown, returns: Schema | null = null): OperatorSpec => ({
    ...identity('map'),
    kind: 'map',
    fn,
    returns,
  }),
  filter: (fn: (record: never) => unknown): OperatorSpec => ({
    ...identity('filter'),
    kind: 'filter',
    fn,
  }),
  flatMap: (fn: (record: never) => unknown, returns: Schema | null = null): OperatorSpec => ({
    ...identity('flatMap'),
    kind: 'flatMap',
    fn,
    returns,
  }),
  process: <T, Out>(
    keys: readonly string[] | null,
    open: OpenProcess<T, never, Out>,
    returns: Schema | null = null,
  ): OperatorSpec => ({ ...identity('process'), kind: 'process', keys: [keys], open, returns }),
  /** A process function with two sides. */
  coProcess: (
    keys: readonly (readonly string[] | null)[],
    open: OpenProcess<never, never, unknown, never>,
    returns: Schema | null = null,
  ): OperatorSpec => ({ ...identity('process'), kind: 'process', keys, open, returns }),
  /** The first rows of each key. */
  top: (
    keys: readonly string[],
    rows: number,
    order: readonly TopOrder[],
    more: { readonly newestFirst?: boolean; readonly rank?: string | null } = {},
  ): OperatorSpec => ({
    ...identity('top'),
    kind: 'top',
    keys,
    rows,
    order,
    newestFirst: false,
    rank: null,
    emit: 'final',
    ...more,
  }),
  /** All rows in an order. */
  sort: (keys: readonly string[], order: readonly SortOrder[]): OperatorSpec => ({
    ...identity('sort'),
    kind: 'sort',
    keys,
    order,
    emit: 'final',
  }),
  /** An inner join by the same keys on both sides: of chosen fields, or by a function. */
  join: (
    keys: readonly string[],
    results: readonly JoinColumn[] | UserFunction,
    returns: Schema | null = null,
  ): OperatorSpec => {
    const made =
      typeof results === 'function'
        ? { columns: null, apply: results }
        : { columns: results, apply: null };
    return { ...identity('join'), kind: 'join', keys: [keys, keys], returns, ...made };
  },
  /** An asynchronous function of the engine; ordered, 100 at a time and without a timeout unless told otherwise. */
  asyncWait: (
    open: OpenAsync,
    options: {
      readonly order?: AsyncOrder;
      readonly capacity?: number;
      readonly timeoutMs?: number | null;
      readonly retry?: AsyncRetry | null;
      readonly returns?: Schema | null;
    } = {},
  ): OperatorSpec => ({
    ...identity('asyncWait'),
    kind: 'asyncWait',
    functions: open,
    order: 'ordered',
    capacity: 100,
    timeoutMs: null,
    retry: null,
    readers: [(record: unknown) => record],
    fields: [],
    returns: null,
    ...options,
  }),
  sideOutput: (tag: string, returns: Schema | null = null): OperatorSpec => ({
    ...identity('sideOutput'),
    kind: 'sideOutput',
    tag,
    returns,
  }),
  computeKey: (fn: (record: never) => unknown): OperatorSpec => ({
    ...identity('computeKey'),
    kind: 'computeKey',
    fn,
  }),
  where: (predicate: ColumnLike): OperatorSpec => ({
    ...identity('where'),
    kind: 'where',
    predicate: predicate.expression,
  }),
  select: (columns: Readonly<Record<string, ColumnLike>>): OperatorSpec => ({
    ...identity('select'),
    kind: 'select',
    columns: Object.entries(columns).map(([name, column]) => ({ name, value: column.expression })),
    keepsOthers: false,
  }),
  explode: (as: string, list: ColumnLike, outer = false): OperatorSpec => ({
    ...identity('explode'),
    kind: 'explode',
    as,
    list: list.expression,
    outer,
  }),
  aggregate: (
    keys: readonly string[],
    aggregates: Readonly<Record<string, AggregateText>>,
    emit: 'updates' | 'final' = 'final',
  ): AggregateOperator => ({
    ...identity('aggregate'),
    kind: 'aggregate',
    keys,
    aggregates: aggregatesOf(aggregates),
    emit,
    phase: 'single',
    window: null,
  }),
  /** Aggregates of windows; tumbling ones unless a slide is given. */
  window: (
    keys: readonly string[],
    aggregates: Readonly<Record<string, AggregateText>>,
    window: Partial<AlignedSpec> & {
      readonly sizeMs: number;
      readonly slideMs?: number;
      readonly offsetMs?: number;
    },
  ): AggregateOperator => {
    const { sizeMs, slideMs = sizeMs, offsetMs = 0, ...others } = window;
    const grid = { sizeMs, slideMs, offsetMs };
    const spec = {
      grid,
      time: 'event',
      firesAtEnd: false,
      allowedLatenessMs: null,
      lateTag: null,
      ...others,
    } as const;
    return { ...op.aggregate(keys, aggregates), window: spec };
  },
  /** Aggregates of sessions. */
  sessions: (
    keys: readonly string[],
    aggregates: Readonly<Record<string, AggregateText>>,
    window: Partial<SessionSpec> & { readonly gapMs: number },
  ): AggregateOperator => ({
    ...op.aggregate(keys, aggregates),
    window: { time: 'event', firesAtEnd: false, allowedLatenessMs: null, lateTag: null, ...window },
  }),
  /** Event times from a column, unless the timestamp is told otherwise. */
  assign: (
    timestamp: string | TimestampOrigin,
    watermarks: Partial<WatermarkStrategy> = {},
  ): OperatorSpec => ({
    ...identity('assignTimestamps'),
    kind: 'assignTimestamps',
    timestamp:
      typeof timestamp === 'string'
        ? { from: 'expression', expression: { node: 'column', name: timestamp } }
        : timestamp,
    watermarks: {
      generation: { kind: 'bounded', outOfOrdernessMs: 0 },
      idleTimeoutMs: null,
      alignment: null,
      ...watermarks,
    },
  }),
  distinct: (...keys: readonly string[]): OperatorSpec => ({
    ...identity('distinct'),
    kind: 'distinct',
    keys,
  }),
  reduce: (
    keys: readonly string[],
    fn: (a: never, b: never) => unknown,
    emit: 'updates' | 'final' = 'final',
  ): OperatorSpec => ({ ...identity('reduce'), kind: 'reduce', keys, fn, emit }),
};
