/**
 * Entries in memory, to be sorted: keys and values behind one another from the front of one buffer, where they are from
 * its back, and between them the room to sort. Callers: run sorter. Runs on: any thread. Invariant: nothing is
 * allocated but that buffer, of which the system commits what is touched; entries with equal keys keep their order.
 */
import { copyBytes, type RunCursor } from './run-cursor.js';
import { compareBytes } from './run-key.js';

/** Lengths in front of every entry. */
const ENTRY_HEADER_BYTES = 8;
/** Words of each entry: where it is, and, while sorting, two orders and how its key begins. */
const ENTRY_WORDS = 5;
const PREFIX_BYTES = 8;
const INSERTION_ENTRIES = 12;

/** A bounded buffer of entries. */
export class EntryArena {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #words: Uint32Array;
  #used = 0;
  #entries = 0;
  #touched = 0;
  /** While sorting: the first four bytes of each key as a number, then the next four; missing ones are zero. */
  #high = new Uint32Array(0);
  #low = new Uint32Array(0);

  constructor(budgetBytes: number) {
    const buffer = new ArrayBuffer(budgetBytes - (budgetBytes % 4));
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.#words = new Uint32Array(buffer);
  }

  /** Bytes that have been written to since the arena was made, at most. */
  get touchedBytes(): number {
    return Math.min(this.bytes.length, this.#touched);
  }

  /** Adds an entry but for its value; gives where in `bytes` that is to be written, -1 when there is no room. */
  claim(key: Uint8Array, keyBytes: number, valueBytes: number): number {
    const start = this.#used;
    const keyStart = start + ENTRY_HEADER_BYTES;
    const end = keyStart + keyBytes + valueBytes;
    const reservedBytes = 4 * ENTRY_WORDS * (this.#entries + 1) + 4;
    if (end + reservedBytes > this.bytes.length) return -1;
    this.view.setUint32(start, keyBytes, true);
    this.view.setUint32(start + 4, valueBytes, true);
    copyBytes(this.bytes, keyStart, key, 0, keyBytes);
    this.#entries++;
    this.#words[this.#words.length - this.#entries] = start;
    this.#used = end;
    if (end + reservedBytes > this.#touched) this.#touched = end + reservedBytes;
    return keyStart + keyBytes;
  }

  clear(): void {
    this.#used = 0;
    this.#entries = 0;
  }

  /** All entries in the order of their keys; valid until the next one is added. */
  sorted(): RunCursor {
    const count = this.#entries;
    let order = this.#part(2);
    let spare = this.#part(3);
    this.#high = this.#part(4);
    this.#low = this.#part(5);
    for (let at = 0; at < count; at++) {
      const start = this.#offset(at);
      const end = start + ENTRY_HEADER_BYTES + this.view.getUint32(start, true);
      order[at] = at;
      this.#high[at] = wordAt(this.bytes, start + ENTRY_HEADER_BYTES, end);
      this.#low[at] = wordAt(this.bytes, start + ENTRY_HEADER_BYTES + 4, end);
    }
    for (const words of [this.#low, this.#high]) {
      for (let shift = 0; shift < 32; shift += 8) {
        if (radixPass(order, spare, words, shift)) [order, spare] = [spare, order];
      }
    }
    this.#sortEqualPrefixes(order, spare);
    return new ArenaCursor(this.bytes, this.view, (entry) => this.#offset(entry), order);
  }

  #offset(entry: number): number {
    return this.#words[this.#words.length - 1 - entry] ?? 0;
  }

  /** Words of the entries, counted from the back of the buffer. */
  #part(fromBack: number): Uint32Array<ArrayBuffer> {
    const end = this.#words.length - (fromBack - 1) * this.#entries;
    return this.#words.subarray(end - this.#entries, end) as Uint32Array<ArrayBuffer>;
  }

  /** The prefix says nothing about keys that are longer, or that end with zeros. */
  #sortEqualPrefixes(order: Uint32Array, spare: Uint32Array): void {
    let start = 0;
    for (let at = 1; at <= order.length; at++) {
      const [first = 0, entry = 0] = [order[start], order[at]];
      const isSame =
        at < order.length &&
        this.#high[first] === this.#high[entry] &&
        this.#low[first] === this.#low[entry];
      if (isSame) continue;
      if (at - start > 1) this.#mergeSort(order, spare, start, at);
      start = at;
    }
  }

  #mergeSort(order: Uint32Array, spare: Uint32Array, start: number, end: number): void {
    if (end - start <= INSERTION_ENTRIES) return this.#insertionSort(order, start, end);
    const middle = (start + end) >>> 1;
    this.#mergeSort(order, spare, start, middle);
    this.#mergeSort(order, spare, middle, end);
    if (this.#compare(order[middle - 1] ?? 0, order[middle] ?? 0) <= 0) return;
    spare.set(order.subarray(start, middle), start);
    let left = start;
    let right = middle;
    for (let to = start; left < middle; to++) {
      const isRight = right < end && this.#compare(order[right] ?? 0, spare[left] ?? 0) < 0;
      order[to] = (isRight ? order[right++] : spare[left++]) ?? 0;
    }
  }

  #insertionSort(order: Uint32Array, start: number, end: number): void {
    for (let at = start + 1; at < end; at++) {
      const entry = order[at] ?? 0;
      let to = at;
      for (; to > start && this.#compare(order[to - 1] ?? 0, entry) > 0; to--) {
        order[to] = order[to - 1] ?? 0;
      }
      order[to] = entry;
    }
  }

  /** Of entries whose keys begin alike. */
  #compare(left: number, right: number): number {
    const leftAt = this.#offset(left);
    const rightAt = this.#offset(right);
    const leftBytes = this.view.getUint32(leftAt, true);
    const rightBytes = this.view.getUint32(rightAt, true);
    if (leftBytes <= PREFIX_BYTES && rightBytes <= PREFIX_BYTES) return leftBytes - rightBytes;
    const leftStart = leftAt + ENTRY_HEADER_BYTES;
    const rightStart = rightAt + ENTRY_HEADER_BYTES;
    return compareBytes(
      this.bytes,
      leftStart,
      leftStart + leftBytes,
      this.bytes,
      rightStart,
      rightStart + rightBytes,
    );
  }
}

/** Steps through an arena in a given order. */
class ArenaCursor implements RunCursor {
  readonly #offsetOf: (entry: number) => number;
  readonly #order: Uint32Array;
  #at = 0;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly isTombstone = false;
  isDone = false;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;

  constructor(
    bytes: Uint8Array,
    view: DataView,
    offsetOf: (entry: number) => number,
    order: Uint32Array,
  ) {
    this.bytes = bytes;
    this.view = view;
    this.#offsetOf = offsetOf;
    this.#order = order;
    this.#read();
  }

  next(): void {
    this.#at++;
    this.#read();
  }

  seek(key: Uint8Array): void {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      this.#at = (low + high) >>> 1;
      this.#read();
      const difference = compareBytes(this.bytes, this.keyStart, this.keyEnd, key, 0, key.length);
      if (difference < 0) low = this.#at + 1;
      else high = this.#at;
    }
    this.#at = low;
    this.#read();
  }

  #read(): void {
    this.isDone = this.#at >= this.#order.length;
    if (this.isDone) return;
    const start = this.#offsetOf(this.#order[this.#at] ?? 0);
    this.keyStart = start + ENTRY_HEADER_BYTES;
    this.keyEnd = this.keyStart + this.view.getUint32(start, true);
    this.valueStart = this.keyEnd;
    this.valueEnd = this.keyEnd + this.view.getUint32(start + 4, true);
  }
}

/** Sorts an order by one byte of a word of each entry, stably; false when all are alike and nothing was done. */
function radixPass(from: Uint32Array, to: Uint32Array, words: Uint32Array, shift: number): boolean {
  const counts = new Uint32Array(256);
  for (let at = 0; at < from.length; at++) {
    const byte = ((words[at] ?? 0) >>> shift) & 0xff;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
  if (counts[((words[0] ?? 0) >>> shift) & 0xff] === from.length) return false;
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = counts[byte] ?? 0;
    counts[byte] = sum;
    sum += count;
  }
  for (let at = 0; at < from.length; at++) {
    const entry = from[at] ?? 0;
    const byte = ((words[entry] ?? 0) >>> shift) & 0xff;
    const place = counts[byte] ?? 0;
    to[place] = entry;
    counts[byte] = place + 1;
  }
  return true;
}

/** Four bytes from `start` as a number that compares as they do; zeros where the key has ended. */
function wordAt(bytes: Uint8Array, start: number, end: number): number {
  let word = 0;
  for (let at = start; at < start + 4; at++) word = (word << 8) | (at < end ? (bytes[at] ?? 0) : 0);
  return word >>> 0;
}
