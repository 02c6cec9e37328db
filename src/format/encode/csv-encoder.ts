/**
 * Writes records as CSV after RFC 4180, straight from columns. A text is quoted when it has to be:
 * when it holds the separator, a quote or a line break, or would be taken for null. Nested values
 * are written as JSON in quotes. Callers: file sinks. Runs on: the slot's thread. Invariant: a
 * reader of the same dialect gets every null and every text back.
 */
import type { Batch } from '../../record/batch.js';
import { bitAt } from '../../record/bitmap.js';
import type { BinaryColumn, Column } from '../../record/column.js';
import type { Field, Schema } from '../../record/schema.js';
import { formOf } from '../../record/schema.js';
import { ByteBuffer } from './byte-buffer.js';
import {
  BoolCell,
  BytesCell,
  type Cell,
  DateCell,
  DecimalCell,
  DecimalTextCell,
  InstantCell,
  Int64Cell,
  NumberCell,
  unicodeOf,
} from './cell.js';
import { type CsvEncoderOptions, type CsvOutput, csvOutput, QUOTE } from './csv-output.js';
import {
  type ByteOutput,
  type FileEncoder,
  type FileFormat,
  OUTPUT_BYTES,
} from './file-encoder.js';
import { jsonCell } from './json-cell.js';

/** The CSV format. Throws `OPTION_INVALID`. */
export function csvFormat(options: CsvEncoderOptions): FileFormat {
  const dialect = csvOutput(options);
  const header = options.header ?? true;
  return {
    extension: 'csv',
    begin: (schema, output) => new CsvEncoder(schema, dialect, header, output),
  };
}

class CsvEncoder implements FileEncoder {
  readonly #cells: readonly Cell[];
  readonly #dialect: CsvOutput;
  readonly #output: ByteOutput;
  readonly #buffer = new ByteBuffer(OUTPUT_BYTES * 2);

  constructor(schema: Schema, dialect: CsvOutput, header: boolean, output: ByteOutput) {
    this.#cells = schema.fields.map((field) => csvCell(field, dialect));
    this.#dialect = dialect;
    this.#output = output;
    if (header) this.#writeHeader(schema);
  }

  get pendingBytes(): number {
    return this.#buffer.length;
  }

  write(batch: Batch, fromRow: number): void {
    const cells = this.#cells;
    const { columns } = batch;
    const { separator, newline } = this.#dialect;
    const buffer = this.#buffer;
    for (let index = 0; index < cells.length; index++) cells[index].bind(columns[index]);
    for (let row = fromRow; row < batch.rows; row++) {
      for (let index = 0; index < cells.length; index++) {
        if (index > 0) buffer.push(separator);
        this.#append(columns[index], cells[index], row);
      }
      buffer.append(newline);
      if (buffer.length >= OUTPUT_BYTES) this.end();
    }
  }

  end(): void {
    if (this.#buffer.length > 0) this.#output(this.#buffer.view());
    this.#buffer.clear();
  }

  #append(column: Column, cell: Cell, row: number): void {
    const { validity } = column;
    const hasValue = validity === null || bitAt(validity, row);
    if (!hasValue || !cell.append(row, this.#buffer)) this.#buffer.append(this.#dialect.nullBytes);
  }

  #writeHeader(schema: Schema): void {
    for (const [index, field] of schema.fields.entries()) {
      if (index > 0) this.#buffer.push(this.#dialect.separator);
      const name = Buffer.from(field.name);
      appendCsvText(this.#buffer, name, 0, name.length, this.#dialect);
    }
    this.#buffer.append(this.#dialect.newline);
  }
}

function csvCell(field: Field, dialect: CsvOutput): Cell {
  switch (field.type.kind) {
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
    case 'utf8':
      return new CsvTextCell(dialect);
    case 'bytes':
      return new BytesCell();
    case 'any':
    case 'list':
    case 'struct':
    case 'map':
      return new CsvJsonCell(field, dialect);
    default:
      return new NumberCell(false);
  }
}

/** Copies a text and, should a byte turn up that needs quotes, begins anew with quotes. */
function appendCsvText(
  buffer: ByteBuffer,
  source: Uint8Array,
  start: number,
  end: number,
  dialect: CsvOutput,
): void {
  buffer.reserve((end - start) * 2 + 2);
  const { bytes } = buffer;
  const { special } = dialect;
  let to = buffer.length;
  for (let from = start; from < end; from++) {
    const byte = source[from];
    if (special[byte] === 1) {
      appendQuoted(buffer, source, start, end);
      return;
    }
    bytes[to++] = byte;
  }
  if (end - start === dialect.nullBytes.length && equal(source, start, dialect.nullBytes)) {
    appendQuoted(buffer, source, start, end);
    return;
  }
  buffer.length = to;
}

function appendQuoted(buffer: ByteBuffer, source: Uint8Array, start: number, end: number): void {
  const { bytes } = buffer;
  let to = buffer.length;
  bytes[to++] = QUOTE;
  for (let from = start; from < end; from++) {
    const byte = source[from];
    if (byte === QUOTE) bytes[to++] = QUOTE;
    bytes[to++] = byte;
  }
  bytes[to++] = QUOTE;
  buffer.length = to;
}

function equal(source: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (source[start + index] !== wanted[index]) return false;
  }
  return true;
}

class CsvTextCell implements Cell {
  readonly #dialect: CsvOutput;
  #column: BinaryColumn | null = null;

  constructor(dialect: CsvOutput) {
    this.#dialect = dialect;
  }

  bind(column: Column): void {
    this.#column = unicodeOf(column, 'CSV');
  }

  append(row: number, buffer: ByteBuffer): boolean {
    if (this.#column === null) return false;
    const { codes, offsets, bytes } = this.#column;
    const entry = codes[row];
    appendCsvText(buffer, bytes, offsets[entry], offsets[entry + 1], this.#dialect);
    return true;
  }
}

class CsvJsonCell implements Cell {
  readonly #json: Cell;
  readonly #dialect: CsvOutput;
  readonly #text = new ByteBuffer(1024);

  constructor(field: Field, dialect: CsvOutput) {
    this.#json = jsonCell(field, 'null');
    this.#dialect = dialect;
  }

  bind(column: Column): void {
    this.#json.bind(column);
  }

  append(row: number, buffer: ByteBuffer): boolean {
    const text = this.#text;
    text.clear();
    if (!this.#json.append(row, text)) return false;
    appendCsvText(buffer, text.bytes, 0, text.length, this.#dialect);
    return true;
  }
}
