/**
 * The sink that writes directories of Parquet files. Callers: the api. Runs on: any thread; see
 * `file-sink.ts`.
 */
import type { FileFormat } from '../../format/encode/file-encoder.js';
import { type ParquetEncoderOptions, parquetOutput } from '../../format/parquet/parquet-output.js';
import type { SinkConnector } from '../contract.js';
import { type FileSinkOptions, fileSink, wrongChoice } from './file-sink.js';

/** Options of `parquetSink`. */
export interface ParquetSinkOptions<T = unknown>
  extends FileSinkOptions<T>,
    ParquetEncoderOptions {}

const COMPRESSIONS: readonly string[] = ['snappy', 'gzip', 'zstd', 'none'];

/**
 * Writes records as Parquet files. Missing fields become null, which is all that Parquet knows.
 *
 * @example
 * stream.to(parquetSink('out/flights', { ifExists: 'replace', compression: 'gzip' }))
 */
export function parquetSink<T = unknown>(
  directory: string,
  options: ParquetSinkOptions<T> = {},
): SinkConnector<T> {
  const { compression = 'snappy' } = options;
  if (!COMPRESSIONS.includes(compression)) {
    throw wrongChoice('parquet', 'compression', compression, COMPRESSIONS);
  }
  const known = ['compression', 'rowGroupRows'];
  parquetOutput(options);
  const loadFormat = async (): Promise<FileFormat> => {
    const { parquetFormat } = await import('../../format/parquet/parquet-encoder.js');
    return parquetFormat(options);
  };
  return fileSink({ type: 'parquet', directory, options, known, loadFormat, gzip: false });
}
