import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hashAnyBytes,
  hashWords,
  LITTLE_ENDIAN,
  SHORT_TEXT_BYTES_MAX,
  SHORT_TEXT_MASKS,
  wordAt,
} from '../../../src/record/short-text.js';
import { wordView } from '../../../src/record/words.js';

const bytesArbitrary = fc.uint8Array({ maxLength: 40 });

describe('short texts', () => {
  it('have the same words, loaded at once or byte by byte', () => {
    fc.assert(
      fc.property(bytesArbitrary, fc.uint8Array({ maxLength: 12 }), (before, text) => {
        const memory = new Uint8Array([...before, ...text, ...new Array(12).fill(255)]);
        const view = wordView(memory);
        const [start, end] = [before.length, before.length + text.length];
        for (let index = 0; index < 3; index++) {
          const loaded = view.getInt32(start + index * 4, LITTLE_ENDIAN);
          const word = loaded & SHORT_TEXT_MASKS[text.length * 4 + index];
          expect(word).toBe(wordAt(memory, start + index * 4, end));
        }
      }),
    );
  });

  it('hash alike by words and as bytes of any number', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: SHORT_TEXT_BYTES_MAX }), (text) => {
        const [first, second, third] = [0, 4, 8].map((at) => wordAt(text, at, text.length));
        const hash = hashWords(first, second, third, text.length);
        expect(hashAnyBytes(text, 0, text.length)).toBe(hash);
      }),
    );
  });

  it('hash by their bytes alone, and longer ones by all of them', () => {
    fc.assert(
      fc.property(bytesArbitrary, bytesArbitrary, (before, text) => {
        const memory = new Uint8Array([...before, ...text, 1, 2, 3]);
        const end = before.length + text.length;
        const hash = hashAnyBytes(text, 0, text.length);
        expect(hashAnyBytes(memory, before.length, end)).toBe(hash);
      }),
    );
    const hashes = new Set<number>();
    for (let pair = 0; pair < 0x10000; pair++) {
      hashes.add(hashWords((pair >> 8) << 24, (pair & 255) << 24, 0, 8));
    }
    expect(hashes.size).toBe(0x10000);
    hashes.clear();
    for (let at = 0; at < 100; at++) {
      const text = new Uint8Array(100);
      text[at] = 1;
      hashes.add(hashAnyBytes(text, 0, 100));
    }
    expect(hashes.size).toBe(100);
  });
});
