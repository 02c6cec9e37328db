/**
 * Options of Parquet files that are written, and their checking. Apart from the encoder, so that a job that names a
 * Parquet sink is checked without loading it. Callers: the Parquet sink, the encoder. Runs on: any thread; pure.
 */
import { MillraceError } from '../../base/errors.js';

/** How pages may be compressed. */
export type ParquetCompression = 'snappy' | 'gzip' | 'zstd' | 'none';

/** Options of Parquet files. */
export interface ParquetEncoderOptions {
  /** How pages are compressed; default `'snappy'`. Zstandard needs Node 22.15. */
  readonly compression?: ParquetCompression;
  /** Most rows of a row group; default 131 072. Readers take row groups in parallel. */
  readonly rowGroupRows?: number;
}

/** The options with everything filled in. */
export interface ParquetOutput {
  readonly compression: ParquetCompression;
  readonly rowGroupRows: number;
}

const ROW_GROUP_ROWS = 131_072;

/** Fills the options in. Throws `OPTION_INVALID` and `CODEC_UNAVAILABLE`. */
export function parquetOutput(options: ParquetEncoderOptions): ParquetOutput {
  const { compression = 'snappy', rowGroupRows = ROW_GROUP_ROWS } = options;
  if (!Number.isSafeInteger(rowGroupRows) || rowGroupRows < 1) {
    throw new MillraceError('OPTION_INVALID', `parquet: rowGroupRows cannot be ${rowGroupRows}.`, {
      advice: 'Give a whole number of rows, at least 1.',
    });
  }
  if (compression === 'zstd') nodeZstd();
  return { compression, rowGroupRows };
}

/** Node has Zstandard from 22.15 on; its types of an older version do not say so. Throws `CODEC_UNAVAILABLE`. */
export function nodeZstd(): (bytes: Uint8Array) => unknown {
  const compress: unknown = Reflect.get(process.getBuiltinModule('node:zlib'), 'zstdCompressSync');
  if (typeof compress === 'function') return (bytes) => compress(bytes);
  throw new MillraceError('CODEC_UNAVAILABLE', 'This version of Node cannot write Zstandard.', {
    advice: "Use Node 22.15 or later, or set compression to 'snappy' or 'gzip'.",
  });
}
