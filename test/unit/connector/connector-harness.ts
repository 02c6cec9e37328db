/** Runs connectors by their contracts alone, in one thread, the way a slot does. */
import { NO_LOG } from '../../../src/base/function-log.js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.js';
import type { Disk } from '../../../src/base/disk.js';
import { nodeDisk } from '../../../src/base/node-disk.js';
import type { Clock } from '../../../src/base/clock.js';
import type {
  Committable,
  PlainData,
  SinkConnector,
  SinkWriter,
  SourceConnector,
  SourcePlan,
  SourceReader,
} from '../../../src/connector/contract.js';
import { POLL_BATCH, POLL_NEED_SPLIT, POLL_WAIT } from '../../../src/connector/contract.js';
import type { Batch } from '../../../src/record/batch.js';
import type { FieldPath } from '../../../src/record/field-tree.js';
import { createBatchBuilder } from '../../../src/record/batch-builder.js';
import { inferSchema } from '../../../src/record/infer.js';
import { compileRowReader, compileRowWriter } from '../../../src/record/row-codec.js';
import type { Schema } from '../../../src/record/schema.js';
import { SchemaRegistry } from '../../../src/record/schema-registry.js';
import { metricsPlace } from '../metrics/metrics-place.js';

export interface ReadOptions {
  readonly columns?: readonly string[] | null;
  readonly paths?: readonly FieldPath[];
  readonly parallelism?: number;
  readonly batchRows?: number;
  readonly clock?: Clock;
  readonly baseDirectory?: string;
}

export interface OpenReader {
  readonly reader: SourceReader;
  readonly plan: SourcePlan;
  /** Resolves when the reader has called `wake`. */
  readonly woken: () => Promise<void>;
}

export async function openReader(
  source: SourceConnector,
  options: ReadOptions = {},
): Promise<OpenReader> {
  const baseDirectory = options.baseDirectory ?? process.cwd();
  const parallelism = options.parallelism ?? 1;
  const plan = await source.plan({ parallelism, disk: nodeDisk, baseDirectory });
  let wake: (() => void) | null = null;
  let pending = false;
  const reader = await source.open({
    plan: structuredClone(plan),
    subtask: 0,
    parallelism,
    columns: options.columns ?? null,
    paths: options.paths ?? [],
    disk: nodeDisk,
    clock: options.clock ?? systemClock,
    baseDirectory,
    schemas: new SchemaRegistry(new SharedArrayBuffer(1 << 20)).stream(0),
    batchRows: options.batchRows ?? 1024,
    log: NO_LOG,
    metrics: { place: metricsPlace(), owner: -1 },
    wake: () => {
      pending = true;
      wake?.();
    },
    badRecord: () => {},
  });
  const woken = async (): Promise<void> => {
    if (!pending) await new Promise<void>((resolve) => (wake = resolve));
    pending = false;
    wake = null;
  };
  return { reader, plan, woken };
}

/** Calls `onBatch` for every batch of all splits. */
export async function readBatches(
  source: SourceConnector,
  options: ReadOptions,
  onBatch: (batch: Batch, reader: SourceReader) => void,
): Promise<void> {
  const { reader, plan, woken } = await openReader(source, options);
  try {
    for (const split of plan.splits) {
      reader.addSplit(split, null);
      for (let result = reader.poll(); ; result = reader.poll()) {
        if (result === POLL_BATCH && reader.batch !== null) onBatch(reader.batch, reader);
        else if (result === POLL_WAIT) await woken();
        else if (result === POLL_NEED_SPLIT) break;
      }
    }
  } finally {
    reader.close();
  }
}

export function recordsOf(batch: Batch): unknown[] {
  const read = compileRowReader(batch.schema, null);
  return Array.from({ length: batch.rows }, (_, row) => read(batch, row));
}

/** All records of a source. */
export async function readAll(source: SourceConnector, options: ReadOptions = {}): Promise<any[]> {
  const records: unknown[] = [];
  await readBatches(source, options, (batch) => records.push(...recordsOf(batch)));
  return records;
}

/** Records as batches of their inferred, or the given, schema. */
export function batchesOf(records: readonly unknown[], schema?: Schema, rows = 1000): Batch[] {
  const known = schema ?? inferSchema(records);
  const write = compileRowWriter(known);
  const batches: Batch[] = [];
  for (let start = 0; start < records.length; start += rows) {
    const options = { capacity: rows, times: false, kinds: false };
    const builder = createBatchBuilder(known, 1, options);
    for (const record of records.slice(start, start + rows)) {
      const misfit = write(builder, record);
      if (misfit !== null) throw new Error(`The record does not fit in ${misfit}.`);
    }
    batches.push(builder.take());
  }
  return batches;
}

export interface SinkRun {
  readonly plan: PlainData;
  readonly writer: SinkWriter;
  readonly woken: () => Promise<void>;
  write(batches: readonly Batch[]): Promise<void>;
  prepare(): Promise<readonly Committable[]>;
  commit(committables: readonly Committable[]): Promise<void>;
  abort(): Promise<void>;
}

/** A sink with one writer open. */
export async function openSink(
  sink: SinkConnector,
  options: {
    subtask?: number;
    attempt?: string;
    plan?: PlainData;
    baseDirectory?: string;
    disk?: Disk;
  } = {},
): Promise<SinkRun> {
  const baseDirectory = options.baseDirectory ?? process.cwd();
  const disk = options.disk ?? nodeDisk;
  const planContext = { parallelism: 1, disk, baseDirectory };
  const plan = structuredClone(options.plan ?? (await sink.plan(planContext)));
  let wake: (() => void) | null = null;
  let pending = false;
  const writer = await sink.open({
    plan,
    subtask: options.subtask ?? 0,
    parallelism: 1,
    attempt: options.attempt ?? '1',
    disk,
    clock: systemClock,
    baseDirectory,
    log: NO_LOG,
    metrics: { place: metricsPlace(), owner: -2 },
    wake: () => {
      pending = true;
      wake?.();
    },
  });
  const woken = async (): Promise<void> => {
    if (!pending) await new Promise<void>((resolve) => (wake = resolve));
    pending = false;
    wake = null;
  };
  const context = { plan, kept: [], disk, baseDirectory };
  return {
    plan,
    writer,
    woken,
    write: async (batches) => {
      for (const batch of batches) {
        let taken = 0;
        while (taken < batch.rows) {
          const count = writer.write(batch, taken);
          taken += count;
          if (count === 0) await woken();
        }
      }
    },
    prepare: async () => {
      for (;;) {
        const committables = writer.prepareCommit(true);
        if (committables !== null) return structuredClone(committables);
        await woken();
      }
    },
    commit: async (committables) => sink.commit?.(structuredClone(committables), context),
    abort: async () => sink.abort?.(plan, context),
  };
}

/** Writes records and commits them. */
export async function writeAll(
  sink: SinkConnector,
  records: readonly unknown[],
  schema?: Schema,
): Promise<void> {
  const run = await openSink(sink);
  await run.write(batchesOf(records, schema));
  await run.commit(await run.prepare());
  run.writer.close();
}

const directories: string[] = [];

/** A new empty directory, removed by `removeDirectories`. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-connector-'));
  directories.push(directory);
  return directory;
}

export function removeDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
}
