/**
 * Writes records of one field as lines of text. Callers: file sinks. Runs on: the slot's thread.
 * Invariant: a record is followed by one line ending; line breaks inside of a text are kept as they
 * are.
 */
import { MillraceError } from '../../base/errors.js';
import type { Batch } from '../../record/batch.js';
import { bitAt } from '../../record/bitmap.js';
import type { BinaryColumn, Column } from '../../record/column.js';
import type { Field, Schema } from '../../record/schema.js';
import { formOf, schemaName } from '../../record/schema.js';
import { ByteBuffer } from './byte-buffer.js';
import {
  BoolCell,
  type Cell,
  DateCell,
  DecimalCell,
  DecimalTextCell,
  InstantCell,
  Int64Cell,
  NumberCell,
  unicodeOf,
} from './cell.js';
import {
  type ByteOutput,
  type FileEncoder,
  type FileFormat,
  OUTPUT_BYTES,
} from './file-encoder.js';
import { jsonCell } from './json-cell.js';

/** Options of text files. */
export interface TextEncoderOptions {
  /** Line ending; default `'\n'`. */
  readonly newline?: '\n' | '\r\n';
}

/** The text format. */
export function textFormat(options: TextEncoderOptions): FileFormat {
  const newline = Uint8Array.from(Buffer.from(options.newline ?? '\n'));
  return {
    extension: 'txt',
    begin: (schema, output) => new LineEncoder(schema, newline, output),
  };
}

class LineEncoder implements FileEncoder {
  readonly #cell: Cell;
  readonly #newline: Uint8Array;
  readonly #output: ByteOutput;
  readonly #buffer = new ByteBuffer(OUTPUT_BYTES * 2);

  constructor(schema: Schema, newline: Uint8Array, output: ByteOutput) {
    if (schema.fields.length !== 1) throw notOneField(schema);
    this.#cell = lineCell(schema.fields[0]);
    this.#newline = newline;
    this.#output = output;
  }

  get pendingBytes(): number {
    return this.#buffer.length;
  }

  write(batch: Batch, fromRow: number): void {
    const [column] = batch.columns;
    const buffer = this.#buffer;
    this.#cell.bind(column);
    for (let row = fromRow; row < batch.rows; row++) {
      if (bitAt(column.validity, row)) this.#cell.append(row, buffer);
      buffer.append(this.#newline);
      if (buffer.length >= OUTPUT_BYTES) this.end();
    }
  }

  end(): void {
    if (this.#buffer.length > 0) this.#output(this.#buffer.view());
    this.#buffer.clear();
  }
}

function lineCell(field: Field): Cell {
  switch (field.type.kind) {
    case 'utf8':
    case 'bytes':
      return new RawCell();
    case 'bool':
      return new BoolCell();
    case 'date':
      return new DateCell();
    case 'timestamp':
      return new InstantCell();
    case 'int64':
      return new Int64Cell();
    case 'decimal':
      return formOf(field.type) === 'i64' ? new DecimalCell() : new DecimalTextCell();
    case 'any':
    case 'list':
    case 'struct':
    case 'map':
      return jsonCell(field, 'null');
    default:
      return new NumberCell(false);
  }
}

/** The bytes of a text, or bytes, as they are. */
class RawCell implements Cell {
  #column: BinaryColumn | null = null;

  bind(column: Column): void {
    this.#column = unicodeOf(column, 'text');
  }

  append(row: number, buffer: ByteBuffer): boolean {
    if (this.#column === null) return false;
    const { codes, offsets, bytes } = this.#column;
    const entry = codes[row];
    buffer.append(bytes, offsets[entry], offsets[entry + 1]);
    return true;
  }
}

function notOneField(schema: Schema): MillraceError {
  return new MillraceError(
    'SCHEMA_CONFLICT',
    `Text files hold records of one field; these are ${schemaName(schema)}.`,
    { advice: 'Map each record to a text first, or write CSV or NDJSON.' },
  );
}
