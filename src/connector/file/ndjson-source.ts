/**
 * `ndjson(...)` as a source: one JSON object per line. Callers: user jobs, through the `ndjson`
 * connector. Runs on: any thread; planning samples rows on the caller's thread, reading is done in
 * `file-source.ts`.
 */
import { lineStartFrom, type RandomAccess } from '../../format/bytes/line-start.js';
import type { RowParser, RowParserOptions, ValidateMode } from '../../format/bytes/row-parser.js';
import { JsonShapes } from '../../format/ndjson/json-shapes.js';
import { parseJson } from '../../format/ndjson/json-value.js';
import { NdjsonParser } from '../../format/ndjson/ndjson-parser.js';
import { inferSchema } from '../../record/infer.js';
import type { Schema } from '../../record/schema.js';
import {
  checkOptionNames,
  FILE_OPTIONS,
  type FileSourceOptions,
  fileSettings,
  patternsOf,
  sampleRowsOf,
  validateMode,
} from './file-options.js';
import type { FilePrefix } from './file-prefix.js';
import { createFileSource, type FileSource } from './file-source.js';
import type { FormatPlan, PlannedFile, RowFormat, RowStartFinder } from './row-format.js';
import { SampleBudget } from './sample-budget.js';

/** Options of the NDJSON source. */
export interface NdjsonSourceOptions extends FileSourceOptions {
  /**
   * Declares what rows are; rows that do not fit are bad then. Default: inferred, and widened as
   * rows need it.
   */
  readonly schema?: Schema;
  /** Rows from which the schema is inferred; default 10 000, taken from the first files. */
  readonly sampleRows?: number;
  /**
   * `'projected'` (default) checks the framing of rows and the fields in use, `'full'` all of every
   * row against RFC 8259 and UTF-8.
   */
  readonly validate?: ValidateMode;
}

const MARK_BYTES = 4;
const NEWLINE = 0x0a;

/**
 * Reads files of newline-delimited JSON objects. Of a key that occurs twice in a row the last value
 * counts.
 *
 * @example
 * flow.from(ndjsonSource<{ user: string; price: number }>('events/*.ndjson')).keyBy('user');
 */
export function ndjsonSource<T = Record<string, unknown>>(
  paths: string | readonly string[],
  options: NdjsonSourceOptions = {},
): FileSource<T> {
  checkOptionNames('ndjson', options, [...FILE_OPTIONS, 'schema', 'sampleRows', 'validate']);
  const settings = fileSettings('ndjson', options, ['utf8', 'utf16le']);
  const validate = validateMode('ndjson', options.validate);
  const sampleRows = sampleRowsOf('ndjson', options.sampleRows);
  const format = new NdjsonFormat(options.schema ?? null, validate, sampleRows);
  return createFileSource(format, patternsOf('ndjson', paths), settings, validate);
}

class NdjsonFormat implements RowFormat {
  readonly type = 'ndjson';
  readonly newlineFramed = true;
  readonly #schema: Schema | null;
  readonly #validate: ValidateMode;
  readonly #sampleRows: number;

  constructor(schema: Schema | null, validate: ValidateMode, sampleRows: number) {
    this.#schema = schema;
    this.#validate = validate;
    this.#sampleRows = sampleRows;
  }

  async plan(prefixes: readonly FilePrefix[]): Promise<FormatPlan> {
    const files: PlannedFile[] = [];
    const budget = new SampleBudget(this.#schema === null ? this.#sampleRows : 0, prefixes);
    const shapes = new JsonShapes();
    for (const prefix of prefixes) {
      await prefix.grow(MARK_BYTES);
      const { file, codec, markBytes } = prefix;
      files.push({ file, codec, dataStart: markBytes, header: 0 });
      const rowsMax = budget.nextFile(file);
      if (rowsMax > 0) budget.taken(await sample(prefix, rowsMax, shapes));
      prefix.close();
    }
    const { examples } = shapes;
    const inferred = examples.length === 0 ? null : inferSchema(examples);
    return { schema: this.#schema ?? inferred, files, data: null };
  }

  rowStarts(file: RandomAccess): RowStartFinder {
    return (place) => lineStartFrom(file, place);
  }

  createParser(options: RowParserOptions): RowParser {
    const declared = this.#schema !== null;
    return new NdjsonParser(options, { validate: this.#validate, declared });
  }
}

/** Adds up to `rowsMax` records of a file; returns how many lines it looked at. */
async function sample(prefix: FilePrefix, rowsMax: number, shapes: JsonShapes): Promise<number> {
  let at = prefix.markBytes;
  let rows = 0;
  for (;;) {
    await prefix.grow();
    const lines = prefix.lines();
    while (at < lines.length && rows < rowsMax) {
      const newline = lines.indexOf(NEWLINE, at);
      const record = parseJson(lines, at, newline);
      // Rows that are no objects are bad, and say nothing about the schema.
      if (isObject(record)) shapes.add(record);
      rows++;
      at = newline + 1;
    }
    if (rows >= rowsMax || prefix.isWhole || prefix.bytes >= SampleBudget.FILE_BYTES_MAX)
      return rows;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
