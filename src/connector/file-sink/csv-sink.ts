/**
 * The sink that writes directories of CSV files. Callers: the api. Runs on: any thread; see
 * `file-sink.ts`.
 */
import { type CsvEncoderOptions, csvFormat } from '../../format/encode/csv-encoder.js';
import type { SinkConnector } from '../contract.js';
import { type CompressionOptions, type FileSinkOptions, fileSink, isGzip } from './file-sink.js';

/** Options of `csvSink`. */
export interface CsvSinkOptions extends FileSinkOptions, CompressionOptions, CsvEncoderOptions {}

/**
 * Writes records as CSV files below a directory.
 *
 * @example
 * stream.to(csvSink('out/daily', { ifExists: 'replace', compression: 'gzip' }))
 */
export function csvSink<T = unknown>(
  directory: string,
  options: CsvSinkOptions = {},
): SinkConnector<T> {
  const known = ['compression', 'header', 'separator', 'nullText', 'newline'];
  const gzip = isGzip('csv', options);
  return fileSink({ type: 'csv', directory, options, known, format: csvFormat(options), gzip });
}
