/**
 * Compresses pages. Callers: the Parquet encoder. Runs on: the slot's thread. Invariant: the result
 * is valid until the next page is compressed.
 */
import { gzipSync } from 'node:zlib';
import { nodeZstd, type ParquetCompression } from './parquet-output.js';
import { CODEC_GZIP, CODEC_SNAPPY, CODEC_UNCOMPRESSED, CODEC_ZSTD } from './parquet-types.js';
import { encodeSnappy, snappyBound } from './snappy.js';

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
      return { id: CODEC_GZIP, compress: (bytes) => gzipSync(bytes) };
    case 'zstd':
      return { id: CODEC_ZSTD, compress: zstd() };
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

function zstd(): Compress {
  const compress = nodeZstd();
  return (bytes) => {
    const packed = compress(bytes);
    return packed instanceof Uint8Array ? packed : bytes;
  };
}
