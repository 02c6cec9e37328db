/**
 * Views over a whole buffer, one for each kind of array. Rings are written and read frame by frame for as long as a job
 * runs, and a view for every array of every frame would be most of the garbage of a job. Callers: `frame-reader.ts`,
 * `frame-writer.ts`. Runs on: worker. Invariant: views keep no buffer alive that nobody else uses.
 */
import type { RowArray } from './gather.js';

/** Views over one buffer, whose elements are counted from its start; made when first asked for. */
export class MemoryViews {
  readonly words: Int32Array;
  readonly #buffer: ArrayBufferLike;
  #float64: Float64Array | null = null;
  #float32: Float32Array | null = null;
  #uint32: Uint32Array | null = null;
  #uint8: Uint8Array | null = null;
  #int64: BigInt64Array | null = null;

  constructor(buffer: ArrayBufferLike) {
    this.#buffer = buffer;
    this.words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
  }

  /** The view whose elements are those of `source`. */
  like(source: RowArray): RowArray {
    const buffer = this.#buffer;
    if (source instanceof Float64Array) {
      return (this.#float64 ??= new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8)));
    }
    if (source instanceof Int32Array) return this.words;
    if (source instanceof Uint8Array) return (this.#uint8 ??= new Uint8Array(buffer));
    if (source instanceof Uint32Array) {
      return (this.#uint32 ??= new Uint32Array(buffer, 0, this.words.length));
    }
    if (source instanceof Float32Array) {
      return (this.#float32 ??= new Float32Array(buffer, 0, this.words.length));
    }
    return (this.#int64 ??= new BigInt64Array(buffer, 0, Math.floor(buffer.byteLength / 8)));
  }
}

const known = new WeakMap<ArrayBufferLike, MemoryViews>();

/** The views over a buffer, the same as long as it lives. */
export function viewsOf(buffer: ArrayBufferLike): MemoryViews {
  let views = known.get(buffer);
  if (views === undefined) {
    views = new MemoryViews(buffer);
    known.set(buffer, views);
  }
  return views;
}
