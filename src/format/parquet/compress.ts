/**
 * Compresses pages. Callers: the Parquet encoder. Runs on: the slot's thread. Invariant: the result
 * is valid until the next page is compressed.
 */
import * as zlib from 'node:zlib';
import { MillraceError } from '../../base/errors.js';
import { CODEC_GZIP, CODEC_SNAPPY, CODEC_UNCOMPRESSED, CODEC_ZSTD } from './parquet-types.js';
import { encodeSnappy, snappyBound } from './snappy.js';

/** How pages may be compressed. */
export type ParquetCompression = 'snappy' | 'gzip' | 'zstd' | 'none';

/** Compresses bytes. */
export type Compress = (bytes: Uint8Array) => Uint8Array;

/** A codec's number in the format, and its function. */
export interface PageCodec {
  readonly id: number;
  readonly compress: Compress;
}

/** The codec of a compression. Throws `CODEC_UNAVAILABLE`. */
export function pageCodec(compression: ParquetCompression): PageCodec {
  switch (compression) {
    case 'none':
      return { id: CODEC_UNCOMPRESSED, compress: (bytes) => bytes };
    case 'gzip':
      return { id: CODEC_GZIP, compress: (bytes) => zlib.gzipSync(bytes) };
    case 'zstd':
      return { id: CODEC_ZSTD, compress: nodeZstd() };
    case 'snappy':
      return { id: CODEC_SNAPPY, compress: snappy() };
  }
}

function snappy(): Compress {
  let target = new Uint8Array(0);
  return (bytes) => {
    const bound = snappyBound(bytes.length);
    if (target.length < bound) target = new Uint8Array(bound);
    return target.subarray(0, encodeSnappy(bytes, target));
  };
}

/** Node has Zstandard from 22.15 on; its types of an older version do not say so. */
function nodeZstd(): Compress {
  const compress: unknown = Reflect.get(zlib, 'zstdCompressSync');
  if (typeof compress === 'function') {
    return (bytes) => {
      const packed: unknown = compress(bytes);
      return packed instanceof Uint8Array ? packed : bytes;
    };
  }
  throw new MillraceError('CODEC_UNAVAILABLE', 'This version of Node cannot write Zstandard.', {
    advice: "Use Node 22.15 or later, or set compression to 'snappy' or 'gzip'.",
  });
}
