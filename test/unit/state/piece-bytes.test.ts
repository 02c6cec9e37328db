import { describe, expect, it } from 'vitest';
import { PieceReader, PieceWriter } from '../../../src/state/piece-bytes.js';

function sealed(write: (writer: PieceWriter) => void): Uint8Array {
  const writer = new PieceWriter();
  write(writer);
  return writer.seal();
}

const CORRUPT = expect.objectContaining({ code: 'STATE_CORRUPT' });

describe('pieces', () => {
  it('give back what was written, across growth', () => {
    const long = new Uint8Array(5000).fill(7);
    const piece = sealed((writer) => {
      writer.uint32(0);
      writer.uint8(255);
      writer.column(new Uint8Array(3).fill(9));
      writer.column(long);
      writer.bytes(long);
      writer.uint32(4294967295);
    });
    // Wherever it lies in memory.
    const shifted = new Uint8Array(piece.length + 3);
    shifted.set(piece, 3);
    const reader = new PieceReader(shifted.subarray(3));
    expect(reader.uint32()).toBe(0);
    expect(reader.uint8()).toBe(255);
    for (const length of [3, 5000]) {
      const column = reader.column(length);
      expect([column.length, column.byteOffset % 8]).toEqual([length, 0]);
      expect(new Set(column)).toEqual(new Set([length === 3 ? 9 : 7]));
    }
    expect(reader.bytes()).toEqual(long);
    expect(reader.uint32()).toBe(4294967295);
    reader.finish();
  });

  it('are refused when damaged, read beyond their end, or not read whole', () => {
    const piece = sealed((writer) => writer.uint32(5));
    const damaged = piece.slice();
    damaged[0] = 6;
    expect(() => new PieceReader(damaged)).toThrow(CORRUPT);
    expect(() => new PieceReader(new Uint8Array(2))).toThrow(CORRUPT);
    expect(() => new PieceReader(piece).column(8)).toThrow(CORRUPT);
    expect(() => new PieceReader(piece).finish()).toThrow(CORRUPT);
  });
});
