import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteFrom, partEnd, wordEnd, wordStart } from '../../../src/operator/text-parts.js';
import { wordView } from '../../../src/record/words.js';
import { decodeText, encodeText } from '../../../src/record/text.js';
import { TEXT_WTF8 } from '../../../src/record/column.js';
import { col } from '../../../src/operator/expression-builder.js';
import { batchOf, chainOf, line, op, recordsOf, untilDone } from './chain-harness.js';

function wordsOf(text: string): readonly string[] {
  const bytes = encodeText(text);
  const words: string[] = [];
  for (let at = wordStart(bytes, 0, bytes.length); at >= 0; ) {
    const end = wordEnd(bytes, at, bytes.length);
    words.push(decodeText(bytes, at, end, TEXT_WTF8));
    at = wordStart(bytes, end, bytes.length);
  }
  return words;
}

describe('parts of texts on bytes', () => {
  it('end at the next separator, wherever that and the end of memory are', () => {
    const letters = fc.uint8Array({ max: 3, maxLength: 30 });
    fc.assert(
      fc.property(letters, fc.nat(30), fc.nat(30), (bytes, a, b) => {
        const end = Math.min(Math.max(a, b), bytes.length);
        const at = Math.min(a, b, end);
        const found = bytes.subarray(0, end).indexOf(2, at);
        const expected = found < 0 ? end : found;
        expect(byteFrom(bytes, wordView(bytes), at, end, 2)).toBe(expected);
        expect(partEnd(bytes, at, end, Uint8Array.of(2))).toBe(expected);
      }),
    );
    const bytes = encodeText('aab-=-==b');
    expect(partEnd(bytes, 0, bytes.length, encodeText('=='))).toBe(6);
    expect(partEnd(bytes, 0, 7, encodeText('=='))).toBe(7);
  });

  it('take every character for white space that JavaScript does, and no other', () => {
    for (let unit = 0; unit < 0x10000; unit++) {
      const character = String.fromCharCode(unit);
      expect(wordsOf(`a${character}b`).length, unit.toString(16)).toBe(
        /\s/.test(character) ? 2 : 1,
      );
    }
  });
});

describe('explode', () => {
  const texts = ['', ' ', 'a', 'a b', ' a  b ', 'größer, 😀 ist', '\ud83d \udc00', 'x'.repeat(30)];

  it.each([' ', ', ', 'ö', '😀', '', '\ud83d'])('splits by %j as JavaScript does', (separator) => {
    const list = col('value').split(separator);
    const parts = texts.flatMap((value) => value.split(separator).map((part) => ({ value, part })));
    expect(recordsOf({ operators: line(op.explode('part', list)) }, texts)).toEqual(parts);
    const copied = line(
      op.map((text: string) => text),
      op.explode('part', list),
    );
    expect(recordsOf({ operators: copied }, texts)).toEqual(parts);
  });

  it('has the same lists where they are built', () => {
    const operators = line(
      op.select({ split: col('value').split(' '), words: col('value').words() }),
    );
    expect(recordsOf({ operators }, texts)).toEqual(
      texts.map((text) => ({
        split: text.split(' '),
        words: text.split(/\s+/).filter((word) => word !== ''),
      })),
    );
  });

  it.each(['a', ' ', ', ', 'ö', '😀', ''])(
    'finds the parts by %j that splitPart asks for',
    (by) => {
      const parts = { first: 0, second: 1, third: 2, last: -1 };
      const columns = Object.fromEntries(
        Object.entries(parts).map(([name, index]) => [name, col('value').splitPart(by, index)]),
      );
      // Behind one another, of another part, as keys, and in texts that repeat.
      const nested = {
        within: col('second').splitPart('b', 0),
        upper: col('first').upper(),
        same: col('first').eq(col('second')),
      };
      const many = [...texts, ...texts];
      const part = (text: string | null, by: string, index: number) =>
        text?.split(by).at(index) ?? null;
      const expected = many.map((text) => {
        const [first, second, third, last] = [0, 1, 2, -1].map((index) => part(text, by, index));
        const same = first === null || second === null ? null : first === second;
        const upper = first?.toUpperCase() ?? null;
        return { first, second, third, last, within: part(second, 'b', 0), upper, same };
      });
      const kept = Object.fromEntries(Object.keys(parts).map((name) => [name, col(name)]));
      const operators = line(op.select(columns), op.select({ ...kept, ...nested }));
      expect(recordsOf({ operators }, many)).toEqual(expected);
      const counted = line(
        op.select(columns),
        op.where(col('second').isNotNull()),
        op.aggregate(['second'], { n: { fn: 'count' } }),
      );
      const counts = new Map<string, number>();
      for (const { second } of expected) {
        if (second !== null) counts.set(second, (counts.get(second) ?? 0) + 1);
      }
      expect(recordsOf({ operators: counted }, many)).toEqual(
        [...counts].map(([second, n]) => ({ second, n })),
      );
    },
  );

  it('gives functions texts of their own', () => {
    const operators = line(
      op.explode('word', col('value').split(' ')),
      op.map((r: { word: string }) => r.word),
    );
    expect(recordsOf({ operators }, texts)).toEqual(texts.flatMap((text) => text.split(' ')));
  });

  it('gives nothing for null and empty lists, or null when it is outer', () => {
    const records = [{ tags: [1, null] }, { tags: [] }, { tags: null }, { tags: [2] }];
    const of = (outer: boolean) =>
      recordsOf({ operators: line(op.explode('tags', col('tags'), outer)) }, records);
    expect(of(false)).toEqual([{ tags: 1 }, { tags: null }, { tags: 2 }]);
    expect(of(true)).toEqual([1, null, null, null, 2].map((tags) => ({ tags })));
  });

  it('takes lists of structs and dates, and keeps the other fields', () => {
    const day = new Date(86_400_000);
    const records = [
      {
        id: 1,
        items: [
          { sku: 'a', at: day },
          { sku: 'b', at: day },
        ],
      },
    ];
    const made = line(
      op.map((r: object) => r),
      op.explode('items', col('items')),
    );
    const expected = records[0].items.map((items) => ({ id: 1, items }));
    expect(recordsOf({ operators: line(op.explode('items', col('items'))) }, records)).toEqual(
      expected,
    );
    expect(recordsOf({ operators: made }, records)).toEqual(expected);
  });

  it('does bounded work on one long row, and builds no list', () => {
    const text = 'a '.repeat(100_000);
    const count = op.aggregate(['word'], { n: { fn: 'count' } });
    const chain = chainOf({ operators: line(op.explode('word', col('value').split(' ')), count) });
    const batch = batchOf([text]);
    const cursor = { position: 0 };
    let calls = 0;
    while (chain.task.step(0, batch, cursor, 10) !== 0) calls++;
    expect(calls).toBe(Math.floor(100_001 / 80));
    untilDone((end) => chain.task.endOfInput(end, 1000));
    chain.task.flush();
    expect(chain.ports[0].left.map(({ record }) => record)).toEqual([
      { word: 'a', n: 100_000 },
      { word: '', n: 1 },
    ]);
    expect(chain.task.code()).not.toContain('.split(');
  });

  it('refuses what is no list', () => {
    expect(() => recordsOf({ operators: line(op.explode('n', col('n'))) }, [{ n: 1 }])).toThrow(
      /n is number, not a list/,
    );
  });
});
