import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkValue } from '../../../../src/format/ndjson/json-check.js';

function isValid(text: string): boolean {
  const bytes = Buffer.from(`${text}\n`);
  return checkValue(bytes, 0) === bytes.length - 1;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('checkValue', () => {
  it('agrees with JSON.parse on soups of tokens', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '\\',
      '1',
      '-',
      '.5',
      'e3',
      'true',
      'null',
      ' ',
      '\t',
      '\\u00e9',
      '\u0001',
    );
    const soup = fc.array(token, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(''));
    const near = fc
      .tuple(fc.jsonValue({ maxDepth: 3 }), fc.nat(), token)
      .map(([value, at, insert]) => {
        const text = JSON.stringify(value);
        const place = at % (text.length + 1);
        return text.slice(0, place) + insert + text.slice(place);
      });
    fc.assert(
      fc.property(fc.oneof(soup, near), (text) => {
        // The functions start at the value and stop behind it, blanks around it are the caller's.
        fc.pre(text.trim() === text);
        expect(isValid(text)).toBe(parses(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('takes nesting of any depth', () => {
    expect(isValid(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toBe(true);
    expect(isValid(`${'{"a":'.repeat(50_000)}1${'}'.repeat(49_999)}`)).toBe(false);
  });
});
