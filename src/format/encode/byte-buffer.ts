/**
 * A growing buffer that encoders append to. They reserve room once for a value and then write its
 * bytes by index, which is what makes them fast. Callers: encoders, file sinks. Runs on: worker.
 * Invariant: `bytes[0, length)` is what was written.
 */

/** Appendable bytes. */
export class ByteBuffer {
  /** At least `length` long; replaced when it grows, so look it up again after `reserve`. */
  bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for so many more bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Appends one byte. */
  push(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  /** Appends bytes. */
  append(source: Uint8Array, start = 0, end = source.length): void {
    this.reserve(end - start);
    if (end - start < 32) {
      const { bytes } = this;
      let to = this.length;
      for (let from = start; from < end; from++) bytes[to++] = source[from];
    } else {
      this.bytes.set(source.subarray(start, end), this.length);
    }
    this.length += end - start;
  }

  /** Appends a text of ASCII characters. */
  appendAscii(text: string): void {
    this.reserve(text.length);
    const { bytes } = this;
    let to = this.length;
    for (let index = 0; index < text.length; index++) bytes[to++] = text.charCodeAt(index);
    this.length = to;
  }

  /** What was written, as a view that the next write may change. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Forgets everything and keeps the memory. */
  clear(): void {
    this.length = 0;
  }
}
