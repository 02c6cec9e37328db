/**
 * Text and bytes keys of a page: 16 bytes per entry, that is the length and then, up to 12 bytes long, the key
 * itself, else its position in the byte arena. Comparing a short key so costs one cache miss instead of two.
 * Callers: generated look-ups of hot tables. Runs on: worker. Invariant: equal keys have equal lengths, so an inline
 * key is never compared with one in the arena.
 *
 * Of the column, `words` (four per entry) and `bytes` (sixteen) are views of the same memory.
 */
import { decodeText, textKindOf } from '../record/text.js';
import type { ByteArena, TextTarget } from './byte-arena.js';
import { sameBytes } from './byte-arena.js';

/** Bytes that a key has in the column. */
export const KEY_TEXT_BYTES = 16;
const INLINE_BYTES_MAX = 12;

/** Reads and writes key columns of text. `o` is the offset of an entry in its page. */
export class KeyTexts {
  readonly #arena: ByteArena;

  constructor(arena: ByteArena) {
    this.#arena = arena;
  }

  equals(
    words: Int32Array,
    bytes: Uint8Array,
    o: number,
    source: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const length = end - start;
    if (words[o << 2] !== length) return false;
    if (length > INLINE_BYTES_MAX) {
      return this.#arena.equals(words[(o << 2) + 1], source, start, end);
    }
    return sameBytes(bytes, (o << 4) + 4, source, start, end);
  }

  /** Keeps the key of an entry that has none yet; `owner` is the entry's id, from which `o` follows. */
  keep(
    words: Int32Array,
    bytes: Uint8Array,
    owner: number,
    source: Uint8Array,
    start: number,
    end: number,
  ): void {
    const o = owner & (words.length / 4 - 1);
    words[o << 2] = end - start;
    if (end - start > INLINE_BYTES_MAX) {
      words[(o << 2) + 1] = this.#arena.append(source, start, end, owner);
      return;
    }
    let to = (o << 4) + 4;
    for (let from = start; from < end; from++) bytes[to++] = source[from];
  }

  /** Counts the key's bytes dead and forgets them. */
  clear(words: Int32Array, o: number): void {
    const at = o << 2;
    if (words[at] > INLINE_BYTES_MAX) this.#arena.free(words[at + 1]);
    words.fill(0, at, at + 4);
  }

  text(words: Int32Array, bytes: Uint8Array, o: number): string {
    const length = words[o << 2];
    if (length > INLINE_BYTES_MAX) return this.#arena.text(words[(o << 2) + 1]);
    const start = (o << 4) + 4;
    return decodeText(bytes, start, start + length, textKindOf(bytes, start, start + length));
  }

  /** A copy of a bytes key. */
  copy(words: Int32Array, bytes: Uint8Array, o: number): Uint8Array {
    const length = words[o << 2];
    if (length > INLINE_BYTES_MAX) return this.#arena.copy(words[(o << 2) + 1]);
    const start = (o << 4) + 4;
    return bytes.slice(start, start + length);
  }

  /** Adds the key to texts that are collected. */
  appendTo(words: Int32Array, bytes: Uint8Array, o: number, target: TextTarget): void {
    const length = words[o << 2];
    if (length > INLINE_BYTES_MAX) this.#arena.appendTo(words[(o << 2) + 1], target);
    else target.add(bytes, (o << 4) + 4, (o << 4) + 4 + length);
  }

  /** Whether the key is the record of the arena at `position`. */
  owns(words: Int32Array, o: number, position: number): boolean {
    return words[o << 2] > INLINE_BYTES_MAX && words[(o << 2) + 1] === position;
  }

  /** Follows a record that moved. */
  move(words: Int32Array, o: number, from: number, to: number): void {
    if (this.owns(words, o, from)) words[(o << 2) + 1] = to;
  }

  /** Copies a key to a page of the same layout; the record in the arena is shared. */
  copyTo(from: Int32Array, o: number, to: Int32Array, p: number): void {
    for (let word = 0; word < 4; word++) to[(p << 2) + word] = from[(o << 2) + word];
  }
}
