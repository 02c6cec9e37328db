/**
 * The sink that writes directories of Parquet files. Callers: the api. Runs on: any thread; see
 * `file-sink.ts`.
 */
import { type ParquetEncoderOptions, parquetFormat } from '../../format/parquet/parquet-encoder.js';
import type { SinkConnector } from '../contract.js';
import { type FileSinkOptions, fileSink, wrongChoice } from './file-sink.js';

/** Options of `parquetSink`. */
export interface ParquetSinkOptions extends FileSinkOptions, ParquetEncoderOptions {}

const COMPRESSIONS: readonly string[] = ['snappy', 'gzip', 'zstd', 'none'];

/**
 * Writes records as Parquet files. Missing fields become null, which is all that Parquet knows.
 *
 * @example
 * stream.to(parquetSink('out/flights', { ifExists: 'replace', compression: 'gzip' }))
 */
export function parquetSink<T = unknown>(
  directory: string,
  options: ParquetSinkOptions = {},
): SinkConnector<T> {
  const { compression = 'snappy' } = options;
  if (!COMPRESSIONS.includes(compression)) {
    throw wrongChoice('parquet', 'compression', compression, COMPRESSIONS);
  }
  const known = ['compression', 'rowGroupRows'];
  const format = parquetFormat(options);
  return fileSink({ type: 'parquet', directory, options, known, format, gzip: false });
}
