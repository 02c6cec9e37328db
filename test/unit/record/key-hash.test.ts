import { describe, expect, it } from 'vitest';
import { TEXT_ASCII, TEXT_UTF8, TEXT_WTF8 } from '../../../src/record/column.js';
import {
  combineHash,
  hashBigint,
  hashBool,
  hashBytes,
  hashNumber,
  hashText,
  hashTextBytes,
  hashValue,
  TUPLE_HASH_START,
} from '../../../src/record/key-hash.js';
import { encodeText } from '../../../src/record/text.js';

describe('key hashes', () => {
  // By the definitions of Integer, Long and Double.hashCode, calculated outside this code base.
  it.each([
    [0, 0],
    [-0, 0],
    [42, 42],
    [-1, -1],
    [2147483647, 2147483647],
    [-2147483648, -2147483648],
    [2147483648, -2147483648],
    [4294967296, 1],
    [-4294967297, 1],
    [9007199254740991, -2097152],
    [1.5, 1073217536],
    [-1.5, -1074266112],
    [0.1, -1507852285],
    [Number.NaN, 2146959360],
    [Number.POSITIVE_INFINITY, 2146435072],
    [Number.NEGATIVE_INFINITY, -1048576],
    [2 ** 63, 1138753536],
    [-(2 ** 63), -2147483648],
  ])('hashes the number %d as Java does', (value, hash) => {
    expect(hashNumber(value)).toBe(hash);
  });

  it.each([
    [0n, 0],
    [-1n, -1],
    [2147483648n, -2147483648],
    [9223372036854775807n, -2147483648],
    [-9223372036854775808n, -2147483648],
    [9007199254740993n, 2097153],
  ])('hashes the bigint %d as Java does', (value, hash) => {
    expect(hashBigint(value)).toBe(hash);
  });

  it('hashes a number and the bigint of the same value alike', () => {
    for (const value of [
      0,
      7,
      -7,
      2 ** 31,
      -(2 ** 31) - 1,
      2 ** 53,
      -(2 ** 62),
      2 ** 63,
      2 ** 70,
    ]) {
      expect(hashBigint(BigInt(value))).toBe(hashNumber(value));
    }
  });

  it.each([
    ['', 0],
    ['a', 97],
    ['hello', 99162322],
    ['flink', 97520992],
    ['polygenelubricants', -2147483648],
    ['ä', 228],
    ['€', 8364],
    ['😀', 1772899],
  ])('hashes the text "%s" as Java does, from its bytes too', (text, hash) => {
    expect(hashText(text)).toBe(hash);
    const bytes = encodeText(text);
    const isAscii = bytes.length === text.length;
    expect(hashTextBytes(bytes, 0, bytes.length, isAscii ? TEXT_ASCII : TEXT_UTF8)).toBe(hash);
  });

  it('hashes lone surrogates alike as text and as bytes', () => {
    for (const text of ['\ud83d', '\ude00', 'x\udc00\ud800y', '\ud83d😀']) {
      const bytes = encodeText(text);
      expect(hashTextBytes(bytes, 0, bytes.length, TEXT_WTF8)).toBe(hashText(text));
    }
  });

  it('hashes booleans, bytes and tuples as Java does', () => {
    expect([hashBool(true), hashBool(false)]).toStrictEqual([1231, 1237]);
    expect(hashBytes(new Uint8Array([1, 255]), 0, 2)).toBe(31 * (31 + 1) - 1);
    const tuple = [hashText('a'), hashNumber(2)].reduce(combineHash, TUPLE_HASH_START);
    expect(tuple).toBe(31 * (31 + 97) + 2);
  });

  it('hashes dates and decimals as their columns store them', () => {
    expect(hashValue(new Date(3 * 86_400_000), { kind: 'date' })).toBe(3);
    expect(hashValue(new Date(5), { kind: 'timestamp' })).toBe(5);
    expect(hashValue('1.5', { kind: 'decimal', precision: 10, scale: 2 })).toBe(150);
  });

  it.each([[null], [undefined], [{}], [[1]]])('refuses %s as a key', (value) => {
    expect(() => hashValue(value, { kind: 'number' })).toThrow(/cannot be hashed/);
  });
});
