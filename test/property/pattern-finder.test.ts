/** Searching bytes for regular expressions against the regular expressions themselves, for texts of any characters. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findOnce, patternFinder } from '../../src/operator/pattern-finder.js';
import { PART_END, PART_START } from '../../src/operator/text-parts.js';
import { TEXT_WTF8 } from '../../src/record/column.js';
import { decodeText, encodeText } from '../../src/record/text.js';

const single = fc.constantFrom(
  'a',
  'b',
  '&',
  '=',
  '/',
  '\\.',
  '\\/',
  '\\d',
  '\\w',
  '[ab]',
  '[a-c&-]',
);
const set = fc.oneof(
  single,
  fc.constantFrom('[^&]', '[^ab]', '[^\\w]', '[^/=]', '[\\d.]', '[^-a]'),
);
const { alternatives } = fc.letrec<Record<'term' | 'sequence' | 'alternatives', string>>((tie) => ({
  term: fc.oneof(
    { depthSize: 'small' },
    single,
    fc.tuple(set, fc.constantFrom('*', '+', '', '?', '*?', '{2}')).map((parts) => parts.join('')),
    fc.constantFrom('^', '$', '.', 'é', '\\s', '\\b'),
    tie('alternatives').map((inner) => `(${inner})`),
    tie('alternatives').map((inner) => `(?:${inner})`),
    tie('alternatives').map((inner) => `(${inner})*`),
  ),
  sequence: fc.array(tie('term'), { maxLength: 4 }).map((terms) => terms.join('')),
  alternatives: fc
    .oneof(
      { weight: 3, arbitrary: tie('sequence').map((only) => [only]) },
      { weight: 2, arbitrary: fc.array(tie('sequence'), { minLength: 2, maxLength: 3 }) },
    )
    .map((all) => all.join('|')),
}));
/** Most patterns of which bytes tell are plain ones. */
const plain = fc
  .array(
    fc.oneof(
      single,
      fc.tuple(set, fc.constantFrom('*', '+')).map((parts) => parts.join('')),
      fc.tuple(set, fc.constantFrom('*', '+')).map((parts) => `(${parts.join('')})`),
      fc.constantFrom('(&|^)', '(|a)', '(?:a|b|$)', '$', '(a(b*)|b)'),
    ),
    { maxLength: 5 },
  )
  .map((terms) => terms.join(''));

const pieces = [
  'a',
  'b',
  'c',
  '&',
  '=',
  '/',
  '.',
  '1',
  '-',
  ' ',
  'é',
  '·',
  '😀',
  '\ud83d',
  '\ude00',
];
const text = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''));

function patternOf(source: string): RegExp | null {
  try {
    return new RegExp(source);
  } catch {
    return null;
  }
}

/** What is found in the bytes of a text between those of others. */
function found(pattern: RegExp, group: number, given: string): string | null | undefined {
  const find = patternFinder(pattern, group);
  if (find === null) return undefined;
  const [before, own, behind] = ['a&', given, '&=ab1/'].map(encodeText);
  const bytes = Buffer.concat([before, own, behind]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const range = new Int32Array(4);
  const end = before.length + own.length;
  if (!find(range, bytes, view, before.length, end)) return null;
  return decodeText(bytes, range[PART_START], range[PART_END], TEXT_WTF8);
}

describe('regular expressions on bytes', () => {
  it.each([
    { name: 'any', sources: alternatives, runs: 3000, least: 150 },
    { name: 'plain', sources: plain, runs: 3000, least: 800 },
  ])('find what they find in strings: $name', ({ sources, runs, least }) => {
    let told = 0;
    fc.assert(
      fc.property(
        sources,
        fc.nat({ max: 3 }),
        fc.array(text, { minLength: 1, maxLength: 4 }),
        (...given) => {
          const [source, group, texts] = given;
          const pattern = patternOf(source);
          fc.pre(pattern !== null);
          for (const each of texts) {
            const result = found(pattern, group, each);
            if (result === undefined) return;
            told++;
            expect([source, each, result]).toEqual([
              source,
              each,
              pattern.exec(each)?.[group] ?? null,
            ]);
          }
        },
      ),
      { numRuns: runs },
    );
    expect(told).toBeGreaterThan(least);
  });

  it.each([
    ['(&|^)channel_id=([^&]*)', 2, 'https://x.com/a?q=1&channel_id=7&z', '7'],
    ['(&|^)channel_id=([^&]*)', 2, 'channel_id=é&', 'é'],
    ['(&|^)channel_id=([^&]*)', 2, 'xchannel_id=1', null],
    ['id=(\\d+)', 1, 'id=&id=42x', '42'],
    ['^/?', 0, '', undefined],
    ['a.c', 0, 'abc', undefined],
    ['[^&]', 0, 'a', undefined],
    ['[ab]*a', 0, 'aba', undefined],
    ['(a|b)*', 0, 'ab', undefined],
    ['(?=a)a', 0, 'a', undefined],
    ['(a)|b', 1, 'b', null],
  ] as const)('%s', (source, group, given, result) => {
    expect(found(new RegExp(source), group, given)).toBe(result);
  });

  it('are looked for once in each entry of a dictionary', () => {
    fc.assert(
      fc.property(plain, fc.array(text, { minLength: 1, maxLength: 4 }), (source, entries) => {
        const pattern = patternOf(source);
        const find = pattern && patternFinder(pattern, 0);
        fc.pre(find !== null);
        let calls = 0;
        const counted: typeof find = (...args) => {
          calls++;
          return find(...args);
        };
        const known = new Int32Array(2 * entries.length);
        const range = new Int32Array(4);
        for (const entry of [...entries.keys(), ...entries.keys()]) {
          const bytes = encodeText(entries[entry]);
          const view = new DataView(bytes.buffer);
          const isFound = findOnce(counted, known, entry, range, bytes, view, 0, bytes.length);
          const match = isFound
            ? decodeText(bytes, range[PART_START], range[PART_END], TEXT_WTF8)
            : null;
          expect(match).toBe(pattern?.exec(entries[entry])?.[0] ?? null);
        }
        expect(calls).toBe(entries.length);
      }),
    );
  });

  it('leaves patterns with flags to the strings', () => {
    expect(patternFinder(/a/i, 0)).toBeNull();
    expect(patternFinder(/a/u, 0)).toBeNull();
  });
});
