import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextDigest } from '../../../src/base/text-digest.js';

const digestOf = (...pieces: readonly string[]): string => {
  const digest = new TextDigest();
  for (const piece of pieces) digest.update(piece);
  return digest.hex();
};

describe('TextDigest', () => {
  it('stays the same for ever, because uids contain it', () => {
    expect(['', 'a', '["map","map",[]]', 'ä\ud800'].map((text) => digestOf(text))).toEqual([
      '2314d5a710c0d103',
      'b7817c75ec600c0e',
      '14470c37a202bc38',
      'f13b201bac209ad0',
    ]);
  });

  it('does not depend on how the text is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (pieces) => {
        expect(digestOf(...pieces)).toBe(digestOf(pieces.join('')));
      }),
    );
  });

  it('differs between texts that hardly do, in its halves too', () => {
    const texts = Array.from({ length: 20_000 }, (_, index) => `["map","map-${index}",[]]`);
    const halves = texts.map((text) => digestOf(text).slice(0, 8));
    expect(new Set(texts.map((text) => digestOf(text))).size).toBe(texts.length);
    expect(new Set(texts.map((text) => digestOf(text, '\0'))).size).toBe(texts.length);
    // By chance, 20,000 numbers of 32 bits hold 0.05 pairs.
    expect(new Set(halves).size).toBeGreaterThanOrEqual(texts.length - 2);
    expect(new Set(texts.map((text) => digestOf(text).slice(8))).size).toBeGreaterThanOrEqual(
      texts.length - 2,
    );
  });

  it('changes about half of its bits with one bit of the text', () => {
    const bitsOf = (text: string): bigint => BigInt(`0x${digestOf(text)}`);
    let changed = 0;
    for (let at = 0; at < 200; at++) {
      const other = `${'x'.repeat(at)}y${'x'.repeat(199 - at)}`;
      const difference = bitsOf('x'.repeat(200)) ^ bitsOf(other);
      changed += difference.toString(2).replaceAll('0', '').length;
    }
    expect(changed / 200).toBeGreaterThan(28);
    expect(changed / 200).toBeLessThan(36);
  });
});
