/**
 * CSV as a format of the file source: headers of all files, types from a sample, and split
 * boundaries that respect quotes. Callers: the CSV source. Runs on: the caller's thread (plan) and
 * the slots (parsers).
 */
import { MillraceError } from '../../base/errors.js';
import { didYouMean } from '../../base/nearest-name.js';
import type { RandomAccess } from '../../format/bytes/line-start.js';
import type { RowParser, RowParserOptions, ValidateMode } from '../../format/bytes/row-parser.js';
import { CsvBoundaries } from '../../format/csv/csv-boundary.js';
import { CsvCellReader } from '../../format/csv/csv-cell.js';
import type { CsvDialect } from '../../format/csv/csv-dialect.js';
import { type CsvHeader, type HeaderOption, readCsvHeader } from '../../format/csv/csv-header.js';
import { CsvSample } from '../../format/csv/csv-infer.js';
import { CsvParser } from '../../format/csv/csv-parser.js';
import type { DataType, Field, Schema } from '../../record/schema.js';
import type { SourcePlan } from '../contract.js';
import type { FilePlanData } from './file-plan.js';
import type { FilePrefix } from './file-prefix.js';
import type {
  FileSplit,
  FormatPlan,
  PlannedFile,
  RowFormat,
  RowStartFinder,
} from './row-format.js';
import { SampleBudget } from './sample-budget.js';

/** What the CSV format is told. */
export interface CsvFormatOptions {
  readonly dialect: CsvDialect;
  readonly header: HeaderOption;
  readonly skipRows: number;
  readonly types: ReadonlyMap<string, DataType>;
  readonly schema: Schema | null;
  readonly sampleRows: number;
  readonly validate: ValidateMode;
  readonly rowBytesMax: number;
}

/** What travels with the plan. */
interface CsvPlanData {
  /** The different headers of the files. */
  readonly headers: readonly (readonly string[])[];
}

/** Rows of comma-separated fields. */
export class CsvFormat implements RowFormat {
  readonly type = 'csv';
  readonly #options: CsvFormatOptions;

  constructor(options: CsvFormatOptions) {
    this.#options = options;
  }

  get newlineFramed(): boolean {
    return !this.#options.dialect.multiline;
  }

  async plan(prefixes: readonly FilePrefix[]): Promise<FormatPlan> {
    const { dialect, schema, sampleRows, types } = this.#options;
    const reader = new CsvCellReader(dialect);
    const sample = new CsvSample(dialect, reader);
    const budget = new SampleBudget(schema === null ? sampleRows : 0, prefixes);
    const headers: (readonly string[])[] = [];
    const known = new Map<string, number>();
    const files: PlannedFile[] = [];
    for (const prefix of prefixes) {
      const { file, codec } = prefix;
      const header = await this.#header(prefix, reader);
      // A file without even a header has no rows.
      if (header !== null) {
        const key = JSON.stringify(header.names);
        const isNew = !known.has(key);
        const index = known.get(key) ?? headers.length;
        if (isNew) {
          known.set(key, index);
          headers.push(header.names);
        }
        sample.addHeader(header.names);
        files.push({ file, codec, dataStart: header.dataStart, header: index });
        await this.#sample(prefix, header, sample, budget);
      }
      prefix.close();
    }
    checkTypes(types, headers);
    const inferred: Schema = { shape: 'object', fields: sample.fields(types) };
    if (schema !== null) checkSchema(schema, headers);
    const data: CsvPlanData = { headers };
    return { schema: schema ?? (headers.length === 0 ? null : inferred), files, data };
  }

  rowStarts(file: RandomAccess, planned: PlannedFile): RowStartFinder {
    const boundaries = new CsvBoundaries(file, this.#options.dialect, planned.dataStart);
    return (place) => boundaries.rowStartFrom(place);
  }

  createParser(options: RowParserOptions, plan: SourcePlan, split: FileSplit): RowParser {
    const { dialect, validate, schema } = this.#options;
    const { headers } = (plan.data as FilePlanData).format as CsvPlanData;
    return new CsvParser(options, {
      dialect,
      header: headers[split.header],
      validate,
      declared: schema !== null,
      schema: plan.schema,
    });
  }

  async #header(prefix: FilePrefix, reader: CsvCellReader): Promise<CsvHeader | null> {
    const { dialect, rowBytesMax } = this.#options;
    const options = { ...this.#options, path: prefix.file.path };
    for (;;) {
      await prefix.grow();
      const mark = prefix.markBytes;
      const lines = prefix.lines().subarray(mark);
      const header = readCsvHeader(lines, lines.length, dialect, reader, options);
      if (header !== null) return { ...header, dataStart: header.dataStart + mark };
      if (prefix.isWhole) return null;
      if (prefix.bytes > rowBytesMax) {
        throw new MillraceError('FORMAT_INVALID', 'The header of the file does not end.', {
          where: { file: prefix.file.path },
          advice: 'Check the quotes in the first row, or raise maxRowBytes.',
        });
      }
    }
  }

  async #sample(
    prefix: FilePrefix,
    header: CsvHeader,
    sample: CsvSample,
    budget: SampleBudget,
  ): Promise<void> {
    const rowsMax = budget.nextFile(prefix.file);
    if (rowsMax === 0) return;
    const bytesMax = SampleBudget.FILE_BYTES_MAX;
    // The prefix grows until its lines are likely to hold the rows; each row counts once.
    while (
      !prefix.isWhole &&
      prefix.bytes < bytesMax &&
      newlines(prefix.lines(), rowsMax) < rowsMax
    ) {
      await prefix.grow();
    }
    const lines = prefix.lines();
    budget.taken(sample.addRows(header.names, lines, header.dataStart, lines.length, rowsMax));
  }
}

/** Newlines in the lines, counted up to a little beyond `max`. */
function newlines(lines: Buffer, max: number): number {
  let count = 0;
  for (let at = lines.indexOf(0x0a); at >= 0 && count <= max; at = lines.indexOf(0x0a, at + 1)) {
    count++;
  }
  return count;
}

/** A declared type for a column that no file has is a slip of the pen. */
function checkTypes(
  types: ReadonlyMap<string, DataType>,
  headers: readonly (readonly string[])[],
): void {
  const names = new Set(headers.flat());
  if (names.size === 0) return;
  for (const name of types.keys()) {
    if (names.has(name)) continue;
    throw new MillraceError('FIELD_UNKNOWN', `csv: no file has a column "${name}".`, {
      where: { field: name },
      advice: didYouMean(name, names),
    });
  }
}

function checkSchema(schema: Schema, headers: readonly (readonly string[])[]): void {
  for (const header of headers) {
    const missing = schema.fields.find(
      (field) => isRequired(field) && !header.includes(field.name),
    );
    if (missing === undefined) continue;
    throw new MillraceError(
      'FIELD_UNKNOWN',
      `csv: a file has no column "${missing.name}", which the schema requires.`,
      { where: { field: missing.name }, advice: didYouMean(missing.name, header) },
    );
  }
}

function isRequired(field: Field): boolean {
  return !field.optional;
}
