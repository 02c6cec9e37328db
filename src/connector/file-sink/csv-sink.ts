/**
 * The sink that writes directories of CSV files. Callers: the api. Runs on: any thread; see
 * `file-sink.ts`.
 */
import { type CsvEncoderOptions, csvOutput } from '../../format/encode/csv-output.js';
import type { FileFormat } from '../../format/encode/file-encoder.js';
import type { SinkConnector } from '../contract.js';
import { type CompressionOptions, type FileSinkOptions, fileSink, isGzip } from './file-sink.js';

/** Options of `csvSink`. */
export interface CsvSinkOptions<T = unknown>
  extends FileSinkOptions<T>,
    CompressionOptions,
    CsvEncoderOptions {}

/**
 * Writes records as CSV files below a directory.
 *
 * @example
 * stream.to(csvSink('out/daily', { ifExists: 'replace', compression: 'gzip' }))
 */
export function csvSink<T = unknown>(
  directory: string,
  options: CsvSinkOptions<T> = {},
): SinkConnector<T> {
  const known = ['compression', 'header', 'separator', 'nullText', 'newline'];
  const gzip = isGzip('csv', options);
  csvOutput(options);
  const loadFormat = async (): Promise<FileFormat> => {
    const { csvFormat } = await import('../../format/encode/csv-encoder.js');
    return csvFormat(options);
  };
  return fileSink({ type: 'csv', directory, options, known, loadFormat, gzip });
}
