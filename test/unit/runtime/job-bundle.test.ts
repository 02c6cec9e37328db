import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { entryUrl } from '../../../src/runtime/entry-url.js';
import { importableUrl } from '../../../src/runtime/importable-url.js';

const directory = mkdtempSync(join(tmpdir(), 'millrace-bundle-'));
mkdirSync(join(directory, 'node_modules'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return pathToFileURL(join(directory, name)).href;
}

describe('importableUrl', () => {
  it('leaves JavaScript and what is no file alone', async () => {
    const script = file('job.mjs', 'export default 1;');
    expect(await importableUrl(script)).toBe(script);
    expect(await importableUrl('data:text/javascript,1')).toBe('data:text/javascript,1');
  });

  it('bundles TypeScript with what it imports, and pins the engine to this copy', async () => {
    file('helper.ts', 'export const answer: number = 42;');
    const source = file(
      'job.ts',
      `import { job } from 'millrace';\nimport { answer } from './helper.js';\n` +
        'export const place = import.meta.url;\nexport { answer };\nexport const made = job;\n',
    );
    const url = await importableUrl(source);
    expect(url).toContain('/node_modules/.cache/millrace/');
    const text = readFileSync(fileURLToPath(url), 'utf8');
    expect(text).toContain(JSON.stringify(entryUrl('index')));
    expect(text).toContain(JSON.stringify(source));
    expect(text).not.toContain('./helper');
  });

  it('gives the same module for the same text, another one for another', async () => {
    const source = file('same.ts', 'export const a: number = 1;');
    const first = await importableUrl(source);
    expect(await importableUrl(source)).toBe(first);
    file('same.ts', 'export const a: number = 2;');
    expect(await importableUrl(source)).not.toBe(first);
  });

  it('refuses what does not compile, with file and line', async () => {
    const source = file('broken.ts', 'export const a: number = ;\n');
    const error = await importableUrl(source).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!MillraceError.is(error)) throw new Error(`It did not fail with a coded error: ${error}`);
    expect(error.code).toBe('JOB_NOT_IMPORTABLE');
    expect(error.where.file).toBe(join(directory, 'broken.ts'));
    expect(error.where.line).toBe(1);
  });
});
