import { describe, expect, it } from 'vitest';
import { globExpression, globRoot, isGlob } from '../../../../src/connector/file/glob-pattern.js';

const matches = (pattern: string, path: string): boolean => globExpression(pattern).test(path);

describe('globExpression', () => {
  it('matches within a segment by * and ?', () => {
    expect(matches('*.csv', 'a.csv')).toBe(true);
    expect(matches('*.csv', 'd/a.csv')).toBe(false);
    expect(matches('?.csv', 'a.csv')).toBe(true);
    expect(matches('?.csv', 'ab.csv')).toBe(false);
    expect(matches('a+b(1).csv', 'a+b(1).csv')).toBe(true);
    expect(matches('a.csv', 'axcsv')).toBe(false);
  });

  it('crosses segments by **', () => {
    expect(matches('**/*.csv', 'a.csv')).toBe(true);
    expect(matches('**/*.csv', 'x/y/a.csv')).toBe(true);
    expect(matches('x/**/a.csv', 'x/a.csv')).toBe(true);
    expect(matches('x/**', 'x/y/z')).toBe(true);
  });

  it('knows choices, sets and escapes', () => {
    expect(matches('{a,b*}.{csv,tsv}', 'bcd.tsv')).toBe(true);
    expect(matches('{a,b}.csv', 'c.csv')).toBe(false);
    expect(matches('{x/{1,2},y}/a', 'x/2/a')).toBe(true);
    expect(matches('[a-c0].csv', 'b.csv')).toBe(true);
    expect(matches('[!a-c].csv', 'b.csv')).toBe(false);
    expect(matches('[]x].csv', '].csv')).toBe(true);
    expect(matches('a[!b]c', 'a/c')).toBe(false);
    expect(matches('\\*.csv', '*.csv')).toBe(true);
    expect(matches('\\*.csv', 'a.csv')).toBe(false);
    expect(matches('a,b}', 'a,b}')).toBe(true);
  });

  it('refuses what is not closed', () => {
    expect(() => globExpression('{a,b')).toThrow(/"\{" is not closed/);
    expect(() => globExpression('[ab')).toThrow(/"\[" is not closed/);
  });
});

it('finds where a pattern begins to be one', () => {
  expect(globRoot('data/2024/*.csv')).toBe('data/2024/');
  expect(globRoot('*.csv')).toBe('');
  expect(globRoot('data/x{a/b,c}')).toBe('data/');
  expect([isGlob('a/b.csv'), isGlob('a/*.csv'), isGlob('a{1}')]).toEqual([false, true, true]);
});
