import { describe, expect, it } from 'vitest';
import { XxHash32, xxHash32 } from '../../../../src/format/bytes/xxhash32.js';

describe('xxHash32', () => {
  it('gives the published values', () => {
    // From the specification's own test vectors, seed 0.
    expect(xxHash32(Buffer.from(''))).toBe(0x02cc5d05);
    expect(xxHash32(Buffer.from('a'))).toBe(0x550d7456);
    expect(xxHash32(Buffer.from('abc'))).toBe(0x32d153ff);
    expect(xxHash32(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f);
  });

  it('does not depend on how the bytes arrive', () => {
    const bytes = Buffer.from('0123456789'.repeat(20));
    for (let piece = 1; piece < 40; piece++) {
      const hash = new XxHash32();
      for (let at = 0; at < bytes.length; at += piece) hash.update(bytes.subarray(at, at + piece));
      expect(hash.digest()).toBe(xxHash32(bytes));
    }
  });
});
