import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOf, filesBelow, root, sourceFiles } from './source-files.js';

const DATA_PLANE = new Set(['record', 'ring', 'time', 'state', 'operator', 'format']);

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  readonly allowed: (path: string, folder: string) => boolean;
}

const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\b|\bperformance\.now\b/,
    instead: 'base/clock',
    allowed: (path) => path === 'src/base/clock.ts',
  },
  {
    pattern: /\bMath\.random\b/,
    instead: 'base/random',
    allowed: (path) => path === 'src/base/random.ts',
  },
  {
    pattern: /\bnew SharedArrayBuffer\b/,
    instead: 'memory/arena',
    allowed: (_, folder) => folder === 'memory',
  },
  {
    pattern: /\bAtomics\.wait\b/,
    instead: 'ring/parker',
    allowed: (path) => path === 'src/ring/parker.ts',
  },
  {
    pattern: /\bset(Timeout|Interval|Immediate)\b/,
    instead: 'a callback injected by runtime',
    allowed: (_, folder) => !DATA_PLANE.has(folder),
  },
  {
    pattern: /\bprocess\.env\b/,
    instead: 'configuration resolved by cli or api',
    allowed: (_, folder) => folder === 'cli' || folder === 'api',
  },
  { pattern: /\bnew Function\b|\beval\(/, instead: 'vm.compileFunction', allowed: () => false },
  { pattern: /\bas unknown as\b/, instead: 'a type guard', allowed: () => false },
  {
    pattern: /\b(TODO|FIXME|XXX|HACK)\b/,
    instead: 'finished work',
    allowed: () => false,
  },
];

describe('style', () => {
  it('every file opens with a header comment that names its thread', () => {
    const wrong = sourceFiles
      .filter((file) => !/^(#!.*\n)?\/\*\*[\s\S]*?\*\//.test(file.text) || !headerOf(file.text).includes('Runs on:'))
      .map((file) => file.path);
    expect(wrong).toEqual([]);
  });

  it('no line is longer than 100 columns outside of header prose', () => {
    const wrong = sourceFiles.flatMap((file) =>
      file.lines.flatMap((line, index) =>
        line.length > 120 || (line.length > 100 && !/^\s*(\*|\/\/|\/\*)/.test(line))
          ? [`${file.path}:${index + 1}`]
          : [],
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('banned calls stay with their owners', () => {
    const wrong = sourceFiles.flatMap((file) => {
      const lines = codeOf(file).split('\n');
      return BANS.filter((ban) => !ban.allowed(file.path, file.folder)).flatMap((ban) =>
        lines.flatMap((line, index) =>
          ban.pattern.test(line) ? [`${file.path}:${index + 1} use ${ban.instead}`] : [],
        ),
      );
    });
    expect(wrong).toEqual([]);
  });

  it('every folder of src has its paragraph in src/README.md', () => {
    const readme = readFileSync(join(root, 'src/README.md'), 'utf8');
    const folders = new Set(sourceFiles.map((file) => file.folder).filter((f) => f !== ''));
    expect([...folders].filter((folder) => !readme.includes(`**${folder}/**`))).toEqual([]);
  });

  it('every layout constant file is checked by a test of its own', () => {
    const layouts = sourceFiles.filter((file) => file.path.endsWith('-layout.ts'));
    const missing = layouts
      .map((file) => file.path.replace(/^src/, 'test/unit').replace(/\.ts$/, '.test.ts'))
      .filter((path) => !existsSync(join(root, path)));
    expect(missing).toEqual([]);
  });

  it('every error code is used by the source and named in a test', () => {
    const table = readFileSync(join(root, 'src/base/error-codes.ts'), 'utf8');
    const codes = [...table.matchAll(/^ {2}([A-Z_]+): (?:permanent|passing)/gm)].map((m) => m[1] ?? '');
    const source = sourceFiles.filter((f) => !f.path.endsWith('error-codes.ts'));
    const tests = filesBelow('test').map((path) => readFileSync(join(root, path), 'utf8'));
    const unused = codes.filter((code) => !source.some((file) => file.text.includes(`'${code}'`)));
    const untested = codes.filter((code) => !tests.some((text) => text.includes(code)));
    expect({ unused, untested }).toEqual({ unused: [], untested: [] });
  });
});

function headerOf(text: string): string {
  return /\/\*\*[\s\S]*?\*\//.exec(text)?.[0] ?? '';
}
