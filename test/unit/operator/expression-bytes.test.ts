import { describe, expect, it } from 'vitest';
import { EntryMemo } from '../../../src/operator/expression-bytes.js';
import { field, textColumn } from './expression-harness.js';

const column = (texts: readonly string[], dictionary = true) =>
  textColumn(
    field('t', 'utf8'),
    texts.map((t) => ({ t })),
    dictionary,
  );

describe('memory per dictionary entry', () => {
  it('keeps results of equal entries', () => {
    const memo = new EntryMemo();
    const texts = column(['a', 'b', 'a']);
    expect(memo.has(texts, 0)).toBe(false);
    expect(memo.keep('A')).toBe('A');
    expect(memo.has(texts, 1)).toBe(false);
    expect(memo.has(texts, 2)).toBe(true);
    expect(memo.value).toBe('A');
  });

  it('forgets when the column changes, to a shorter or a longer one', () => {
    const memo = new EntryMemo();
    for (const texts of [column(['a', 'b']), column(['c']), column(['d', 'e', 'f'])]) {
      for (let row = 0; row < texts.entries; row++) {
        expect(memo.has(texts, row)).toBe(false);
        memo.keep(row);
        expect(memo.has(texts, row)).toBe(true);
        expect(memo.value).toBe(row);
      }
    }
  });

  it('remembers nothing of plain columns', () => {
    const memo = new EntryMemo();
    const plain = column(['a', 'a'], false);
    expect(memo.has(plain, 0)).toBe(false);
    expect(memo.keep('A')).toBe('A');
    expect(memo.has(plain, 0)).toBe(false);
  });
});
