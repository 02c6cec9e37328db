/**
 * NDJSON as a format of the file source: a schema from a sample of the rows. Callers: the NDJSON source. Runs on: the
 * caller's thread (plan) and the slots (parsers).
 */
import { lineStartFrom, type RandomAccess } from '../../format/bytes/line-start.js';
import type { RowParser, RowParserOptions, ValidateMode } from '../../format/bytes/row-parser.js';
import { JsonShapes } from '../../format/ndjson/json-shapes.js';
import { parseJson } from '../../format/ndjson/json-value.js';
import { NdjsonParser } from '../../format/ndjson/ndjson-parser.js';
import { inferSchema } from '../../record/infer.js';
import type { Schema } from '../../record/schema.js';
import type { FilePrefix } from './file-prefix.js';
import type { FormatPlan, PlannedFile, RowFormat, RowStartFinder } from './row-format.js';
import { SampleBudget } from './sample-budget.js';

const MARK_BYTES = 4;
const NEWLINE = 0x0a;

/** Rows of one JSON object each. */
export class NdjsonFormat implements RowFormat {
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
    // What rows would add to a schema that takes up all there is, they have to be read for.
    const filter = declared || options.wanted !== null ? (options.filter ?? null) : null;
    return new NdjsonParser({ ...options, filter }, { validate: this.#validate, declared });
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
