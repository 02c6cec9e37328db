/**
 * Guesses the types of CSV columns from a sample of rows. A column is the narrowest of number,
 * bool, date, timestamp that all its sampled fields spell, else text. Numbers with leading zeros,
 * such as postal codes, stay text; integers that a double cannot hold make the column `int64`.
 * Callers: the CSV source at plan time. Runs on: the caller's thread; pure.
 */
import type { Field, SimpleKind } from '../../record/schema.js';
import { parseDate, parseInstant } from '../bytes/instant-bytes.js';
import { GRAMMAR_LOOSE, parseInteger, parseRounded, spellsInteger } from '../bytes/number-bytes.js';
import type { CsvCellReader } from './csv-cell.js';
import type { CsvDialect } from './csv-dialect.js';
import {
  CELL_ESCAPED,
  CsvCells,
  isBlankLine,
  isComment,
  ROW_INCOMPLETE,
  splitRow,
} from './csv-split.js';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const TEXT = { kind: 'utf8' } as const;
const NOT_FINITE = new Set(['NaN', 'Infinity', '+Infinity', '-Infinity']);
const BOOLS = new Set(['true', 'false', 'TRUE', 'FALSE', 'True', 'False']);

/** What the fields of one column have been so far. */
class SeenColumn {
  hasNull = false;
  values = 0;
  #isNumber = true;
  #isInteger = true;
  /** Some integer is not exact as a double. */
  #isWide = false;
  #isBool = true;
  #isDate = true;
  #isInstant = true;

  /** Takes a field that is not null. */
  add(bytes: Buffer, start: number, end: number): void {
    this.values++;
    if (this.#isNumber) this.#addNumber(bytes, start, end);
    if (this.#isBool) this.#isBool = BOOLS.has(bytes.latin1Slice(start, end));
    if (this.#isDate) this.#isDate = !Number.isNaN(parseDate(bytes, start, end));
    if (this.#isInstant) this.#isInstant = !Number.isNaN(parseInstant(bytes, start, end));
  }

  /** Takes a field with escapes in it, which is nothing but text. */
  addText(): void {
    this.values++;
    this.#isNumber = false;
    this.#isBool = false;
    this.#isDate = false;
    this.#isInstant = false;
  }

  #addNumber(bytes: Buffer, start: number, end: number): void {
    const value = parseRounded(bytes, start, end, GRAMMAR_LOOSE);
    if (Number.isNaN(value)) {
      this.#isInteger = false;
      this.#isNumber = NOT_FINITE.has(bytes.latin1Slice(start, end));
    } else if (this.#isInteger) {
      this.#isInteger = spellsInteger(bytes, start, end);
      if (this.#isInteger && !Number.isSafeInteger(value)) {
        const exact = parseInteger(bytes, start, end);
        this.#isWide = true;
        this.#isInteger = exact !== null && exact <= INT64_MAX && exact >= INT64_MIN;
      }
    }
  }

  kind(): SimpleKind {
    if (this.values === 0) return 'utf8';
    if (this.#isNumber) return this.#isWide && this.#isInteger ? 'int64' : 'number';
    if (this.#isBool) return 'bool';
    if (this.#isDate) return 'date';
    return this.#isInstant ? 'timestamp' : 'utf8';
  }
}

/** Collects a sample over the rows of one or several files. */
export class CsvSample {
  readonly #columns = new Map<string, SeenColumn>();
  readonly #dialect: CsvDialect;
  readonly #reader: CsvCellReader;
  /** Files seen, and in how many each column was. */
  #files = 0;
  readonly #filesWith = new Map<string, number>();

  constructor(dialect: CsvDialect, reader: CsvCellReader) {
    this.#dialect = dialect;
    this.#reader = reader;
  }

  /** Notes the columns of a file. */
  addHeader(names: readonly string[]): void {
    this.#files++;
    for (const name of names) {
      this.#filesWith.set(name, (this.#filesWith.get(name) ?? 0) + 1);
      if (!this.#columns.has(name)) this.#columns.set(name, new SeenColumn());
    }
  }

  /** Takes rows of `bytes[start, end)`, which ends with a newline; returns how many it took. */
  addRows(
    names: readonly string[],
    bytes: Buffer,
    start: number,
    end: number,
    rowsMax: number,
  ): number {
    const cells = new CsvCells();
    const columns = names.map((name) => this.#columns.get(name) ?? new SeenColumn());
    let at = start;
    let rows = 0;
    while (at < end && rows < rowsMax) {
      const isBlank = names.length > 1 && isBlankLine(bytes, at, this.#dialect);
      if (isBlank || isComment(bytes, at, this.#dialect)) {
        at = bytes.indexOf(0x0a, at) + 1;
        continue;
      }
      const next = splitRow(bytes, at, end, this.#dialect, cells);
      if (next === ROW_INCOMPLETE) break;
      // Bad rows say nothing about types; the readers will report them.
      if (cells.problem === null && cells.count === names.length)
        this.#addRow(columns, bytes, cells);
      rows++;
      at = next;
    }
    return rows;
  }

  #addRow(columns: readonly SeenColumn[], bytes: Buffer, cells: CsvCells): void {
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index];
      const start = cells.starts[index];
      const end = cells.ends[index];
      const kind = cells.kinds[index];
      if (this.#reader.isNull(bytes, start, end, kind, TEXT)) {
        column.hasNull = true;
      } else if (start === end && kind !== 0) {
        // An empty quoted field is a text in a text column and null in any other; it decides
        // nothing.
        column.hasNull = true;
      } else if (kind === CELL_ESCAPED) {
        column.addText();
      } else {
        column.add(bytes, start, end);
      }
    }
  }

  /** The fields as far as the sample tells, with declared types where there are some. */
  fields(declared: ReadonlyMap<string, Field['type']>): readonly Field[] {
    return [...this.#columns].map(([name, seen]): Field => {
      const type = declared.get(name) ?? { kind: seen.kind() };
      return {
        name,
        type,
        nullable: seen.hasNull || seen.values === 0,
        optional: (this.#filesWith.get(name) ?? 0) < this.#files,
      };
    });
  }
}
