/**
 * The reader behind `datagen`: fills the columns of a batch with the next rows of its split, no
 * faster than the rate allows. Columns of described generators are written directly; a field that a
 * function makes sends all fields through records, since only its values tell its type. Callers:
 * `datagen.ts`. Runs on: the slot's thread. Invariant: a batch ends where a block of the split
 * ends, so its rows are consecutive.
 */
import { assert } from '../../base/assert.js';
import { MillraceError } from '../../base/errors.js';
import type { Batch } from '../../record/batch.js';
import { valueAt } from '../../record/row-codec.js';
import type { Schema } from '../../record/schema.js';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  POLL_WAIT,
  type PlainData,
  type PollResult,
  type ReaderContext,
  type SourceReader,
  type Split,
  type SplitPosition,
} from '../contract.js';
import { RecordBatcher } from '../iterable/record-batcher.js';
import { ROW_HIGH, RowRandom, mix32, streamSeed } from './counter-random.js';
import type { DatagenPlan, DatagenSplit } from './datagen.js';
import { createFieldWriter, type FieldWriter } from './field-writers.js';
import { type FieldGenerators, typeOfSpec, type ValueFunction } from './generators.js';

/** What the reader works with. */
export interface DatagenReaderOptions {
  readonly fields: FieldGenerators;
  /** Of all subtasks together; infinite for no limit. */
  readonly rowsPerSecond: number;
  readonly context: ReaderContext;
}

/**
 * Rows are made at least this far apart in time, so that slow rates do not mean a timer for each
 * row.
 */
const WAIT_MS_MIN = 5;

/** Turns row numbers into batches. */
interface RowMaker {
  /** A batch of the rows `row` to `row + count`. */
  make(row: number, count: number): Batch;
}

/** A source reader over generators. */
export class DatagenReader implements SourceReader {
  batch: Batch | null = null;
  readonly bytesRead = 0;
  readonly #context: ReaderContext;
  readonly #rowsPerSecond: number;
  readonly #maker: RowMaker;
  #split: Split | null = null;
  #given = 0;
  /** When the split was taken up, and how many rows it had given then: the base of the rate. */
  #startMs = 0;
  #startRow = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: DatagenReaderOptions) {
    this.#context = options.context;
    this.#rowsPerSecond = options.rowsPerSecond;
    const described = Object.values(options.fields).every((field) => typeof field !== 'function');
    this.#maker = described ? new ColumnMaker(options) : new RecordMaker(options);
  }

  addSplit(split: Split, position: PlainData): void {
    this.batch = null;
    this.#split = split;
    this.#given = typeof position === 'number' ? position : 0;
    this.#startMs = this.#context.clock.monotonicMs();
    this.#startRow = rowOf(dataOf(split), this.#given);
  }

  poll(): PollResult {
    if (this.#split === null) return POLL_NEED_SPLIT;
    this.#given += this.batch?.rows ?? 0;
    this.batch = null;
    const data = dataOf(this.#split);
    const row = rowOf(data, this.#given);
    if (row >= data.rows) {
      this.#split = null;
      return POLL_NEED_SPLIT;
    }
    const blockLeft = data.blockRows - (this.#given % data.blockRows);
    // Numbers up to the next multiple of 2^32 share their upper part, as the field writers demand.
    const highLeft = ROW_HIGH - (row % ROW_HIGH);
    const wanted = Math.min(this.#context.batchRows, blockLeft, highLeft, data.rows - row);
    const count = Math.min(wanted, this.#rowsDue(row));
    if (count < 1) return this.#wait(row);
    this.batch = this.#maker.make(row, count);
    return POLL_BATCH;
  }

  positions(rows?: number): readonly SplitPosition[] {
    if (this.#split === null) return [];
    return [{ split: this.#split, position: this.#given + (rows ?? this.batch?.rows ?? 0) }];
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#split = null;
  }

  /**
   * Rows from `row` on whose time has come; row r of the source is due r / rate after the start.
   */
  #rowsDue(row: number): number {
    if (!Number.isFinite(this.#rowsPerSecond)) return Number.POSITIVE_INFINITY;
    const passedMs = this.#context.clock.monotonicMs() - this.#startMs;
    return Math.floor(this.#startRow + (passedMs / 1000) * this.#rowsPerSecond) - row;
  }

  #wait(row: number): PollResult {
    if (this.#timer !== null) return POLL_WAIT;
    const dueMs = ((row + 1 - this.#startRow) / this.#rowsPerSecond) * 1000;
    const passedMs = this.#context.clock.monotonicMs() - this.#startMs;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#context.wake();
      },
      Math.max(WAIT_MS_MIN, dueMs - passedMs),
    );
    return POLL_WAIT;
  }
}

/** The split's own data, made by `datagen`'s plan. */
function dataOf(split: Split): DatagenSplit {
  return split.data as DatagenSplit;
}

/** The source's row that is row `given` of the split. */
function rowOf(split: DatagenSplit, given: number): number {
  const block = Math.floor(given / split.blockRows);
  const number = split.firstBlock + block * split.everyBlocks;
  return number * split.blockRows + (given % split.blockRows);
}

function seedOf(context: ReaderContext): number {
  const { seed } = context.plan.data as DatagenPlan;
  return mix32(seed | 0) ^ Math.floor(seed / ROW_HIGH);
}

class ColumnMaker implements RowMaker {
  readonly #schema: Schema;
  readonly #version: number;
  readonly #writers: readonly FieldWriter[];

  constructor({ fields, context }: DatagenReaderOptions) {
    const { columns, schemas, batchRows } = context;
    const seed = seedOf(context);
    const names = Object.keys(fields);
    const writers: FieldWriter[] = [];
    const schemaFields: Schema['fields'][number][] = [];
    for (const [index, name] of names.entries()) {
      const generator = fields[name];
      if ((columns !== null && !columns.includes(name)) || typeof generator === 'function')
        continue;
      const { spec } = generator;
      const field = { name, type: typeOfSpec(spec), nullable: false, optional: false };
      schemaFields.push(field);
      // A field's values depend on its place among all fields, not on which of them are wanted.
      writers.push(createFieldWriter(field, spec, streamSeed(seed, index + 2, 0), batchRows));
    }
    this.#writers = writers;
    this.#schema = { shape: 'object', fields: schemaFields };
    this.#version = schemas.propose(this.#schema).version;
  }

  make(row: number, count: number): Batch {
    for (const writer of this.#writers) writer.fill(row, count, 0);
    const columns = this.#writers.map((writer) => writer.column(count));
    return {
      schema: this.#schema,
      schemaVersion: this.#version,
      rows: count,
      columns,
      times: null,
      kinds: null,
    };
  }
}

/** How the value of one field of a row is made. */
type ValueMaker = (row: number) => unknown;

class RecordMaker implements RowMaker {
  readonly #names: readonly string[];
  readonly #makers: readonly ValueMaker[];
  readonly #batcher: RecordBatcher;

  constructor({ fields, context }: DatagenReaderOptions) {
    const { columns, schemas, batchRows } = context;
    const seed = seedOf(context);
    const all = Object.keys(fields);
    this.#names = columns === null ? all : all.filter((name) => columns.includes(name));
    this.#makers = this.#names.map((name) => {
      const fieldSeed = streamSeed(seed, all.indexOf(name) + 2, 0);
      return valueMaker(name, fields[name], fieldSeed);
    });
    this.#batcher = new RecordBatcher({ schemas, batchRows, declared: null });
  }

  /**
   * Rows that need a wider schema than those before them come with the next call, so the caller
   * asks again.
   */
  make(row: number, count: number): Batch {
    const records: unknown[] = [];
    for (let index = 0; index < count; index++) {
      const record: Record<string, unknown> = {};
      for (let field = 0; field < this.#names.length; field++) {
        record[this.#names[field]] = this.#makers[field](row + index);
      }
      records.push(record);
    }
    const used = this.#batcher.fill(records, 0, row);
    const { batch } = this.#batcher;
    assert(batch !== null && batch.rows === used, 'A batch was made of the records.');
    return batch;
  }
}

function valueMaker(name: string, generator: FieldGenerators[string], seed: number): ValueMaker {
  if (typeof generator === 'function') return functionMaker(name, generator, seed);
  const { spec } = generator;
  const field = { name, type: typeOfSpec(spec), nullable: false, optional: false };
  const writer = createFieldWriter(field, spec, seed, 1);
  return (row) => {
    writer.fill(row, 1, 0);
    return valueAt(writer.column(1), 0);
  };
}

function functionMaker(name: string, make: ValueFunction<unknown>, seed: number): ValueMaker {
  const random = new RowRandom();
  return (row) => {
    random.start(streamSeed(seed, 0, row), row);
    try {
      return make(row, random);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new MillraceError(
        'USER_FUNCTION_FAILED',
        `The generator of "${name}" threw: ${reason}`,
        {
          cause,
          where: { field: name, record: row },
        },
      );
    }
  };
}
