/**
 * The sink that writes directories of NDJSON files. Callers: the api. Runs on: any thread; see
 * `file-sink.ts`.
 */
import type { FileFormat } from '../../format/encode/file-encoder.js';
import type { NdjsonEncoderOptions } from '../../format/encode/ndjson-encoder.js';
import type { SinkConnector } from '../contract.js';
import { type CompressionOptions, type FileSinkOptions, fileSink, isGzip } from './file-sink.js';

/** Options of `ndjsonSink`. */
export interface NdjsonSinkOptions<T = unknown>
  extends FileSinkOptions<T>,
    CompressionOptions,
    NdjsonEncoderOptions {}

/**
 * Writes records as files of one JSON value a line.
 *
 * @example
 * stream.to(ndjsonSink('out/events'))
 */
export function ndjsonSink<T = unknown>(
  directory: string,
  options: NdjsonSinkOptions<T> = {},
): SinkConnector<T> {
  const known = ['compression', 'nonFinite'];
  const gzip = isGzip('ndjson', options);
  const loadFormat = async (): Promise<FileFormat> => {
    const { ndjsonFormat } = await import('../../format/encode/ndjson-encoder.js');
    return ndjsonFormat(options);
  };
  return fileSink({ type: 'ndjson', directory, options, known, loadFormat, gzip });
}
