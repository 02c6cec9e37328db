/**
 * Runs a file source in one thread for tests: plans it, gives its splits to readers in turn, and collects records,
 * bad records and positions. Callers: tests of file sources. Runs on: the test's thread.
 */
import { NO_LOG } from '../../../../src/base/function-log.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { systemClock } from '../../../../src/base/clock.js';
import type { Disk, FileHandle, FileInfo } from '../../../../src/base/disk.js';
import { nodeDisk } from '../../../../src/base/node-disk.js';
import {
  type BadRecord,
  POLL_BATCH,
  POLL_WAIT,
  type SourceConnector,
  type SourcePlan,
  type SourceReader,
  type SplitPosition,
} from '../../../../src/connector/contract.js';
import type { Batch } from '../../../../src/record/batch.js';
import { valueAt } from '../../../../src/record/column-value.js';
import type { FieldPath } from '../../../../src/record/field-tree.js';
import type { Schema } from '../../../../src/record/schema.js';
import { mergeSchemas, sameSchema } from '../../../../src/record/schema-merge.js';
import type { SchemaVersion, StreamSchemas } from '../../../../src/record/schema-registry.js';
import { metricsPlace } from '../../metrics/metrics-place.js';

/** A registry of one stream without shared memory. */
export class LocalSchemas implements StreamSchemas {
  readonly versions: Schema[] = [];

  current(): SchemaVersion | null {
    const schema = this.versions.at(-1);
    return schema === undefined ? null : { schema, version: this.versions.length };
  }

  propose(schema: Schema): SchemaVersion {
    const current = this.current();
    if (current === null) return this.#add(schema);
    const merged = mergeSchemas(current.schema, schema);
    return sameSchema(merged, current.schema) ? current : this.#add(merged);
  }

  get(version: number): Schema {
    return this.versions[version - 1];
  }

  #add(schema: Schema): SchemaVersion {
    this.versions.push(schema);
    return { schema, version: this.versions.length };
  }
}

/** A directory of files in memory, for properties that read thousands of small ones. */
export class MemoryDisk implements Disk {
  readonly #files: ReadonlyMap<string, Uint8Array>;

  constructor(files: Readonly<Record<string, string | Uint8Array>>) {
    this.#files = new Map(
      Object.entries(files).map(([name, content]): [string, Uint8Array] => [
        join('/memory', name),
        typeof content === 'string' ? Buffer.from(content) : content,
      ]),
    );
  }

  openRead(path: string): FileHandle {
    const content = this.#files.get(path) ?? new Uint8Array(0);
    return {
      read: (target, offset, length, position) => {
        const part = content.subarray(position, position + length);
        target.set(part, offset);
        return part.length;
      },
      write: refuse,
      bytes: () => content.length,
      sync: refuse,
      close: () => {},
    };
  }

  stat(path: string): FileInfo | null {
    const content = this.#files.get(path);
    if (content === undefined) return null;
    return { path, bytes: content.length, isDirectory: false, modifiedMs: 0 };
  }

  list(): readonly string[] {
    return [...this.#files.keys()].map((path) => basename(path)).toSorted();
  }

  createNew = refuse;
  openAppend = refuse;
  createScratch = refuse;
  makeDirectory = refuse;
  rename = refuse;
  remove = refuse;
  removeDirectory = refuse;
  removeTree = refuse;
  syncFile = refuse;
  syncDirectory = refuse;
}

function refuse(): never {
  throw new Error('Files in memory are only read.');
}

/** Options for reading files of a `MemoryDisk`. */
export function inMemory(files: Readonly<Record<string, string | Uint8Array>>): {
  readonly directory: string;
  readonly disk: Disk;
} {
  return { directory: '/memory', disk: new MemoryDisk(files) };
}

/** How a source is run. */
export interface ReadOptions {
  readonly directory: string;
  readonly disk?: Disk;
  readonly parallelism?: number;
  readonly columns?: readonly string[] | null;
  readonly paths?: readonly FieldPath[];
  readonly batchRows?: number;
}

/** A planned source whose readers can be opened. */
export class SourceRun {
  readonly schemas = new LocalSchemas();
  readonly bad: BadRecord[] = [];
  readonly #source: SourceConnector;
  readonly #options: ReadOptions;
  readonly plan: SourcePlan;

  constructor(source: SourceConnector, options: ReadOptions, plan: SourcePlan) {
    this.#source = source;
    this.#options = options;
    this.plan = plan;
  }

  async open(): Promise<SourceReader> {
    const {
      directory,
      parallelism = 1,
      columns = null,
      paths = [],
      batchRows = 16,
    } = this.#options;
    return this.#source.open({
      plan: this.plan,
      subtask: 0,
      parallelism,
      columns,
      paths,
      disk: this.#options.disk ?? nodeDisk,
      clock: systemClock,
      baseDirectory: directory,
      schemas: this.schemas,
      batchRows,
      log: NO_LOG,
      metrics: { place: metricsPlace(), owner: -1 },
      wake: () => {},
      badRecord: (record) => this.bad.push(record),
    });
  }
}

/** Plans a source. */
export async function planSource(
  source: SourceConnector,
  options: ReadOptions,
): Promise<SourceRun> {
  const { directory, parallelism = 1, disk = nodeDisk } = options;
  const plan = await source.plan({ parallelism, disk, baseDirectory: directory });
  return new SourceRun(source, options, plan);
}

/** What reading gave. */
export interface ReadResult {
  readonly records: readonly unknown[];
  readonly bad: readonly BadRecord[];
  readonly plan: SourcePlan;
  readonly schema: Schema | null;
}

/** Plans a source and reads all of it, splits dealt to as many readers as the parallelism. */
export async function readSource(
  source: SourceConnector,
  options: ReadOptions,
): Promise<ReadResult> {
  const run = await planSource(source, options);
  const readers = await Promise.all(
    Array.from({ length: options.parallelism ?? 1 }, () => run.open()),
  );
  run.plan.splits.forEach((split, index) => {
    readers[index % readers.length].addSplit(split, null);
  });
  const records: unknown[] = [];
  for (const reader of readers) {
    for await (const batch of batches(reader)) records.push(...recordsOf(batch));
    reader.close();
  }
  return { records, bad: run.bad, plan: run.plan, schema: run.schemas.current()?.schema ?? null };
}

/** The batches of a reader until it asks for a split. */
export async function* batches(reader: SourceReader): AsyncGenerator<Batch> {
  for (;;) {
    const result = reader.poll();
    if (result === POLL_BATCH) {
      if (reader.batch === null) throw new Error('POLL_BATCH without a batch.');
      yield reader.batch;
    } else if (result === POLL_WAIT) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    } else {
      return;
    }
  }
}

/** Records of a batch as JavaScript values; a field that is missing is absent. */
export function recordsOf(batch: Batch): readonly unknown[] {
  return Array.from({ length: batch.rows }, (_, row) => {
    if (batch.schema.shape === 'value') return valueAt(batch.columns[0], row);
    const entries = batch.columns.map((column): [string, unknown] => [
      column.field.name,
      valueAt(column, row),
    ]);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  });
}

/** The records that follow a position: of this split, then of the others given. */
export async function readFrom(
  run: SourceRun,
  positions: readonly SplitPosition[],
): Promise<readonly unknown[]> {
  const reader = await run.open();
  for (const { split, position } of positions) reader.addSplit(split, position);
  const records: unknown[] = [];
  for await (const batch of batches(reader)) records.push(...recordsOf(batch));
  reader.close();
  return records;
}

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** A fresh directory that holds the given files, removed after the tests of the file that asked. */
export async function directoryWith(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-file-'));
  directories.push(directory);
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return directory;
}
