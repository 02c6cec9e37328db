/**
 * Finds a decoder for Zstandard: that of Node from 22.15 on, else the WebAssembly of the package
 * zstddec, which is loaded only when a file needs it. Callers: `parquet-reader.ts`. Runs on: the
 * slot's thread, before reading begins.
 */
import { MillraceError } from '../../base/errors.js';
import { nodeZstd, type ZstdDecoder } from '../../format/parquet/decompress.js';

/** The decoder. Throws `CODEC_UNAVAILABLE`. */
export async function loadZstd(): Promise<ZstdDecoder> {
  if (nodeZstd !== null) return nodeZstd;
  try {
    const { ZSTDDecoder } = await import('zstddec');
    const decoder = new ZSTDDecoder();
    await decoder.init();
    return (source, length) => decoder.decode(source, length);
  } catch (cause) {
    throw new MillraceError('CODEC_UNAVAILABLE', 'There is no decoder for Zstandard.', {
      cause,
      advice: 'Use Node 22.15 or later, or install the package zstddec.',
    });
  }
}
