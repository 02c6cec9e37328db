/**
 * Content of a block: sorted entries behind one another. Callers: run writer. Runs on: any thread. Invariant: the
 * buffer is used again for every block, so that what `finish` gives is to be written before the next entry.
 */
import { copyBytes, type RunEntry } from './run-cursor.js';
import { RESTART_ENTRIES } from './run-layout.js';

const LENGTH_BYTES_MAX = 10;

/** Collects entries. */
export class BlockBuilder {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;
  #entries = 0;
  readonly #restarts: number[] = [];

  constructor(firstBytes: number) {
    this.#bytes = new Uint8Array(firstBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get entries(): number {
    return this.#entries;
  }

  /** Of what was added so far. */
  get length(): number {
    return this.#length;
  }

  add({ bytes, keyStart, keyEnd, valueStart, valueEnd, isTombstone }: RunEntry): void {
    const keyBytes = keyEnd - keyStart;
    const valueBytes = isTombstone ? 0 : valueEnd - valueStart;
    this.#reserve(LENGTH_BYTES_MAX + keyBytes + valueBytes);
    if (this.#entries % RESTART_ENTRIES === 0) this.#restarts.push(this.#length);
    this.#entries++;
    this.#writeLength(keyBytes);
    this.#writeLength(isTombstone ? 0 : valueBytes + 1);
    this.#length = copyBytes(this.#bytes, this.#length, bytes, keyStart, keyEnd);
    if (isTombstone) return;
    this.#length = copyBytes(this.#bytes, this.#length, bytes, valueStart, valueEnd);
  }

  /** The content, and an empty builder. */
  finish(): Uint8Array {
    const restarts = this.#restarts;
    this.#reserve(4 * (restarts.length + 1));
    for (const each of [...restarts, restarts.length]) {
      this.#view.setUint32(this.#length, each, true);
      this.#length += 4;
    }
    const content = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    this.#entries = 0;
    this.#restarts.length = 0;
    return content;
  }

  #writeLength(length: number): void {
    let rest = length;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + bytes));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
