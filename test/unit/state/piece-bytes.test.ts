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
      writer.int32(-5);
      writer.float32(0.5);
      writer.float64(Number.NaN);
      writer.int64(-(2n ** 63n));
      writer.bytes(long);
      writer.heapValue(new Map([['a', [1n, undefined]]]));
      writer.setUint32(0, 4294967295);
    });
    const reader = new PieceReader(piece);
    expect(reader.uint32()).toBe(4294967295);
    expect(reader.uint8()).toBe(255);
    expect(reader.int32()).toBe(-5);
    expect(reader.float32()).toBe(0.5);
    expect(reader.float64()).toBeNaN();
    expect(reader.int64()).toBe(-(2n ** 63n));
    expect(reader.bytes()).toEqual(long);
    expect(reader.heapValue()).toEqual(new Map([['a', [1n, undefined]]]));
    reader.finish();
  });

  it('are refused when damaged, read beyond their end, or not read whole', () => {
    const piece = sealed((writer) => writer.uint32(5));
    const damaged = piece.slice();
    damaged[0] = 6;
    expect(() => new PieceReader(damaged)).toThrow(CORRUPT);
    expect(() => new PieceReader(new Uint8Array(2))).toThrow(CORRUPT);
    expect(() => new PieceReader(piece).float64()).toThrow(CORRUPT);
    expect(() => new PieceReader(piece).finish()).toThrow(CORRUPT);
  });

  it('name the version of a heap value that they cannot read', () => {
    const piece = sealed((writer) => writer.uint8(9));
    expect(() => new PieceReader(piece).heapValue()).toThrow(/version 9/);
  });
});
