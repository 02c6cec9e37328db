import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { MillraceError } from '../../../../src/base/errors.js';
import { nodeDisk } from '../../../../src/base/node-disk.js';
import { resolveFiles } from '../../../../src/connector/file/resolve-files.js';
import { directoryWith } from './read-source.js';

let directory = '';
beforeAll(async () => {
  directory = await directoryWith({
    'b.csv': 'b',
    'a.csv': 'aa',
    'odd[1].csv': 'x',
    'sub/c.csv': 'c',
    'sub/deep/d.csv': 'd',
    'sub/_SUCCESS': '',
    'sub/.hidden.csv': '',
    'empty/.keep': '',
  });
});

const names = (...patterns: string[]): readonly string[] =>
  resolveFiles(nodeDisk, directory, patterns).map((file) => file.name);

describe('resolveFiles', () => {
  it('finds files by name, also absolute, with their sizes', () => {
    const [file] = resolveFiles(nodeDisk, '/', [join(directory, 'a.csv')]);
    expect(file).toMatchObject({ path: join(directory, 'a.csv'), bytes: 2 });
    expect(names('./a.csv')).toEqual(['a.csv']);
    expect(names('odd[1].csv')).toEqual(['odd[1].csv']);
  });

  it('expands globs in sorted order and keeps each file once', () => {
    expect(names('*.csv', 'a.csv')).toEqual(['a.csv', 'b.csv', 'odd[1].csv']);
    expect(names('{a,b}.csv')).toEqual(['a.csv', 'b.csv']);
    expect(names('**/*.csv')).toEqual([
      'a.csv',
      'b.csv',
      'odd[1].csv',
      'sub/c.csv',
      'sub/deep/d.csv',
    ]);
    expect(names('./sub/*.csv')).toEqual(['sub/c.csv']);
    expect(names('*/deep/d.csv')).toEqual(['sub/deep/d.csv']);
    expect(names('sub/.h*')).toEqual(['sub/.hidden.csv']);
    expect(names(join(directory, 'sub/**/d.*'))).toEqual(['sub/deep/d.csv']);
  });

  it('takes a directory for the files directly in it, without markers', () => {
    expect(names('sub')).toEqual(['sub/c.csv']);
  });

  it('says what there is when nothing matches', () => {
    const failure = (pattern: string): MillraceError => {
      try {
        names(pattern);
      } catch (error) {
        if (error instanceof MillraceError) return error;
      }
      throw new Error('It should have failed.');
    };
    expect(failure('sub/x*.csv')).toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(failure('sub/x*.csv').message).toContain('"sub/x*.csv"');
    expect(failure('sub/c.tsv').advice).toContain('c.csv');
    expect(failure('nowhere/at/all').advice).toContain('a.csv');
    expect(failure('empty').message).toContain('holds no file');
  });
});
