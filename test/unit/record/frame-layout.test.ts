import { describe, expect, it } from 'vitest';
import * as layout from '../../../src/record/frame-layout.js';

const {
  aligned,
  buffersStart,
  entryWord,
  ENTRY_BYTES,
  ENTRY_WORDS,
  FRAME_ALIGNMENT,
  HEADER_BYTES,
  HEADER_WORDS,
} = layout;

const numbersNamed = (pattern: RegExp): readonly number[] =>
  Object.entries(layout).flatMap(([name, value]) =>
    pattern.test(name) && typeof value === 'number' ? [value] : [],
  );

describe('frame layout', () => {
  it('gives every header word a place of its own, within the header', () => {
    const words = numbersNamed(/^(?!ENTRY_).*_WORD$/);
    expect(words.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(HEADER_WORDS).toBeGreaterThan(Math.max(...words));
    expect(HEADER_BYTES).toBe(HEADER_WORDS * 4);
  });

  it('gives every word of a directory entry a place of its own, without gaps', () => {
    const words = numbersNamed(/^ENTRY_.*_WORD$/);
    expect(words.toSorted((a, b) => a - b)).toEqual([...words.keys()]);
    expect(ENTRY_WORDS).toBe(words.length);
    expect(ENTRY_BYTES).toBe(ENTRY_WORDS * 4);
  });

  it('starts buffers behind the last entry, where typed arrays of eight bytes may', () => {
    for (let columns = 0; columns < 100; columns++) {
      const start = buffersStart(columns);
      expect(start).toBe(HEADER_BYTES + columns * ENTRY_BYTES);
      expect(start % FRAME_ALIGNMENT).toBe(0);
      expect(entryWord(columns) * 4).toBe(start);
    }
  });

  it('rounds up to the alignment, and not further', () => {
    expect([0, 1, 7, 8, 9, 2 ** 31 + 1].map(aligned)).toEqual([0, 8, 8, 8, 16, 2 ** 31 + 8]);
  });

  it('has codings that fit their byte and cannot be taken for one another', () => {
    for (const family of [/^ENCODING_/, /^OFFSETS_/]) {
      const codes = numbersNamed(family);
      expect(codes.length).toBeGreaterThan(2);
      expect(new Set(codes).size).toBe(codes.length);
      for (const code of codes) expect(code & layout.CODING_MASK).toBe(code);
    }
    expect(layout.CODING_TEXT_SHIFT).toBe(8);
    expect(layout.CODING_OFFSETS_SHIFT).toBe(16);
    expect(layout.FLAG_TIMES & layout.FLAG_KINDS).toBe(0);
  });

  it('begins with a mark that reads differently in the other byte order', () => {
    const bytes = new DataView(new ArrayBuffer(4));
    bytes.setUint32(0, layout.FRAME_MAGIC);
    expect(bytes.getUint32(0, true)).not.toBe(layout.FRAME_MAGIC);
  });
});
