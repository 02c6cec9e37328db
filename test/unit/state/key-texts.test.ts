import { describe, expect, it } from 'vitest';
import { ByteArena } from '../../../src/state/byte-arena.js';
import { KEY_TEXT_BYTES, KeyTexts } from '../../../src/state/key-texts.js';

function column(entries: number) {
  const buffer = new ArrayBuffer(entries * KEY_TEXT_BYTES);
  return { words: new Int32Array(buffer), bytes: new Uint8Array(buffer) };
}

describe('KeyTexts', () => {
  const texts = ['', 'a', 'twelve bytes', 'thirteen byte', 'größer', 'x'.repeat(500)];

  it('keeps short keys in the column and long ones in the arena, and compares both', () => {
    const arena = new ByteArena(
      () => false,
      () => {},
    );
    const keys = new KeyTexts(arena);
    const { words, bytes } = column(8);
    texts.forEach((text, entry) => {
      const source = Buffer.from(`--${text}--`);
      keys.keep(words, bytes, 8 + entry, source, 2, source.length - 2);
    });
    texts.forEach((text, entry) => {
      expect(keys.text(words, bytes, entry)).toBe(text);
      expect(Buffer.from(keys.copy(words, bytes, entry)).toString()).toBe(text);
      texts.forEach((other, index) => {
        const source = Buffer.from(other);
        const isSame = keys.equals(words, bytes, entry, source, 0, source.length);
        expect(isSame).toBe(index === entry);
      });
    });
  });

  it('follows records that move and counts forgotten ones dead', () => {
    const arena = new ByteArena(
      () => false,
      () => {},
    );
    const keys = new KeyTexts(arena);
    const { words, bytes } = column(2);
    const long = Buffer.from('a key that is too long for the column');
    keys.keep(words, bytes, 0, long, 0, long.length);
    const from = words[1] ?? 0;
    expect([keys.owns(words, 0, from), keys.owns(words, 1, from)]).toEqual([true, false]);
    const to = arena.append(long, 0, long.length, 0);
    keys.move(words, 0, from, to);
    expect(keys.owns(words, 0, to)).toBe(true);
    const other = column(2);
    keys.copyTo(words, 0, other.words, 1);
    expect(keys.text(other.words, other.bytes, 1)).toBe(long.toString());
    keys.clear(words, 0);
    expect(arena.deadBytes).toBeGreaterThanOrEqual(long.length);
    expect([...words.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    // An inline key owns no record, whatever its bytes happen to be.
    words[1] = to;
    expect(keys.owns(words, 0, to)).toBe(false);
  });
});
