/** Predicates on bytes against the same predicates on strings. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareBinary,
  compareToText,
  endsWithBytes,
  equalBinary,
  equalsBytes,
  includesBytes,
  isOneOfBytes,
  replacedLength,
  sortedLiterals,
  startsWithBytes,
  textLength,
} from '../../src/operator/expression-bytes.js';
import { encodeText } from '../../src/record/text.js';
import { field, textColumn } from '../unit/operator/expression-harness.js';

// Characters on both sides of every border of UTF-8 lengths and of the surrogates.
const POINTS = [
  0, 0x41, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xefff, 0xffff, 0x10000, 0x10ffff,
];
const points = fc.constantFrom(...POINTS).map((point) => String.fromCodePoint(point));
const halves = fc.constantFrom('\ud800', '\udbff', '\udc00', '\udfff');
const wellFormed = fc.array(points, { maxLength: 4 }).map((parts) => parts.join(''));
const anyText = fc
  .array(fc.oneof({ weight: 4, arbitrary: points }, halves), { maxLength: 4 })
  .map((parts) => parts.join(''));

const column = (text: string) => textColumn(field('t', 'utf8'), [{ t: text }], false);

describe('predicates on bytes', () => {
  it('agree with strings where the other side is a literal', () => {
    const property = fc.property(anyText, wellFormed, (text, literal) => {
      const [texts, bytes] = [column(text), encodeText(literal)];
      expect(startsWithBytes(texts, 0, bytes)).toBe(text.startsWith(literal));
      expect(endsWithBytes(texts, 0, bytes)).toBe(text.endsWith(literal));
      expect(includesBytes(texts, 0, bytes)).toBe(text.includes(literal));
      const order = compareToText(texts, 0, bytes, literal);
      expect([order < 0, order > 0]).toEqual([text < literal, text > literal]);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('agree with strings on equality, membership and length, lone surrogates included', () => {
    const property = fc.property(anyText, fc.array(anyText, { maxLength: 6 }), (text, others) => {
      const texts = column(text);
      for (const other of others) {
        expect(equalsBytes(texts, 0, encodeText(other))).toBe(text === other);
      }
      const literals = sortedLiterals(others.map(encodeText));
      expect(isOneOfBytes(texts, 0, literals)).toBe(others.includes(text));
      expect(textLength(texts, 0)).toBe(text.length);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('agree with strings on the length that is left when a literal is replaced', () => {
    const searches = fc.array(points, { minLength: 1, maxLength: 2 }).map((all) => all.join(''));
    const given = fc.array(fc.oneof(points, halves, searches), { maxLength: 12 });
    const property = fc.property(given, searches, wellFormed, (parts, search, replacement) => {
      const text = [...parts, ...parts, search, search].join('');
      const more = replacement.length - search.length;
      const length = replacedLength(column(text), 0, encodeText(search), more);
      expect(length).toBe(text.replaceAll(search, () => replacement).length);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('order two columns as strings', () => {
    const property = fc.property(anyText, anyText, (left, right) => {
      const [a, b] = [column(left), column(right)];
      const order = compareBinary(a, 0, b, 0);
      expect([order < 0, order > 0]).toEqual([left < right, left > right]);
      expect(equalBinary(a, 0, b, 0)).toBe(left === right);
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
