/**
 * Turns records (JavaScript values) into batches: infers their schema, agrees it with the stream,
 * and widens it when a record comes along that does not fit. Callers: sources of records
 * (collections, iterables, custom sources). Runs on: the thread of the source. Invariant: every
 * record ends up in exactly one batch, in order, or an error names it.
 */
import { MillraceError } from '../../base/errors.js';
import type { Batch } from '../../record/batch.js';
import type { BatchBuilder } from '../../record/batch-builder.js';
import { createBatchBuilder } from '../../record/batch-builder.js';
import { inferSchema } from '../../record/infer.js';
import type { RowWriter } from '../../record/row-codec.js';
import { compileRowWriter } from '../../record/row-codec.js';
import type { Schema } from '../../record/schema.js';
import { schemaName } from '../../record/schema.js';
import type { StreamSchemas } from '../contract.js';

/** What a batcher works with. */
export interface RecordBatcherOptions {
  readonly schemas: StreamSchemas;
  readonly batchRows: number;
  /** The schema the records must fit; null to infer it from them. */
  readonly declared: Schema | null;
}

/** The builder and writer of one version of the schema. */
interface Form {
  readonly version: number;
  readonly builder: BatchBuilder;
  readonly write: RowWriter;
}

/** Builds batches from arrays of records. */
export class RecordBatcher {
  /** Filled by `fill`; valid until it is called again. */
  batch: Batch | null = null;
  readonly #options: RecordBatcherOptions;
  #form: Form | null = null;

  constructor(options: RecordBatcherOptions) {
    this.#options = options;
  }

  /**
   * Makes a batch of the records from `from` on and returns how many it holds: at least one, fewer
   * than all when the batch is full or a record needs a wider schema. `firstNumber` is the number
   * of `records[from]` in its source, for errors.
   */
  fill(records: readonly unknown[], from: number, firstNumber: number): number {
    const end = Math.min(records.length, from + this.#options.batchRows);
    const form = this.#formFor(records, from, end, firstNumber);
    const { builder, write } = form;
    let index = from + 1;
    while (index < end && write(builder, records[index]) === null) index++;
    this.batch = builder.take();
    return index - from;
  }

  /** A form whose builder holds exactly the record at `from`. */
  #formFor(records: readonly unknown[], from: number, end: number, firstNumber: number): Form {
    const known = this.#form ?? this.#knownForm();
    const misfit = known === null ? '' : attempt(known, records[from]);
    if (known !== null && misfit === null) return this.#keep(known);
    if (known !== null && this.#options.declared !== null) {
      throw conflict(misfit, records[from], this.#options.declared, firstNumber);
    }
    const { schemas } = this.#options;
    const found = inferFrom(records, from, end, firstNumber);
    const { schema, version } = schemas.propose(found);
    const wider = this.#formOf(schema, version);
    const still = version === known?.version ? misfit : attempt(wider, records[from]);
    if (still !== null) throw conflict(still, records[from], schema, firstNumber);
    return this.#keep(wider);
  }

  #knownForm(): Form | null {
    const { declared, schemas } = this.#options;
    const agreed = declared === null ? schemas.current() : schemas.propose(declared);
    return agreed === null ? null : this.#formOf(agreed.schema, agreed.version);
  }

  #formOf(schema: Schema, version: number): Form {
    const options = { capacity: this.#options.batchRows, times: false, kinds: false };
    const builder = createBatchBuilder(schema, version, options);
    return { version, builder, write: compileRowWriter(schema) };
  }

  #keep(form: Form): Form {
    this.#form = form;
    return form;
  }
}

/** Writes the record as the only row; the name of the field it does not fit, or null. */
function attempt(form: Form, record: unknown): string | null {
  form.builder.reset();
  return form.write(form.builder, record);
}

/** Looks at all records at hand, so that the schema seldom has to be widened again. */
function inferFrom(
  records: readonly unknown[],
  from: number,
  end: number,
  firstNumber: number,
): Schema {
  try {
    return inferSchema(records.slice(from, end));
  } catch (error) {
    throw MillraceError.is(error) ? error.at({ record: firstNumber }) : error;
  }
}

function conflict(
  field: string | null,
  record: unknown,
  schema: Schema,
  number: number,
): MillraceError {
  const name = field ?? '(record)';
  const value = field === null || typeof record !== 'object' ? record : propertyOf(record, field);
  return new MillraceError(
    'SCHEMA_CONFLICT',
    `Record ${number} does not fit ${schemaName(schema)}: field "${name}" is ${shown(value)}.`,
    {
      where: { record: number, field: name },
      advice: 'Declare a wider type, or leave the schema out to have it inferred.',
    },
  );
}

function propertyOf(record: object | null, name: string): unknown {
  return record === null ? null : Reflect.get(record, name);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' && value !== null) return `an object (${value.constructor?.name})`;
  return String(value);
}
