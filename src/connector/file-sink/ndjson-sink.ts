/**
 * The sink that writes directories of NDJSON files. Callers: the api. Runs on: any thread; see
 * `file-sink.ts`.
 */
import { type NdjsonEncoderOptions, ndjsonFormat } from '../../format/encode/ndjson-encoder.js';
import type { SinkConnector } from '../contract.js';
import { type CompressionOptions, type FileSinkOptions, fileSink, isGzip } from './file-sink.js';

/** Options of `ndjsonSink`. */
export interface NdjsonSinkOptions
  extends FileSinkOptions,
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
  options: NdjsonSinkOptions = {},
): SinkConnector<T> {
  const known = ['compression', 'nonFinite'];
  const gzip = isGzip('ndjson', options);
  return fileSink({
    type: 'ndjson',
    directory,
    options,
    known,
    format: ndjsonFormat(options),
    gzip,
  });
}
