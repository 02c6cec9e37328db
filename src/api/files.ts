/**
 * Files as connector values that can be read and written: the same `csv('path')` is a source in `from` and a sink
 * in `to`. Callers: job functions; `Flow.from` and `Stream.to` take the side they need. Runs on: any thread.
 */
import { MillraceError } from '../base/errors.js';
import type { SinkConnector, SourceConnector } from '../connector/contract.js';
import { checkOptionsObject, sinkDirectory } from '../connector/check-arguments.js';
import { type CsvSourceOptions, csvSource } from '../connector/file/csv-source.js';
import { patternsOf } from '../connector/file/file-options.js';
import { type NdjsonSourceOptions, ndjsonSource } from '../connector/file/ndjson-source.js';
import { type TextSourceOptions, textSource } from '../connector/file/text-source.js';
import { type CsvSinkOptions, csvSink } from '../connector/file-sink/csv-sink.js';
import { type NdjsonSinkOptions, ndjsonSink } from '../connector/file-sink/ndjson-sink.js';
import { type ParquetSinkOptions, parquetSink } from '../connector/file-sink/parquet-sink.js';
import { type TextSinkOptions, textSink } from '../connector/file-sink/text-sink.js';
import { type ParquetSourceOptions, parquetSource } from '../connector/parquet/parquet-source.js';

/** Files to read or a directory to write. Options are checked by the side that is used. */
export interface FileConnector<T> {
  readonly kind: 'file';
  /** Short type name, such as 'csv'. */
  readonly type: string;
  source(): SourceConnector<T>;
  sink(): SinkConnector<T>;
}

/** Options of `csv`: those for reading and those for writing; each side refuses the other's. */
export type CsvOptions<T = unknown> = CsvSourceOptions & Omit<CsvSinkOptions<T>, 'header'>;

/** A path, a glob, a directory, or several of them. */
export type Paths = string | readonly string[];

/**
 * CSV files (RFC 4180). Reading takes paths, globs and directories, also packed with gzip, lz4 or zstd; writing takes
 * a directory, which gets one part per subtask.
 *
 * @example
 * flow.from(csv<{ origin: string; delay: number }>('flights/*.csv.gz')).to(csv('out/flights'));
 */
export function csv<T = Record<string, unknown>>(
  paths: Paths,
  options: CsvOptions<T> = {},
): FileConnector<T> {
  checkFile('csv', paths, options);
  return {
    kind: 'file',
    type: 'csv',
    source: () => csvSource<T>(paths, options),
    sink: () => csvSink<T>(sinkDirectory('csv', paths), csvSinkOptions<T>(options)),
  };
}

/**
 * Newline-delimited JSON files.
 *
 * @example
 * flow.from(ndjson<{ page: string }>('logs/*.ndjson', { onError: 'skip' }))
 */
export function ndjson<T = Record<string, unknown>>(
  paths: Paths,
  options: NdjsonSourceOptions & NdjsonSinkOptions<T> = {},
): FileConnector<T> {
  checkFile('ndjson', paths, options);
  return {
    kind: 'file',
    type: 'ndjson',
    source: () => ndjsonSource<T>(paths, options),
    sink: () => ndjsonSink<T>(sinkDirectory('ndjson', paths), options),
  };
}

/**
 * Text files, a line a record.
 *
 * @example
 * flow.from(text('books/*.txt')).flatMap((line) => line.split(' '))
 */
export function text(
  paths: Paths,
  options: TextSourceOptions & TextSinkOptions<string> = {},
): FileConnector<string> {
  checkFile('text', paths, options);
  return {
    kind: 'file',
    type: 'text',
    source: () => textSource(paths, options),
    sink: () => textSink<string>(sinkDirectory('text', paths), options),
  };
}

/**
 * Parquet files. Reading takes paths, globs and directories and reads only the columns in use.
 *
 * @example
 * flow.from(parquet<{ origin: string; delay: number }>('flights/*.parquet'))
 */
export function parquet<T = Record<string, unknown>>(
  paths: Paths,
  options: ParquetSourceOptions & ParquetSinkOptions<T> = {},
): FileConnector<T> {
  checkFile('parquet', paths, options);
  return {
    kind: 'file',
    type: 'parquet',
    source: () => parquetSource<T>(paths, options),
    sink: () => parquetSink<T>(sinkDirectory('parquet', paths), options),
  };
}

function csvSinkOptions<T>({ header, ...options }: CsvOptions<T>): CsvSinkOptions<T> {
  if (header === undefined) return options;
  if (typeof header === 'boolean') return { ...options, header };
  throw new MillraceError('OPTION_INVALID', 'csv: a list of names as header is for reading only.', {
    advice: 'Rename the fields with select before the sink; the header follows them.',
  });
}

/** What is wrong with either side is said where the connector is made. */
function checkFile(type: string, paths: unknown, options: unknown): void {
  patternsOf(type, paths);
  checkOptionsObject(type, options);
}
