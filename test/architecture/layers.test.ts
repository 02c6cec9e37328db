import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sourceFiles } from './source-files.js';

/** From the bottom up; folders on one level do not import each other. */
const LEVELS: readonly (readonly string[])[] = [
  ['base'],
  ['memory', 'metrics'],
  ['record'],
  ['ring', 'time', 'storage'],
  ['state'],
  ['operator'],
  ['format'],
  ['connector'],
  ['checkpoint'],
  ['graph'],
  ['runtime'],
  ['api'],
  ['cli'],
];

const levelOf = (folder: string): number => LEVELS.findIndex((level) => level.includes(folder));

describe('layers', () => {
  it('every folder of src has a level', () => {
    const unknown = new Set(sourceFiles.map((file) => file.folder).filter((f) => f !== ''));
    for (const level of LEVELS) for (const folder of level) unknown.delete(folder);
    expect([...unknown]).toEqual([]);
  });

  it('folders import only from folders below them', () => {
    const wrong = sourceFiles.flatMap((file) =>
      importsOf(file.text)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => normalize(join(dirname(file.path), specifier)).split('/')[1] ?? '')
        .filter((target) => file.folder !== '' && target !== file.folder)
        .filter((target) => levelOf(target) >= levelOf(file.folder))
        .map((target) => `${file.path} imports ${target}/`),
    );
    expect(wrong).toEqual([]);
  });

  it('only native-bindings and lazily loaded owners import packages', () => {
    const owners: Readonly<Record<string, RegExp>> = {
      acorn: /^src\/operator\/lambda-fields/,
      esbuild: /^src\/runtime\/job-bundle/,
      commander: /^src\/cli\//,
      yaml: /^src\/cli\//,
      zod: /^src\/cli\//,
      hyparquet: /^src\/format\/parquet\//,
      'hyparquet-writer': /^src\/format\/parquet\//,
      'lz4-napi': /^src\/(connector\/file|format)\//,
      'node:fs': /^src\/(base\/node-disk|cli\/|runtime\/)/,
      'node:worker_threads': /^src\/runtime\//,
    };
    const wrong = sourceFiles.flatMap((file) =>
      importsOf(file.text)
        .filter((specifier) => !specifier.startsWith('.'))
        .filter((specifier) => !(owners[specifier]?.test(file.path) ?? specifier.startsWith('node:')))
        .map((specifier) => `${file.path} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });
});

function importsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
}
