/**
 * Divides batches by the buckets of their rows. Callers: `file-sink-writer.ts`. Runs on: the slot's thread. Invariant:
 * rows of a bucket keep their order; a batch whose rows are all of one bucket is not copied.
 */
import type { Clock } from '../../base/clock.js';
import { MillraceError } from '../../base/errors.js';
import { didYouMean } from '../../base/nearest-name.js';
import type { Batch } from '../../record/batch.js';
import { type BatchBuilder, createBatchBuilder } from '../../record/batch-builder.js';
import { BinaryColumn, type Column, FixedColumn, Int64Column } from '../../record/column.js';
import { compileRowReader, type RowReader, valueAt } from '../../record/row-codec.js';
import { fieldIndex, type Schema } from '../../record/schema.js';
import { type Buckets, checkedPath, fieldDirectory } from './buckets.js';

/** Writes rows of one bucket, from `fromRow` on. */
export type WriteRows = (bucket: string, batch: Batch, fromRow: number) => void;

/** Gives the bucket of a row. */
type BucketOf = (batch: Batch, row: number) => string;

/** Divides the batches of one writer. */
export class BucketDivider {
  readonly #buckets: Buckets;
  readonly #clock: Clock;
  /** What depends on the schema of the batch before. */
  #schema: Schema | null = null;
  #bucketOf: BucketOf = () => '';
  #builder: BatchBuilder | null = null;

  constructor(buckets: Buckets, clock: Clock) {
    this.#buckets = buckets;
    this.#clock = clock;
  }

  /** Hands on the rows from `fromRow` on, bucket by bucket. */
  divide(batch: Batch, fromRow: number, write: WriteRows): void {
    if (batch.schema !== this.#schema) this.#changeSchema(batch.schema);
    const rowsOf = new Map<string, number[]>();
    let last = '';
    let rows: number[] | null = null;
    for (let row = fromRow; row < batch.rows; row++) {
      const bucket = this.#bucketOf(batch, row);
      if (rows === null || bucket !== last) {
        rows = rowsOf.get(bucket) ?? [];
        rowsOf.set(bucket, rows);
        last = bucket;
      }
      rows.push(row);
    }
    if (rowsOf.size === 1) return write(last, batch, fromRow);
    for (const [bucket, some] of rowsOf) write(bucket, this.#gathered(batch, some), 0);
  }

  #gathered(batch: Batch, rows: readonly number[]): Batch {
    const builder = this.#builderFor(batch);
    builder.reset();
    const numbers = Int32Array.from(rows);
    for (const [index, column] of batch.columns.entries()) {
      builder.columns[index].appendRows(0, column, numbers);
    }
    builder.rows = rows.length;
    return builder.take();
  }

  #builderFor({ schema, schemaVersion, rows }: Batch): BatchBuilder {
    if (this.#builder === null || this.#builder.capacity < rows) {
      const options = { capacity: rows, times: false, kinds: false };
      this.#builder = createBatchBuilder(schema, schemaVersion, options);
    }
    return this.#builder;
  }

  #changeSchema(schema: Schema): void {
    const { fields, fn } = this.#buckets;
    this.#schema = schema;
    this.#builder = null;
    if (fields !== null) this.#bucketOf = byFields(schema, fields);
    else if (fn !== null) this.#bucketOf = byFunction(schema, fn, this.#clock);
  }
}

/** Rows often are of the bucket of the row before, as those of a day are; its name is made once. */
function byFields(schema: Schema, names: readonly string[]): BucketOf {
  const indexes = names.map((name) => indexOf(schema, name));
  const isDate = indexes.map((index) => schema.fields[index].type.kind === 'date');
  let last: Batch | null = null;
  let lastRow = -1;
  let bucket = '';
  return (batch, row) => {
    const { columns } = batch;
    const isSame =
      batch === last &&
      row === lastRow + 1 &&
      indexes.every((index) => isRepeated(columns[index], row));
    last = batch;
    lastRow = row;
    if (isSame) return bucket;
    const directories = indexes.map((index, at) =>
      fieldDirectory(names[at], valueAt(columns[index], row), isDate[at]),
    );
    bucket = directories.join('/');
    return bucket;
  };
}

/** Whether a row is known to have the value of the one before. */
function isRepeated(column: Column, row: number): boolean {
  if (column instanceof BinaryColumn) {
    return column.validity === null && column.codes[row] === column.codes[row - 1];
  }
  if (!(column instanceof FixedColumn || column instanceof Int64Column)) return false;
  return column.validity === null && column.values[row] === column.values[row - 1];
}

function indexOf(schema: Schema, name: string): number {
  const index = fieldIndex(schema, name);
  if (index >= 0) return index;
  const known = schema.fields.map((field) => field.name);
  throw new MillraceError('FIELD_UNKNOWN', `bucketBy: there is no field "${name}".`, {
    where: { field: name },
    advice: didYouMean(name, known),
  });
}

function byFunction(schema: Schema, fn: NonNullable<Buckets['fn']>, clock: Clock): BucketOf {
  const read: RowReader = compileRowReader(schema, null);
  return (batch, row) => {
    const context = {
      timestamp: batch.times?.[row] ?? null,
      currentProcessingTime: clock.epochMs(),
    };
    return checkedPath(called(fn, read(batch, row), context));
  };
}

function called(fn: NonNullable<Buckets['fn']>, record: unknown, context: object): unknown {
  try {
    return fn(record as never, context as never);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError('USER_FUNCTION_FAILED', `bucketBy threw: ${reason}`, { cause });
  }
}
