/**
 * Writes records as NDJSON: one JSON value a line. Objects and tuples become objects and arrays,
 * records that are values just the value. Callers: file sinks. Runs on: the slot's thread.
 * Invariant: every line is one record; line breaks inside of texts are escaped.
 */
import type { Batch } from '../../record/batch.js';
import type { Schema } from '../../record/schema.js';
import { ByteBuffer } from './byte-buffer.js';
import type { Cell } from './cell.js';
import {
  type ByteOutput,
  type FileEncoder,
  type FileFormat,
  OUTPUT_BYTES,
} from './file-encoder.js';
import { appendJsonValue, JsonStructCell, jsonCell, type NonFinite } from './json-cell.js';

/** Options of NDJSON files. */
export interface NdjsonEncoderOptions {
  /** NaN and the infinities become null (default), or fail the job. */
  readonly nonFinite?: NonFinite;
}

const NEWLINE = 0x0a;
const COMMA = 0x2c;

/** The NDJSON format. */
export function ndjsonFormat(options: NdjsonEncoderOptions): FileFormat {
  const nonFinite = options.nonFinite ?? 'null';
  return {
    extension: 'ndjson',
    begin: (schema, output) =>
      schema.shape === 'object'
        ? new ObjectEncoder(schema, nonFinite, output)
        : new ArrayEncoder(schema, nonFinite, output),
  };
}

class ObjectEncoder implements FileEncoder {
  readonly #record: JsonStructCell;
  readonly #output: ByteOutput;
  readonly #buffer = new ByteBuffer(OUTPUT_BYTES * 2);

  constructor(schema: Schema, nonFinite: NonFinite, output: ByteOutput) {
    this.#record = new JsonStructCell(schema.fields, nonFinite);
    this.#output = output;
  }

  get pendingBytes(): number {
    return this.#buffer.length;
  }

  write(batch: Batch, fromRow: number): void {
    const buffer = this.#buffer;
    this.#record.bindAll(batch.columns);
    for (let row = fromRow; row < batch.rows; row++) {
      this.#record.append(row, buffer);
      buffer.push(NEWLINE);
      if (buffer.length >= OUTPUT_BYTES) this.end();
    }
  }

  end(): void {
    if (this.#buffer.length > 0) this.#output(this.#buffer.view());
    this.#buffer.clear();
  }
}

/** Tuples, whose missing elements are null, and values. */
class ArrayEncoder implements FileEncoder {
  readonly #cells: readonly Cell[];
  readonly #isTuple: boolean;
  readonly #output: ByteOutput;
  readonly #buffer = new ByteBuffer(OUTPUT_BYTES * 2);

  constructor(schema: Schema, nonFinite: NonFinite, output: ByteOutput) {
    this.#cells = schema.fields.map((field) => jsonCell(field, nonFinite));
    this.#isTuple = schema.shape === 'tuple';
    this.#output = output;
  }

  get pendingBytes(): number {
    return this.#buffer.length;
  }

  write(batch: Batch, fromRow: number): void {
    const buffer = this.#buffer;
    const { columns } = batch;
    for (let index = 0; index < columns.length; index++) this.#cells[index].bind(columns[index]);
    for (let row = fromRow; row < batch.rows; row++) {
      if (this.#isTuple) buffer.push(0x5b);
      for (let index = 0; index < columns.length; index++) {
        if (index > 0) buffer.push(COMMA);
        appendJsonValue(this.#cells[index], columns[index], row, buffer);
      }
      if (this.#isTuple) buffer.push(0x5d);
      buffer.push(NEWLINE);
      if (buffer.length >= OUTPUT_BYTES) this.end();
    }
  }

  end(): void {
    if (this.#buffer.length > 0) this.#output(this.#buffer.view());
    this.#buffer.clear();
  }
}
