/**
 * The CSV parser: the row scanner and the generated reader take the rows that are simple, the
 * others are split and read field by field here, which also decides what is bad and why. Callers:
 * the file reader. Runs on: worker. Invariant: what a row means does not depend on which of the
 * three reads it.
 */
import { isUtf8 } from 'node:buffer';
import type { BatchBuilder } from '../../record/batch-builder.js';
import type { Field, Schema } from '../../record/schema.js';
import { typeName } from '../../record/schema.js';
import {
  PARSE_BAD,
  PARSE_FULL,
  PARSE_MISFIT,
  PARSE_MORE,
  type ParseCursor,
  type ParseResult,
  type RowParser,
  type RowParserOptions,
  type ValidateMode,
} from '../bytes/row-parser.js';
import type { BlockReader } from '../structural/block-reader.js';
import { createCsvBlocks } from './csv-blocks.js';
import { CELL_NULL, CELL_WRITTEN, CsvCellReader } from './csv-cell.js';
import {
  type CsvColumn,
  compileFastCsvReader,
  FAST_FULL,
  FAST_OTHER,
  type FastCsvReader,
} from './csv-code.js';
import type { CsvDialect } from './csv-dialect.js';
import { CsvCells, isBlankLine, isComment, ROW_INCOMPLETE, splitRow } from './csv-split.js';

/** Wider files are read the general way, as generated code has a sensible size. */
const FAST_COLUMNS_MAX = 512;
/** Bytes of a field that an error message shows. */
const SHOWN_BYTES = 40;

/** What the CSV parser is told besides builder and wanted names. */
export interface CsvParserOptions {
  readonly dialect: CsvDialect;
  /** Names of the file's columns, in order. */
  readonly header: readonly string[];
  readonly validate: ValidateMode;
  /** Whether the schema was declared, so that rows must fit it. */
  readonly declared: boolean;
  /** The full schema, for checking fields that nobody wants. */
  readonly schema: Schema | null;
}

/** Reads CSV rows into a builder. */
export class CsvParser implements RowParser {
  readonly #builder: BatchBuilder;
  readonly #rowStarts: Float64Array;
  readonly #options: CsvParserOptions;
  readonly #columns: readonly CsvColumn[];
  readonly #fields: readonly Field[];
  /** Fields of the schema that the file has no column for. */
  readonly #absent: readonly number[];
  readonly #reader: CsvCellReader;
  readonly #cells = new CsvCells();
  readonly #fast: FastCsvReader | null;
  readonly #blocks: BlockReader | null;

  constructor(options: RowParserOptions, csv: CsvParserOptions) {
    const { builder } = options;
    const { fields } = builder.schema;
    this.#builder = builder;
    this.#rowStarts = options.rowStarts;
    this.#options = csv;
    this.#fields = fields;
    this.#columns = columnsOf(fields, csv);
    const targets = new Set(this.#columns.map((column) => column.target));
    this.#absent = fields.flatMap((_, index) => (targets.has(index) ? [] : [index]));
    this.#reader = new CsvCellReader(csv.dialect);
    const isSimple = !csv.dialect.trim && csv.header.length <= FAST_COLUMNS_MAX;
    this.#fast = isSimple
      ? compileFastCsvReader(this.#columns, fields, csv.dialect, this.#reader)
      : null;
    this.#blocks = isSimple
      ? createCsvBlocks(this.#columns, builder, this.#rowStarts, csv.dialect, this.#reader)
      : null;
  }

  parse(buffer: Buffer, view: DataView, cursor: ParseCursor): ParseResult {
    const builder = this.#builder;
    const { dialect } = this.#options;
    for (;;) {
      if (this.#fast !== null && (cursor.validUtf8 || dialect.latin1)) {
        const result = this.#readSimple(this.#fast, buffer, view, cursor);
        if (result === FAST_FULL) return PARSE_FULL;
      }
      const start = cursor.position;
      if (start >= cursor.end) return PARSE_MORE;
      if (this.#isSkipped(buffer, start)) {
        cursor.position = buffer.indexOf(0x0a, start) + 1;
        continue;
      }
      if (builder.rows === builder.capacity) return PARSE_FULL;
      const next = splitRow(buffer, start, cursor.end, dialect, this.#cells);
      if (next === ROW_INCOMPLETE) {
        return cursor.final ? this.#unclosed(cursor) : PARSE_MORE;
      }
      const result = this.#read(buffer, start, next, cursor);
      if (result !== PARSE_MORE) return result;
      this.#rowStarts[builder.rows - 1] = cursor.base + start;
      cursor.position = next;
    }
  }

  /**
   * Reads simple rows: most of them with the row scanner where the buffer is in its memory, the
   * others with the generated reader.
   */
  #readSimple(fast: FastCsvReader, buffer: Buffer, view: DataView, cursor: ParseCursor): number {
    const builder = this.#builder;
    const { memory, end } = cursor;
    if (memory === null || this.#blocks === null) {
      return fast(buffer, view, cursor, builder, this.#rowStarts);
    }
    for (;;) {
      this.#blocks.read(memory, cursor);
      if (cursor.position >= end) return FAST_OTHER;
      if (builder.rows === builder.capacity) return FAST_FULL;
      const until = this.#blocks.pauseEnd(buffer, cursor);
      cursor.end = until;
      const result = fast(buffer, view, cursor, builder, this.#rowStarts);
      cursor.end = end;
      // A row that goes on behind the pause, by a newline in quotes, is for the general reader.
      if (result === FAST_FULL || cursor.position < until) return result;
    }
  }

  /** Comments are no rows, and neither are blank lines unless a row is a single field. */
  #isSkipped(buffer: Buffer, start: number): boolean {
    const { dialect } = this.#options;
    if (isComment(buffer, start, dialect)) return true;
    return this.#columns.length > 1 && isBlankLine(buffer, start, dialect);
  }

  #unclosed(cursor: ParseCursor): ParseResult {
    cursor.rowEnd = cursor.end;
    return bad(cursor, 'A quoted field of the row is not closed before the end of the file.', null);
  }

  /** Reads the row that was split; `PARSE_MORE` when it is in the builder. */
  #read(buffer: Buffer, start: number, next: number, cursor: ParseCursor): ParseResult {
    const cells = this.#cells;
    const { length } = this.#columns;
    cursor.rowEnd = next;
    if (cells.problem !== null) return bad(cursor, cells.problem, null);
    if (cells.count !== length) {
      return bad(cursor, `The row has ${cells.count} fields; ${length} are expected.`, null);
    }
    const { validate, dialect } = this.#options;
    const full = validate === 'full';
    if (full && !dialect.latin1 && !cursor.validUtf8 && !isUtf8(buffer.subarray(start, next))) {
      return bad(cursor, 'The row is not valid UTF-8.', null);
    }
    const row = this.#builder.rows;
    const nulls: number[] = [];
    for (let index = 0; index < length; index++) {
      const column = this.#columns[index];
      const result = this.#readCell(buffer, index, column, row);
      if (result === CELL_WRITTEN) continue;
      if (result === CELL_NULL && !this.#options.declared) {
        nulls.push(column.target);
        continue;
      }
      this.#giveUp(row);
      return bad(cursor, this.#misfitText(buffer, index, column, result), column.name);
    }
    return this.#finish(row, nulls, cursor);
  }

  #readCell(buffer: Buffer, index: number, column: CsvColumn, row: number): number {
    const { starts, ends, kinds } = this.#cells;
    const { target, checked } = column;
    if (target >= 0) {
      const appender = this.#builder.columns[target];
      return this.#reader.write(appender, row, buffer, starts[index], ends[index], kinds[index]);
    }
    if (checked === null) return CELL_WRITTEN;
    return this.#reader.isValid(checked, buffer, starts[index], ends[index], kinds[index])
      ? CELL_WRITTEN
      : -1;
  }

  /**
   * Completes the row, or proposes what it needs: nulls in these columns, fields the file does not
   * have.
   */
  #finish(row: number, nulls: readonly number[], cursor: ParseCursor): ParseResult {
    const required = this.#absent.filter((index) => !this.#fields[index].optional);
    if (nulls.length === 0 && required.length === 0) {
      for (const index of this.#absent) this.#builder.columns[index].setMissing(row);
      this.#builder.rows = row + 1;
      return PARSE_MORE;
    }
    this.#giveUp(row);
    if (this.#options.declared) {
      const { name } = this.#fields[required[0]];
      return bad(cursor, `The file has no column "${name}", which the schema requires.`, name);
    }
    cursor.proposal = {
      shape: 'object',
      fields: this.#fields.map((field, index) => ({
        ...field,
        nullable: field.nullable || nulls.includes(index),
        optional: field.optional || required.includes(index),
      })),
    };
    return PARSE_MISFIT;
  }

  #giveUp(row: number): void {
    for (const column of this.#builder.columns) column.truncate(row);
  }

  #misfitText(buffer: Buffer, index: number, column: CsvColumn, result: number): string {
    const { starts, ends, kinds } = this.#cells;
    const type = column.target < 0 ? column.checked : this.#fields[column.target].type;
    const expected = type === null ? 'its type' : typeName(type);
    const start = starts[index];
    const end = Math.min(ends[index], start + SHOWN_BYTES);
    const text = this.#reader.text(buffer, start, end, kinds[index]);
    if (result === CELL_NULL) return `Column "${column.name}" is null, which it must not be.`;
    if (type?.kind === 'utf8') return `The text in column "${column.name}" is not valid UTF-8.`;
    return `${JSON.stringify(text)} in column "${column.name}" is not of type ${expected}.`;
  }
}

/** What each column of the file is read as. */
function columnsOf(fields: readonly Field[], csv: CsvParserOptions): readonly CsvColumn[] {
  const targets = new Map(fields.map((field, index) => [field.name, index]));
  const known = new Map(csv.schema?.fields.map((field) => [field.name, field.type]));
  return csv.header.map((name) => {
    const target = targets.get(name) ?? -1;
    const isChecked = csv.validate === 'full' && target < 0;
    return { name, target, checked: isChecked ? (known.get(name) ?? null) : null };
  });
}

function bad(cursor: ParseCursor, problem: string, field: string | null): ParseResult {
  cursor.problem = problem;
  cursor.advice =
    'Use onError: "skip" to set such rows aside, or declare the types of the columns with "types".';
  cursor.field = field;
  return PARSE_BAD;
}
