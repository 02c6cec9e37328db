/**
 * LZ4 block decompression by the native package lz4-napi; nothing else of the engine imports it for
 * reading. The package wants the size in front of the block, so blocks are copied behind a size.
 * Callers: the LZ4 feed of file sources. Runs on: any thread.
 */
import { uncompressSync } from 'lz4-napi';

const SIZE_BYTES = 4;

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
  return uncompressSync(sized, dictionary);
}
