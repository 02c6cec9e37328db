/**
 * Finds a decoder for Zstandard: that of Node from 22.15 on, else the WebAssembly of the package
 * zstddec, which is loaded only when a file needs it. Callers: `parquet-reader.ts`. Runs on: the
 * slot's thread, before reading begins.
 */
import { MillraceError } from '../../base/errors.js';
import { nodeZstd, type ZstdDecoder } from '../../format/parquet/decompress.js';

/** The decoder, for a file. Throws `CODEC_UNAVAILABLE`. */
export async function loadZstd(file: string): Promise<ZstdDecoder> {
  if (nodeZstd !== null) return nodeZstd;
  try {
    const { ZSTDDecoder } = await import('zstddec');
    const decoder = new ZSTDDecoder();
    await withoutFetch(() => decoder.init());
    return (source, length) => decoder.decode(source, length);
  } catch (cause) {
    throw new MillraceError('CODEC_UNAVAILABLE', 'There is no decoder for Zstandard.', {
      cause,
      where: { file },
      advice: 'Use Node 22.15 or later, or install the package zstddec.',
    });
  }
}

/**
 * Runs the synchronous part of an action where there seems to be no `fetch`. The package reads its own code by it if
 * it can, for which Node first loads an HTTP client; that takes twenty times as long as the rest.
 */
function withoutFetch<T>(action: () => T): T {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
  if (descriptor?.configurable !== true) return action();
  Object.defineProperty(globalThis, 'fetch', { value: undefined, configurable: true });
  try {
    return action();
  } finally {
    Object.defineProperty(globalThis, 'fetch', descriptor);
  }
}
