/**
 * Sets the row scanner up for the rows of one CSV file: which columns it is to find, and what
 * becomes of them. Callers: the CSV parser. Runs on: worker. Invariant: a row means what it means
 * to the general reader; fields that only that one can judge end a block before their row.
 */
import { FixedAppender } from '../../record/appenders.js';
import type { Appender, BatchBuilder } from '../../record/batch-builder.js';
import { BinaryAppender } from '../../record/binary-appender.js';
import type { DataType, Field } from '../../record/schema.js';
import { parseDate, parseInstant } from '../bytes/instant-bytes.js';
import { GRAMMAR_LOOSE, parseNumber } from '../bytes/number-bytes.js';
import { BlockReader } from '../structural/block-reader.js';
import {
  type BlockTarget,
  CheckTarget,
  RangeTarget,
  TextTarget,
  ValuesTarget,
} from '../structural/block-targets.js';
import {
  createScanProgram,
  FLAG_EMPTY_IS_NULL,
  FLAG_NULLABLE,
  MARK_ESCAPED,
  type ScanStep,
  STEP_NUMBER,
  STEP_RANGE,
  STEP_SKIP,
  STEP_TEXT,
} from '../structural/scan-program.js';
import type { CsvCellReader } from './csv-cell.js';
import type { CsvColumn } from './csv-code.js';
import type { CsvDialect } from './csv-dialect.js';

/** No lead: what stands before a field is the separator, which the scanner knows. */
const NO_BYTES = new Uint8Array(0);
const TRUE_WORD = 0x65757274;
const ALSE_WORD = 0x65736c61;

/** The block reader of a file's columns, or null when the scanner cannot take such rows. */
export function createCsvBlocks(
  columns: readonly CsvColumn[],
  builder: BatchBuilder,
  rowStarts: Float64Array,
  dialect: CsvDialect,
  cells: CsvCellReader,
): BlockReader | null {
  // The scanner knows one null, the empty field, and quotes that are escaped by doubling.
  if (dialect.nulls.some((text) => text.length > 0)) return null;
  if (dialect.trim || dialect.escape !== dialect.quote) return null;
  const { fields } = builder.schema;
  const present = new Set(columns.map((column) => column.target));
  const absent = builder.columns.filter((_, index) => !present.has(index));
  if (absent.some((appender) => !appender.field.optional)) return null;
  const steps = columns.map((column) => scanStep(column, fields, dialect));
  const program = createScanProgram({
    steps,
    tail: NO_BYTES,
    full: false,
    separator: dialect.separator,
    quote: dialect.quote,
    comment: dialect.comment,
    multiline: dialect.multiline,
  });
  if (program === null) return null;
  const targets = columns.flatMap((column, index) => {
    if (steps[index].kind === STEP_SKIP) return [];
    if (column.target >= 0) return [targetOf(builder.columns[column.target], dialect, cells)];
    return column.checked === null ? [] : [checkOf(column.checked, steps[index], cells)];
  });
  return new BlockReader(builder, rowStarts, program, 'csv', targets, absent);
}

function scanStep(column: CsvColumn, fields: readonly Field[], dialect: CsvDialect): ScanStep {
  const emptyIsNull = dialect.nulls.some((text) => text.length === 0);
  const { target, checked } = column;
  if (target < 0) {
    // All bytes of the region are UTF-8, or every byte is a character: any text is valid.
    if (checked === null || checked.kind === 'utf8') return skipped();
    const flags = emptyIsNull ? FLAG_EMPTY_IS_NULL | FLAG_NULLABLE : 0;
    return { kind: isDouble(checked) ? STEP_NUMBER : STEP_RANGE, flags, lead: NO_BYTES };
  }
  const { type, nullable } = fields[target];
  const flags = (emptyIsNull ? FLAG_EMPTY_IS_NULL : 0) | (nullable ? FLAG_NULLABLE : 0);
  if (isDouble(type)) {
    // An empty field is no number, so only the flag lets it through.
    return { kind: STEP_NUMBER, flags: nullable ? flags : 0, lead: NO_BYTES };
  }
  const isText = type.kind === 'utf8' && !dialect.latin1;
  return { kind: isText || isInstant(type) ? STEP_TEXT : STEP_RANGE, flags, lead: NO_BYTES };
}

function skipped(): ScanStep {
  return { kind: STEP_SKIP, flags: 0, lead: NO_BYTES };
}

function isDouble(type: DataType): boolean {
  return type.kind === 'number' || type.kind === 'float64';
}

function isInstant(type: DataType): boolean {
  return type.kind === 'timestamp' || type.kind === 'date';
}

function targetOf(appender: Appender, dialect: CsvDialect, cells: CsvCellReader): BlockTarget {
  const { type } = appender.field;
  if (appender instanceof FixedAppender && isDouble(type)) {
    return new ValuesTarget(appender, spelledNumber);
  }
  if (appender instanceof FixedAppender && isInstant(type)) {
    const parse = type.kind === 'timestamp' ? parseInstant : parseDate;
    return new RangeTarget(appender, (row, bytes, start, end, mark) => {
      const value = mark === MARK_ESCAPED ? Number.NaN : parse(bytes, start, end);
      appender.values[row] = value;
      return !Number.isNaN(value);
    });
  }
  const write = (row: number, bytes: Buffer, start: number, end: number, mark: number): boolean =>
    cells.write(appender, row, bytes, start, end, mark) === 0;
  if (appender instanceof BinaryAppender && type.kind === 'utf8' && !dialect.latin1) {
    return new TextTarget(appender, write);
  }
  // What is marked is the kind of cell; `write` knows nulls itself.
  return new RangeTarget(null, write);
}

/** Checks fields that nobody wants; numbers are checked by reading them. */
function checkOf(type: DataType, step: ScanStep, cells: CsvCellReader): BlockTarget {
  if (step.kind === STEP_NUMBER) {
    return new CheckTarget((bytes, start, end) => !Number.isNaN(spelledNumber(bytes, start, end)));
  }
  return new RangeTarget(null, (_row, bytes, start, end, mark) => {
    if (mark !== MARK_ESCAPED && isUsual(type, bytes, start, end)) return true;
    return cells.isValid(type, bytes, start, end, mark);
  });
}

/** Whether a field is valid, as far as that can be told without allocating. */
function isUsual(type: DataType, bytes: Buffer, start: number, end: number): boolean {
  if (type.kind === 'timestamp') return !Number.isNaN(parseInstant(bytes, start, end));
  if (type.kind === 'date') return !Number.isNaN(parseDate(bytes, start, end));
  if (type.kind !== 'bool') return false;
  if (end - start === 4) return bytes.readInt32LE(start) === TRUE_WORD;
  return end - start === 5 && bytes[start] === 0x66 && bytes.readInt32LE(start + 1) === ALSE_WORD;
}

function spelledNumber(bytes: Buffer, start: number, end: number): number {
  return parseNumber(bytes, start, end, GRAMMAR_LOOSE);
}
