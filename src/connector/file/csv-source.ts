/**
 * `csv(...)` as a source: tables of text as RFC 4180 describes them. Callers: user jobs, through
 * the `csv` connector. Runs on: any thread; planning reads headers and samples rows on the caller's
 * thread, reading is done in `file-source.ts`.
 */
import { MillraceError } from '../../base/errors.js';
import type { ValidateMode } from '../../format/bytes/row-parser.js';
import { type CsvDialectOptions, csvDialect } from '../../format/csv/csv-dialect.js';
import type { HeaderOption } from '../../format/csv/csv-header.js';
import type { DataType, Schema, SimpleKind } from '../../record/schema.js';
import { typeFault } from '../../record/schema-fault.js';
import { checkArgument, checkSchema } from '../check-arguments.js';
import type { CsvFormatOptions } from './csv-format.js';
import {
  checkOptionNames,
  FILE_OPTIONS,
  type FileSourceOptions,
  fileSettings,
  patternsOf,
  sampleRowsOf,
  validateMode,
} from './file-options.js';
import { createFileSource, type FileSource } from './file-source.js';
import type { RowFormat } from './row-format.js';

/** Options of the CSV source. */
export interface CsvSourceOptions extends FileSourceOptions, CsvDialectOptions {
  /**
   * True (default): the first row names the columns. False: they are called `column1`, `column2`, …
   * A list: these are the names and the first row is data.
   */
  readonly header?: HeaderOption;
  /** Lines at the top of each file to pass over, before the header; default 0. */
  readonly skipRows?: number;
  /** Types of some columns; the others are inferred. */
  readonly types?: Readonly<Record<string, SimpleKind | DataType>>;
  /**
   * Declares all columns; rows that do not fit are bad then. Columns it leaves out are not read.
   */
  readonly schema?: Schema;
  /** Rows from which types are inferred; default 10 000, taken from the first files. */
  readonly sampleRows?: number;
  /**
   * `'projected'` (default) checks the framing of rows (quotes, number of fields) and the columns
   * in use, `'full'` every field and all of the text's encoding.
   */
  readonly validate?: ValidateMode;
}

const CSV_OPTIONS: readonly string[] = [
  ...FILE_OPTIONS,
  'separator',
  'quote',
  'escape',
  'comment',
  'trim',
  'multiline',
  'nulls',
  'header',
  'skipRows',
  'types',
  'schema',
  'sampleRows',
  'validate',
];

/**
 * Reads CSV files. Types are inferred as number, bool, date, timestamp (ISO 8601; without an offset
 * UTC) or text; numbers with leading zeros stay text. An empty unquoted field is null. Files may
 * have their columns in different orders; a column that some files lack is optional.
 *
 * @example
 * flow.from(csvSource('flights/*.csv.gz', { types: { flight: 'utf8' } }));
 */
export function csvSource<T = Record<string, unknown>>(
  paths: string | readonly string[],
  options: CsvSourceOptions = {},
): FileSource<T> {
  checkOptionNames('csv', options, CSV_OPTIONS);
  checkSchema('csv', options.schema);
  checkHeader(options.header, options.skipRows);
  const settings = fileSettings('csv', options, ['utf8', 'latin1', 'utf16le']);
  const validate = validateMode('csv', options.validate);
  const formatOptions: CsvFormatOptions = {
    dialect: csvDialect(options, settings.encoding === 'latin1'),
    header: options.header ?? true,
    skipRows: options.skipRows ?? 0,
    types: new Map(Object.entries(options.types ?? {}).map(typeEntry)),
    schema: options.schema ?? null,
    sampleRows: sampleRowsOf('csv', options.sampleRows),
    validate,
    rowBytesMax: settings.rowBytesMax,
  };
  const loadFormat = async (): Promise<RowFormat> => {
    const { CsvFormat } = await import('./csv-format.js');
    return new CsvFormat(formatOptions);
  };
  return createFileSource('csv', loadFormat, patternsOf('csv', paths), settings, validate);
}

function checkHeader(header: unknown, skipRows: unknown): void {
  const isList =
    Array.isArray(header) && header.length > 0 && header.every((name) => typeof name === 'string');
  const isHeader = header === undefined || typeof header === 'boolean' || isList;
  const names = 'Give true, false, or a list of the names of all columns.';
  checkArgument('csv', 'header', header, isHeader, names);
  const isCount = skipRows === undefined || (Number.isInteger(skipRows) && Number(skipRows) >= 0);
  checkArgument('csv', 'skipRows', skipRows, isCount, 'Give a whole number of lines.');
}

function typeEntry([name, given]: [string, SimpleKind | DataType]): [string, DataType] {
  const type = typeof given === 'string' ? { kind: given } : given;
  const fault = typeFault(type, name);
  if (fault === null) return [name, type];
  throw new MillraceError('OPTION_INVALID', `csv: types are wrong: ${fault}.`, {
    where: { field: name },
    advice: "Write types: { flight: 'utf8', price: { kind: 'decimal', precision: 10, scale: 2 } }.",
  });
}
