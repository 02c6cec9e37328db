/**
 * Bytes of a piece of a snapshot: little-endian values one after the other, sealed by a checksum. Callers:
 * table-snapshot.ts, operator-state.ts. Runs on: worker. Invariant: a reader never gives a value of a piece whose
 * checksum is wrong, nor reads beyond its end.
 */
import { crc32 } from 'node:zlib';
import { MillraceError } from '../base/errors.js';

const FIRST_BYTES = 1024;
/** Columns begin at multiples of this, so that they are read in place. */
const ALIGNMENT = 8;
const CRC_BYTES = 4;

/** Writes a piece. */
export class PieceWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  /** `bytes` is about what is to come. */
  constructor(bytes = FIRST_BYTES) {
    this.#bytes = new Uint8Array(bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Room for `bytes` more; gives where they start. Replaces `#bytes` and `#view`, so it comes first. */
  #claim(bytes: number): number {
    const start = this.#length;
    const end = start + bytes;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = end;
    return start;
  }

  uint8(value: number): void {
    const at = this.#claim(1);
    this.#view.setUint8(at, value);
  }

  uint32(value: number): void {
    const at = this.#claim(4);
    this.#view.setUint32(at, value, true);
  }

  /** Length and bytes. */
  bytes(value: Uint8Array): void {
    this.uint32(value.length);
    const at = this.#claim(value.length);
    this.#bytes.set(value, at);
  }

  /** Bytes whose length the reader knows. */
  column(value: Uint8Array): void {
    this.#claim(padding(this.#length));
    const at = this.#claim(value.length);
    this.#bytes.set(value, at);
  }

  /** The piece with its checksum; the writer is used up. */
  seal(): Uint8Array {
    const checksum = crc32(this.#bytes.subarray(0, this.#length));
    this.uint32(checksum);
    return this.#bytes.slice(0, this.#length);
  }
}

/** Bytes up to the next place for a column. */
function padding(length: number): number {
  return -length & (ALIGNMENT - 1);
}

/** Reads a piece. */
export class PieceReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #position = 0;

  constructor(given: Uint8Array) {
    const isAligned = given.byteOffset % ALIGNMENT === 0;
    const bytes = isAligned ? given : new Uint8Array(given);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length - CRC_BYTES;
    if (this.#end < 0) throw corruptPiece('It is too short.');
    const wanted = this.#view.getUint32(this.#end, true);
    if (crc32(bytes.subarray(0, this.#end)) !== wanted)
      throw corruptPiece('Its checksum is wrong.');
  }

  #claim(bytes: number): number {
    const start = this.#position;
    this.#position += bytes;
    if (this.#position > this.#end) throw corruptPiece('It ends too early.');
    return start;
  }

  uint8(): number {
    return this.#view.getUint8(this.#claim(1));
  }

  uint32(): number {
    return this.#view.getUint32(this.#claim(4), true);
  }

  /** A copy of the bytes. */
  bytes(): Uint8Array {
    const length = this.uint32();
    const start = this.#claim(length);
    return this.#bytes.slice(start, start + length);
  }

  /** Bytes of a known length, where they are. */
  column(length: number): Uint8Array {
    this.#claim(padding(this.#position));
    const start = this.#claim(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Fails unless everything was read. */
  finish(): void {
    if (this.#position !== this.#end) throw corruptPiece('It is longer than its content.');
  }
}

/** The error of a damaged piece. */
export function corruptPiece(reason: string): MillraceError {
  return new MillraceError('STATE_CORRUPT', `A piece of a snapshot cannot be read. ${reason}`, {
    advice: 'Restore from another snapshot; this one is damaged or of a newer version.',
  });
}
