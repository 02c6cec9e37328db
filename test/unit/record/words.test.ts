/** Bytes that are copied are the same bits at every length and place, and nothing beside them is touched. */
import { describe, expect, test } from 'vitest';
import { copyBytes } from '../../../src/record/words.js';

const MARGIN = 16;
const LENGTHS = [
  ...Array.from({ length: 70 }, (_, length) => length),
  300,
  1023,
  1031,
  1032,
  1033,
  1400,
];

/** Bytes of which every eighth may end a number that is none, in all its forms. */
function awkwardBytes(length: number, seed: number): Uint8Array {
  const ends = [0x7f, 0xff, 0x7f, 0x61];
  return Uint8Array.from({ length }, (_, at) => {
    if (at % 8 === seed % 8) return ends[(at >> 3) % ends.length];
    return (at + 1) % 8 === seed % 8 ? 0xf0 | (at * seed) : at * 31 + seed;
  });
}

function copied(source: Uint8Array, start: number, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(offset + length + MARGIN).fill(0xaa);
  const [from, to] = [source, target].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset));
  copyBytes(from, start, start + length, to, offset);
  return target;
}

function expected(source: Uint8Array, start: number, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(offset + length + MARGIN).fill(0xaa);
  target.set(source.subarray(start, start + length), offset);
  return target;
}

describe('copyBytes', () => {
  test('copies every length from and to every place of a word', () => {
    for (const length of LENGTHS) {
      for (let place = 0; place < 8; place++) {
        const source = new TextEncoder().encode('Zürich 𝄞 '.repeat(120));
        const [start, offset] = [place, 7 - place];
        expect(copied(source, start, offset, length)).toEqual(
          expected(source, start, offset, length),
        );
      }
    }
  });

  test('keeps the bits of bytes that would be no number, also when its code has become hot', () => {
    for (let turn = 0; turn < 400; turn++) {
      const length = LENGTHS[turn % LENGTHS.length];
      const source = awkwardBytes(length + 8, turn);
      const [start, offset] = [turn % 8, (turn >> 3) % 8];
      expect(copied(source, start, offset, length)).toEqual(
        expected(source, start, offset, length),
      );
    }
  });

  test('copies between parts of memory, shared memory among them', () => {
    const memory = new Uint8Array(new SharedArrayBuffer(64));
    const source = new TextEncoder().encode('..a text of some length..');
    const target = new DataView(memory.buffer, 8, 48);
    copyBytes(new DataView(source.buffer, 2), 0, 21, target, 3);
    expect(Buffer.from(memory).toString('latin1').replaceAll('\0', '-')).toBe(
      `${'-'.repeat(11)}a text of some length${'-'.repeat(32)}`,
    );
  });
});
