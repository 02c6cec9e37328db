/**
 * Decodes the hybrid of runs and bit-packed groups in which Parquet writes levels and dictionary
 * codes, as many values at a time as are wanted: a batch's worth stays in the processor's nearest
 * cache. Callers: `flat-cursor.ts`, `levels.ts`, `nested-leaf.ts`. Runs on: the slot's thread.
 * Invariant: nothing outside of the bytes given is read.
 */
import { type Unpacker, unpackerOf } from './bit-unpacker.js';
import { corrupt } from './corrupt.js';

const GROUP = 8;

/** Reads values in order. */
export class HybridReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #bits: number;
  readonly #unpack: Unpacker;
  #at: number;
  /** Values left in a run of equal ones. */
  #equalLeft = 0;
  #equal = 0;
  /** Groups of eight left in a bit-packed run. */
  #groupsLeft = 0;
  /** Values of a group that was wanted in part only. */
  readonly #rest = new Int32Array(GROUP);
  #restAt = GROUP;

  constructor(bytes: Uint8Array, start: number, end: number, bits: number) {
    if (bits > 32) throw corrupt(`Dictionary codes have ${bits} bits.`);
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#bits = bits;
    this.#unpack = unpackerOf(bits);
  }

  /** Writes the next `count` values to the start of `values`. */
  read(count: number, values: Int32Array): void {
    let done = 0;
    while (done < count) {
      if (this.#restAt < GROUP) values[done++] = this.#rest[this.#restAt++];
      else if (this.#equalLeft > 0) {
        const stop = Math.min(done + this.#equalLeft, count);
        values.fill(this.#equal, done, stop);
        this.#equalLeft -= stop - done;
        done = stop;
      } else if (this.#groupsLeft > 0) done += this.#readGroups(count - done, values, done);
      else this.#startRun();
    }
  }

  /** Unpacks whole groups in place, or one into `#rest` when less than a group is wanted. */
  #readGroups(wanted: number, values: Int32Array, offset: number): number {
    const groups = Math.min(this.#groupsLeft, wanted >> 3);
    const bytes = Math.max(1, groups) * this.#bits;
    const whole = this.#at + bytes <= this.#end;
    this.#groupsLeft -= Math.max(1, groups);
    if (groups > 0 && whole) this.#unpack(this.#bytes, this.#at, values, offset, groups);
    else if (groups > 0) this.#unpack(this.#padded(bytes), 0, values, offset, groups);
    else {
      if (whole) this.#unpack(this.#bytes, this.#at, this.#rest, 0, 1);
      else this.#unpack(this.#padded(bytes), 0, this.#rest, 0, 1);
      this.#restAt = 0;
    }
    this.#at += bytes;
    return groups * GROUP;
  }

  /** Some writers cut the padding of the last group off. */
  #padded(bytes: number): Uint8Array {
    if (this.#at + bytes - this.#end >= GROUP * this.#bits) throw damaged();
    const padded = new Uint8Array(bytes);
    padded.set(this.#bytes.subarray(this.#at, this.#end));
    return padded;
  }

  #startRun(): void {
    let head = 0;
    let shift = 0;
    let byte = 128;
    while (byte >= 128) {
      if (this.#at >= this.#end || shift > 28) throw damaged();
      byte = this.#bytes[this.#at++];
      head |= (byte & 127) << shift;
      shift += 7;
    }
    const length = head >>> 1;
    if (length === 0) throw damaged();
    if ((head & 1) === 1) {
      this.#groupsLeft = length;
      return;
    }
    const valueBytes = (this.#bits + 7) >> 3;
    if (this.#at + valueBytes > this.#end) throw damaged();
    let value = 0;
    for (let index = 0; index < valueBytes; index++) {
      value |= this.#bytes[this.#at + index] << (index * 8);
    }
    this.#at += valueBytes;
    this.#equal = value;
    this.#equalLeft = length;
  }
}

/** The first `count` values of `bytes[start, end)`. */
export function decodeHybrid(
  bytes: Uint8Array,
  start: number,
  end: number,
  bits: number,
  count: number,
): Int32Array {
  const values = new Int32Array(count);
  new HybridReader(bytes, start, end, bits).read(count, values);
  return values;
}

function damaged(): Error {
  return corrupt('A run of packed values ends early or is garbled.');
}
