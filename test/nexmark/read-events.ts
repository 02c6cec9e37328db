/**
 * Reads events straight from the reader of the generator, without an engine around it. Callers: the tests of this
 * folder.
 */
import { eventSource } from '../../bench/nexmark/events/event-source.mjs';
import type { Settings } from './event-reference.js';

export interface ReadOptions {
  readonly parallelism?: number;
  readonly batchRows?: number;
  readonly columns?: readonly string[] | null;
  /** Number of the split to read. */
  readonly split?: number;
  readonly position?: number | null;
  /** Rows to read at most. */
  readonly rows?: number;
}

export type FlatEvent = Record<string, number | string>;

/** The records of one split, flat, and the position behind them. */
export function readEvents(
  settings: Partial<Settings> & { events: number },
  options: ReadOptions = {},
) {
  const source = eventSource(settings);
  const plan = source.plan({ parallelism: options.parallelism ?? 1 } as never) as {
    splits: readonly { rows: number }[];
  };
  const reader = source.open({
    columns: options.columns ?? null,
    batchRows: options.batchRows ?? 1024,
    schemas: { propose: (schema: unknown) => ({ schema, version: 1 }) },
    clock: { monotonicMs: () => 0 },
  } as never) as never as Reader;
  const split = plan.splits[options.split ?? 0];
  reader.addSplit(split, options.position ?? null);
  const events: FlatEvent[] = [];
  const rowsMax = options.rows ?? Number.POSITIVE_INFINITY;
  let position = options.position ?? 0;
  while (events.length < rowsMax && reader.poll() === 0) {
    const rows = Math.min(reader.batch.rows, rowsMax - events.length);
    for (let row = 0; row < rows; row++) events.push(rowOf(reader.batch.columns, row));
    position = reader.positions(rows)[0].position;
  }
  return { events, position, split, splits: plan.splits };
}

interface Column {
  readonly field: { readonly name: string };
  readonly values?: Float64Array;
  readonly codes: Int32Array;
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

interface Reader {
  addSplit(split: unknown, position: unknown): void;
  poll(): number;
  readonly batch: { readonly rows: number; readonly columns: readonly Column[] };
  positions(rows: number): readonly { readonly position: number }[];
}

function rowOf(columns: readonly Column[], row: number): FlatEvent {
  return Object.fromEntries(columns.map((column) => [column.field.name, valueOf(column, row)]));
}

function valueOf({ values, codes, offsets, bytes }: Column, row: number): number | string {
  if (values !== undefined) return values[row];
  const entry = codes[row];
  return Buffer.from(bytes.subarray(offsets[entry], offsets[entry + 1])).toString();
}
