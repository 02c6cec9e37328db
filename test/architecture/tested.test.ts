/** Rules about what must have a test. Whether the tests are good is for their readers. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingPackages } from '../../scripts/complete-lockfile.mjs';
import { filesBelow, folders, root, type SourceFile, sourceFiles, textOf } from './source-files.js';

/** Every test but those of this folder, which name things without testing them. */
const tests = filesBelow('test')
  .filter((path) => /\.(ts|mjs)$/.test(path) && !path.startsWith('test/architecture/'))
  .map((path) => ({ path, text: textOf(path) }));

describe('what is tested', () => {
  it('every folder of src is mirrored under test/unit', () => {
    expect(folders.filter((folder) => !existsSync(join(root, 'test/unit', folder)))).toEqual([]);
  });

  it('every test file under test/unit stands where its source does', () => {
    const wrong = tests
      .filter(({ path }) => path.startsWith('test/unit/') && path.endsWith('.test.ts'))
      .map(({ path }) => path.slice('test/unit/'.length).split('/'))
      .filter((parts) => parts.length > 1 && parts[0] !== 'bench')
      .map((parts) => parts.slice(0, -1).join('/'))
      .filter((folder) => !existsSync(join(root, 'src', folder)));
    expect([...new Set(wrong)]).toEqual([]);
  });

  it('every file of ring and state is named by a unit, property or contract test', () => {
    const wrong = sourceFiles
      .filter(({ folder, path }) => ['ring', 'state'].includes(folder) && !isContract(path))
      .filter((file) => !isTested(file))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  it('every layout is recomputed by a test of its own', () => {
    const missing = sourceFiles
      .filter(({ path }) => path.endsWith('-layout.ts'))
      .map(({ path }) => path.replace(/^src/, 'test/unit').replace(/\.ts$/, '.test.ts'))
      .filter((path) => !existsSync(join(root, path)));
    expect(missing).toEqual([]);
  });

  it('every error code is used by the source and named in a test', () => {
    const table = textOf('src/base/error-codes.ts');
    const codes = [...table.matchAll(/^ {2}([A-Z0-9_]+): (?:PERMANENT|PASSING),/gm)].map(
      (match) => match[1] ?? '',
    );
    expect(codes.length).toBeGreaterThan(30);
    const source = sourceFiles.filter(
      ({ path }) => !path.endsWith('error-codes.ts') && !path.endsWith('error-meanings.ts'),
    );
    const unused = codes.filter((code) => !source.some(({ text }) => text.includes(`'${code}'`)));
    const untested = codes.filter((code) => !tests.some(({ text }) => text.includes(code)));
    expect({ unused, untested }).toEqual({ unused: [], untested: [] });
  });

  it('no test is skipped, alone or still to be written', () => {
    const wrong = tests
      .filter(({ text }) => /\b(?:it|test|describe)\.(?:skip|only|todo)\b/.test(text))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });
});

describe('the lockfile', () => {
  it('holds every package that one of its packages names (node scripts/complete-lockfile.mjs)', () => {
    const lock = JSON.parse(textOf('package-lock.json'));
    expect(missingPackages(lock).map(({ name }) => name)).toEqual([]);
  });

  it('pins what package.json pins, exactly', () => {
    const lock = JSON.parse(textOf('package-lock.json'));
    const manifest = JSON.parse(textOf('package.json'));
    const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const [name, version] of Object.entries(wanted)) {
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
  });
});

/** Interfaces and constants only, so that there is nothing to run. */
function isContract(path: string): boolean {
  return basename(path) === 'contract.ts';
}

/** Whether a test names the file, or something it exports. */
function isTested(file: SourceFile): boolean {
  const name = basename(file.path, '.ts');
  const names = [...file.text.matchAll(/^export (?:class|function|const) (\w+)/gm)]
    .map((match) => match[1])
    .concat(`${name}\\.[jt]s`)
    .map((text) => new RegExp(`\\b${text}\\b`));
  return tests.some(({ text }) => names.some((pattern) => pattern.test(text)));
}
