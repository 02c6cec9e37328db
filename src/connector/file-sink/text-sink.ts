/**
 * The sink that writes directories of text files. Callers: the api. Runs on: any thread; see
 * `file-sink.ts`.
 */
import type { FileFormat } from '../../format/encode/file-encoder.js';
import type { TextEncoderOptions } from '../../format/encode/text-encoder.js';
import type { SinkConnector } from '../contract.js';
import { type CompressionOptions, type FileSinkOptions, fileSink, isGzip } from './file-sink.js';

/** Options of `textSink`. */
export interface TextSinkOptions<T = unknown>
  extends FileSinkOptions<T>,
    CompressionOptions,
    TextEncoderOptions {}

/**
 * Writes texts, or records of one field, as lines.
 *
 * @example
 * stream.map((word) => word.toUpperCase()).to(textSink('out/words'))
 */
export function textSink<T = unknown>(
  directory: string,
  options: TextSinkOptions<T> = {},
): SinkConnector<T> {
  const known = ['compression', 'newline'];
  const gzip = isGzip('text', options);
  const loadFormat = async (): Promise<FileFormat> => {
    const { textFormat } = await import('../../format/encode/text-encoder.js');
    return textFormat(options);
  };
  return fileSink({ type: 'text', directory, options, known, loadFormat, gzip });
}
