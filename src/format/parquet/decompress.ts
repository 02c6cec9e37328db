/**
 * Decompresses pages. Zstandard comes from Node where it has it, else from a decoder that the
 * connector loads and registers. Callers: `page-source.ts`. Runs on: the slot's thread. Invariant:
 * the result has exactly the size that the page's header says, or an error is thrown.
 */
import * as zlib from 'node:zlib';
import { MillraceError } from '../../base/errors.js';
import { corrupt, unsupported } from './corrupt.js';
import { decodeHadoopLz4, decodeLz4Block } from './lz4-block.js';
import {
  CODEC_BROTLI,
  CODEC_GZIP,
  CODEC_LZ4,
  CODEC_LZ4_RAW,
  CODEC_SNAPPY,
  CODEC_UNCOMPRESSED,
  CODEC_ZSTD,
} from './parquet-types.js';
import { decodeSnappy } from './snappy.js';

/** Decodes a Zstandard frame of known size. */
export type ZstdDecoder = (source: Uint8Array, length: number) => Uint8Array;

/** The decoder that Node has from 22.15 on; null before. */
export const nodeZstd: ZstdDecoder | null = findNodeZstd();

function findNodeZstd(): ZstdDecoder | null {
  const decode: unknown = Reflect.get(zlib, 'zstdDecompressSync');
  if (typeof decode !== 'function') return null;
  return (source, length) => {
    const decoded: unknown = decode(source, { maxOutputLength: Math.max(1, length) });
    if (decoded instanceof Uint8Array) return decoded;
    throw corrupt('A page compressed with Zstandard is damaged.');
  };
}

/**
 * Decompresses pages of one column, into memory that the next page overwrites where the codec
 * allows it.
 */
export class Decompressor {
  readonly #zstd: ZstdDecoder | null;
  #target = new Uint8Array(0);

  constructor(zstd: ZstdDecoder | null) {
    this.#zstd = zstd;
  }

  /** The `length` bytes that `source` stands for. */
  decompress(codec: number, source: Uint8Array, length: number): Uint8Array {
    if (length === 0) return source.subarray(0, 0);
    const bytes = this.#decode(codec, source, length);
    if (bytes.length === length) return bytes;
    throw corrupt(`A page has ${bytes.length} bytes instead of ${length}.`);
  }

  #decode(codec: number, source: Uint8Array, length: number): Uint8Array {
    switch (codec) {
      case CODEC_UNCOMPRESSED:
        return source;
      case CODEC_SNAPPY: {
        const target = this.#room(length);
        decodeSnappy(source, target, length);
        return target;
      }
      case CODEC_GZIP:
        return inflated('gzip', () => zlib.gunzipSync(source, { maxOutputLength: length }));
      case CODEC_BROTLI:
        return inflated('Brotli', () =>
          zlib.brotliDecompressSync(source, { maxOutputLength: length }),
        );
      case CODEC_ZSTD:
        return this.#decodeZstd(source, length);
      case CODEC_LZ4_RAW: {
        const target = this.#room(length);
        return target.subarray(0, decodeLz4Block(source, 0, source.length, target, 0));
      }
      case CODEC_LZ4: {
        const target = this.#room(length);
        if (decodeHadoopLz4(source, target)) return target;
        return target.subarray(0, decodeLz4Block(source, 0, source.length, target, 0));
      }
      default:
        throw unsupported(
          `The file is compressed with codec ${codec}, which is not known here.`,
          'Write it with Snappy, Zstandard, gzip, Brotli or LZ4.',
        );
    }
  }

  #decodeZstd(source: Uint8Array, length: number): Uint8Array {
    const zstd = this.#zstd;
    if (zstd === null) {
      throw new MillraceError('CODEC_UNAVAILABLE', 'There is no decoder for Zstandard.', {
        advice: 'Use Node 22.15 or later, or install the package zstddec.',
      });
    }
    return inflated('Zstandard', () => zstd(source, length));
  }

  /** Memory of exactly this length, reused while pages have no more than it holds. */
  #room(length: number): Uint8Array {
    if (this.#target.length < length) this.#target = new Uint8Array(length + (length >> 1));
    return this.#target.subarray(0, length);
  }
}

function inflated(codec: string, decode: () => Uint8Array): Uint8Array {
  try {
    const { buffer, byteOffset, length } = decode();
    // A `Buffer` would give views where a plain array gives copies.
    return new Uint8Array(buffer, byteOffset, length);
  } catch (cause) {
    if (MillraceError.is(cause)) throw cause;
    const { code, message, advice, where } = corrupt(`A page compressed with ${codec} is damaged.`);
    throw new MillraceError(code, message, { cause, where, advice: advice ?? '' });
  }
}
