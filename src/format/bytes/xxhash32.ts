/**
 * xxHash32, the checksum of LZ4 frames
 * (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md), over bytes that arrive in
 * pieces. Callers: the LZ4 feed. Runs on: worker; pure.
 */

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;
const STRIPE_BYTES = 16;

/** A running xxHash32 with seed 0. */
export class XxHash32 {
  #a = (PRIME_1 + PRIME_2) | 0;
  #b = PRIME_2 | 0;
  #c = 0;
  #d = -PRIME_1 | 0;
  readonly #rest = new Uint8Array(STRIPE_BYTES);
  #restBytes = 0;
  #totalBytes = 0;

  /** Takes more bytes. */
  update(bytes: Uint8Array): void {
    this.#totalBytes += bytes.byteLength;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(STRIPE_BYTES - this.#restBytes, bytes.byteLength);
      this.#rest.set(bytes.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < STRIPE_BYTES) return;
      this.#stripes(this.#rest, 0, STRIPE_BYTES);
      this.#restBytes = 0;
    }
    const whole = at + ((bytes.byteLength - at) & ~(STRIPE_BYTES - 1));
    this.#stripes(bytes, at, whole);
    this.#rest.set(bytes.subarray(whole));
    this.#restBytes = bytes.byteLength - whole;
  }

  /** The checksum of everything taken so far, as an unsigned number. */
  digest(): number {
    let hash =
      this.#totalBytes >= STRIPE_BYTES
        ? (rotate(this.#a, 1) + rotate(this.#b, 7) + rotate(this.#c, 12) + rotate(this.#d, 18)) | 0
        : PRIME_5 | 0;
    hash = (hash + this.#totalBytes) | 0;
    let at = 0;
    for (; at + 4 <= this.#restBytes; at += 4) {
      hash = (hash + Math.imul(littleEndian(this.#rest, at), PRIME_3)) | 0;
      hash = Math.imul(rotate(hash, 17), PRIME_4);
    }
    for (; at < this.#restBytes; at++) {
      hash = (hash + Math.imul(this.#rest[at], PRIME_5)) | 0;
      hash = Math.imul(rotate(hash, 11), PRIME_1);
    }
    hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
    hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripes(bytes: Uint8Array, start: number, end: number): void {
    let a = this.#a;
    let b = this.#b;
    let c = this.#c;
    let d = this.#d;
    for (let at = start; at < end; at += STRIPE_BYTES) {
      a = round(a, littleEndian(bytes, at));
      b = round(b, littleEndian(bytes, at + 4));
      c = round(c, littleEndian(bytes, at + 8));
      d = round(d, littleEndian(bytes, at + 12));
    }
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }
}

/** The xxHash32 of one piece. */
export function xxHash32(bytes: Uint8Array): number {
  const hash = new XxHash32();
  hash.update(bytes);
  return hash.digest();
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
