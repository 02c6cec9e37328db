/**
 * LZ4 blocks by the native package lz4-napi; nothing else of the engine imports it. The package puts the size in front
 * of a block, which whoever keeps blocks has elsewhere, so it is taken away here and put back. Callers: the LZ4 feed of
 * file sources, run files. Runs on: any thread.
 */
import { createRequire } from 'node:module';

const SIZE_BYTES = 4;
/** Loaded when the first block comes, since most threads that could have one never do. */
const lz4 = lazily((): typeof import('lz4-napi') => createRequire(import.meta.url)('lz4-napi'));

function lazily<T>(load: () => T): () => T {
  let loaded: T | null = null;
  return () => (loaded ??= load());
}

/** One raw block. */
export function compressLz4Block(content: Uint8Array): Uint8Array {
  const view = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return lz4().compressSync(view).subarray(SIZE_BYTES);
}

/**
 * The content of one raw block of at most `outputBytesMax` bytes, in memory of its own.
 * `dictionary` is what precedes it when blocks refer back. Throws when the block is damaged.
 */
export function decompressLz4Block(
  block: Uint8Array,
  outputBytesMax: number,
  dictionary: Uint8Array | null,
): Uint8Array {
  const sized = Buffer.allocUnsafe(SIZE_BYTES + block.byteLength);
  sized.writeUInt32LE(outputBytesMax, 0);
  sized.set(block, SIZE_BYTES);
  return lz4().uncompressSync(sized, dictionary);
}
