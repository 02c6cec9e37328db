/**
 * LZ4 blocks as Parquet holds them: bare (LZ4_RAW), or behind Hadoop's pairs of big-endian sizes
 * (the older LZ4). Callers: `decompress.ts`. Runs on: the slot's thread; pure. Invariant: nothing
 * outside of the given arrays is read or written. The format:
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */
import { corrupt } from './corrupt.js';
import { copyBack } from './snappy.js';

/** Decodes `source[start, end)` into `target` from `offset` on, and returns where it ended. */
export function decodeLz4Block(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
): number {
  let from = start;
  let to = offset;
  while (from < end) {
    const token = source[from++];
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && from < end) {
        more = source[from++];
        literals += more;
      }
    }
    if (from + literals > end || to + literals > target.length) throw damaged();
    target.set(source.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    // The last sequence has literals only.
    if (from === end) return to;
    if (from + 2 > end) throw damaged();
    const distance = source[from] | (source[from + 1] << 8);
    from += 2;
    let length = (token & 15) + 4;
    if ((token & 15) === 15) {
      let more = 255;
      while (more === 255 && from < end) {
        more = source[from++];
        length += more;
      }
    }
    if (distance === 0 || distance > to || to + length > target.length) throw damaged();
    copyBack(target, to, distance, length);
    to += length;
  }
  return to;
}

/** Decodes Hadoop's framing into `target`; false when the bytes are not framed so. */
export function decodeHadoopLz4(source: Uint8Array, target: Uint8Array): boolean {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  let from = 0;
  let to = 0;
  while (from + 8 <= source.length) {
    const uncompressed = view.getUint32(from);
    const compressed = view.getUint32(from + 4);
    from += 8;
    if (to + uncompressed > target.length || from + compressed > source.length) return false;
    const end = decodeLz4Block(source, from, from + compressed, target, to);
    if (end !== to + uncompressed) return false;
    from += compressed;
    to = end;
  }
  return from === source.length && to === target.length;
}

function damaged(): Error {
  return corrupt('A page compressed with LZ4 is damaged.');
}
