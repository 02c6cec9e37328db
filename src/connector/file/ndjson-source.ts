/**
 * `ndjson(...)` as a source: one JSON object per line. Callers: user jobs, through the `ndjson`
 * connector. Runs on: any thread; planning samples rows on the caller's thread, reading is done in
 * `file-source.ts`.
 */
import type { ValidateMode } from '../../format/bytes/row-parser.js';
import type { Schema } from '../../record/schema.js';
import { checkSchema } from '../check-arguments.js';
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
   * row against RFC 8259 and UTF-8. Of rows that a filter right behind the source does not want, for
   * another value than those it compares a field with, the former need not look at what follows the
   * field, but for the end of the row.
   */
  readonly validate?: ValidateMode;
}

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
  checkSchema('ndjson', options.schema);
  const settings = fileSettings('ndjson', options, ['utf8', 'utf16le']);
  const validate = validateMode('ndjson', options.validate);
  const sampleRows = sampleRowsOf('ndjson', options.sampleRows);
  const loadFormat = async (): Promise<RowFormat> => {
    const { NdjsonFormat } = await import('./ndjson-format.js');
    return new NdjsonFormat(options.schema ?? null, validate, sampleRows);
  };
  const patterns = patternsOf('ndjson', paths);
  // To check all of every row is to look at those that nobody wants as well.
  const filters = validate === 'projected';
  return createFileSource('ndjson', loadFormat, patterns, settings, validate, filters);
}
