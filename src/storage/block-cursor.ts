/**
 * Steps through the content of one block, which was checked. Callers: run reader. Runs on: any thread. Invariant:
 * lengths never lead beyond the entries of the block; content that says so is damaged.
 */
import type { RunCursor } from './run-cursor.js';
import { compareBytes } from './run-key.js';

/** A position in a block, which can be given another block. */
export class BlockCursor implements RunCursor {
  readonly #fail: (reason: string) => Error;
  #restarts = 0;
  /** Where entries end and restarts begin. */
  #end = 0;
  #nextStart = 0;
  isDone = true;
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  isTombstone = false;

  /** `fail` makes the error for content that contradicts itself. */
  constructor(fail: (reason: string) => Error) {
    this.#fail = fail;
  }

  /** To the first entry of this content. */
  open(content: Uint8Array): void {
    this.bytes = content;
    this.view = new DataView(content.buffer, content.byteOffset, content.length);
    this.#restarts = content.length < 4 ? 0 : this.view.getUint32(content.length - 4, true);
    this.#end = content.length - 4 * (this.#restarts + 1);
    if (this.#end < 0) throw this.#fail('A block is shorter than it says.');
    this.#nextStart = 0;
    this.next();
  }

  next(): void {
    this.isDone = this.#nextStart >= this.#end;
    if (!this.isDone) this.#read(this.#nextStart);
  }

  seek(key: Uint8Array): void {
    let low = 0;
    let high = this.#restarts;
    // The last restart whose key is before the one that is looked for.
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      this.#read(this.view.getUint32(this.#end + 4 * middle, true));
      if (this.#compareTo(key) < 0) low = middle;
      else high = middle;
    }
    this.#nextStart = this.#restarts === 0 ? 0 : this.view.getUint32(this.#end + 4 * low, true);
    do this.next();
    while (!this.isDone && this.#compareTo(key) < 0);
  }

  #compareTo(key: Uint8Array): number {
    return compareBytes(this.bytes, this.keyStart, this.keyEnd, key, 0, key.length);
  }

  #read(start: number): void {
    const bytes = this.bytes;
    let at = start;
    let keyBytes = 0;
    let valueBytes = 0;
    let byte = 0;
    let shift = 0;
    do {
      byte = bytes[at++] ?? 0;
      keyBytes += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte > 0x7f);
    shift = 0;
    do {
      byte = bytes[at++] ?? 0;
      valueBytes += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte > 0x7f);
    this.isTombstone = valueBytes === 0;
    this.keyStart = at;
    this.keyEnd = at + keyBytes;
    this.valueStart = this.keyEnd;
    this.valueEnd = this.keyEnd + Math.max(0, valueBytes - 1);
    this.#nextStart = this.valueEnd;
    if (this.valueEnd > this.#end) throw this.#fail('An entry is longer than its block.');
  }
}
